//! Topics, views and tables share one space of names, whichever of them comes first.

mod support;

use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use support::{BINARY, Shell, eventually};

const VIEW: &str = "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS orders FROM orders;\n";

/// A project with the event `store.orders`, the view `store.totals` and the table `store.products`.
fn project(folder: &Path) {
    for (path, text) in [
        ("factum.yaml", "name: shop\n"),
        ("teams/store/team.yaml", "contact: '#store'\n"),
        ("teams/store/events/orders.yaml", "summary: An order\n"),
        ("teams/store/tables/products.yaml", "from: products.csv\nkey: id\n"),
        ("teams/store/tables/products.csv", "id,name\n1,Alien\n"),
        ("teams/store/pipelines/totals.sql", VIEW),
    ] {
        write(folder, path, text);
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    std::fs::write(path, text).expect("written");
}

/// What is wrong with the project, as the server tells it.
fn problems(factum: &FactumProcess) -> String {
    let told = Shell::of(factum).output("doctor -o json", "");
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&told.stdout).expect("findings");
    let server = findings.into_iter().find(|finding| finding["check"] == "server").expect("a server");
    server["found"].as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_makes_a_topic_of_the_name_of_a_view_or_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    project(folder.path());
    let mut factum = Launch::new(BINARY).project(folder.path()).start();
    let mut shell = Shell::of(&factum);
    shell.run("topic create store.totals").run("topic create store.products");
    shell
        .run("tail store.totals")
        .run_with("produce store.products", "{\"id\":2}\n")
        .run("topic list -o name");
    expect![[r#"
        $ factum topic create store.totals
        !   × a view has the name store.totals: topics, views and tables share one space of names; give the topic
        !   │ another name
        exit 1
        $ factum topic create store.products
        !   × a table has the name store.products: topics, views and tables share one space of names; give the topic
        !   │ another name
        exit 1
        $ factum tail store.totals
        !   × there is no topic store.totals; store.totals is a view
        !   help: read it as a view (`factum view get store.totals`, `factum view watch store.totals`), and change it
        !         by its statement in the project
        exit 1
        $ factum produce store.products
        !   × there is no topic store.products; store.products is a table
        !   help: read it by SQL (`factum sql`), and change it in the project's folder
        exit 1
        $ factum topic list -o name
        store.orders
    "#]].assert_eq(&shell.transcript());

    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", factum.kafka()).create().expect("a client");
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    for name in ["store.totals", "store.products"] {
        let topics = [NewTopic::new(name, 1, TopicReplication::Fixed(1))];
        let made = admin.create_topics(&topics, &options).await;
        let refused = made.expect("an answer").remove(0).expect_err("refused");
        assert_eq!(format!("{refused:?}"), format!("(\"{name}\", InvalidTopic)"));
    }
    assert!(factum.stop().success());
}

#[test]
fn a_view_or_table_of_the_name_of_a_topic_is_a_problem_at_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    project(folder.path());
    let mut factum = Launch::new(BINARY).project(folder.path()).start();
    let mut shell = Shell::of(&factum);
    shell.run("topic create store.taken").run("topic create store.rates").transcript();
    let sql = format!("{VIEW}CREATE VIEW taken AS SELECT orders FROM totals;\n");
    write(folder.path(), "teams/store/pipelines/totals.sql", &sql);
    write(folder.path(), "teams/store/tables/rates.yaml", "from: products.csv\nkey: id\n");
    eventually("both are told", || {
        let said = factum.stderr();
        said.contains("store.taken is a topic already") && said.contains("store.rates is a topic already")
    });
    expect!["project: store.taken is a topic already; project: teams/store/tables/rates.yaml: store.rates is a topic already"].assert_eq(&problems(&factum));
    // What was applied before goes on.
    shell.run("view list -o name");
    expect![[r#"
        $ factum view list -o name
        store.totals
    "#]]
    .assert_eq(&shell.transcript());

    // Without the topics, the same files are applied.
    shell.run("topic delete store.taken --force").run("topic delete store.rates --force").transcript();
    write(folder.path(), "teams/store/pipelines/totals.sql", &format!("{sql}\n"));
    eventually("nothing is wrong any more", || problems(&factum).ends_with("is ready"));
    assert!(factum.stop().success());
}

/// Earlier versions made topics of such names.
#[test]
fn a_topic_and_a_view_that_have_one_name_already_go_on_and_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (files, data) = (folder.path().join("project"), folder.path().join("data"));
    project(&files);
    let mut factum = Launch::new(BINARY).project(&files).data_dir(&data).start();
    Shell::of(&factum).run("topic create store.other");
    assert!(factum.stop().success());
    let topics = data.join("topics");
    let file = topics.join("store.other/topic.json");
    let text = std::fs::read_to_string(&file).expect("readable");
    std::fs::write(&file, text.replace("store.other", "store.totals")).expect("written");
    std::fs::rename(topics.join("store.other"), topics.join("store.totals")).expect("renamed");

    for is_watched in [true, false] {
        let launch = Launch::new(BINARY).data_dir(&data);
        let mut factum = if is_watched { launch.project(&files) } else { launch }.start();
        let told = problems(&factum);
        assert!(told.contains("store.totals"), "{told}");
        let mut shell = Shell::of(&factum);
        shell.run("view list -o name").run("topic list -o name");
        expect![[r#"
            $ factum view list -o name
            store.totals
            $ factum topic list -o name
            store.orders
            store.totals
        "#]]
        .assert_eq(&shell.transcript());
        assert!(factum.stop().success());
    }
}
