//! Diagnostics of a project that is wrong.

mod support;

use expect_test::{Expect, expect};
use support::{folder, load_and_render};

fn check(files: &str, expected: &Expect) {
    let folder = folder(files);
    let said = load_and_render(folder.path());
    expected.assert_eq(&said.replace(&folder.path().display().to_string(), "FOLDER"));
}

const TEAM: &str = "=== factum.yaml\nname: contoso\n=== teams/store/team.yaml\ncontact: '#store'\n";

fn check_event(event: &str, expected: &Expect) {
    check(&format!("{TEAM}=== teams/store/events/orders.yaml\n{event}"), expected);
}

#[test]
fn a_whole_project_loads_without_a_word() {
    let files = "=== factum.yaml
name: contoso
defaults: { partitions: 3, retention: 7d, lateness: 10s, visibility: private }
environments:
  dev: { server: 'http://localhost:8080' }
  prod: { server: https://events.contoso.com }
=== teams/store/team.yaml
summary: Sells movies.
contact: '#store'
members: [ada, grace]
=== teams/store/README.md
Hello.
=== teams/store/events/orders.yaml
summary: A customer paid for an order.
format: json
key: Email
time: OrderDate
lateness: 1m30s
partitions: 4
retention: forever
retention_bytes: 10GiB
max_message_bytes: 4MiB
visibility: company
type: com.contoso.order
source: https://contoso.com/store
=== teams/store/events/orders.schema.json
{\"properties\": {\"Email\": {}, \"OrderDate\": {}}}
=== teams/catalog/team.yml
contact: catalog@contoso.com
=== teams/catalog/events/no.yml
summary: no
";
    check(
        files,
        &expect![[r#"
        loaded contoso [catalog.no, store.orders]
    "#]],
    );
}

#[test]
fn every_problem_is_told_at_once() {
    check_event(
        "summary: A customer paid.
fromat: json
partitions: none
retention: 7 dayz
visibility: compny
key: [a, b]
lateness:
max_message_bytes: 12
",
        &expect![[r#"
            the project has 7 problems
              × there is no field `fromat`
               ╭─[teams/store/events/orders.yaml:2:1]
             1 │ summary: A customer paid.
             2 │ fromat: json
               · ───┬──
               ·    ╰── did you mean `format`?
             3 │ partitions: none
               ╰────
              help: known here: capture, cleanup_policy, compression, delete_retention, format, key, lateness,
                    max_compaction_lag, max_message_bytes, min_compaction_lag, min_dirty_ratio, partitions, retention,
                    retention_bytes, schema, segment_age, segment_bytes, source, summary, time, timestamp_after_max,
                    timestamp_before_max, timestamp_type, type, visibility
              × `partitions` is not usable: "none" is not a whole number from 1 to 1000
               ╭─[teams/store/events/orders.yaml:3:13]
             2 │ fromat: json
             3 │ partitions: none
               ·             ────
             4 │ retention: 7 dayz
               ╰────
              help: for example `partitions: 4`
              × `retention` is not usable: "dayz" in "7 dayz" is not a unit of time; use w, d, h, m, s, ms, us or ns
               ╭─[teams/store/events/orders.yaml:4:12]
             3 │ partitions: none
             4 │ retention: 7 dayz
               ·            ──────
             5 │ visibility: compny
               ╰────
              help: for example `retention: 7d`
              × `visibility` cannot be "compny"
               ╭─[teams/store/events/orders.yaml:5:13]
             4 │ retention: 7 dayz
             5 │ visibility: compny
               ·             ───┬──
               ·                ╰── did you mean `company`?
             6 │ key: [a, b]
               ╰────
              help: one of: private, company
              × `key` cannot be a list
               ╭─[teams/store/events/orders.yaml:6:6]
             5 │ visibility: compny
             6 │ key: [a, b]
               ·      ─
             7 │ lateness:
               ╰────
              help: for example `key: Email`
              × `lateness` has no value
               ╭─[teams/store/events/orders.yaml:7:1]
             6 │ key: [a, b]
             7 │ lateness:
               · ────┬───
               ·     ╰── give it one, or remove the line
             8 │ max_message_bytes: 12
               ╰────
              × `max_message_bytes` is not usable: it lies outside 1KiB to 2GiB
               ╭─[teams/store/events/orders.yaml:8:20]
             7 │ lateness:
             8 │ max_message_bytes: 12
               ·                    ──
               ╰────
              help: for example `max_message_bytes: 1MiB`
        "#]],
    );
}

#[test]
fn yaml_that_is_not_yaml() {
    check_event(
        "summary: 'A customer\nformat: json\n",
        &expect![[r#"
            the project has a problem
              × not valid YAML: invalid indentation in multiline quoted scalar
               ╭─[teams/store/events/orders.yaml:2:1]
             1 │ summary: 'A customer
             2 │ format: json
               · ┬
               · ╰── here
               ╰────
        "#]],
    );
    check_event(
        "summary: fine\n\tformat: json\n",
        &expect![[r#"
            the project has a problem
              × not valid YAML: while scanning a plain scalar, found a tab
               ╭─[teams/store/events/orders.yaml:1:10]
             1 │ summary: fine
               ·          ─
             2 │     format: json
               ╰────
              help: YAML is indented by spaces; there is a tab in this file
        "#]],
    );
    check_event(
        "- a\n- b\n",
        &expect![[r#"
            the project has a problem
              × expected `name: value` lines, found a list
               ╭─[teams/store/events/orders.yaml:1:1]
             1 │ - a
               · ▲
             2 │ - b
               ╰────
              help: a manifest is a mapping: each line is a name, a colon and a value
        "#]],
    );
    check_event(
        "format: json\nformat: avro\n",
        &expect![[r#"
            the project has a problem
              × not valid YAML: duplicate mapping key: format
               ╭─[teams/store/events/orders.yaml:2:1]
             1 │ format: json
             2 │ format: avro
               · ┬
               · ╰── here
               ╰────
        "#]],
    );
}

#[test]
fn words_like_no_and_numbers_stay_what_was_written() {
    let folder = folder(&format!("{TEAM}=== teams/store/events/orders.yaml\nsummary: no\nkey: 1.10\n"));
    let project = factum_governance::project::load(folder.path()).expect("loads");
    let event = project.definitions.of::<factum_governance::EventDefinition>().next().expect("one event");
    assert_eq!((event.summary.as_deref(), event.key.as_deref()), (Some("no"), Some("1.10")));
    assert_eq!(event.event_type, "contoso.store.orders");
    assert_eq!(event.source, "/contoso/store");
}

#[test]
fn contracts_are_looked_at() {
    check_event(
        "key: Emial\n=== teams/store/events/orders.schema.json\n{\"properties\": {\"Email\": {}, \"Total\": {}}}\n",
        &expect![[r#"
            the project has a problem
              × `key` names a field that the contract does not have
               ╭─[teams/store/events/orders.yaml:1:6]
             1 │ key: Emial
               ·      ──┬──
               ·        ╰── did you mean `Email`?
               ╰────
              help: fields of the contract: Email, Total
        "#]],
    );
    check_event(
        "format: avro\n=== teams/store/events/orders.schema.json\n{}\n",
        &expect![[r#"
            the project has a problem
              × `format` is avro, but orders.schema.json is a contract for json
               ╭─[teams/store/events/orders.yaml:1:9]
             1 │ format: avro
               ·         ────
               ╰────
              help: change one of the two
        "#]],
    );
    check_event(
        "summary: x\n=== teams/store/events/orders.avsc\n{\"fields\": [\n  {\"name\": }\n]}\n",
        &expect![[r#"
            the project has a problem
              × not valid JSON: expected value
               ╭─[teams/store/events/orders.avsc:2:12]
             1 │ {"fields": [
             2 │   {"name": }
               ·            ┬
               ·            ╰── here
             3 │ ]}
               ╰────
        "#]],
    );
    check_event(
        "schema: ordes.avsc\n=== teams/store/events/orders2.avsc\n{}\n",
        &expect![[r#"
            the project has a problem
              × there is no file ordes.avsc
               ╭─[teams/store/events/orders.yaml:1:9]
             1 │ schema: ordes.avsc
               ·         ──────────
               ╰────
              help: did you mean `orders2.avsc`?
              ⚠ teams/store/events/orders2.avsc: no event uses this contract
              help: did you mean to name it after `orders.yaml`?
        "#]],
    );
    check_event(
        "schema: ../../../../etc/passwd.avsc\n",
        &expect![[r#"
            the project has a problem
              × there is no file ../../../../etc/passwd.avsc
               ╭─[teams/store/events/orders.yaml:1:9]
             1 │ schema: ../../../../etc/passwd.avsc
               ·         ───────────────────────────
               ╰────
              help: paths are relative to the file that names them
        "#]],
    );
    check_event(
        "summary: x\n=== teams/store/events/orders.avsc\n{}\n=== teams/store/events/orders.proto\n\n",
        &expect![[r#"
            the project has a problem
              × teams/store/events/orders.yaml: there are several contracts beside it
              help: say which with `schema: FILE`, or keep one
        "#]],
    );
}

#[test]
fn a_contract_outside_the_project_is_refused() {
    let outside = folder("=== secret.avsc\n{}\n");
    let path = outside.path().join("secret.avsc");
    let project = folder(&format!("{TEAM}=== teams/store/events/orders.yaml\nschema: {}\n", path.display()));
    let said = load_and_render(project.path());
    assert!(said.contains("lies outside the project's folder"), "{said}");
}

#[test]
fn folders_and_names() {
    check(
        "=== teams/store/team.yaml\ncontact: x\n",
        &expect![[r#"
            the project has a problem
              × factum.yaml: there is no such file
              help: FOLDER is not a project; `factum init` makes one
        "#]],
    );
    check(
        "=== factum.yaml\nname: Contoso Inc\n",
        &expect![[r#"
            the project has a problem
              × `name` is not usable: character 'C' at position 0 of "Contoso Inc" is not one of lower-case letters,
              │ digits and '-'
               ╭─[factum.yaml:1:7]
             1 │ name: Contoso Inc
               ·       ───────────
               ╰────
              help: for example `name: contoso`
              ⚠ teams: the project has no `teams` folder
              help: every event belongs to a team: make teams/<team>/team.yaml
        "#]],
    );
    check(
        "=== factum.yaml
name: contoso
=== teams/Store/events/orders.yaml
summary: x
=== teams/shop/events/orders.placed.yaml
summary: x
=== teams/shop/event/carts.yaml
summary: x
=== teams/shop/note.yaml
summary: x
=== teams/shop/events/Visits.yaml
summary: x
=== teams/shop/events/visits.yaml
summary: x
=== teams/shop/events/clicks.yaml
summary: x
=== teams/shop/events/clicks.yml
summary: x
",
        &expect![[r#"
            the project has 5 problems
              × teams/Store: a team cannot have this name: character 'S' at position 0 of "Store" is not one of lower-
              │ case letters, digits and '-'
              help: rename the folder, for example `store` or `web-shop`
              × teams/shop: the team has no team.yaml
              help: make teams/shop/team.yaml, with at least `contact: …`
              ⚠ teams/shop/event: nothing reads this
              help: did you mean `events`?
              × teams/shop/events/clicks.yml: event shop.clicks is defined twice
              help: it is also in teams/shop/events/clicks.yaml; keep one of the two files
              × teams/shop/events/orders.placed.yaml: an event's name cannot have '.' in it
              help: rename the file with letters, digits, `-` and `_`, for example `order-placed.yaml`
              × teams/shop/events/visits.yaml: topic shop.visits differs only by case from that of teams/shop/events/
              │ Visits.yaml
              help: SQL does not tell them apart; rename one of the two files
              ⚠ teams/shop/note.yaml: nothing reads this
              help: an event's file belongs into the folder `events`
        "#]],
    );
}

#[test]
fn misplaced_files_are_named_with_their_place() {
    let files = format!(
        "{TEAM}=== team/shop/team.yaml
contact: x
=== events/orders.yaml
summary: x
=== docs/plan.md
=== schema.sql
=== teams/store/top.sql
SELECT 1
=== teams/store/notes.txt
=== teams/store/events/orders.YAML
summary: x
=== teams/store/events/returns.yml
summary: x
=== teams/store/events/returns.json
{{}}
=== teams/store/events/top.sql
SELECT 1
=== teams/store/pipelines/top.SQL
SELECT 1
=== teams/store/pipelines/best.sqll
SELECT 1
=== teams/store/tables/products.csv
id,name
=== teams/store/dashboards/shop.yaml.txt
title: x
=== teams/store/dashboards/shop.ymal
title: x
"
    );
    check(
        &files,
        &expect![[r#"
        loaded contoso [store.returns]
          ⚠ events: nothing reads this
          help: it belongs to a team: teams/<team>/events
          ⚠ team: nothing reads this
          help: did you mean `teams`?
          ⚠ teams/store/dashboards/shop.ymal: nothing reads this
          help: did you mean `shop.yaml`?
          ⚠ teams/store/events/orders.YAML: nothing reads this
          help: endings are in small letters: rename it to `orders.yaml`
          ⚠ teams/store/events/returns.json: nothing reads this
          help: a contract's name ends with `.schema.json`: rename it to `returns.schema.json`
          ⚠ teams/store/events/top.sql: nothing reads this
          help: SQL belongs in the folder `pipelines`
          ⚠ teams/store/pipelines/best.sqll: nothing reads this
          help: did you mean `best.sql`?
          ⚠ teams/store/pipelines/top.SQL: nothing reads this
          help: endings are in small letters: rename it to `top.sql`
          ⚠ teams/store/tables/products.csv: no table reads this
          help: add products.yaml beside it, with `from: products.csv` and `key:`
          ⚠ teams/store/top.sql: nothing reads this
          help: SQL belongs in the folder `pipelines`
    "#]],
    );
    check(
        "=== factum.yml\nname: contoso\n",
        &expect![[r#"
        the project has a problem
          × factum.yaml: there is no such file
          help: did you mean `factum.yml`? rename it to `factum.yaml`
    "#]],
    );
}

#[test]
fn parts_of_later_versions_are_named_and_change_nothing() {
    check(
        &format!(
            "{TEAM}quotas: {{ produce: 5MiB/s }}
=== platform/policies/naming.yaml
- name: x
=== teams/store/subscriptions/erp.yaml
url: x
=== teams/store/jobs/sales.yaml
title: Sales
=== teams/store/access.yaml
- allow: team:finance
=== teams/store/events/orders.yaml
capture: {{ format: delta, every: 5m }}
=== teams/store/events/order.avsc
{{}}
"
        ),
        &expect![[r#"
            loaded contoso [store.orders]
              ⚠ platform/policies/naming.yaml: not supported by this version yet
              help: the file is left alone and has no effect
              ⚠ teams/store/access.yaml: not supported by this version yet
              help: the file is left alone and has no effect
              ⚠ teams/store/events/order.avsc: no event uses this contract
              help: did you mean to name it after `orders.yaml`?
              ⚠ `capture` is not supported by this version yet
               ╭─[teams/store/events/orders.yaml:1:10]
             1 │ capture: { format: delta, every: 5m }
               ·          ─
               ╰────
              help: it is kept in mind and has no effect
              ⚠ teams/store/jobs/sales.yaml: not supported by this version yet
              help: the file is left alone and has no effect
              ⚠ teams/store/subscriptions/erp.yaml: not supported by this version yet
              help: the file is left alone and has no effect
              ⚠ `quotas` is not supported by this version yet
               ╭─[teams/store/team.yaml:2:9]
             1 │ contact: '#store'
             2 │ quotas: { produce: 5MiB/s }
               ·         ─
               ╰────
              help: the team is not limited
        "#]],
    );
}

#[cfg(unix)]
#[test]
fn unreadable_things_are_named() {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::symlink;
    let project = folder(TEAM);
    let events = project.path().join("teams/store/events");
    std::fs::create_dir_all(&events).expect("make the folder");
    std::fs::write(events.join("latin.yaml"), b"summary: caf\xe9\n").expect("write");
    std::fs::write(events.join("huge.yaml"), vec![b'#'; 2 * 1024 * 1024]).expect("write");
    symlink("loop.yaml", events.join("loop.yaml")).expect("link");
    symlink("nowhere", events.join("dangling.yaml")).expect("link");
    symlink("../../../teams", events.join("up")).expect("link");
    symlink("/proc/self/environ", events.join("environ.yaml")).expect("link");
    std::fs::write(events.join(std::ffi::OsString::from_vec(b"\xff.yaml".to_vec())), "").expect("write");
    let fifo =
        std::process::Command::new("mkfifo").arg(events.join("pipe.yaml")).status().expect("mkfifo runs");
    assert!(fifo.success());
    let said = load_and_render(project.path());
    expect![[r#"
        the project has 7 problems
          × teams/store/events/dangling.yaml: cannot be read: No such file or directory (os error 2)
          help: if it is a symbolic link, its target is missing
          × teams/store/events/environ.yaml: the system makes this file up as it is read
          help: a text file on a disk is wanted here; see where the symbolic link leads
          × teams/store/events/huge.yaml: the file is larger than 1024 KiB
          help: a manifest is a short text; is this the right file?
          × teams/store/events/latin.yaml: line 1 is not UTF-8 (byte 12 of the file)
          help: save the file in the UTF-8 encoding
          × teams/store/events/loop.yaml: cannot be read: Too many levels of symbolic links (os error 40)
          help: if it is a symbolic link, see where it leads
          × teams/store/events/pipe.yaml: it is not a regular file
          help: a text file is wanted here; remove it or rename it
          ⚠ teams/store/events/up: nothing reads this
          help: events are files of this folder, not folders in it
          × teams/store/events/�.yaml: the file's name is not UTF-8
          help: rename the file
    "#]]
    .assert_eq(&said);
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (name, of) in
        ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        text += &format!("{name}: &{name} [*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of}]\n");
    }
    let said = load_and_render(folder(&format!("{TEAM}=== teams/store/events/orders.yaml\n{text}")).path());
    assert!(said.contains("not valid YAML"), "{said}");
    let deep = "[".repeat(100_000);
    let said =
        load_and_render(folder(&format!("{TEAM}=== teams/store/events/orders.yaml\nkey: {deep}")).path());
    assert!(said.contains("not valid YAML"), "{said}");
}

/// A manifest cut off anywhere, or with any byte changed, is loaded or refused: never a panic, never a wrong place.
#[test]
fn damaged_manifests_are_loaded_or_refused() {
    let whole =
        "summary: 'caf\u{e9}'\nformat: json\nkey: \"E\\tmail\"\ncapture: { format: delta, every: 5m }\n\
                 retention: |\n  30d\nlateness: &x 10s\nsource: *x\n# end\n"
            .as_bytes();
    let project = folder(TEAM);
    let path = project.path().join("teams/store/events/orders.yaml");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    for at in 0..whole.len() {
        for byte in [b'\n', b':', b'[', b'{', b'&', b'*', b'"', b'\t', b'-', b'!', b'%', 0, 0xc3, 0xff] {
            let mut bytes = whole.to_vec();
            bytes[at] = byte;
            damaged.push(bytes);
        }
    }
    for bytes in damaged {
        std::fs::write(&path, &bytes).expect("write");
        load_and_render(project.path());
    }
}

/// Some editors begin each file with it.
#[test]
fn byte_order_marks_are_no_part_of_a_file() {
    let marked = [
        ("factum.yaml", "name: contoso\n"),
        ("teams/store/team.yaml", "contact: '#store'\n"),
        ("teams/store/events/orders.yaml", "key: Email\n"),
        ("teams/store/events/orders.schema.json", "{\"properties\": {\"Email\": {}}}\n"),
        ("teams/store/tables/films.yaml", "from: films.csv\nkey: id\n"),
        ("teams/store/tables/films.csv", "id,name\n1,Alien\n"),
        ("teams/store/pipelines/sales.sql", "SELECT 1;\n"),
    ];
    let with = |mark: &str| {
        let files: String = marked.iter().map(|(path, text)| format!("=== {path}\n{mark}{text}")).collect();
        let folder = folder(&files);
        let project = factum_governance::project::load(folder.path()).expect("it loads");
        assert!(project.problems.is_empty(), "{:?}", project.problems);
        let definitions: Vec<_> = project.definitions.iter().map(|it| it.to_json()).collect();
        definitions.into_iter().map(|json| String::from_utf8(json).expect("JSON")).collect::<Vec<_>>()
    };
    assert_eq!(with("\u{feff}"), with(""));
}
