//! Running the real binary and writing down what it said.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod recount;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use factum_testkit::FactumProcess;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_factum");

/// Waits up to a minute for `holds`; `what` is said if it never does.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if holds() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("{what}: in vain");
}

/// A shell that knows one command, and keeps a transcript.
pub(crate) struct Shell {
    server: String,
    /// Texts that differ from run to run, and what stands for them.
    replaced: Vec<(String, &'static str)>,
    transcript: String,
}

impl Shell {
    /// A shell whose commands talk to `server`.
    pub(crate) fn new(server: impl Into<String>) -> Self {
        Self { server: server.into(), replaced: Vec::new(), transcript: String::new() }
    }

    /// A shell whose commands talk to `process`.
    pub(crate) fn of(process: &FactumProcess) -> Self {
        let http = process.http();
        Self::new(&http).replace(http.trim_start_matches("http://"), "HTTP").replace(process.kafka(), "KAFKA")
    }

    /// Writes `by` where `text` was.
    pub(crate) fn replace(mut self, text: impl Into<String>, by: &'static str) -> Self {
        self.replaced.push((text.into(), by));
        self
    }

    /// Runs `factum` with arguments that are separated by spaces.
    pub(crate) fn run(&mut self, arguments: &str) -> &mut Self {
        self.run_with(arguments, "")
    }

    /// The same with `stdin` on standard input.
    pub(crate) fn run_with(&mut self, arguments: &str, stdin: &str) -> &mut Self {
        let output = self.output(arguments, stdin);
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut said = format!("$ factum {arguments}\n{stdout}");
        for line in stderr.lines() {
            writeln!(said, "! {line}").expect("text grows");
        }
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            writeln!(said, "exit {code}").expect("text grows");
        }
        for (text, by) in &self.replaced {
            said = said.replace(text, by);
        }
        let said: Vec<&str> = said.lines().map(str::trim_end).collect();
        self.transcript += &(said.join("\n") + "\n");
        self
    }

    /// What the command printed and how it ended.
    pub(crate) fn output(&self, arguments: &str, stdin: &str) -> std::process::Output {
        let mut child = Command::new(BINARY)
            .args(arguments.split_whitespace())
            .env("FACTUM_SERVER", &self.server)
            .env("COLUMNS", "100")
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut pipe = child.stdin.take().expect("piped");
        // A command that reads nothing closes its end.
        pipe.write_all(stdin.as_bytes()).ok();
        drop(pipe);
        child.wait_with_output().expect("the binary ends")
    }

    /// What was said since the last time.
    pub(crate) fn transcript(&mut self) -> String {
        std::mem::take(&mut self.transcript)
    }
}

/// Copies the contracts, views and tables of `examples/movies` into `project`, and leaves its generator out; the
/// folder of the tables.
pub(crate) fn movies(project: &Path) -> PathBuf {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/movies");
    let (from, to) = (example.join("teams/store"), project.join("teams/store"));
    for folder in ["events", "pipelines", "tables"] {
        std::fs::create_dir_all(to.join(folder)).expect("a folder");
        for entry in std::fs::read_dir(from.join(folder)).expect("the example is there") {
            let entry = entry.expect("readable");
            std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).expect("copied");
        }
    }
    std::fs::copy(from.join("team.yaml"), to.join("team.yaml")).expect("copied");
    std::fs::copy(example.join("factum.yaml"), project.join("factum.yaml")).expect("copied");
    to.join("tables")
}
