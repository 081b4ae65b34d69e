//! Disk, limits, clock and server.

use std::path::{Path, PathBuf};

use factum_base::clock::{Clock, SystemClock};
use factum_types::{ByteSize, Timestamp};
use reqwest::Method;
use rustix::process::{Resource, getrlimit};
use serde::Deserialize;

use super::Finding;
use crate::client::Client;

/// A segment of each partition of a few topics, and room to think.
const LITTLE_SPACE: u64 = 1024 * 1024 * 1024;
/// Less than one segment: the first topics would fill it.
const NO_SPACE: u64 = 128 * 1024 * 1024;
/// A file for each partition and a socket for each client.
const FEW_FILES: u64 = 4096;
/// Before this version was written: 2026-01-01.
const LONG_AGO: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// A clock beyond 2100 is wrong, and retention would drop every event that comes later.
const FAR_OFF: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Whether events can be kept in `folder`, or in the temporary folder.
pub(super) fn data_dir(folder: Option<&Path>) -> Vec<Finding> {
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    // A folder that is yet to be made lies in one that exists.
    let existing: PathBuf = match folder.ancestors().find(|folder| folder.exists()) {
        Some(found) if !found.as_os_str().is_empty() => found.to_owned(),
        _ => PathBuf::from("."),
    };
    vec![writable(&folder, &existing), free_space(&existing)]
}

fn writable(folder: &Path, existing: &Path) -> Finding {
    match tempfile::Builder::new().prefix(".factum-doctor-").tempfile_in(existing) {
        Ok(_) => Finding::ok("data folder", format!("{} can be written", folder.display())),
        Err(error) => Finding::fail(
            "data folder",
            format!("{} cannot be written: {error}", folder.display()),
            "choose another with --data-dir, or change its owner",
        ),
    }
}

fn free_space(folder: &Path) -> Finding {
    let found = match rustix::fs::statvfs(folder) {
        Ok(found) => found,
        Err(error) => {
            return Finding::warn("disk", format!("free space is not known: {error}"), "look with `df -h`");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let rounded = if free >= LITTLE_SPACE { free & !(LITTLE_SPACE - 1) } else { free };
    let said = format!("{} free", ByteSize(rounded));
    match free {
        0..NO_SPACE => Finding::fail("disk", said, "make room, or choose another disk with --data-dir"),
        NO_SPACE..LITTLE_SPACE => Finding::warn("disk", said, "make room, or shorten retention"),
        _ => Finding::ok("disk", said),
    }
}

/// Whether enough files can be open; `dev` raises the soft limit by itself.
pub(super) fn open_files() -> Finding {
    match getrlimit(Resource::Nofile).maximum {
        Some(limit) if limit < FEW_FILES => Finding::warn(
            "open files",
            format!("at most {limit}"),
            format!("raise the hard limit: ulimit -Hn {FEW_FILES}, or LimitNOFILE in systemd"),
        ),
        Some(limit) => Finding::ok("open files", format!("at most {limit}")),
        None => Finding::ok("open files", "without limit"),
    }
}

/// Whether the clock can be right.
pub(super) fn time() -> Finding {
    let now = SystemClock.now();
    if (LONG_AGO..FAR_OFF).contains(&now) {
        return Finding::ok("clock", now.to_string());
    }
    Finding::fail("clock", format!("{now} cannot be right"), "set it: timedatectl set-ntp true")
}

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

/// The server's health; `None` if there is none.
pub(super) async fn server(client: &Client) -> Option<Finding> {
    let address = client.address().to_owned();
    let request =
        client.request(Method::GET, &["health", "ready"]).timeout(std::time::Duration::from_secs(5));
    let response = request.send().await.ok()?;
    let status = response.status();
    let roles = response.json::<Ready>().await.map(|ready| ready.roles).unwrap_or_default();
    let problems: Vec<String> = roles
        .into_iter()
        .flat_map(|role| role.problems.into_iter().map(move |problem| format!("{}: {problem}", role.role)))
        .collect();
    Some(match (status.is_success(), problems.is_empty()) {
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
