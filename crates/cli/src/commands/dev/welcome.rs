//! The start-up block: every address, who may use them, where the data is, and one thing to try.

use std::path::Path;

use factum_server::{Access, Running};

use crate::output;

/// The block, with a blank line at its end.
pub(super) fn block(running: &Running, project: Option<&Path>, access: Access) -> String {
    let (http, kafka) = (running.http(), running.kafka());
    let mut rows = vec![
        ("HTTP", format!("http://{http}")),
        ("API docs", format!("http://{http}/docs")),
        ("Metrics", format!("http://{http}/metrics")),
        ("Kafka", kafka.to_string()),
        ("Data", data(running)),
        ("Access", who(access, &[http, kafka])),
    ];
    if let Some(folder) = project {
        let (teams, events) = (running.catalogue().teams().len(), running.catalogue().events().len());
        let what = format!(
            "{} ({}, {}; changes are applied as you save)",
            folder.display(),
            output::count(teams, "team"),
            output::count(events, "event")
        );
        rows.insert(0, ("Project", what));
    }
    let views = running.views();
    if !views.is_empty() {
        let what = format!("http://{http}/api/v1/views ({})", output::count(views.len(), "view"));
        rows.insert(rows.len() - 4, ("Views", what));
    }
    format!(
        "Factum {} is ready.\n\n{}\n{}Ctrl-C stops it.\n\n",
        env!("CARGO_PKG_VERSION"),
        output::pairs(&rows),
        next_step(running, access),
    )
}

fn data(running: &Running) -> String {
    let folder = running.data_dir().display();
    match running.is_temporary() {
        true => format!("{folder} (removed at the end; --data-dir keeps it)"),
        false => folder.to_string(),
    }
}

fn who(access: Access, listeners: &[std::net::SocketAddr]) -> String {
    if listeners.iter().all(|address| address.ip().is_loopback()) && access != Access::Closed {
        return "open: anyone on this machine may read and write".to_owned();
    }
    match access {
        Access::Open => "OPEN: anyone who can reach these ports may read and write".to_owned(),
        Access::OpenOnLoopback => {
            "closed to other machines: a port that is not on loopback lets nobody in without --open"
                .to_owned()
        }
        Access::Closed => "closed".to_owned(),
    }
}

/// A command to try, where anyone is let in.
fn next_step(running: &Running, access: Access) -> String {
    let http = running.http();
    if !access.is_open_at(http) {
        return String::new();
    }
    let server = match (http.ip(), http.port()) {
        (ip, 8080) if ip.is_loopback() || ip.is_unspecified() => String::new(),
        (ip, port) if ip.is_unspecified() => format!(" --server localhost:{port}"),
        _ => format!(" --server {http}"),
    };
    let events = running.catalogue().events();
    let command = match events.first() {
        Some(event) => {
            let (field, value) = event.key.as_deref().map_or(("hello", "world"), |key| (key, "ada"));
            format!("echo '{{\"{field}\":\"{value}\"}}' | factum produce {}{server}", event.topic)
        }
        None => format!("echo '{{\"hello\":\"world\"}}' | factum produce greetings{server}"),
    };
    format!("Try:  {command}\n")
}
