//! Answers of commands that are misused, and of those whose server is away.

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use support::{BINARY, Shell, movies};

/// An address at which nothing listens.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    std::fs::write(path, text).expect("written");
}

/// A child that is ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn run(arguments: &[&str], server: &str) -> Running {
    let mut command = Command::new(BINARY);
    command.args(arguments).env("FACTUM_SERVER", server).env("COLUMNS", "100").env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running(command.spawn().expect("the binary starts"))
}

#[test]
fn the_doctor_fails_where_the_server_that_was_named_does_not_answer() {
    let address = free_address();
    let port = address.trim_start_matches("http://").to_owned();
    let shell = Shell::new(&address);
    let output = shell.output("doctor -o csv", "");
    let said = String::from_utf8_lossy(&output.stdout).replace(&port, "HTTP");
    let server: Vec<&str> = said.lines().filter(|line| line.contains(",server,")).collect();
    assert_eq!(
        server,
        [
            "FAIL,server,no answer from http://HTTP: Connection refused (os error 111),\"start it, look at its log, or name another with --server or FACTUM_SERVER\""
        ]
    );
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn a_follower_is_told_that_its_server_went_away() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    movies(folder.path());
    let mut factum = Launch::new(BINARY).project(folder.path()).start();
    let order = "{\"OrderId\":1,\"OrderDate\":\"2026-01-01T00:00:00Z\",\"Email\":\"a@b.c\",\"Details\":[],\"Total\":1}\n";
    Shell::of(&factum).run_with("produce store.orders", order);
    for arguments in [
        ["view", "watch", "store.top_movies", "-o", "json"].as_slice(),
        ["tail", "store.orders", "--from", "earliest"].as_slice(),
    ] {
        let mut follower = run(arguments, &factum.http());
        let mut printed = BufReader::new(follower.0.stdout.take().expect("piped"));
        printed.read_line(&mut String::new()).expect("what it follows");
        assert!(factum.stop().success());
        let mut said = BufReader::new(follower.0.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("the connection broke; waiting for the server to come back") {
            line.clear();
            assert_ne!(
                said.read_line(&mut line).expect("readable"),
                0,
                "{arguments:?}: it ended without a word"
            );
        }
        factum = Launch::new(BINARY).project(folder.path()).start();
        Shell::of(&factum).run_with("produce store.orders", order);
    }
}

#[test]
fn numbers_and_positions_say_what_they_may_be() {
    let mut shell = Shell::new("http://127.0.0.1:9");
    for arguments in [
        "topic create store.a --partitions 0",
        "topic create store.a --partitions -1",
        "topic create store.a --retention 7",
        "tail store.a --from middle",
        "tail store.a --limit abc",
        "produce store.a --batch 0",
        "group reset a --topic store.a --to latest --partition -3",
        "generate orders --topic store.a --count many",
    ] {
        shell.run(arguments);
    }
    expect![[r#"
        $ factum topic create store.a --partitions 0
        ! error: invalid value '0' for '--partitions <PARTITIONS>': it is not a whole number from 1 on, such as 4
        exit 2
        $ factum topic create store.a --partitions -1
        ! error: invalid value '-1' for '--partitions <PARTITIONS>': it is not a whole number from 1 on, such as 4
        exit 2
        $ factum topic create store.a --retention 7
        ! error: invalid value '7' for '--retention <RETENTION>': "7" does not say of what: write a unit, such as 7d, 7h, 7m, 7s or 7ms
        exit 2
        $ factum tail store.a --from middle
        ! error: invalid value 'middle' for '--from <FROM>': "middle" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago
        exit 2
        $ factum tail store.a --limit abc
        ! error: invalid value 'abc' for '--limit <N>': it is not a whole number from 0 on, such as 10
        exit 2
        $ factum produce store.a --batch 0
        ! error: invalid value '0' for '--batch <N>': it is not a whole number from 1 to 100000, such as 500
        exit 2
        $ factum group reset a --topic store.a --to latest --partition -3
        ! error: invalid value '-3' for '--partition <N>': it is not a whole number from 0 on, such as 0
        exit 2
        $ factum generate orders --topic store.a --count many
        ! error: invalid value 'many' for '--count <N>': it is not a whole number from 0 on, such as 1000
        exit 2
    "#]].assert_eq(&shell.transcript().replace("!\n! For more information, try '--help'.\n", ""));
}

#[test]
fn a_tail_begins_where_it_is_told() {
    let factum = Launch::new(BINARY).start();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.a --partitions 1")
        .run_with("produce store.a", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    shell.transcript();
    shell.run("tail store.a --from -2 --limit 2 -o name");
    let ago = shell.output("tail store.a --from 1h --limit 1 -o name", "");
    assert_eq!(String::from_utf8_lossy(&ago.stdout), "store.a/0/0\n");
    expect![[r#"
        $ factum tail store.a --from -2 --limit 2 -o name
        store.a/0/1
        store.a/0/2
    "#]]
    .assert_eq(&shell.transcript());
    let future = shell.output("tail store.a --from 2999-01-01T00:00:00Z", "");
    let said = String::from_utf8_lossy(&future.stderr).into_owned();
    assert!(said.contains("2999-01-01T00:00:00.000Z is to come"), "{said}");
    assert_eq!(future.status.code(), Some(1));
}

#[test]
fn a_group_that_is_not_there_is_reset_only_if_it_is_to_be_created() {
    let factum = Launch::new(BINARY).start();
    let mut shell = Shell::of(&factum);
    shell.run("topic create store.a --partitions 1");
    shell.run("group reset mailer --topic store.a --to earliest");
    shell.run("group reset mailer --topic store.a --to earliest --create");
    shell.run("group reset mialer --topic store.a --to -1");
    shell.run("group reset mialer --topic store.a --to latest --dry-run");
    shell.run("group list -o name");
    expect![[r#"
        $ factum topic create store.a --partitions 1
        created topic store.a with 1 partition
        $ factum group reset mailer --topic store.a --to earliest
        !   × there is no group mailer
        !   help: `factum group list` shows those that exist; --create makes a group of this name
        exit 1
        $ factum group reset mailer --topic store.a --to earliest --create
        TOPIC    PARTITION  FROM  TO
        store.a          0         0
        $ factum group reset mialer --topic store.a --to -1
        !   × there is no group mialer
        !   help: did you mean `mailer`? --create makes a group of this name
        exit 1
        $ factum group reset mialer --topic store.a --to latest --dry-run
        !   × there is no group mialer
        !   help: did you mean `mailer`? --create makes a group of this name
        exit 1
        $ factum group list -o name
        mailer
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn a_setting_that_is_unset_goes_back_to_what_the_project_declares() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "factum.yaml", "name: shop\ndefaults: { retention: 12d }\n");
    write(folder.path(), "teams/store/team.yaml", "contact: '#store'\n");
    write(folder.path(), "teams/store/events/orders.yaml", "summary: An order\nmax_message_bytes: 2MiB\n");
    let factum = Launch::new(BINARY).project(folder.path()).start();
    let mut shell = Shell::of(&factum);
    shell.run(
        "topic alter store.orders --set retention=90d --set segment_age=1h --set max_message_bytes=3MiB",
    );
    shell.run("topic alter store.orders --unset retention --unset segment_age --unset max_message_bytes");
    shell
        .run("topic alter store.orders --set retention=7")
        .run("topic alter store.orders --set segment_bytes=1");
    expect![[r#"
        $ factum topic alter store.orders --set retention=90d --set segment_age=1h --set max_message_bytes=3MiB
        changed topic store.orders
          max_message_bytes: 3MiB
          retention: 90d
          segment_age: 1h
        ! note: a project declares store.orders; what teams/store/events/orders.yaml and the defaults in factum.yaml say of these settings is set again when the project is applied
        $ factum topic alter store.orders --unset retention --unset segment_age --unset max_message_bytes
        changed topic store.orders
          max_message_bytes: 2MiB
          retention: 12d
          segment_age: the server's default
        $ factum topic alter store.orders --set retention=7
        !   × config.retention: "7" does not say of what: write a unit, such as 7d, 7h, 7m, 7s or 7ms
        exit 1
        $ factum topic alter store.orders --set segment_bytes=1
        !   × segment_bytes must be 1024 to 2147483647 bytes, not 1; write a size such as 16MiB
        exit 1
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_no_part_of_it() {
    let factum = Launch::new(BINARY).start();
    let mut shell = Shell::of(&factum);
    shell
        .run("topic create store.a --partitions 1")
        .run_with("produce store.a", "\u{feff}{\"n\":1}\n{\"n\":2}\n");
    // Only there: elsewhere it is a character.
    shell.run_with("produce store.a", "{\"n\":3}\n\u{feff}{\"n\":4}\n");
    expect![[r#"
        $ factum topic create store.a --partitions 1
        created topic store.a with 1 partition
        $ factum produce store.a
        acknowledged 2 events in store.a
          partition 0  offsets 0 to 1  (2)
        $ factum produce store.a
        acknowledged 1 event in store.a
          partition 0  offsets 2 to 2  (1)
        !   × cannot read further lines
        !   ╰─▶ line 2 is not JSON: expected value (column 1)
        !   help: line 1 is stored; go on with line 2
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn topics_that_factum_keeps_for_itself_are_listed_on_request() {
    let factum = Launch::new(BINARY).start();
    let mut shell = Shell::of(&factum);
    shell.run("topic list -o name").run("topic list -o name --all").run("topic list -o name --internal");
    expect![[r#"
        $ factum topic list -o name
        $ factum topic list -o name --all
        __consumer_offsets
        __transaction_state
        $ factum topic list -o name --internal
        __consumer_offsets
        __transaction_state
    "#]]
    .assert_eq(&shell.transcript());
}

/// The configuration of a server on free ports, with `more` behind it.
fn configuration(folder: &Path, more: &str) -> std::path::PathBuf {
    let data = folder.join("data");
    let head = format!("data_dir = \"{}\"\n", data.display());
    let ports = "[http]\nlisten = \"127.0.0.1:0\"\n[kafka]\nlisten = \"127.0.0.1:0\"\n";
    let file = folder.join("factum.toml");
    std::fs::write(&file, format!("{head}{more}\n{ports}")).expect("written");
    file
}

#[test]
fn a_setting_of_zero_that_makes_no_sense_is_refused_at_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut shell = Shell::new("http://127.0.0.1:9").replace(folder.path().display().to_string(), "FOLDER");
    for section in [
        "[watch]\nread_limit = \"0s\"",
        "[disk]\ninterval = \"0s\"",
        "[log]\nretention_check_interval = \"0s\"",
        "[log.groups]\nmemory = 0",
        "[state]\njournal = \"0B\"",
        "[sql]\npoll = \"0s\"",
    ] {
        let file = configuration(folder.path(), section);
        shell.run(&format!("server --config {}", file.display()));
    }
    expect![[r#"
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting watch.read_limit: it must be above zero; leave the setting out
        !       for its default
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting disk.interval: it must be above zero; leave the setting out for
        !       its default
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting log.retention_check_interval: it must be above zero; leave the
        !       setting out for its default
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting log.groups.memory: it must be above zero; leave the setting out
        !       for its default
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting state.journal: it must be above zero; leave the setting out for
        !       its default
        exit 1
        $ factum server --config FOLDER/factum.toml
        !   × the configuration cannot be used
        !   ╰─▶ FOLDER/factum.toml: setting sql.poll: it must be above zero; leave the setting out for its
        !       default
        exit 1
    "#]]
    .assert_eq(&shell.transcript());
}

#[test]
fn a_server_names_settings_and_not_flags_of_dev() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("project");
    movies(&project);
    write(
        &project,
        "teams/store/feeds/orders.yaml",
        "generate: orders\ninto: orders\nproducts: products\nrate: 10/s\n",
    );
    let file = configuration(folder.path(), &format!("project = \"{}\"", project.display()));
    let mut server = run(&["server", "--config", file.to_str().expect("UTF-8")], "http://127.0.0.1:9");
    let mut printed = BufReader::new(server.0.stdout.take().expect("piped"));
    let mut block = String::new();
    while !block.contains("Ctrl-C stops it.") {
        assert_ne!(printed.read_line(&mut block).expect("readable"), 0, "{block}");
    }
    assert!(block.contains("`generate = true` below [feeds] in the configuration runs them"), "{block}");
    assert!(!block.contains("--generate"), "{block}");
}

#[test]
fn an_undeclared_topic_is_said_to_be_missing_in_the_project() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    movies(folder.path());
    let factum: FactumProcess = Launch::new(BINARY).project(folder.path()).start();
    let mut shell = Shell::of(&factum);
    shell
        .run_with("produce store.refunds", "{}\n")
        .run("tail store.refunds")
        .run("topic describe store.refunds");
    expect![[r#"
        $ factum produce store.refunds
        !   × there is no topic store.refunds
        !   help: the project that is applied does not name it: add teams/store/events/refunds.yaml to it, or create
        !         the topic without an event (`factum topic create store.refunds`, POST /api/v1/topics)
        exit 1
        $ factum tail store.refunds
        !   × there is no topic store.refunds
        !   help: the project that is applied does not name it: add teams/store/events/refunds.yaml to it, or create
        !         the topic without an event (`factum topic create store.refunds`, POST /api/v1/topics)
        exit 1
        $ factum topic describe store.refunds
        !   × there is no topic store.refunds
        !   help: the project that is applied does not name it: add teams/store/events/refunds.yaml to it, or create
        !         the topic without an event (`factum topic create store.refunds`, POST /api/v1/topics)
        exit 1
    "#]].assert_eq(&shell.transcript());
}
