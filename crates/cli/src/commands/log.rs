//! `factum log`: the logs of a data directory, looked at and repaired without a server.

mod listing;
mod repair;
mod verify;

use std::path::{Path, PathBuf};

use factum_server::data_files::{DataFiles, PartitionFiles, StorageError};
use miette::{Diagnostic, Report};

use crate::args::Format;

/// Check a data directory for damage, and repair it
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum log verify --data-dir /var/lib/factum
  factum log repair --data-dir /var/lib/factum --topic store.orders --partition 0")]
pub(crate) enum Verb {
    /// Read every log whole, and say what is damaged
    ///
    /// Changes nothing, and may be run beside a server. Ends with 0 if all is sound, 1 if something is damaged.
    #[command(before_help = "Examples:
  factum log verify --data-dir /var/lib/factum
  factum log verify --data-dir /var/lib/factum --topic store.orders --partition 0
  factum log verify --data-dir /var/lib/factum -o json    one line for each partition, damage and note")]
    Verify(verify::Args),
    /// Give damaged records up, so that a partition takes records again
    ///
    /// The server must be stopped. Says what is lost; with --accept-loss it is given up: the damaged bytes are kept in a
    /// file, readers pass over the lost offsets, which are never given out again, and all other records stay.
    #[command(before_help = "Examples:
  factum log repair --data-dir /var/lib/factum --topic store.orders --partition 0
  factum log repair --data-dir /var/lib/factum --topic store.orders --partition 0 --accept-loss")]
    Repair(repair::Args),
}

/// There is no such partition.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{topic} has no partition {partition}")]
#[diagnostic(help("it has {partitions}, numbered from 0"))]
struct NoPartition {
    topic: String,
    partition: i32,
    partitions: usize,
}

/// There is no such topic.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{} holds no usable topic {topic}", data_dir.display())]
#[diagnostic(help("`factum log verify --data-dir {}` lists what is there", data_dir.display()))]
struct NoTopic {
    data_dir: PathBuf,
    topic: String,
}

/// The directory is none of ours.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the data directory cannot be read")]
#[diagnostic(help("--data-dir is what `factum dev --data-dir` or data_dir in the configuration names"))]
struct NoDataFiles(#[source] StorageError);

pub(super) fn run(verb: Verb, format: Format) -> Result<(), Report> {
    match verb {
        Verb::Verify(args) => verify::run(&args, format),
        Verb::Repair(args) => repair::run(&args, format),
    }
}

fn find(data_dir: &Path) -> Result<DataFiles, NoDataFiles> {
    DataFiles::find(data_dir).map_err(NoDataFiles)
}

/// Those of `all` that were asked for.
fn asked(
    all: Vec<PartitionFiles>,
    data_dir: &Path,
    topic: Option<&str>,
    partition: Option<i32>,
) -> Result<Vec<PartitionFiles>, Report> {
    let Some(topic) = topic else { return Ok(all) };
    let of_topic: Vec<_> = all.into_iter().filter(|one| one.topic == topic).collect();
    if of_topic.is_empty() {
        return Err(NoTopic { data_dir: data_dir.to_owned(), topic: topic.to_owned() }.into());
    }
    let partitions = of_topic.len();
    let Some(partition) = partition else { return Ok(of_topic) };
    let found: Vec<_> = of_topic.into_iter().filter(|one| one.partition == partition).collect();
    match found.is_empty() {
        true => Err(NoPartition { topic: topic.to_owned(), partition, partitions }.into()),
        false => Ok(found),
    }
}
