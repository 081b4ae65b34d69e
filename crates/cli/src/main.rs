//! The `factum` command.
//!
//! ```text
//!   args ──► commands/<verb> ──► client (HTTP) ──► a running Factum
//!                    │    └────► factum-server, for `dev`
//!                    └─► output (standard output)      failures ──► report (standard error)
//! ```
//!
//! Invariants: what a user asked for goes to standard output, everything said about it to standard error;
//! the exit code is 0 for done, 1 for failed, 2 for a command line that cannot be understood.

mod args;
mod client;
mod commands;
mod output;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::failure(&*failure);
            ExitCode::FAILURE
        }
    }
}
