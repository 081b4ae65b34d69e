//! The real binary and what it asks of the system: which syncs come before which answers, and how many files it
//! needs to hold open.

mod disk {
    pub(crate) mod open_files;
    pub(crate) mod syncs;
    pub(crate) mod trace;
}

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const BINARY: &str = env!("CARGO_BIN_EXE_factum");

/// A program in `folder` that prepares something and becomes factum.
pub(crate) fn wrapper(folder: &Path, prepare_and_exec: &str) -> PathBuf {
    let path = folder.join("factum-wrapped");
    std::fs::write(&path, format!("#!/bin/sh\n{prepare_and_exec} \"{BINARY}\" \"$@\"\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    path
}

/// Creates a topic over HTTP; on disk when this returns.
pub(crate) async fn create_topic(http: &str, name: &str, partitions: usize) {
    let body = format!(r#"{{"name":"{name}","partitions":{partitions}}}"#);
    let request = client().post(format!("{http}/api/v1/topics")).header("content-type", "application/json");
    let answer = request.body(body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
