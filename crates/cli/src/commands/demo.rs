//! `factum demo`: a case study that keeps itself moving, from nothing but the binary.

mod case;

use std::path::PathBuf;
use std::time::Duration;

use factum_server::{DataDir, Options, TemporaryFolder};
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use super::dev::{self, Greeting};
use crate::args::Places;
pub(crate) use case::Case;
use case::WriteCaseError;

/// What a new story has behind it when it opens.
const HISTORY: Duration = Duration::from_secs(3_600);

/// Run a case study, its generator and its dashboard
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum demo movies                  a movie store: orders, views, a dashboard; all of it gone afterwards
  factum demo movies --in my-movies   its project in a folder that stays, for you to change")]
pub(crate) struct Args {
    /// Which one
    #[arg(value_name = "CASE", value_enum)]
    case: Case,
    /// The folder for its project: made if it is not there, taken as it is where it holds one already
    #[arg(long = "in", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
    /// Let anyone in who reaches a port, also from other machines
    #[arg(long)]
    open: bool,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the case study was not written")]
struct DemoFailure {
    #[source]
    source: WriteCaseError,
    #[help]
    help: &'static str,
}

impl From<WriteCaseError> for DemoFailure {
    fn from(source: WriteCaseError) -> Self {
        let help = match source {
            WriteCaseError::Taken { .. } => "name an empty folder, or one that holds a factum.yaml",
            WriteCaseError::Write { .. } => "see that the folder can be written, or name another with --in",
        };
        Self { source, help }
    }
}

pub(super) fn run(args: Args) -> Result<(), Report> {
    let temporary = match &args.folder {
        Some(_) => None,
        None => Some(
            TemporaryFolder::create()
                .into_diagnostic()
                .wrap_err("make a temporary folder; --in names another")?,
        ),
    };
    let folder = match (&args.folder, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().join(args.case.name()),
        (None, None) => unreachable!("one of both was made above"),
    };
    args.case.write(&folder).map_err(DemoFailure::from)?;
    let mut options = Options { project: Some(folder), ..dev::options(args.places, args.open)? };
    options.feeds.generate = true;
    // A story that began a moment ago has nothing to tell yet.
    options.feeds.history = HISTORY;
    // Below the same folder, so that whatever a kill leaves behind is found in one place.
    if let (DataDir::Temporary, Some(temporary)) = (&options.data_dir, &temporary) {
        options.data_dir = DataDir::Kept(temporary.path().join("data"));
    }
    let greeting = Greeting::Demo {
        title: args.case.title(),
        dashboard: args.case.dashboard(),
        is_kept: temporary.is_none(),
    };
    dev::start(options, greeting, None)
}
