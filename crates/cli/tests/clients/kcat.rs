//! kcat, as Debian ships it: a librdkafka of before 2.11, which compresses only for brokers that take old produce
//! requests too (KAFKA-18659).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use factum_testkit::FactumProcess;

use crate::factum;

const PATIENCE: Duration = Duration::from_secs(60);

fn kcat(factum: &FactumProcess, arguments: &str) -> Command {
    let mut command = Command::new("kcat");
    // Cargo names the folder of a librdkafka of its own there.
    command.env_remove("LD_LIBRARY_PATH");
    command.args(["-q", "-b", &factum.kafka()]).args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn spawn(mut command: Command) -> Child {
    command.spawn().expect("kcat can be started; tests/clients/setup installs it, and make test runs that")
}

/// Runs kcat to its end and gives what it printed.
#[track_caller]
fn output(factum: &FactumProcess, arguments: &str, stdin: &str) -> String {
    let mut child = spawn(kcat(factum, arguments));
    child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("kcat reads its input");
    let output = child.wait_with_output().expect("kcat ends");
    assert!(output.status.success(), "kcat {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn lines(prefix: &str, count: usize) -> String {
    (0..count).map(|n| format!("{prefix}-{n}\n")).collect()
}

#[test]
fn codecs() {
    let factum = factum();
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let sent = lines(&format!("a value in {codec}"), 300);
        output(&factum, &format!("-P -t kcat.{codec} -p 0 -z {codec} -X linger.ms=20"), &sent);
        assert_eq!(output(&factum, &format!("-C -t kcat.{codec} -p 0 -o beginning -e"), ""), sent, "{codec}");
    }
}

#[tokio::test]
async fn an_old_client_compresses() {
    let factum = factum();
    output(&factum, "-P -t kcat.squeezed -p 0 -z gzip", &"x".repeat(900_000));
    let url = format!("{}/api/v1/topics/kcat.squeezed", factum.http());
    let topic: serde_json::Value = async { reqwest::get(url).await?.json().await }.await.expect("a topic");
    let kept = topic["partitions"][0]["bytes"].as_u64().expect("a size");
    assert!((1..100_000).contains(&kept), "{kept} bytes are kept of 900,000 equal ones");
}

#[test]
fn metadata() {
    let factum = factum();
    output(&factum, "-P -t kcat.listed", "one\n");
    let listed = output(&factum, "-L", "");
    assert!(listed.contains("topic \"kcat.listed\" with 4 partitions"), "{listed}");
}

#[test]
fn offsets_by_time() {
    let factum = factum();
    output(&factum, "-P -t kcat.time -p 0", "one\ntwo\n");
    let at = output(&factum, "-C -t kcat.time -p 0 -o beginning -e -f %T\\n", "");
    let first = at.lines().next().expect("a timestamp");
    assert_eq!(output(&factum, &format!("-Q -t kcat.time:0:{first}"), "").trim(), "kcat.time [0] offset 0");
    assert_eq!(output(&factum, &format!("-C -t kcat.time -p 0 -o s@{first} -e"), ""), "one\ntwo\n");
}

/// A member of a group, as a process; what it prints are the values that it reads.
struct Member {
    child: Child,
    values: mpsc::Receiver<String>,
}

impl Member {
    fn join(factum: &FactumProcess, group: &str, topic: &str) -> Self {
        let options = "-X session.timeout.ms=6000 -X heartbeat.interval.ms=500 -X auto.offset.reset=earliest \
                       -X auto.commit.interval.ms=100 -u -f %s\\n";
        let mut command = kcat(factum, options);
        command.args(["-G", group, topic]);
        let mut child = spawn(command);
        let (sender, values) = mpsc::channel();
        let pipe: ChildStdout = child.stdout.take().expect("piped");
        let read =
            move || BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| sender.send(line));
        std::thread::Builder::new().spawn(read).expect("a thread can be started");
        Self { child, values }
    }

    fn next(&self) -> String {
        self.values.recv_timeout(PATIENCE).expect("a record within a minute")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_member_takes_over_from_one_that_was_killed() {
    let factum = factum();
    output(&factum, "-P -t kcat.group -p 0", "before\n");
    let first = Member::join(&factum, "kcat", "kcat.group");
    assert_eq!(first.next(), "before");
    // SIGKILL: it does not leave, so the group notices only when its session ends.
    drop(first);
    let wanted: BTreeSet<String> = (0..8).map(|n| format!("after-{n}")).collect();
    for partition in 0..4 {
        let two: Vec<_> = wanted.iter().skip(partition * 2).take(2).cloned().collect();
        output(&factum, &format!("-P -t kcat.group -p {partition}"), &(two.join("\n") + "\n"));
    }
    let second = Member::join(&factum, "kcat", "kcat.group");
    let mut found = BTreeSet::new();
    while !found.is_superset(&wanted) {
        found.insert(second.next());
    }
}
