//! Schemas that the disk lost: their ids are not given again, and the loss is said until it is accepted.

mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use factum_testkit::{FactumProcess, Launch};
use support::{BINARY, Shell};

/// What `/health/ready` says of a loss.
const LOST: &str = "a part of topic _schemas is lost";

fn serve(folder: &Path, settings: &str) -> FactumProcess {
    let config = folder.join("factum.toml");
    std::fs::write(&config, settings).expect("written");
    Launch::new(BINARY).config(config).data_dir(folder.join("data")).may_be_unready().start()
}

/// Registers a schema of its own under `subject`; what the command says.
fn register(factum: &FactumProcess, folder: &Path, subject: &str) -> String {
    let file = folder.join("order.avsc");
    std::fs::write(&file, format!(r#"{{"type":"enum","name":"E","symbols":["{subject}"]}}"#))
        .expect("written");
    let path = file.to_str().expect("temporary folders have plain names").to_owned();
    let mut shell = Shell::of(factum).replace(path.clone(), "FILE");
    shell.run(&format!("schema register {subject} --file {path}")).transcript()
}

fn health(factum: &FactumProcess) -> String {
    let address = factum.http().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("it accepts");
    let request = format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    answer
}

/// A data directory with the schemas 1 to 3 that a kill left, and the place of the last batch of their segment.
fn killed(folder: &Path) -> (std::path::PathBuf, u64) {
    let mut factum = serve(folder, "");
    for (subject, id) in [("a", 1), ("b", 2), ("c", 3)] {
        let said = register(&factum, folder, subject);
        assert!(said.contains(&format!("registered {subject} version 1, id {id}")), "{said}");
    }
    assert!(!health(&factum).contains(LOST));
    factum.kill();
    let segment = folder.join("data/topics/_schemas/0/00000000000000000000.log");
    let bytes = std::fs::read(&segment).expect("there");
    let (mut last, mut next) = (0, 0);
    while let Some(length) = bytes.get(next + 8..next + 12) {
        last = next;
        next += 12 + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
    }
    (segment, last as u64)
}

/// Starts again and again: the loss is said until it is accepted, and ids go on behind the lost one.
fn ids_go_on_above_what_is_lost(folder: &Path) {
    for (settings, subject, id, is_lost) in [
        ("", "d", 4, true),
        ("", "e", 5, true),
        ("[registry]\naccept_damage = true\n", "f", 6, false),
        ("", "g", 7, false),
    ] {
        let mut factum = serve(folder, settings);
        assert_eq!(health(&factum).contains(LOST), is_lost, "{subject}: {}", health(&factum));
        let said = register(&factum, folder, subject);
        assert!(said.contains(&format!("registered {subject} version 1, id {id}")), "{said}");
        factum.stop();
    }
}

#[test]
fn ids_at_an_end_of_the_log_that_is_gone_are_not_given_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (segment, last) = killed(folder.path());
    // The log itself no longer knows how far it went.
    std::fs::remove_file(segment.with_file_name("checkpoint")).expect("removed");
    OpenOptions::new().write(true).open(segment).and_then(|file: File| file.set_len(last)).expect("cut");
    ids_go_on_above_what_is_lost(folder.path());
}

#[test]
fn ids_that_a_repair_gave_up_are_not_given_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (segment, last) = killed(folder.path());
    let mut bytes = std::fs::read(&segment).expect("there");
    let byte = bytes.get_mut(usize::try_from(last).expect("small") + 80).expect("within the batch");
    *byte ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    let mut factum = serve(folder.path(), "");
    assert!(health(&factum).contains(LOST), "{}", health(&factum));
    factum.stop();
    drop(factum);
    let repair = Command::new(BINARY)
        .args(["log", "repair", "--topic", "_schemas", "--partition", "0", "--accept-loss", "--data-dir"])
        .arg(folder.path().join("data"))
        .output()
        .expect("it runs");
    assert!(repair.status.success(), "{}", String::from_utf8_lossy(&repair.stderr));
    ids_go_on_above_what_is_lost(folder.path());
}
