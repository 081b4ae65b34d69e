//! The commands of a page, and a shell that runs them as a reader would.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use factum_testkit::FactumProcess;

use crate::support::BINARY;

/// Longer than any command takes that ends, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The commands behind `$ ` in the `console` blocks of a section of a Markdown page, without their output.
pub(crate) fn of_section(path: &str, heading: &str) -> Vec<String> {
    let page = read(path);
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(|block| split(&input(block))).collect()
}

/// The lines of a transcript that were typed.
fn input(transcript: &str) -> Vec<&str> {
    let mut typed: Vec<&str> = Vec::new();
    let mut command = String::new();
    for line in transcript.lines() {
        let goes_on = is_unfinished(&command);
        match line.strip_prefix("$ ") {
            Some(first) => command = first.to_owned(),
            None if goes_on => command = format!("{command}\n{line}"),
            None => continue,
        }
        typed.push(line.strip_prefix("$ ").unwrap_or(line));
    }
    typed
}

/// The commands in the `sh` blocks of a Markdown page, in their order. A command goes on over line ends that are
/// escaped, behind a pipe or inside quotes.
pub(crate) fn of_page(path: &str) -> Vec<String> {
    let page = read(path);
    let mut commands = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```sh" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            commands.extend(split(&block));
        }
    }
    commands
}

fn split(block: &[&str]) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    for line in block {
        command += line;
        if is_unfinished(&command) {
            command.push('\n');
        } else {
            commands.push(std::mem::take(&mut command));
        }
    }
    assert!(command.is_empty(), "a command does not end: {command}");
    commands.retain(|command| !command.trim().is_empty());
    commands
}

fn is_unfinished(command: &str) -> bool {
    command.ends_with(['\\', '|']) || has_open_quote(command)
}

fn has_open_quote(text: &str) -> bool {
    let mut open = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, open) {
            ('\\', None | Some('"')) => drop(characters.next()),
            // A comment ends with its line, quotes and all.
            ('#', None) => drop(characters.by_ref().find(|c| *c == '\n')),
            ('"' | '\'', None) => open = Some(character),
            (quote, Some(expected)) if quote == expected => open = None,
            _ => {}
        }
    }
    open.is_some()
}

/// A shell of a reader who has `factum` on the path, in an own folder. Commands that name the usual addresses reach
/// the server of the test; an HTTP error fails a `curl`.
pub(crate) struct Reader<'a> {
    folder: &'a Path,
    http: String,
    kafka: String,
}

impl<'a> Reader<'a> {
    /// A reader in `folder` beside `server`.
    pub(crate) fn new(folder: &'a Path, server: &FactumProcess) -> Self {
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        let script = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt;
            let path = bin.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permitted");
        };
        script("factum", &format!("exec '{BINARY}' \"$@\""));
        // The real one is behind this folder on the path.
        script("curl", "PATH=\"${PATH#*:}\" exec curl --silent --show-error --fail-with-body \"$@\"");
        let http = server.http().trim_start_matches("http://").to_owned();
        Self { folder, http, kafka: server.kafka() }
    }

    /// Runs a command to its end; what it printed.
    pub(crate) fn run(&self, command: &str) -> String {
        let (said, is_over) = self.start(command, |_| false);
        assert!(is_over, "`{command}` does not end; it printed\n{said}");
        said
    }

    /// Runs a command that goes on by itself, until it has printed `text`.
    pub(crate) fn run_until(&self, command: &str, text: &str) {
        let (said, _) = self.start(command, |said| said.contains(text));
        assert!(said.contains(text), "`{command}` printed\n{said}");
    }

    /// What a command printed until it ended or `is_enough`, and whether it ended.
    fn start(&self, command: &str, is_enough: impl Fn(&str) -> bool) -> (String, bool) {
        let here = command.replace("localhost:8080", &self.http).replace("localhost:9092", &self.kafka);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut child = Command::new("bash")
            .args(["-c", &format!("exec 2>&1\n{here}")])
            .current_dir(self.folder)
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .env("FACTUM_SERVER", format!("http://{}", self.http))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group_of_its_own()
            .spawn()
            .expect("bash starts");
        let mut pipe = child.stdout.take().expect("piped");
        let (send, receive) = mpsc::channel();
        let reading = std::thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut said = Vec::new();
        let is_over = loop {
            match receive.recv_timeout(PATIENCE) {
                Ok(bytes) => said.extend(bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break true,
                Err(mpsc::RecvTimeoutError::Timeout) => break false,
            }
            if is_enough(&String::from_utf8_lossy(&said)) {
                break false;
            }
        };
        let said = String::from_utf8_lossy(&said).into_owned();
        if is_over {
            let status = child.wait().expect("it ended");
            assert!(status.success(), "`{here}`: {status}\n{said}");
        } else {
            kill_group(&child);
            child.wait().expect("it was killed");
        }
        drop(receive);
        reading.expect("a thread can be started").join().expect("it only reads");
        (said, is_over)
    }
}

trait OwnGroup {
    fn process_group_of_its_own(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    /// So that a command's children end with it.
    fn process_group_of_its_own(&mut self) -> &mut Self {
        use std::os::unix::process::CommandExt;
        self.process_group(0)
    }
}

fn kill_group(child: &std::process::Child) {
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    // Gone already where it ended by itself a moment ago.
    rustix::process::kill_process_group(id.expect("a child has an id"), rustix::process::Signal::KILL).ok();
}

#[test]
fn commands_go_on_over_escaped_line_ends_and_open_quotes() {
    let block = ["a 'b # c'  # it's a comment", "curl -d \"{", "  \\\"x\\\": 1}\"", "b \\", "  c"];
    let commands = ["a 'b # c'  # it's a comment", "curl -d \"{\n  \\\"x\\\": 1}\"", "b \\\n  c"];
    assert_eq!(split(&block), commands);
}

#[test]
fn output_is_not_input() {
    let transcript = "$ seq 3 |\n    cat\n1\n2\n3\n$ echo 'a\nb'\na\nb\n";
    assert_eq!(split(&input(transcript)), ["seq 3 |\n    cat", "echo 'a\nb'"]);
}
