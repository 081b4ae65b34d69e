//! Java Avro in a process of its own (`tests/clients/java/Avro.java`).

use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// The answers to questions, which are words each.
pub(crate) fn ask<'a>(questions: impl IntoIterator<Item = Vec<&'a str>>) -> Vec<Vec<String>> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let mut count = 0;
    for question in questions {
        writeln!(file, "{}", question.join("\t")).expect("writable");
        count += 1;
    }
    file.rewind().expect("a file");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/run");
    let run = Command::new(&program).args(["avro", "none"]).stdin(file).stderr(Stdio::inherit()).output();
    let run = run.unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    let answers: Vec<Vec<String>> =
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    assert_eq!(answers.len(), count, "it answers each; tests/clients/setup installs it");
    answers
}
