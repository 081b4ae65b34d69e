//! The registry on the log of an embedded broker.

mod compatibility;
mod deletion;
mod ids;
mod references;
mod restart;
mod settings;
mod support;
mod values;
