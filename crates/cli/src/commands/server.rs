//! `factum server`: what a configuration file says, for production.

use std::path::PathBuf;

use factum_base::options;
use factum_base::telemetry::{self, LogFormat};
use factum_server::{DataDir, Options};
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use super::dev::{self, Greeting};

/// Two underscores, so that `FACTUM_SERVER` and its like are no settings of a server.
pub(super) const ENVIRONMENT: &str = "FACTUM__";

/// Run with a configuration file, for production
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum server --config factum.toml
  FACTUM__HTTP__LISTEN=127.0.0.1:80 factum server --config factum.toml --log json")]
pub(crate) struct Args {
    /// The configuration; FACTUM__SECTION__NAME in the environment wins over it
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = Lines::Text)]
    log: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Lines {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// A configuration that would lose data.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the configuration names no data_dir")]
#[diagnostic(help(
    "add a line such as data_dir = \"/var/lib/factum\"; only `factum dev` keeps data for the moment"
))]
struct NoDataDir;

pub(super) fn run(args: &Args) -> Result<(), Report> {
    let format = match args.log {
        Lines::Text => LogFormat::Text,
        Lines::Json => LogFormat::Json,
    };
    telemetry::init_tracing("info", format).into_diagnostic().wrap_err("read RUST_LOG")?;
    let options: Options = options::load(Some(&args.config), ENVIRONMENT)
        .into_diagnostic()
        .wrap_err("the configuration cannot be used")?;
    if options.data_dir == DataDir::Temporary {
        return Err(NoDataDir.into());
    }
    dev::serve(options, Greeting::Server, None)
}
