//! The broker from outside: its handle, its directory, its clock.

mod compaction;
mod conformance;
mod contracts;
mod crashes;
mod fetch;
mod groups;
mod growth;
mod idempotence;
mod journal;
mod reserved;
mod restart;
mod retention;
mod rules;
mod slices;
mod support;
mod taken_names;
mod topics;
mod transactions;
