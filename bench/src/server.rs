//! A Factum to measure: the real binary, started as a user starts it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::Arguments;
use crate::report::Report;

/// A running server; killed on drop.
pub(crate) struct Server {
    child: Child,
    _data: TempDir,
    /// `host:port` of HTTP.
    pub(crate) http: String,
    /// `host:port` of the Kafka port.
    pub(crate) kafka: String,
    /// From the start of the process to the first 200 of `/health/ready`.
    ready: Duration,
}

impl Server {
    /// Starts `factum dev` on free ports and waits until it is ready.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
    pub(crate) async fn start(factum: &Path) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let (http, kafka) = (free_address().await?, free_address().await?);
        let started = Instant::now();
        let child = Command::new(factum)
            .args(["dev", "--http", &http, "--kafka", &kafka, "--data-dir"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", factum.display()))?;
        while !is_ready(&http).await {
            if started.elapsed() > Duration::from_secs(30) {
                bail!("the server was not ready within 30 s");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Self { child, _data: data, http, kafka, ready: started.elapsed() })
    }

    /// Resident memory now.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// The most that was ever resident.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        self.status_mib("VmHWM:")
    }

    /// Stops it in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("stop the server")
    }

    fn status_mib(&self, field: &str) -> Result<f64> {
        let pid = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib: f64 = line
            .and_then(|rest| rest.split_whitespace().next())
            .context("a memory figure of the server")?
            .parse()?;
        Ok(kib / 1024.0)
    }
}

/// Measures start to ready, on an empty data directory.
pub(crate) async fn measure_start(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let name = "start to ready";
    if !arguments.wants(name) {
        return Ok(());
    }
    let mut seen = Vec::new();
    for _ in 0..arguments.runs {
        let server = Server::start(&arguments.factum).await?;
        seen.push(server.ready.as_secs_f64() * 1e3);
        server.stop().await?;
    }
    report.many(name, "ms", 1000.0, seen);
    Ok(())
}

async fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string())
}

async fn is_ready(http: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(http).await else { return false };
    let request = "GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_to_string(&mut answer).await.is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
