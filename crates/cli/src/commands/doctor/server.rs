//! Health and metrics of a running server and of its machine, which need not be this one.
//!
//! Health comes from `/health/ready`, the machine from the gauges of `/metrics`: a server that is older and has none of
//! them is asked for its health alone.

use std::time::Duration;

use factum_base::clock::{Clock, SystemClock};
use factum_types::Timestamp;
use reqwest::Method;
use serde::Deserialize;

use super::{Finding, checks};
use crate::client::{Client, Error};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Further apart, and times of events and of their appends cannot be compared.
const MAX_APART: u64 = 60_000;

/// `GET /health/ready`, as far as it matters here.
#[derive(Deserialize)]
struct Ready {
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    role: String,
    #[serde(default)]
    problems: Vec<String>,
}

/// The server's health and its machine.
///
/// # Errors
/// If nothing answers.
pub(super) async fn check(client: &Client) -> Result<Vec<Finding>, Error> {
    let health = health(client).await?;
    let request = client.request(Method::GET, &["metrics"]).timeout(TIMEOUT);
    let metrics = client.text(request).await.unwrap_or_default();
    Ok([health].into_iter().chain(machine(&metrics)).collect())
}

async fn health(client: &Client) -> Result<Finding, Error> {
    let address = client.address().to_owned();
    let request = client.request(Method::GET, &["health", "ready"]).timeout(TIMEOUT);
    let response = request.send().await.map_err(|error| client.lost(&error))?;
    let status = response.status();
    let roles = response.json::<Ready>().await.map(|ready| ready.roles).unwrap_or_default();
    let problems: Vec<String> = roles
        .into_iter()
        .flat_map(|role| role.problems.into_iter().map(move |problem| format!("{}: {problem}", role.role)))
        .collect();
    Ok(match (status.is_success(), problems.is_empty()) {
        (true, true) => Finding::ok("server", format!("{address} is ready")),
        (true, false) => Finding::warn("server", problems.join("; "), "see the lines of the server's log"),
        (false, true) => Finding::fail(
            "server",
            format!("{address} answers with status {}", status.as_u16()),
            "if it is no Factum, name another with --server; else see its log",
        ),
        (false, false) => Finding::fail("server", problems.join("; "), "see the lines of the server's log"),
    })
}

/// What the gauges in Prometheus' text format say.
fn machine(metrics: &str) -> Vec<Finding> {
    let gauge = |name: &str| -> Option<f64> {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    };
    let whole = |name: &str| gauge(name).map(|value| value.max(0.0) as u64);
    let mut findings = Vec::new();
    findings.extend(whole("factum_disk_free_bytes").map(|free| checks::room("server's disk", free)));
    if let (Some(used), Some(limit)) = (whole("factum_open_files"), whole("factum_open_files_limit")) {
        let (check, said) = ("server's open files", format!("{used} of at most {limit}"));
        findings.push(match used > limit / 10 * 9 || limit < checks::FEW_FILES {
            true => Finding::warn(check, said, checks::MORE_FILES),
            false => Finding::ok(check, said),
        });
    }
    if let Some(seconds) = gauge("factum_clock_seconds") {
        findings.push(clock(Timestamp::from_millis((seconds * 1_000.0) as i64)));
    }
    let version = metrics.lines().find_map(|line| {
        line.strip_prefix("factum_build_info{version=\"")?.split_once('"').map(|(version, _)| version)
    });
    findings.extend(version.map(version_of));
    findings
}

fn clock(server: Timestamp) -> Finding {
    let (check, here) = ("server's clock", SystemClock.now());
    let apart = server.as_millis().abs_diff(here.as_millis());
    match checks::right_time(check, server) {
        Finding { fix: None, .. } if apart > MAX_APART => {
            let said = format!("{server}, {} s from this machine's", apart / 1_000);
            Finding::warn(check, said, "set both: timedatectl set-ntp true")
        }
        found => found,
    }
}

fn version_of(server: &str) -> Finding {
    let (check, own) = ("server's version", env!("CARGO_PKG_VERSION"));
    match server == own {
        true => Finding::ok(check, server),
        false => Finding::warn(check, format!("{server}; this command is {own}"), "use the same version"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_of_the_server_are_judged() {
        let metrics = "# TYPE factum_disk_free_bytes gauge\nfactum_disk_free_bytes 1048576\n\
                       factum_open_files 480\nfactum_open_files_limit 512\nfactum_clock_seconds 1000.5\n\
                       factum_build_info{version=\"9.9.9\"} 1\n";
        let said: Vec<String> = machine(metrics)
            .into_iter()
            .map(|found| format!("{:?} {}: {}", found.verdict, found.check, found.found))
            .collect();
        assert_eq!(said[0], "Fail server's disk: 1MiB free");
        assert_eq!(said[1], "Warn server's open files: 480 of at most 512");
        assert_eq!(said[2], "Fail server's clock: 1970-01-01T00:16:40.500Z cannot be right");
        assert!(said[3].starts_with("Warn server's version: 9.9.9; this command is"), "{}", said[3]);
        assert!(machine("").is_empty(), "an older server has none of them");
    }
}
