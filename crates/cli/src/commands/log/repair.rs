//! `factum log repair`: says what is damaged in one partition, and gives it up if that is wanted.

use std::path::PathBuf;

use factum_server::data_files::{RepairError, RepairPartitionError};
use factum_types::TopicName;
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use super::listing::{DamageLine, lost};
use crate::args::{Format, whole};
use crate::{output, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// The topic, in full: store.orders
    #[arg(long)]
    topic: String,
    /// The partition
    #[arg(long, allow_negative_numbers = true, value_parser = whole::<i32>(0, None, 0))]
    partition: i32,
    /// Give up what is damaged
    #[arg(long)]
    accept_loss: bool,
}

/// The loss was not accepted.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("nothing was changed")]
#[diagnostic(help(
    "restore the partition from a copy; or add --accept-loss, and what is damaged is given up"
))]
struct LossNotAcceptedError;

/// A server uses the directory.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{log} was not repaired")]
#[diagnostic(help("{help}"))]
struct RepairFailure {
    log: String,
    help: &'static str,
    #[source]
    source: RepairPartitionError,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Report> {
    let files = super::find(&args.data_dir)?;
    let (partitions, _) = files.partitions().into_diagnostic()?;
    let asked = super::asked(partitions, &args.data_dir, Some(&args.topic), Some(args.partition))?;
    let dir = &asked.first().expect("one partition was asked for").dir;
    let log = format!("{}/{}", args.topic, args.partition);
    let read = || format!("read {}", dir.display());
    if args.accept_loss {
        let repaired = files.repair(dir).map_err(|source| not_repaired(&log, source))?;
        if repaired.given_up.is_empty() {
            report::say(format!("nothing is damaged in {log}; nothing was changed"));
            return Ok(());
        }
        let damage: Vec<_> = repaired.given_up.iter().map(|one| DamageLine::of(&log, one)).collect();
        output::one(format, &damage, || format!("gave up in {}", lost(&log, &damage)))?;
        for copy in &repaired.copies {
            report::say(format!("the damaged bytes are kept in {}", copy.display()));
        }
        report::say("the partition takes records again when the server starts");
        if let Some(advice) = advice(&args.topic) {
            report::say(advice);
        }
        return Ok(());
    }
    let found = files.inspect(dir).into_diagnostic().wrap_err_with(read)?;
    if found.damage.is_empty() {
        report::say(format!("nothing is damaged in {log}; nothing was changed"));
        return Ok(());
    }
    let damage: Vec<_> = found.damage.iter().map(|one| DamageLine::of(&log, one)).collect();
    output::one(format, &damage, || format!("would give up in {}", lost(&log, &damage)))?;
    Err(LossNotAcceptedError.into())
}

fn not_repaired(log: &str, source: RepairPartitionError) -> RepairFailure {
    let help = match &source {
        RepairPartitionError::Lock(_) => "stop the server first",
        RepairPartitionError::Log(RepairError::Misnamed { .. }) => {
            "move the file where it belongs, then look again with `factum log verify`; nothing was changed"
        }
        RepairPartitionError::Log(_) => "see to the disk, and run it again: it goes on where it ended",
    };
    RepairFailure { log: log.to_owned(), help, source }
}

/// What to do where the lost records are Factum's own.
fn advice(topic: &str) -> Option<&'static str> {
    let is_internal = TopicName::new(topic).is_ok_and(|topic| topic.is_internal());
    match topic {
        "__consumer_offsets" => Some("offsets of groups may be lost: set them with `factum group reset`"),
        "_factum.resources" => {
            Some("start the server with its project, so that what is applied is recorded again")
        }
        _ if is_internal => Some("these are records of Factum's own"),
        _ => None,
    }
}
