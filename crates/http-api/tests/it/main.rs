//! The HTTP API as a client meets it: real sockets, the real embedded log.

mod access;
mod browse;
mod changes;
mod console;
mod encryption;
mod fairness;
mod groups;
mod ingest;
mod limits;
mod log_lines;
mod names;
mod notebook;
mod overview;
mod pages;
mod parameters;
mod project;
mod resend;
mod show;
mod slow_readers;
mod subjects;
mod support;
mod tail;
mod together;
mod topics;
mod transactions;
mod views;
