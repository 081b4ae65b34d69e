//! Transcripts: commands against a real server, as a user sees them.

mod support;

mod transcripts {
    mod events;
    mod groups;
    mod help;
    mod servers;
    mod topics;
}

use std::net::TcpListener;

use factum_testkit::{FactumProcess, Launch};
use support::BINARY;

/// An address at which no one answers, for as long as the listener lives.
pub(crate) fn unanswered_address() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, format!("http://{address}"))
}

pub(crate) fn serve() -> FactumProcess {
    Launch::new(BINARY).start()
}
