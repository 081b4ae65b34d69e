//! Decoders of bytes from outside, each as a function of those bytes: for fuzzers, and for the short run in `tests/`.
//!
//! Invariants: a target ends in a value or an error, never in a panic, and never in more memory than
//! [`Target::memory`] allows; what it returns does not matter.
//!
//! Deliberately not here: running a query, and what a server answers: `tests/` of those crates send such bytes.

mod files;
mod http;
mod kafka;
mod project;
mod protobuf;
mod records;
mod schemas;
mod sql;

/// One decoder.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also that of its folder in `corpus/`.
    pub name: &'static str,
    /// Decodes `bytes`.
    pub run: fn(&[u8]),
    /// Most bytes that an input of this length may allocate at one time.
    pub memory: fn(usize) -> u64,
}

/// Every decoder.
pub const TARGETS: [Target; 14] = [
    Target { name: "kafka_request", run: kafka::request, memory: |length| 4 * length as u64 + (1 << 20) },
    Target { name: "record_batch", run: records::batch, memory: |length| 64 * length as u64 + (8 << 20) },
    Target { name: "compressed", run: records::compressed, memory: |length| length as u64 + (24 << 20) },
    Target {
        name: "cloud_event",
        run: records::cloud_event,
        memory: |length| 64 * length as u64 + (1 << 20),
    },
    Target { name: "project_file", run: project::file, memory: |length| 512 * length as u64 + (8 << 20) },
    Target { name: "log_files", run: files::log, memory: |length| 16 * length as u64 + (16 << 20) },
    Target { name: "http_events", run: http::events, memory: |length| 64 * length as u64 + (48 << 20) },
    Target {
        name: "last_event_id",
        run: http::last_event_id,
        memory: |length| 64 * length as u64 + (1 << 20),
    },
    Target { name: "sql_text", run: sql::text, memory: |length| 4_096 * length as u64 + (32 << 20) },
    Target { name: "event_data", run: sql::event_data, memory: |length| 512 * length as u64 + (4 << 20) },
    Target {
        name: "protobuf_schema",
        run: protobuf::schema,
        memory: |length| 16_384 * length as u64 + (64 << 20),
    },
    Target {
        name: "avro_schema",
        run: schemas::avro_schema,
        memory: |length| 2_048 * length as u64 + (16 << 20),
    },
    Target {
        name: "avro_value",
        run: schemas::avro_value,
        memory: |length| 1_024 * length as u64 + (8 << 20),
    },
    Target { name: "state_files", run: files::state, memory: |length| 16 * length as u64 + (64 << 20) },
];

/// Runs the decoder of this name.
///
/// # Panics
/// If there is none, and where the decoder has a fault.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(bytes);
}
