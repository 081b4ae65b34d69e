//! The start-up block: every address, who may use them, where the data is, and one thing to try.

use std::path::{Path, PathBuf};

use factum_base::clock::{Clock, SystemClock};
use factum_governance::{EventDefinition, FeedDefinition, TeamDefinition};
use factum_server::{Access, Running};
use serde_json::json;

use super::Greeting;
use super::encryption::Authority;
use crate::output;

/// What the user asked for.
pub(super) struct Request {
    pub(super) project: Option<PathBuf>,
    pub(super) access: Access,
    /// Whether rules decide, and what none is about is open.
    pub(super) opens_unruled: bool,
    /// Whether generators run.
    pub(super) generates: bool,
    /// Who signed the certificate of `--tls`.
    pub(super) authority: Option<Authority>,
    pub(super) greeting: Greeting,
}

/// The block, with a blank line at its end.
pub(super) fn block(running: &Running, asked: &Request) -> String {
    match (asked.greeting, &asked.project) {
        (Greeting::Demo { title, dashboard, is_kept }, Some(project)) => {
            demo(running, asked.access, project, title, dashboard, is_kept)
        }
        _ => dev(running, asked),
    }
}

fn dev(running: &Running, asked: &Request) -> String {
    let access = asked.access;
    let url = running.http_url();
    let mut rows = Vec::new();
    if let Some(folder) = &asked.project {
        rows.push(("Project", project(running, folder)));
    }
    rows.extend([("HTTP", url.clone()), ("API docs", format!("{url}/docs"))]);
    let views = running.views();
    if !views.is_empty() {
        rows.push(("Views", format!("{url}/api/v1/views ({})", output::count(views.len(), "view"))));
    }
    rows.push(("Metrics", format!("{url}/metrics")));
    rows.extend(feeds(running, asked).map(|feeds| ("Feeds", feeds)));
    rows.push(("Kafka", kafka_address(running, asked)));
    rows.extend(asked.authority.as_ref().map(|authority| ("TLS", trust(authority))));
    rows.extend([
        ("Data", data(running)),
        ("Access", who(running, access, asked.greeting, asked.opens_unruled)),
    ]);
    format!(
        "Factum {} is ready.\n\n{}\n{}Ctrl-C stops it.\n\n",
        env!("CARGO_PKG_VERSION"),
        output::pairs(&rows),
        next_step(running, asked),
    )
}

fn kafka_address(running: &Running, asked: &Request) -> String {
    let address = running.kafka();
    match asked.authority {
        Some(_) => format!("{address} (security.protocol=SSL)"),
        None => address.to_string(),
    }
}

/// What clients trust, and who does by itself.
fn trust(authority: &Authority) -> String {
    let news = if authority.is_new { ", made just now" } else { "" };
    format!(
        "clients trust {} (the CA of this machine's `dev`{news}; `factum` does by itself)",
        authority.certificate.display()
    )
}

/// The block of a case study: where to look first, and what to change.
fn demo(
    running: &Running,
    access: Access,
    project: &Path,
    title: &str,
    dashboard: &str,
    is_kept: bool,
) -> String {
    let (http, kafka) = (running.http(), running.kafka());
    let fate = if is_kept { "yours to change" } else { "yours to change; removed at the end, --in keeps it" };
    let rows = [
        ("Dashboard", format!("http://{http}/dashboards/{dashboard}")),
        ("Console", format!("http://{http}/")),
        ("API docs", format!("http://{http}/docs")),
        ("Kafka", kafka.to_string()),
        ("Project", format!("{} ({fate})", project.display())),
        ("Access", who(running, access, Greeting::Dev, false)),
    ];
    let query = project.join("teams/store/pipelines/top_movies.sql");
    format!(
        "{title} is open: orders come in, and every number on its dashboard follows them.\n\n{}\n\
         Try:  in {}\n      write LIMIT 3 for LIMIT 10, save, and watch the dashboard\nCtrl-C stops it.\n\n",
        output::pairs(&rows),
        query.display(),
    )
}

fn project(running: &Running, folder: &Path) -> String {
    let catalogue = running.catalogue();
    let (teams, events) = (catalogue.of::<TeamDefinition>().len(), catalogue.of::<EventDefinition>().len());
    let state = match running.catalogue().project().failure {
        None => "changes are applied as you save",
        Some(_) => "not all of it is in force, see above; what is mended is applied as you save",
    };
    format!(
        "{} ({}, {}; {state})",
        folder.display(),
        output::count(teams, "team"),
        output::count(events, "event")
    )
}

/// The generators that the project declares, and whether they run.
fn feeds(running: &Running, asked: &Request) -> Option<String> {
    let names: Vec<String> =
        running.catalogue().of::<FeedDefinition>().iter().map(|feed| feed.name.to_string()).collect();
    if names.is_empty() {
        return None;
    }
    let how = match (asked.generates, asked.greeting) {
        (true, _) => "made up as declared",
        (false, Greeting::Server) => {
            "not running; `generate = true` below [feeds] in the configuration runs them"
        }
        (false, Greeting::Dev | Greeting::Demo { .. }) => "not running; --generate runs them",
    };
    Some(format!("{} ({how})", names.join(", ")))
}

fn data(running: &Running) -> String {
    let folder = running.data_dir().display();
    match running.is_temporary() {
        true => format!("{folder} (removed at the end; --data-dir keeps it)"),
        false => folder.to_string(),
    }
}

fn who(running: &Running, access: Access, greeting: Greeting, opens_unruled: bool) -> String {
    let is_open = matches!(access, Access::Open | Access::OpenOnLoopback);
    if access != Access::Acl && has_logins(running) {
        return each_listener(running);
    }
    if is_open && [running.http(), running.kafka()].iter().all(|address| address.ip().is_loopback()) {
        return "open: anyone on this machine may read and write".to_owned();
    }
    match access {
        Access::Open => "OPEN: anyone who can reach these ports may read and write".to_owned(),
        Access::OpenOnLoopback => {
            let way = match greeting {
                Greeting::Server => "`access = \"open\"` in the configuration",
                Greeting::Dev | Greeting::Demo { .. } => "--open",
            };
            format!("closed to other machines: a port that is not on loopback lets no one in without {way}")
        }
        Access::Closed => "closed".to_owned(),
        Access::Acl if running.access_damage().is_some() => {
            "SUPER USERS ALONE: users or rules are lost; /health/ready says more".to_owned()
        }
        Access::Acl if running.user_count() == 0 => {
            "closed: there is no user; set FACTUM_ADMIN_PASSWORD and start again to create user admin"
                .to_owned()
        }
        Access::Acl => {
            let (users, rules) = (running.user_count(), running.rule_count());
            let unruled = if opens_unruled { "; WHAT NO RULE IS ABOUT IS OPEN to anyone" } else { "" };
            format!("by rules: {}, {}{unruled}", output::count(users, "user"), output::count(rules, "rule"))
        }
    }
}

/// Whether a listener asks its clients to log in.
fn has_logins(running: &Running) -> bool {
    running.listeners().iter().any(|listener| listener.security.starts_with("SASL"))
}

/// Who is let in, where listeners differ.
fn each_listener(running: &Running) -> String {
    let listeners = running.listeners().iter();
    let words = listeners.map(|listener| match listener.clients.as_str() {
        "anyone" => format!("{}: anyone may read and write", listener.name),
        clients => format!("{}: {clients} ({})", listener.name, listener.security),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A command to try, where anyone is let in.
fn next_step(running: &Running, asked: &Request) -> String {
    let http = running.http();
    if !asked.access.is_open_at(http) {
        return String::new();
    }
    let server = match (http.ip(), http.port()) {
        (ip, port) if asked.authority.is_some() && (ip.is_loopback() || ip.is_unspecified()) => {
            format!(" --server https://localhost:{port}")
        }
        (ip, 8080) if ip.is_loopback() || ip.is_unspecified() => String::new(),
        (ip, port) if ip.is_unspecified() => format!(" --server localhost:{port}"),
        _ => format!(" --server {http}"),
    };
    let events = running.catalogue().of::<EventDefinition>();
    let (topic, sample) = match events.first() {
        Some(event) => (event.topic.as_str(), event.sample(SystemClock.now())),
        // Only `dev` makes topics at their first use.
        None if matches!(asked.greeting, Greeting::Server) => return String::new(),
        None => ("shop.greetings", Some(json!({"hello": "world"}))),
    };
    match sample {
        Some(data) => {
            let data = data.to_string().replace('\'', "'\\''");
            format!("Try:  echo '{data}' | factum produce {topic}{server}\n")
        }
        // Avro and Protocol Buffers are not typed by hand.
        None => format!("Try:  factum tail {topic}{server}\n"),
    }
}
