//! Ingest over HTTP: a closed loop on keep-alive connections, one request outstanding on each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Arguments;
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
    let mut seen = Vec::new();
    for _ in 0..arguments.runs {
        seen.push(load(http, &request, connections).await? * events as f64);
    }
    Ok(seen)
}

/// Requests per second over `connections`.
#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn load(http: &str, request: &str, connections: usize) -> Result<f64> {
    let started = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..connections {
        loops.spawn(closed_loop(http.to_owned(), request.to_owned(), started + RUN));
    }
    let mut answered = 0;
    while let Some(done) = loops.join_next().await {
        answered += done??;
    }
    Ok(answered as f64 / started.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
async fn closed_loop(http: String, request: String, until: Instant) -> Result<usize> {
    let mut stream = TcpStream::connect(&http).await?;
    stream.set_nodelay(true)?;
    let (mut answered, mut buffer) = (0, Vec::with_capacity(64 * 1024));
    while Instant::now() < until {
        stream.write_all(request.as_bytes()).await?;
        expect(202, read_answer(&mut stream, &mut buffer).await?, &buffer)?;
        answered += 1;
    }
    Ok(answered)
}

fn expect(status: u16, seen: u16, answer: &[u8]) -> Result<()> {
    if seen != status {
        bail!("{}", String::from_utf8_lossy(answer));
    }
    Ok(())
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
        self.stream.write_all(request.as_bytes()).await?;
        expect(202, read_answer(&mut self.stream, &mut self.buffer).await?, &self.buffer)
    }

    /// A request that must be answered with 200.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, json: &str) -> Result<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\n\
             content-length: {}\r\n\r\n{json}",
            json.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        expect(200, read_answer(&mut self.stream, &mut self.buffer).await?, &self.buffer)
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
