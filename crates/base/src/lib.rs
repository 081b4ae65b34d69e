//! Foundations of every component: the clock, randomness, the task tree, work and calls that block, telemetry,
//! options, listening sockets, clients' addresses, and regular expressions that clients bring.
//!
//! Invariants: only this crate asks the machine for time or randomness, and only it spawns. A test can
//! therefore hold the clock and seed the dice, and a stop reaches every task in order.
//!
//! Not here: anything that knows topics, SQL or HTTP routes.

pub mod blocking_work;
pub mod clients;
pub mod clock;
pub mod fair_work;
pub mod listener;
pub mod name_pattern;
pub mod options;
pub mod random;
pub mod regex_weight;
pub mod steps;
pub mod tasks;
pub mod telemetry;
pub mod timed_calls;
