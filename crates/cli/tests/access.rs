//! Users and access rules, by commands and over HTTP, of a server that goes by them.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use support::BINARY;

fn serve(folder: &Path, password: &str) -> FactumProcess {
    let config = folder.join("factum.toml");
    std::fs::write(&config, "access = \"acl\"\n").expect("written");
    let launch = Launch::new(BINARY).config(config).data_dir(folder.join("data"));
    launch.variable("FACTUM_ADMIN_PASSWORD", password).start()
}

/// Runs `factum` as a user, with `stdin` on standard input.
fn run_as(factum: &FactumProcess, user: &str, password: &str, arguments: &str, stdin: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments.split_whitespace()).env("FACTUM_SERVER", factum.http());
    if !user.is_empty() {
        command.env("FACTUM_USER", user).env("FACTUM_PASSWORD", password);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut pipe = child.stdin.take().expect("piped");
    // A command that reads nothing closes its end.
    pipe.write_all(stdin.as_bytes()).ok();
    drop(pipe);
    child.wait_with_output().expect("the binary ends")
}

#[track_caller]
fn said(output: Output) -> String {
    let text = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{errors}");
    text + &errors
}

#[track_caller]
fn refused(output: Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn users_and_rules_are_administered_and_outlive_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut factum = serve(folder.path(), "correct horse");
    assert!(factum.stdout().contains("by rules: 1 user, 0 rules"), "{}", factum.stdout());
    let admin = |factum: &FactumProcess, arguments: &str, stdin: &str| {
        run_as(factum, "admin", "correct horse", arguments, stdin)
    };
    let ann =
        |factum: &FactumProcess, arguments: &str| run_as(factum, "ann", "battery staple", arguments, "");

    // No one without a password, a wrong one, or a user that there is not.
    assert!(refused(run_as(&factum, "", "", "topic list", "")).contains("User:ANONYMOUS may not"));
    assert!(refused(run_as(&factum, "admin", "wrong", "topic list", "")).contains("password is wrong"));
    assert!(refused(run_as(&factum, "eve", "correct horse", "topic list", "")).contains("password is wrong"));

    said(admin(&factum, "topic create store.orders", ""));
    said(admin(&factum, "topic create store.secret", ""));
    let created = said(admin(&factum, "user create ann", "battery staple\n"));
    assert!(created.contains("created user ann"), "{created}");
    assert!(
        refused(admin(&factum, "user create ann", "another one")).contains("there is a user ann already")
    );
    assert!(refused(admin(&factum, "user create bob", "short")).contains("5 bytes"));

    assert!(refused(ann(&factum, "topic describe store.orders")).contains("User:ann may not describe"));
    said(admin(
        &factum,
        "acl create --principal User:ann --topic store. --prefixed --operation read --operation write",
        "",
    ));
    said(admin(&factum, "acl create --principal User:* --topic store.secret --operation all --deny", ""));
    said(ann(&factum, "topic describe store.orders"));
    assert!(refused(ann(&factum, "topic describe store.secret")).contains("may not describe"));
    assert!(refused(ann(&factum, "topic delete store.orders")).contains("may not delete"));
    assert!(refused(ann(&factum, "user list")).contains("may not describe the cluster"));
    // What is kept of passwords is no one's to read.
    assert!(refused(admin(&factum, "tail _factum.access --from earliest", "")).contains("may not"));

    factum.kill();
    factum.restart();
    let listed = said(admin(&factum, "acl list", "")) + &said(admin(&factum, "user list", ""));
    expect![[r#"
        PRINCIPAL  PERMISSION  OPERATION  RESOURCE  PATTERN   NAME          HOST
        User:*     deny        all        topic     literal   store.secret  *
        User:ann   allow       read       topic     prefixed  store.        *
        User:ann   allow       write      topic     prefixed  store.        *
        USER   MECHANISMS
        admin  SCRAM-SHA-256 SCRAM-SHA-512
        ann    SCRAM-SHA-256 SCRAM-SHA-512
    "#]]
    .assert_eq(&listed);
    said(ann(&factum, "topic describe store.orders"));
    assert_eq!(
        said(admin(&factum, "acl list --topic store.secret --match -o name", "")),
        "User:*\nUser:ann\nUser:ann\n"
    );

    said(admin(&factum, "user password ann", "a new password"));
    assert!(refused(ann(&factum, "topic describe store.orders")).contains("password is wrong"));
    said(run_as(&factum, "ann", "a new password", "topic describe store.orders", ""));
    said(admin(&factum, "acl delete --principal User:ann", ""));
    assert!(
        refused(run_as(&factum, "ann", "a new password", "topic describe store.orders", ""))
            .contains("may not")
    );
    said(admin(&factum, "user delete ann", ""));
    assert_eq!(said(admin(&factum, "user list -o name", "")), "admin\n");
}

#[test]
fn quotas_are_set_listed_and_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let factum = serve(folder.path(), "correct horse");
    let admin = |arguments: &str| run_as(&factum, "admin", "correct horse", arguments, "");
    said(admin("quota set --entity user=ann producer_byte_rate=1048576 request_percentage=12.5"));
    said(admin("quota set --entity user --entity client-id consumer_byte_rate=2048"));
    said(admin("quota set --entity ip=10.0.0.7 connection_creation_rate=5"));
    expect![[r#"
        ENTITY          LIMITS
        user=ann        producer_byte_rate=1048576 request_percentage=12.5
        user client-id  consumer_byte_rate=2048
        ip=10.0.0.7     connection_creation_rate=5
    "#]]
    .assert_eq(&said(admin("quota list")));
    assert_eq!(said(admin("quota list --entity user=ann -o name")), "user=ann\n");
    said(admin("quota delete --entity user=ann request_percentage"));
    assert!(said(admin("quota list --entity user=ann")).contains("user=ann  producer_byte_rate=1048576\n"));
    said(admin("quota delete --entity user=ann"));
    assert!(refused(admin("quota delete --entity user=ann")).contains("no such quota"));
    assert!(refused(admin("quota set --entity host=a producer_byte_rate=1")).contains("unknown entity type"));
    assert!(
        refused(admin("quota set --entity user=ann producer_byte_rate=0")).contains("a limit is above 0")
    );
    assert!(
        refused(run_as(&factum, "", "", "quota list", "")).contains("may not describe the configuration")
    );
    let log = factum.stderr();
    assert!(log.contains("the quota of user \"ann\" was set to") && log.contains("User:admin"), "{log}");
    assert!(!log.contains("correct horse"));
}

#[test]
fn a_server_without_users_says_what_to_do_and_lets_no_one_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let factum = serve(folder.path(), "");
    assert!(factum.stdout().contains("set FACTUM_ADMIN_PASSWORD"), "{}", factum.stdout());
    assert!(refused(run_as(&factum, "admin", "", "topic list", "")).contains("password is wrong"));
}

#[test]
fn a_short_password_for_the_first_user_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("factum.toml");
    std::fs::write(&config, "access = \"acl\"\ndata_dir = \"data\"\n").expect("written");
    let mut command = Command::new(BINARY);
    command.args(["server", "--config", "factum.toml"]).current_dir(folder.path());
    let output = command.env("FACTUM_ADMIN_PASSWORD", "short").output().expect("the binary starts");
    let said = refused(output);
    assert!(said.contains("FACTUM_ADMIN_PASSWORD has 5 bytes: a password has 8 to 1024"), "{said}");
}

#[test]
fn listeners_say_each_whom_they_let_in_where_they_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("factum.toml");
    std::fs::write(&config, "[kafka]\nsecurity = \"SASL_PLAINTEXT\"\n").expect("written");
    let factum = Launch::new(BINARY).config(config).data_dir(folder.path().join("data")).start();
    let block = factum.stdout();
    let who = "http: anyone may read and write; kafka: users who log in (SASL_PLAINTEXT)";
    assert!(block.contains(who), "{block}");
    let address = factum.http().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(b"GET /health/ready HTTP/1.0\r\nhost: localhost\r\n\r\n").expect("sent");
    let mut ready = String::new();
    stream.read_to_string(&mut ready).expect("text");
    assert!(ready.contains(r#""security":"SASL_PLAINTEXT","clients":"users who log in""#), "{ready}");
}

/// Starts over what an earlier process left, with `access` as the table's further lines.
fn serve_again(folder: &Path, access: &str, password: &str) -> FactumProcess {
    let config = folder.join("factum.toml");
    std::fs::write(&config, format!("[access]\nmode = \"acl\"\n{access}")).expect("written");
    let launch = Launch::new(BINARY).config(config).data_dir(folder.join("data"));
    launch.variable("FACTUM_ADMIN_PASSWORD", password).unready().start()
}

/// Changes one byte of the first record that has `text`.
fn damage(segment: &Path, text: &str) {
    let mut bytes = std::fs::read(segment).expect("there");
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it has it");
    bytes[at] ^= 0x20;
    std::fs::write(segment, bytes).expect("written");
}

/// The status line and body of `GET path`, as user `admin`.
fn get(factum: &FactumProcess, path: &str) -> String {
    let address = factum.http().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("it accepts");
    // admin:correct horse
    let login = "authorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==";
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{login}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    answer
}

/// What the start-up block says where rules are lost.
const ALONE: &str = "SUPER USERS ALONE";

/// Repairs the topic of users and rules, giving up what is damaged.
fn repair(data: &Path) {
    let repair = Command::new(BINARY)
        .args([
            "log",
            "repair",
            "--topic",
            "_factum.access",
            "--partition",
            "0",
            "--accept-loss",
            "--data-dir",
        ])
        .arg(data)
        .output();
    said(repair.expect("it runs"));
}

#[test]
fn lost_rules_let_in_super_users_alone_until_the_operator_accepts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, data) = (folder.path(), folder.path().join("data"));
    let ann =
        |factum: &FactumProcess, arguments: &str| run_as(factum, "ann", "battery staple", arguments, "");
    let admin = |factum: &FactumProcess, arguments: &str, stdin: &str| {
        run_as(factum, "admin", "correct horse", arguments, stdin)
    };
    let mut factum = serve(path, "correct horse");
    said(admin(&factum, "topic create store.orders", ""));
    said(admin(&factum, "topic create store.secret", ""));
    said(admin(&factum, "user create ann", "battery staple\n"));
    said(admin(&factum, "acl create --principal User:* --topic store.secret --operation all --deny", ""));
    said(admin(&factum, "acl create --principal User:ann --topic store. --prefixed --operation read", ""));
    assert!(refused(ann(&factum, "topic describe store.secret")).contains("User:ann may not"));
    factum.kill();
    drop(factum);
    let partition = data.join("topics/_factum.access/0");
    damage(&partition.join("00000000000000000000.log"), "\"deny\"");

    // Found at the start.
    let mut factum = serve_again(path, "", "correct horse");
    assert!(factum.stdout().contains(ALONE), "{}", factum.stdout());
    for topic in ["store.secret", "store.orders"] {
        assert!(refused(ann(&factum, &format!("topic describe {topic}"))).contains("User:ann may not"));
    }
    said(admin(&factum, "acl list", ""));
    let health = get(&factum, "/health/ready");
    assert!(health.starts_with("HTTP/1.1 503") && health.contains("accept_damage"), "{health}");
    assert!(get(&factum, "/metrics").contains("factum_access_damaged 1"));
    factum.stop();
    drop(factum);

    // And after a repair.
    repair(&data);
    let mut factum = serve_again(path, "", "correct horse");
    assert!(factum.stdout().contains(ALONE), "{}", factum.stdout());
    factum.stop();
    drop(factum);

    // What is accepted once stays accepted.
    for access in ["accept_damage = true\n", ""] {
        let mut factum = serve_again(path, access, "correct horse");
        assert!(factum.stdout().contains("by rules: 2 users, 1 rule"), "{}", factum.stdout());
        said(ann(&factum, "topic describe store.secret"));
        assert!(get(&factum, "/health/ready").starts_with("HTTP/1.1 200"));
        factum.stop();
    }
}

#[test]
fn a_topic_of_rules_that_is_gone_does_not_make_a_new_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, data) = (folder.path(), folder.path().join("data"));
    let mut factum = serve(path, "correct horse");
    factum.stop();
    drop(factum);
    std::fs::remove_dir_all(data.join("topics/_factum.access")).expect("removed");
    for note in std::fs::read_dir(data.join("known-topics")).expect("notes") {
        let note = note.expect("a note").path();
        if std::fs::read_to_string(&note).expect("text").contains("_factum.access") {
            std::fs::remove_file(note).expect("removed");
        }
    }
    let mut factum = serve_again(path, "", "another password");
    assert!(factum.stdout().contains(ALONE), "{}", factum.stdout());
    assert!(
        refused(run_as(&factum, "admin", "another password", "topic list", "")).contains("password is wrong")
    );
    factum.stop();
    drop(factum);
    let factum = serve_again(path, "accept_damage = true\n", "another password");
    assert!(factum.stdout().contains("by rules: 1 user, 0 rules"), "{}", factum.stdout());
}

#[test]
fn other_accounts_cannot_read_the_data_directory() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let factum = serve(folder.path(), "correct horse");
    said(run_as(&factum, "admin", "correct horse", "topic create store.orders", ""));
    let mut paths = vec![folder.path().join("data")];
    while let Some(path) = paths.pop() {
        let found = std::fs::symlink_metadata(&path).expect("there");
        assert_eq!(found.permissions().mode() & 0o077, 0, "{}", path.display());
        if found.is_dir() {
            paths.extend(std::fs::read_dir(&path).expect("listed").map(|entry| entry.expect("named").path()));
        }
    }
}
