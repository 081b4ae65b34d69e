//! Queries that join everything with everything, asked of the real binary.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use support::BINARY;

/// 8 × 10^12 pairs, none of which is asked for. Each join holds one relation: joined from left to right, the pairs of
/// the first two would be held, and a fast machine would reach the limit of memory before that of time.
const ENDLESS: &str = "WITH n AS (SELECT unnest(range(0, 20000)) AS n) \
     SELECT count(*) AS n FROM n AS a JOIN (SELECT b.n + c.n AS n FROM n AS b, n AS c) AS bc ON a.n + bc.n < 0";

/// `factum server` with a limit for queries: six run at once, three of them of one client address.
struct Server {
    child: Child,
    http: String,
    /// Open as long as the server is, which would fail to write to it otherwise.
    _said: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(query_timeout: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("factum.toml");
        let text = format!(
            "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\nquery_timeout = \"{query_timeout}\"\n\
             [kafka]\nlisten = \"127.0.0.1:0\"\n[sql]\nqueries = 6\n",
            folder.path().join("data")
        );
        std::fs::write(&config, text).expect("written");
        let mut child = Command::new(BINARY)
            .args(["server", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        let http = said.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let address = line.trim().strip_prefix("HTTP")?.trim().strip_prefix("http://")?;
            Some(address.to_owned())
        });
        let http = http.expect("it says where it serves");
        Self { child, http, _said: said, _folder: folder }
    }

    fn ask(&self) -> Child {
        Command::new(BINARY)
            .args(["sql", ENDLESS])
            .env("FACTUM_SERVER", format!("http://{}", self.http))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    fn is_alive(&self) -> bool {
        let patience = Some(Duration::from_secs(10));
        let mut stream = TcpStream::connect(&self.http).expect("it listens");
        stream.set_read_timeout(patience).expect("a socket");
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200"
    }

    fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        // Its stop limit is ten seconds for each of four groups.
        for _ in 0..6_000 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        panic!("it did not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn queries_without_an_end_are_ended_and_hold_nobody_up() {
    let server = Server::start("2s");
    let asked: Vec<Child> = (0..10).map(|_| server.ask()).collect();
    for _ in 0..20 {
        assert!(server.is_alive());
    }
    let mut ran = 0;
    for child in asked {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(!output.status.success());
        let is_ended = said.contains("that is the limit (http.query_timeout)");
        assert!(is_ended || said.contains("sql.queries"), "{said}");
        ran += usize::from(is_ended);
    }
    assert!(ran >= 3, "{ran} ran");
    assert!(server.is_alive());
}

/// What the server says against a query.
fn refusal(server: &Server, query: &str) -> String {
    let asked = Command::new(BINARY)
        .args(["sql", query])
        .env("FACTUM_SERVER", format!("http://{}", server.http))
        .output()
        .expect("the binary starts");
    assert!(!asked.status.success());
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// Queries of one WITH, each made of the one before.
fn with(count: usize, first: &str, next: &str) -> String {
    let mut query = format!("WITH w0 AS ({first})");
    for number in 1..count {
        query += &format!(", w{number} AS ({})", next.replace("{}", &format!("w{}", number - 1)));
    }
    query + &format!(" SELECT count(*) AS n FROM w{} WHERE x > 0", count - 1)
}

#[test]
fn queries_that_stand_for_more_than_can_be_planned_are_refused_at_once() {
    let server = Server::start("1h");
    let numbers = "SELECT unnest(range(0, 3)) AS x";
    let windows = (0..300).map(|i| format!("sum(x) OVER (ORDER BY power(x, {i})) AS a{i}"));
    let windows = windows.collect::<Vec<_>>().join(", ");
    for (query, expected) in [
        (with(100, numbers, "SELECT x FROM {}"), "more than 200 steps one upon the other"),
        (with(500, numbers, "SELECT x FROM {}"), "more than 200 steps one upon the other"),
        (format!("SELECT {windows} FROM ({numbers}) AS t"), "more than 200 steps one upon the other"),
        (with(25, numbers, "SELECT x + x AS x FROM {}"), "a condition has more than 50000 parts"),
        (
            with(25, numbers, "SELECT x + x AS x FROM {} GROUP BY x + x"),
            "a condition has more than 50000 parts",
        ),
        (format!("SELECT {}1", "1, ".repeat(20_000)), "a SELECT has at most 1000 columns"),
    ] {
        let said = refusal(&server, &query);
        assert!(said.contains(expected), "{query:.60}: {said}");
        assert!(server.is_alive());
    }
}

#[test]
fn a_stop_does_not_wait_for_queries() {
    let mut server = Server::start("1h");
    let mut asked: Vec<Child> = (0..5).map(|_| server.ask()).collect();
    // Three run once a fourth waits; nothing tells when, and nothing hangs on it.
    std::thread::park_timeout(Duration::from_secs(2));
    assert!(server.is_alive());
    assert!(server.terminate().success());
    for child in &mut asked {
        child.kill().ok();
        child.wait().expect("it ends");
    }
}
