//! The HTTP face as a client meets it: real sockets, the real embedded log.

mod access;
mod browse;
mod groups;
mod ingest;
mod limits;
mod names;
mod pages;
mod support;
mod tail;
mod topics;
mod views;
