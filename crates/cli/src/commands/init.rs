//! `factum init`: a small project to begin with.

use std::path::PathBuf;

use factum_governance::scaffold::{self, InitError};
use miette::{Diagnostic, Report};
use serde::Serialize;

use crate::args::Format;
use crate::output::{self, shell_word};

/// The topic of the project that is written, and the file of events for it.
const SAMPLE_TOPIC: &str = "store.orders";
const SAMPLE: &str = "sample-orders.jsonl";

/// Write a small commented project
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum init shop          write a project into the new folder `shop`
  factum init .             into this folder, which must be empty")]
pub(crate) struct Args {
    /// The folder; made if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("no project was written")]
struct InitFailure {
    #[source]
    source: InitError,
    #[help]
    help: &'static str,
}

#[derive(Serialize)]
struct WrittenProject {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Report> {
    let files = scaffold::init(&args.folder).map_err(|source| {
        let help = match source {
            InitError::Exists { .. } | InitError::NotEmpty { .. } => {
                "choose an empty folder; nothing was overwritten"
            }
            InitError::Write { .. } => {
                "see that the folder can be written; what is there already was not touched"
            }
        };
        InitFailure { source, help }
    })?;
    let written = WrittenProject { folder: args.folder.clone(), files };
    output::one(format, &written, || {
        let folder = written.folder.display();
        let files =
            written.files.iter().map(|file| format!("  {folder}/{}\n", file.display())).collect::<String>();
        let sample = written.folder.join(SAMPLE);
        let (quoted, sample) = (shell_word(&folder.to_string()), shell_word(&sample.display().to_string()));
        format!(
            "wrote\n{files}\nnext: factum dev {quoted}\nthen: factum produce {SAMPLE_TOPIC} --file {sample}\n"
        )
    })?;
    Ok(())
}
