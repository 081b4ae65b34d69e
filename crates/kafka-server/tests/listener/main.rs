//! The listener as a client meets it: real sockets, frames built and read by an independent implementation.

mod access;
mod asking_twice;
mod changing_settings;
mod client;
mod deleting_groups;
mod deleting_records;
mod documentation;
mod fetching;
mod frames;
mod groups;
mod isolation;
mod limits;
mod log_lines;
mod metadata;
mod one_node;
mod pipeline;
mod producers_and_epochs;
mod producing;
mod security;
mod server;
mod stalling;
mod stopping;
mod topic_settings;
mod topics;
mod transactions;
