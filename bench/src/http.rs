//! Ingest over HTTP: a closed loop on keep-alive connections, one request outstanding on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Arguments;
use crate::partitions::share;
use crate::report::Report;

const RUN: Duration = Duration::from_secs(5);

/// Measures single posts and batches.
pub(crate) async fn measure(arguments: &Arguments, http: &str, report: &mut Report) -> Result<()> {
    let name = "HTTP, single posts";
    if arguments.wants(name) {
        let body = order(1);
        let seen = runs(arguments, http, "application/json", &body, 128, 1).await?;
        report.many(name, "events/s", 20_000.0, seen);
    }
    let name = "HTTP, batches of 1,000";
    if arguments.wants(name) {
        let events: Vec<_> = (0..1_000).map(cloud_event).collect();
        let body = format!("[{}]", events.join(","));
        let seen = runs(arguments, http, "application/cloudevents-batch+json", &body, 4, 1_000).await?;
        report.many(name, "events/s", 200_000.0, seen);
    }
    Ok(())
}

async fn runs(
    arguments: &Arguments,
    http: &str,
    content_type: &str,
    body: &str,
    connections: usize,
    events: usize,
) -> Result<Vec<f64>> {
    let request = format!(
        "POST /events/bench.http HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let request: Arc<str> = request.into();
    let mut seen = Vec::new();
    for _ in 0..arguments.runs {
        let request = Arc::clone(&request);
        let load = load(http, connections, Amount::Time(RUN), 202, move || Arc::clone(&request)).await?;
        seen.push(load.rate * events as f64);
    }
    Ok(seen)
}

/// What a load has seen.
pub(crate) struct Load {
    /// Requests answered in a second.
    pub(crate) rate: f64,
    /// Milliseconds from a request to its answer.
    pub(crate) p99: f64,
}

/// When a load ends.
#[derive(Clone, Copy)]
pub(crate) enum Amount {
    Time(Duration),
    Requests(usize),
}

/// A closed loop on each of `connections`; every answer has this status.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
pub(crate) async fn load<R: AsRef<str> + Send>(
    http: &str,
    connections: usize,
    amount: Amount,
    status: u16,
    request: impl Fn() -> R + Clone + Send + 'static,
) -> Result<Load> {
    let started = Instant::now();
    let left = Arc::new(AtomicUsize::new(match amount {
        Amount::Time(_) => usize::MAX,
        Amount::Requests(count) => count,
    }));
    let mut loops = JoinSet::new();
    for _ in 0..connections {
        let (http, left, request) = (http.to_owned(), Arc::clone(&left), request.clone());
        loops.spawn(async move {
            let mut connection = Connection::open(&http).await?;
            let mut seen = Vec::new();
            while !matches!(amount, Amount::Time(run) if started.elapsed() > run)
                && left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                let request = request();
                let asked = Instant::now();
                connection.exchange(request.as_ref(), status).await?;
                seen.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(seen)
        });
    }
    let mut seen = Vec::new();
    while let Some(done) = loops.join_next().await {
        seen.extend(done??);
    }
    let rate = seen.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Load { rate, p99: share(seen, 0.99) })
}

/// Reads one answer with a content length; its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.context("a content length")?.trim().parse()?;
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the answer was cut off");
        }
    }
    text.split(' ').nth(1).context("a status")?.parse().context("a status")
}

/// A keep-alive connection on which one request follows another.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(http: &str) -> Result<Self> {
        let stream = TcpStream::connect(http).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Posts an event and waits until it is acknowledged.
    pub(crate) async fn post_event(&mut self, topic: &str, event: &str) -> Result<()> {
        let request = format!(
            "POST /events/{topic} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{event}",
            event.len()
        );
        self.exchange(&request, 202).await
    }

    /// Sends a request and waits for its answer, which has this status.
    async fn exchange(&mut self, request: &str, status: u16) -> Result<()> {
        self.stream.write_all(request.as_bytes()).await?;
        let seen = read_answer(&mut self.stream, &mut self.buffer).await?;
        anyhow::ensure!(seen == status, "{}", String::from_utf8_lossy(&self.buffer));
        Ok(())
    }
}

/// One GET on a connection of its own: the status and the body.
pub(crate) async fn get(http: &str, path: &str) -> Result<(u16, Vec<u8>)> {
    ask(http, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await
}

/// One POST of JSON on a connection of its own: the status and the body.
pub(crate) async fn post(http: &str, path: &str, json: &str) -> Result<(u16, Vec<u8>)> {
    send(http, "POST", path, json).await
}

/// The same by PATCH.
pub(crate) async fn patch(http: &str, path: &str, json: &str) -> Result<(u16, Vec<u8>)> {
    send(http, "PATCH", path, json).await
}

async fn send(http: &str, method: &str, path: &str, json: &str) -> Result<(u16, Vec<u8>)> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{json}",
        json.len()
    );
    ask(http, &request).await
}

/// An answer whose body is of known length, to a request that closes the connection.
async fn ask(http: &str, request: &str) -> Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(http).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").context("a head")?;
    let status = std::str::from_utf8(&answer)?.split(' ').nth(1).context("a status")?.parse()?;
    Ok((status, answer.split_off(head + 4)))
}

/// An order of about 250 bytes.
fn order(number: usize) -> String {
    format!(
        "{{\"OrderDate\":\"2026-01-01T00:00:00Z\",\"Email\":\"customer-{number}@example.com\",\
         \"FirstName\":\"Ada\",\"LastName\":\"Lovelace\",\"Country\":\"United States\",\"Total\":14.99,\
         \"Details\":[{{\"ProductId\":{},\"Quantity\":1,\"UnitPrice\":14.99}}]}}",
        number % 300
    )
}

fn cloud_event(number: usize) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{number}\",\"source\":\"/bench\",\"type\":\"order\",\
         \"partitionkey\":\"{}\",\"datacontenttype\":\"application/json\",\"data\":{}}}",
        number % 50,
        order(number)
    )
}
