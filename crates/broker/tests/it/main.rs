//! The broker from outside: its handle, its directory, its clock.

mod conformance;
mod crashes;
mod fetch;
mod groups;
mod idempotence;
mod journal;
mod restart;
mod retention;
mod rules;
mod support;
mod topics;
