//! Events: `factum produce`, `tail`, `sql`.

use expect_test::expect;

use crate::serve;
use crate::support::{BINARY, Shell};

#[test]
fn events_go_in_and_come_out() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.orders --partitions 1")
        .run_with("produce store.orders", "{\"n\":1,\"price\":12.50}\n\n  {\"n\":2}\n")
        .run_with("produce store.orders --key email -o json", "{\"email\":\"ada@example.com\",\"n\":3}")
        .run("tail store.orders --from earliest --limit 3 -o name")
        .run("tail store.orders --from 1 --limit 1 -o name")
        .run("tail store.ordesr --limit 1")
        .run_with("produce store.orders", "{\"n\":4}\n{\"n\":5\n{\"n\":6}\n")
        .run_with("produce store.orders --key email", "{\"email\":\"a\"}\n{\"n\":8}\n")
        .run_with("produce store.orders --file nowhere.jsonl", "");
    expect![[r#"
        $ factum topic create store.orders --partitions 1
        created topic store.orders with 1 partition
        $ factum produce store.orders
        acknowledged 2 events in store.orders
          partition 0  offsets 0 to 1  (2)
        $ factum produce store.orders --key email -o json
        {
          "topic": "store.orders",
          "events": 1,
          "last_line": 1,
          "partitions": {
            "0": {
              "events": 1,
              "first": "2",
              "last": "2"
            }
          }
        }
        $ factum tail store.orders --from earliest --limit 3 -o name
        store.orders/0/0
        store.orders/0/1
        store.orders/0/2
        $ factum tail store.orders --from 1 --limit 1 -o name
        store.orders/0/1
        $ factum tail store.ordesr --limit 1
        !   × there is no topic store.ordesr
        !   help: did you mean `store.orders`?
        exit 1
        $ factum produce store.orders
        acknowledged 1 event in store.orders
          partition 0  offsets 3 to 3  (1)
        !   × cannot read further lines
        !   ╰─▶ line 2 is not JSON: EOF while parsing an object (column 6)
        !   help: line 1 is stored; go on with line 2
        exit 1
        $ factum produce store.orders --key email
        !   × line 2 was refused
        !   ╰─▶ the key of topic store.orders is the field email: it is missing
        !   help: nothing is stored
        exit 1
        $ factum produce store.orders --file nowhere.jsonl
        !   × cannot open nowhere.jsonl
        !   ╰─▶ No such file or directory (os error 2)
        !   help: without --file the lines come from standard input
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
    let lines = shell.output("tail store.orders --from 0 --limit 4 -o json", "").stdout;
    let lines = String::from_utf8(lines).expect("text");
    let values: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split("\"value\":").nth(1)?.split(",\"value_encoding\"").next())
        .collect();
    assert_eq!(
        values,
        [r#"{"n":1,"price":12.50}"#, r#"{"n":2}"#, r#"{"email":"ada@example.com","n":3}"#, r#"{"n":4}"#]
    );
}

#[test]
fn a_tail_begins_at_a_time() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.orders --partitions 1")
        .run_with("produce store.orders", "{\"n\":1}\n{\"n\":2}\n");
    shell
        .run("tail store.orders --from 10m --limit 1 -o name")
        .run("tail store.orders --from 2026-01-31T12:00:00Z --limit 2 -o name");
    expect![[r#"
        $ factum topic create store.orders --partitions 1
        created topic store.orders with 1 partition
        $ factum produce store.orders
        acknowledged 2 events in store.orders
          partition 0  offsets 0 to 1  (2)
        $ factum tail store.orders --from 10m --limit 1 -o name
        store.orders/0/0
        $ factum tail store.orders --from 2026-01-31T12:00:00Z --limit 2 -o name
        store.orders/0/0
        store.orders/0/1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn columns_of_a_query_keep_their_names() {
    let factum = serve();
    let mut shell = Shell::of(&factum);
    let output = |query: &str| {
        let output = std::process::Command::new(BINARY)
            .args(["sql", query, "--server", &factum.http()])
            .output()
            .expect("the binary runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    expect![[r#"
        straße  n  N  'x'
        ß       1  2  x
    "#]]
    .assert_eq(&output("SELECT 'ß' AS \"straße\", 1 AS n, 2 AS \"N\", 'x'"));
    expect![[r#"
        said
          × division by zero
           ╭─[query:1:12]
         1 │ SELECT 1 / 0 AS n
           ·            ─
           ╰────
    "#]]
    .assert_eq(&format!("said\n{}", output("SELECT 1 / 0 AS n")));
    shell.run("explain store.none");
    expect![[r#"
        $ factum explain store.none
        !   × there is no view store.none
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}
