//! Transcripts of the catalogue at the command line: examples of events, and the export to AsyncAPI.

mod support;

use expect_test::expect;
use factum_testkit::Launch;
use support::{BINARY, Shell};

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"email","type":"string"}]}"#;

#[test]
fn an_example_is_printed_and_sent() {
    let factum = Launch::new(BINARY).start();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let at = format!("{}/", dir.path().display());
    std::fs::write(dir.path().join("order.avsc"), ORDER).expect("written");
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run("topic create shop.orders --partitions 1")
        .run("produce shop.orders --example")
        .run("produce shop.order --example")
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run("produce shop.orders --example --dry-run")
        .run("produce shop.orders --example --dry-run -o yaml")
        .run("produce shop.orders --example")
        .run("produce shop.orders --example -o json")
        .run("produce shop.orders --dry-run")
        .run("produce shop.orders --example --file x");
    expect![[r#"
        $ factum topic create shop.orders --partitions 1
        created topic shop.orders with 1 partition
        $ factum produce shop.orders --example
        !   × nothing says what the events of topic shop.orders are like
        !   help: register a schema of its values: factum schema register shop.orders-value --file FILE
        exit 1
        $ factum produce shop.order --example
        !   × there is no topic shop.order
        !   help: did you mean `shop.orders`?
        exit 1
        $ factum schema register shop.orders-value --file order.avsc
        registered shop.orders-value version 1, id 1
        $ factum produce shop.orders --example --dry-run
        {
          "id": 1,
          "email": "ada@example.com"
        }
        $ factum produce shop.orders --example --dry-run -o yaml
        id: 1
        email: ada@example.com
        $ factum produce shop.orders --example
        acknowledged 1 event in shop.orders
          partition 0  offsets 0 to 0  (1)
        ! sent {"id":1,"email":"ada@example.com"}
        $ factum produce shop.orders --example -o json
        {
          "topic": "shop.orders",
          "events": 1,
          "last_line": 1,
          "partitions": {
            "0": {
              "events": 1,
              "first": "1",
              "last": "1"
            }
          }
        }
        $ factum produce shop.orders --dry-run
        ! error: the following required arguments were not provided:
        !   --example
        !
        ! Usage: factum produce --example --dry-run --server <URL> <TOPIC>
        !
        ! For more information, try '--help'.
        exit 2
        $ factum produce shop.orders --example --file x
        ! error: the argument '--example' cannot be used with '--file <FILE>'
        !
        ! Usage: factum produce --example --server <URL> <TOPIC>
        !
        ! For more information, try '--help'.
        exit 2
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn the_catalogue_is_exported_as_yaml_and_json() {
    let project = tempfile::tempdir().expect("a temporary folder");
    let folder = project.path().join("shop");
    let mut shell = Shell::new("http://127.0.0.1:9");
    shell.run(&format!("init {}", folder.display()));
    let factum = Launch::new(BINARY).project(&folder).start();
    let out = project.path().join("asyncapi.json");
    let at = format!("{}/", project.path().display());
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run(&format!("export asyncapi --out {}", out.display()))
        .run(&format!("export asyncapi --out {at}none/x.yaml"))
        .run("export asyncapi --team stor");
    expect![[r#"
        $ factum export asyncapi --out asyncapi.json
        ! wrote asyncapi.json: AsyncAPI 3.0.0, 1 event
        $ factum export asyncapi --out none/x.yaml
        !   × cannot write none/x.yaml
        !   ╰─▶ No such file or directory (os error 2)
        exit 1
        $ factum export asyncapi --team stor
        !   × there is no team stor; did you mean store?
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
    let written = std::fs::read_to_string(&out).expect("written");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(written["asyncapi"], "3.0.0");
    let printed = shell.output("export asyncapi", "");
    let printed = String::from_utf8(printed.stdout).expect("text");
    assert!(printed.starts_with("asyncapi: \"3.0.0\"\ninfo:\n"), "{printed}");
    let printed: serde_json::Value = serde_saphyr::from_str(&printed).expect("YAML");
    // The example has the time at which it was made.
    for part in ["asyncapi", "info", "servers", "channels", "operations"] {
        assert_eq!(printed[part], written[part], "{part}");
    }
    assert_eq!(printed["components"]["schemas"], written["components"]["schemas"]);
}
