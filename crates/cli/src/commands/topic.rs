//! `factum topic`: list, describe, create, alter, delete.

mod alter;

use factum_types::units::duration::{self, DurationError};
use factum_types::{ByteSize, TopicName};
use miette::Report;
use reqwest::Method;

use crate::args::{Format, whole};
use crate::client::{
    Client, NewTopic, Partition, Topic, TopicLine, TopicSettings, TopicSettingsPatch, Topics,
};
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// List, describe, create, alter and delete topics
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum topic list
  factum topic create store.orders --partitions 4 --retention 30d")]
pub(crate) enum Verb {
    /// List topics
    #[command(before_help = "Examples:
  factum topic list
  factum topic list --all -o json")]
    List {
        /// Also those in which Factum keeps its own records
        #[arg(long, alias = "internal")]
        all: bool,
    },
    /// Show one topic with its partitions
    #[command(before_help = "Example:
  factum topic describe store.orders")]
    Describe {
        /// The topic, in full: store.orders
        topic: String,
    },
    /// Create a topic
    #[command(before_help = "Examples:
  factum topic create store.refunds
  factum topic create store.orders --partitions 4 --retention 30d --max-message-bytes 4MiB")]
    Create(Create),
    /// Change settings of a topic, and give it partitions
    #[command(before_help = "Examples:
  factum topic alter store.orders --partitions 8
  factum topic alter store.orders --set retention=90d --set compression=zstd
  factum topic alter store.orders --unset retention")]
    Alter(alter::Alter),
    /// Delete a topic with all its events
    #[command(before_help = "Examples:
  factum topic delete store.refunds            only if it has no events
  factum topic delete store.refunds --force    with all of them")]
    Delete {
        /// The topic, in full: store.orders
        topic: String,
        /// Delete it although it has events, or cannot be used
        #[arg(long)]
        force: bool,
    },
}

/// Sees that the server will understand it; it is sent as it was written.
fn retention(text: &str) -> Result<String, DurationError> {
    duration::parse(text).map(|_| text.to_owned())
}

/// A topic to be made.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The topic, in full: store.orders
    #[arg(value_parser = |text: &str| TopicName::new(text))]
    topic: TopicName,
    /// How many partitions; without it the server's default
    #[arg(long, allow_negative_numbers = true, value_parser = whole::<i32>(1, None, 4))]
    partitions: Option<i32>,
    /// How long events are kept: 7d, 12h, forever
    #[arg(long, allow_negative_numbers = true, value_parser = retention)]
    retention: Option<String>,
    /// The most bytes that a partition keeps: 10GiB
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| text.parse::<ByteSize>())]
    retention_bytes: Option<ByteSize>,
    /// The largest batch that is taken: 4MiB
    #[arg(long, allow_negative_numbers = true, value_parser = |text: &str| text.parse::<ByteSize>())]
    max_message_bytes: Option<ByteSize>,
}

impl Row for TopicLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("topic", |topic| topic.name.clone()),
        words("team", |topic| topic.team.clone().unwrap_or_default()),
        numbers("partitions", |topic| topic.partitions.to_string()),
        numbers("records", |topic| topic.records.to_string()),
        numbers("bytes", |topic| topic.bytes.map_or_else(String::new, |bytes| bytes.to_string())),
        words("summary", |topic| topic.summary.clone().unwrap_or_default()),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl Row for Partition {
    const COLUMNS: &'static [Column<Self>] = &[
        numbers("partition", |partition| partition.partition.to_string()),
        numbers("log_start", |partition| partition.log_start.to_string()),
        numbers("high_watermark", |partition| partition.high_watermark.to_string()),
        numbers("bytes", |partition| partition.bytes.map_or_else(String::new, |bytes| bytes.to_string())),
        words("state", |partition| if partition.is_writable { "writable" } else { "quarantined" }.to_owned()),
    ];

    fn name(&self) -> String {
        self.partition.to_string()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List { all } => list(all, &client, format).await,
        Verb::Describe { topic } => describe(&client.topic(&topic).await?, format),
        Verb::Create(wish) => create(wish, &client, format).await,
        Verb::Alter(wish) => alter::run(wish, &client, format).await,
        Verb::Delete { topic, force } => delete(&topic, force, &client).await,
    }
}

async fn list(all: bool, client: &Client, format: Format) -> Result<(), Report> {
    let request = client.request(Method::GET, &["api", "v1", "topics"]);
    let request = if all { request.query(&[("internal", "true")]) } else { request };
    let topics = client.json::<Topics>(request).await?.topics;
    if topics.is_empty() && format == Format::Table {
        report::say("there are no topics yet; `factum topic create NAME` creates one");
    }
    Ok(output::list(format, &topics)?)
}

fn describe(topic: &Topic, format: Format) -> Result<(), Report> {
    match format {
        Format::Name => return Ok(output::print(&format!("{}\n", topic.name))?),
        Format::Csv => return Ok(output::list(format, &topic.partitions)?),
        Format::Table | Format::Json | Format::Yaml => {}
    }
    Ok(output::one(format, topic, || {
        let unset =
            |value: &Option<String>| value.clone().unwrap_or_else(|| "the server's default".to_owned());
        let mut pairs = vec![("topic", topic.name.clone())];
        pairs.extend(topic.team.clone().map(|team| ("team", team)));
        pairs.extend(topic.summary.clone().map(|summary| ("summary", output::printable(&summary))));
        pairs.extend(
            manifest(topic).map(|file| ("declared by", format!("{file}, which its settings come from"))),
        );
        pairs.push(("records", topic.records().to_string()));
        pairs.push(("retention", unset(&topic.config.retention)));
        pairs.extend(topic.config.retention_bytes.clone().map(|bytes| ("retention bytes", bytes)));
        pairs.extend(topic.config.segment_bytes.clone().map(|bytes| ("segment bytes", bytes)));
        pairs.push(("largest batch", unset(&topic.config.max_message_bytes)));
        let TopicSettings { segment_age, compression, timestamp_type, .. } = &topic.config;
        let TopicSettings { timestamp_before_max, timestamp_after_max, .. } = &topic.config;
        for (name, value) in [
            ("segment age", segment_age),
            ("compression", compression),
            ("timestamp type", timestamp_type),
            ("oldest timestamp", timestamp_before_max),
            ("furthest timestamp", timestamp_after_max),
        ] {
            pairs.extend(value.clone().map(|value| (name, value)));
        }
        let without_effect = topic.config.without_effect.iter();
        let without_effect: Vec<_> = without_effect.map(|(name, value)| format!("{name}={value}")).collect();
        if !without_effect.is_empty() {
            pairs.push(("without effect", output::printable(&without_effect.join(", "))));
        }
        let held = topic.partitions.iter().filter_map(|partition| partition.held_back.as_ref());
        pairs.extend(held.map(|held| ("held back", output::held_back(held))));
        output::pairs(&pairs) + "\n" + &output::table(&topic.partitions)
    })?)
}

/// The manifest that declares a topic, where a project does.
fn manifest(topic: &Topic) -> Option<String> {
    let team = topic.team.as_ref()?;
    let event = topic.name.strip_prefix(team)?.strip_prefix('.')?;
    Some(format!("teams/{team}/events/{event}.yaml"))
}

async fn create(wish: Create, client: &Client, format: Format) -> Result<(), Report> {
    let size = |size: Option<ByteSize>| size.map(|size| Some(size.to_string()));
    let body = NewTopic {
        name: wish.topic.to_string(),
        partitions: wish.partitions,
        config: TopicSettingsPatch {
            retention: wish.retention.map(Some),
            retention_bytes: size(wish.retention_bytes),
            max_message_bytes: size(wish.max_message_bytes),
            ..TopicSettingsPatch::default()
        },
    };
    let request = client.request(Method::POST, &["api", "v1", "topics"]).json(&body);
    let made: Topic = client.json(request).await?;
    let partitions = output::count(made.partitions.len(), "partition");
    Ok(output::one(format, &made, || format!("created topic {} with {partitions}\n", made.name))?)
}

/// Why a topic was left alone.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("topic {topic} has {} and was left alone", output::count(*.records, "event"))]
#[diagnostic(help("`factum topic delete {topic} --force` deletes it for good"))]
struct HasEvents {
    topic: String,
    records: i64,
}

async fn delete(name: &str, force: bool, client: &Client) -> Result<(), Report> {
    let path = ["api", "v1", "topics", name];
    let topic = match client.topic(name).await {
        Ok(topic) => topic,
        // One that cannot be used is not found, and can be deleted.
        Err(error) if force => {
            client.send(client.request(Method::DELETE, &path)).await.map_err(|_| error)?;
            report::say(format!("deleted topic {name}, which could not be used"));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let records = topic.records();
    if records > 0 && !force {
        return Err(HasEvents { topic: topic.name, records }.into());
    }
    client.send(client.request(Method::DELETE, &path)).await?;
    report::say(format!("deleted topic {name} with {}", output::count(records, "event")));
    Ok(())
}
