//! Names: of definitions that cannot be in force together, and of files that are not there.

mod support;

use expect_test::expect;
use support::{folder, load_and_render};

const TEAM: &str = "=== factum.yaml\nname: contoso\n=== teams/store/team.yaml\ncontact: '#store'\n";

#[test]
fn an_event_and_a_table_of_one_name_are_a_problem() {
    let files = format!(
        "{TEAM}=== teams/store/events/products.yaml\nsummary: A product changed\n\
         === teams/store/tables/Products.yaml\nfrom: products.csv\nkey: id\n\
         === teams/store/tables/products.csv\nid,name\n1,Alien\n"
    );
    expect![[r#"
        the project has a problem
          × teams/store/tables/Products.yaml: table store.Products has the name of event store.products
          help: that is in teams/store/events/products.yaml; topics, views and tables share one space of names:
                rename one of the two files
    "#]]
    .assert_eq(&load_and_render(folder(&files).path()));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_to_no_file_is_not_a_misspelt_name() {
    use std::os::unix::fs::symlink;
    let files = format!(
        "{TEAM}=== teams/store/events/orders.yaml\nschema: orders.schema.json\n\
         === teams/store/tables/products.yaml\nfrom: products.csv\nkey: id\n"
    );
    let folder = folder(&files);
    let team = folder.path().join("teams/store");
    symlink("nowhere.csv", team.join("tables/products.csv")).expect("linked");
    symlink("nowhere.json", team.join("events/orders.schema.json")).expect("linked");
    expect![[r#"
        the project has 2 problems
          × orders.schema.json is a link that leads to no file
           ╭─[teams/store/events/orders.yaml:1:9]
         1 │ schema: orders.schema.json
           ·         ──────────────────
           ╰────
          help: put the file there, or let the link lead to another
          × products.csv is a link that leads to no file
           ╭─[teams/store/tables/products.yaml:1:7]
         1 │ from: products.csv
           ·       ────────────
         2 │ key: id
           ╰────
          help: put the file there, or let the link lead to another
    "#]]
    .assert_eq(&load_and_render(folder.path()));
}
