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
    data: TempDir,
    /// `host:port` of HTTP.
    pub(crate) http: String,
    /// `host:port` of the Kafka API.
    pub(crate) kafka: String,
    /// From the start of the process to the first 200 of `/health/ready`.
    ready: Duration,
}

impl Server {
    /// Starts `factum dev` on free ports and waits until it is ready.
    pub(crate) async fn start(factum: &Path) -> Result<Self> {
        Self::start_with(factum, None).await
    }

    /// The same with settings, by their variables of the environment.
    pub(crate) async fn start_set(factum: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_by(factum, None, settings).await
    }

    /// The same with a project.
    pub(crate) async fn start_with(factum: &Path, project: Option<&Path>) -> Result<Self> {
        Self::start_by(factum, project, &[]).await
    }

    #[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
    async fn start_by(factum: &Path, project: Option<&Path>, settings: &[(&str, &str)]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let (http, kafka) = (free_address().await?, free_address().await?);
        let started = Instant::now();
        let child = spawn(factum, project, &http, &kafka, data.path(), settings)?;
        wait_until_ready(&http, started).await?;
        Ok(Self { child, data, http, kafka, ready: started.elapsed() })
    }

    /// Kills it and starts it on the same data and ports; when the new process was started. Does not wait.
    #[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
    pub(crate) async fn kill_and_restart(
        &mut self,
        factum: &Path,
        project: Option<&Path>,
    ) -> Result<Instant> {
        self.child.kill().await.context("kill the server")?;
        let started = Instant::now();
        self.child = spawn(factum, project, &self.http, &self.kafka, self.data.path(), &[])?;
        Ok(started)
    }

    /// Waits until it is ready; the time since `started`.
    pub(crate) async fn ready_after(&self, started: Instant) -> Result<Duration> {
        wait_until_ready(&self.http, started).await?;
        Ok(started.elapsed())
    }

    /// From now on all its threads share one core.
    pub(crate) fn hold_to_one_core(&self) -> Result<()> {
        let pid = self.child.id().context("the server has ended")?.to_string();
        let held = std::process::Command::new("taskset").args(["-a", "-p", "-c", "0", &pid]).output();
        let held = held.context("taskset, of util-linux")?;
        anyhow::ensure!(held.status.success(), "taskset: {}", String::from_utf8_lossy(&held.stderr));
        Ok(())
    }

    /// Resident memory now.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// The most that was ever resident.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        self.status_mib("VmHWM:")
    }

    /// CPU time that it has used, of all its threads.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let pid = self.child.id().context("the server has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // What follows the name, which may hold spaces and ends with the last parenthesis: utime and stime are the
        // twelfth and thirteenth field of it, in hundredths of a second.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<f64>().ok());
        Ok((ticks(11).context("utime")? + ticks(12).context("stime")?) / 100.0)
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

fn spawn(
    factum: &Path,
    project: Option<&Path>,
    http: &str,
    kafka: &str,
    data: &Path,
    settings: &[(&str, &str)],
) -> Result<Child> {
    Command::new(factum)
        .arg("dev")
        .args(project)
        .args(["--http", http, "--kafka", kafka, "--data-dir"])
        .arg(data)
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {}", factum.display()))
}

async fn wait_until_ready(http: &str, started: Instant) -> Result<()> {
    while !is_ready(http).await {
        if started.elapsed() > Duration::from_secs(30) {
            bail!("the server was not ready within 30 s");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
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
