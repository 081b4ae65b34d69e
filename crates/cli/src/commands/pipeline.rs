//! `factum pipeline`: list, describe.

use factum_api::Int64;
use factum_api::pipelines::{PartitionLine, PipelineLine, PipelineList, PipelineView, ProgressView};
use miette::Report;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// List and describe pipelines, which keep views up to date
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum pipeline list
  factum pipeline describe store.top_movies")]
pub(crate) enum Verb {
    /// List pipelines: state, lag, rate
    List,
    /// Show one: its statement, where it stands, what went wrong
    Describe {
        /// The view that it keeps: store.top_movies
        pipeline: String,
    },
}

impl Row for PipelineLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("pipeline", |pipeline| pipeline.name.clone()),
        words("state", state),
        numbers("lag", |pipeline| pipeline.lag.to_string()),
        numbers("rate", |pipeline| pipeline.rate.to_string()),
        numbers("state_bytes", |pipeline| pipeline.state_bytes.to_string()),
        numbers("poisoned", |pipeline| pipeline.poisoned.to_string()),
        numbers("late", |pipeline| pipeline.late.to_string()),
        numbers("unreadable", |pipeline| pipeline.unreadable.to_string()),
        words("watermark", |pipeline| pipeline.watermark.clone().unwrap_or_default()),
        words("last_error", |pipeline| pipeline.last_error.clone().unwrap_or_default()),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl Row for PartitionLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("topic", |at| at.topic.clone()),
        numbers("partition", |at| at.partition.to_string()),
        numbers("next", |at| at.next.to_string()),
        numbers("end", |at| at.end.to_string()),
        words("watermark", |at| at.watermark.clone().unwrap_or_default()),
    ];

    fn name(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }
}

fn state(pipeline: &PipelineLine) -> String {
    match &pipeline.progress {
        Some(ProgressView { done, total }) => format!("{} {done}/{total}", pipeline.state),
        None => pipeline.state.clone(),
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List => {
            let pipelines = client.get::<PipelineList>(&["api", "v1", "pipelines"]).await?.pipelines;
            if pipelines.is_empty() && format == Format::Table {
                report::say(
                    "there are no pipelines yet; a project declares them in teams/<team>/pipelines/*.sql",
                );
            }
            Ok(output::list(format, &pipelines)?)
        }
        Verb::Describe { pipeline } => {
            describe(&client.get(&["api", "v1", "pipelines", &pipeline]).await?, format)
        }
    }
}

fn describe(pipeline: &PipelineView, format: Format) -> Result<(), Report> {
    match format {
        Format::Name => return Ok(output::print(&format!("{}\n", pipeline.line.name))?),
        Format::Csv => return Ok(output::list(format, &pipeline.partitions)?),
        Format::Table | Format::Json | Format::Yaml => {}
    }
    Ok(output::one(format, pipeline, || for_people(pipeline))?)
}

fn for_people(pipeline: &PipelineView) -> String {
    let line = &pipeline.line;
    let mut pairs = vec![("pipeline", line.name.clone()), ("state", state(line))];
    pairs.extend(line.reason.clone().map(|reason| ("reason", output::printable(&reason))));
    pairs.push(("reads", pipeline.depends_on.join(", ")));
    let columns = pipeline.columns.iter().map(|column| format!("{} {}", column.name, column.r#type));
    pairs.push(("columns", columns.collect::<Vec<_>>().join(", ")));
    pairs.push(("lag", line.lag.to_string()));
    pairs.push(("rate", format!("{} events/s", line.rate)));
    pairs.extend(line.watermark.clone().map(|watermark| ("watermark", watermark)));
    pairs.push(("state bytes", line.state_bytes.to_string()));
    pairs.push(("poisoned", line.poisoned.to_string()));
    pairs.push(("late", line.late.to_string()));
    pairs.push(("unreadable", line.unreadable.to_string()));
    if line.letters_waiting != Int64(0) {
        pairs.push(("dead letters waiting", line.letters_waiting.to_string()));
    }
    if line.letters_lost != Int64(0) {
        pairs.push(("dead letters lost", line.letters_lost.to_string()));
    }
    pairs.extend(line.last_error.clone().map(|error| ("last error", output::printable(&error))));
    let mut text = output::pairs(&pairs);
    if !pipeline.partitions.is_empty() {
        text += "\n";
        text += &output::table(&pipeline.partitions);
    }
    let sql: Vec<_> = pipeline.sql.lines().map(output::printable).collect();
    text + "\n" + sql.join("\n").trim() + "\n"
}
