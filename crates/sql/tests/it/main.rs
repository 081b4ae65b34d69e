//! The engine over a real log and a real state, driven as the server drives it.

mod changes;
mod closing;
mod closing_replay;
mod damaged_log;
mod doubtful_state;
mod exactly_once;
mod growth;
mod history;
mod planning;
mod poison;
mod readers;
mod reading;
mod rebuild;
mod slt;
mod spelling;
mod unreadable;
mod view_threads;
mod waiting;
mod world;
