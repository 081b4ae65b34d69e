//! What clients do wrong is written to the log, and does not fill it.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use factum_kafka_server::Options;
use factum_types::auth::AllowAll;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::server::Server;

/// Keeps warnings as text.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).expect("text grows");
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().expect("not poisoned").push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_thousand_broken_requests_of_one_address_are_one_line() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let options = Options { max_connections_per_address: 1, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    for number in 0..300 {
        let mut client = server.client().await;
        match number % 3 {
            0 => client.send_raw(b"GET / HTTP/1.1\r\n\r\n").await,
            1 => client.send_raw(&[0xff; 4]).await,
            _ => {
                let mut second = server.client().await;
                second.closed("one connection is the limit").await;
                client.send_raw(&[0, 0, 0, 0]).await;
            }
        }
        client.closed("no request").await;
    }
    let lines = warnings.0.lock().expect("not poisoned");
    let lines: Vec<_> = lines.iter().filter(|line| line.contains("peer=")).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("speaks HTTP"), "{lines:#?}");
}
