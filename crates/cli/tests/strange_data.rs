//! Strange files in a data directory, from strangers or by the operator's own hand: the server neither waits, nor shares it, nor
//! prints what steers a terminal.

mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use factum_testkit::Launch;
use support::{BINARY, Shell};

/// Runs `factum dev` over `data`, which must end by itself.
fn second_server(data: &Path) -> Output {
    let mut child = Command::new(BINARY)
        .args(["dev", "--http", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    for _ in 0..2_000 {
        if child.try_wait().expect("a child").is_some() {
            return child.wait_with_output().expect("it ended");
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    child.kill().expect("it runs");
    let output = child.wait_with_output().expect("it ended");
    panic!("it serves: {}", String::from_utf8_lossy(&output.stderr));
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
}

#[test]
fn a_second_server_is_refused_also_without_the_lock_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let factum = Launch::new(BINARY).data_dir(&data).start();
    std::fs::remove_file(data.join("lock")).expect("it was there");
    let shell = Shell::of(&factum);
    let ready = |shell: &Shell| {
        let said = shell.output(&format!("doctor --server {}", factum.http()), "");
        String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr)
    };
    for case in ["was removed", "was replaced"] {
        let refused = second_server(&data);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("is in use by another factum"), "{said}");
        let health = ready(&shell);
        assert!(health.contains(case), "{case}\n{health}");
        std::fs::write(data.join("lock"), "").expect("written");
    }
    let verified = shell.output(&format!("log verify --data-dir {}", data.display()), "");
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(said.contains("a server uses this directory"), "{said}");
}

#[test]
fn strange_files_stop_their_topic_alone_and_are_told_in_letters() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut factum = Launch::new(BINARY).data_dir(&data).start();
    for topic in ["pipe", "no-json", "sound"] {
        let shell = Shell::of(&factum);
        assert!(shell.output(&format!("topic create store.{topic} --partitions 1"), "").status.success());
    }
    assert!(factum.stop().success());
    let topics = data.join("topics");
    for strange in ["store.pipe/0/00000000000000000000.log", "store.no-json/topic.json"] {
        std::fs::remove_file(topics.join(strange)).expect("it was there");
        mkfifo(&topics.join(strange));
    }
    std::fs::create_dir(topics.join("up\u{1b}[31m\nnote: all is well")).expect("a directory");
    std::fs::create_dir(topics.join("up\u{1b}[31m\nnote: all is well/0")).expect("a directory");
    let shell = Shell::new("http://127.0.0.1:9");
    let verified = shell.output(&format!("log verify --data-dir {}", data.display()), "");
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    for part in [
        "note: store.pipe/0: CANNOT BE READ: ",
        "00000000000000000000.log is a named pipe and no file",
        "topic.json is a named pipe and no file",
        r"note: topics/up\u{1b}[31m\nnote: all is well: ",
        "store.sound/0",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains('\u{1b}') && !said.contains("\nnote: all is well"), "{said}");
    assert_eq!(verified.status.code(), Some(1));

    let factum = Launch::new(BINARY).data_dir(&data).start();
    let shell = Shell::of(&factum);
    assert!(shell.output("produce store.sound", "{\"email\":\"ada\"}").status.success());
    let health = shell.output(&format!("doctor --server {}", factum.http()), "");
    let said =
        String::from_utf8_lossy(&health.stdout).into_owned() + &String::from_utf8_lossy(&health.stderr);
    assert!(said.contains("store.pipe") && said.contains("is a named pipe"), "{said}");
}

#[test]
fn a_registry_whose_topic_cannot_be_read_is_a_role_that_is_not_ready() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut factum = Launch::new(BINARY).data_dir(&data).start();
    std::fs::write(folder.path().join("id.avsc"), r#""long""#).expect("written");
    let register = format!("schema register store.ids-value --file {}/id.avsc", folder.path().display());
    assert!(Shell::of(&factum).output(&register, "").status.success());
    assert!(factum.stop().success());
    let log = data.join("topics/_schemas/0/00000000000000000000.log");
    std::fs::remove_file(&log).expect("it was there");
    mkfifo(&log);
    let mut factum = Launch::new(BINARY).data_dir(&data).may_be_unready().start();
    let health = Shell::of(&factum).output(&format!("doctor --server {}", factum.http()), "");
    let said =
        String::from_utf8_lossy(&health.stdout).into_owned() + &String::from_utf8_lossy(&health.stderr);
    assert!(
        said.contains("registry: topic _schemas cannot be used") && said.contains("is a named pipe"),
        "{said}"
    );
    // What no schema is needed for goes on.
    let produced = Shell::of(&factum).output("produce store.plain", "{\"a\":1}\n");
    assert!(produced.status.success(), "{}", String::from_utf8_lossy(&produced.stderr));
    assert!(factum.stop().success());
}
