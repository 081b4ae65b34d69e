//! `factum group`: list, describe, delete, reset.

use factum_api::groups::{
    CommittedView, GroupLine, GroupList, GroupView, MemberView, MovedOffset, ResetOffsets,
    ResetOffsetsResult, TopicGroup, TopicGroupList,
};
use miette::Report;
use reqwest::Method;

use super::position;
use crate::args::{Format, whole};
use crate::client::{Client, Error};
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// List, describe, delete and rewind consumer groups
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum group describe receipts
  factum group reset receipts --topic store.orders --to earliest")]
pub(crate) enum Verb {
    /// List groups, or those that read one topic
    #[command(before_help = "Examples:
  factum group list
  factum group list --topic store.orders")]
    List {
        /// Only groups that read this topic, and how far they are behind in it
        #[arg(long)]
        topic: Option<String>,
    },
    /// Show one group: its members, where it stands, how far it is behind
    #[command(before_help = "Example:
  factum group describe receipts")]
    Describe {
        /// The group
        group: String,
    },
    /// Forget a group that has no members
    #[command(before_help = "Example:
  factum group delete receipts")]
    Delete {
        /// The group
        group: String,
    },
    /// Move a group that has no members to another position in a topic
    #[command(before_help = "Examples:
  factum group reset receipts --topic store.orders --to earliest --dry-run
  factum group reset receipts --topic store.orders --to 2026-01-31T12:00:00Z
  factum group reset receipts --topic store.orders --partition 0,3 --to 41
  factum group reset receipts --all-topics --to-time 2026-01-31T12:00:00Z
  factum group reset receipts --topic store.orders --shift-by -100
  factum group reset new-group --topic store.orders --to latest --create")]
    Reset {
        /// The group
        group: String,
        /// The topic, in full: store.orders
        #[arg(long, required_unless_present = "all_topics", conflicts_with = "all_topics")]
        topic: Option<String>,
        /// Every topic that the group has committed offsets of
        #[arg(long)]
        all_topics: bool,
        /// These partitions only, with commas between them
        #[arg(long, value_name = "N", value_delimiter = ',', requires = "topic", allow_negative_numbers = true,
            value_parser = whole::<i32>(0, None, 0))]
        partition: Vec<i32>,
        /// earliest, latest, an offset, -5 (the fifth before the end), a time such as 2026-01-31T12:00:00Z, or "10m ago"
        #[arg(long, required_unless_present_any = ["to_time", "shift_by"], conflicts_with_all = ["to_time", "shift_by"],
            allow_negative_numbers = true, value_parser = position::parse)]
        to: Option<String>,
        /// The first record at or after this time: 2026-01-31T12:00:00Z, or "10m ago"
        #[arg(long, value_name = "TIME", conflicts_with = "shift_by", value_parser = position::parse_time)]
        to_time: Option<String>,
        /// So many records on from where the group is, back if negative; never beyond the ends
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        shift_by: Option<i64>,
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
        /// Create the group where there is none of this name
        #[arg(long)]
        create: bool,
    },
}

impl Row for GroupLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("group", |group| group.id.clone()),
        words("state", |group| group.state.clone()),
        numbers("members", |group| group.members.to_string()),
        numbers("topics", |group| group.topics.len().to_string()),
        numbers("lag", |group| group.lag.to_string()),
    ];

    fn name(&self) -> String {
        self.id.clone()
    }
}

impl Row for TopicGroup {
    const COLUMNS: &'static [Column<Self>] = &[
        words("group", |group| group.id.clone()),
        words("state", |group| group.state.clone()),
        numbers("members", |group| group.members.to_string()),
        numbers("partitions", |group| group.partitions.to_string()),
        numbers("lag", |group| group.lag.to_string()),
    ];

    fn name(&self) -> String {
        self.id.clone()
    }
}

impl Row for MovedOffset {
    const COLUMNS: &'static [Column<Self>] = &[
        words("topic", |moved| moved.topic.clone()),
        numbers("partition", |moved| moved.partition.to_string()),
        numbers("from", |moved| moved.from.map(|from| from.to_string()).unwrap_or_default()),
        numbers("to", |moved| moved.to.to_string()),
    ];

    fn name(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }
}

impl Row for CommittedView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("topic", |committed| committed.topic.clone()),
        numbers("partition", |committed| committed.partition.to_string()),
        numbers("offset", |committed| committed.offset.to_string()),
        numbers("end", |committed| committed.end.map(|end| end.to_string()).unwrap_or_default()),
        numbers("lag", |committed| committed.lag.map(|lag| lag.to_string()).unwrap_or_default()),
    ];

    fn name(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }
}

impl Row for MemberView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("member", |member| member.id.clone()),
        words("client", |member| member.client_id.clone()),
        words("host", |member| member.client_host.clone()),
        words("partitions", |member| {
            let named = member.assignment.iter().map(|at| format!("{}/{}", at.topic, at.partition));
            named.collect::<Vec<_>>().join(" ")
        }),
    ];

    fn name(&self) -> String {
        self.id.clone()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List { topic: None } => {
            let groups = client.get::<GroupList>(&["api", "v1", "groups"]).await?.groups;
            if groups.is_empty() && format == Format::Table {
                report::say("there are no consumer groups yet");
            }
            Ok(output::list(format, &groups)?)
        }
        Verb::List { topic: Some(topic) } => list_of_topic(&topic, &client, format).await,
        Verb::Describe { group } => {
            let found = client.get::<GroupView>(&["api", "v1", "groups", &group]).await;
            describe(&known(found, &group, &client).await?, format)
        }
        Verb::Delete { group } => {
            let request = client.request(Method::DELETE, &["api", "v1", "groups", &group]);
            known(client.send(request).await, &group, &client).await?;
            report::say(format!("forgot group {group}"));
            Ok(())
        }
        Verb::Reset { group, topic, all_topics: _, partition, to, to_time, shift_by, dry_run, create } => {
            let partitions = (!partition.is_empty()).then_some(partition);
            let to = to.or(to_time);
            let body = ResetOffsets { topic, partitions, to, shift_by, dry_run, create };
            reset(&group, &body, &client, format).await
        }
    }
}

async fn list_of_topic(topic: &str, client: &Client, format: Format) -> Result<(), Report> {
    let groups = match client.get::<TopicGroupList>(&["api", "v1", "topics", topic, "groups"]).await {
        Ok(found) => found.groups,
        Err(error) => return Err(client.of_topic(topic, error).await.into()),
    };
    if groups.is_empty() && format == Format::Table {
        report::say(format!("no consumer group reads {topic}"));
    }
    Ok(output::list(format, &groups)?)
}

/// Says which group was meant where there is none of this name.
async fn known<T>(result: Result<T, Error>, group: &str, client: &Client) -> Result<T, Error> {
    match result {
        Err(error) if error.status() == Some(404) => Err(client.no_group(group).await),
        result => result,
    }
}

fn describe(group: &GroupView, format: Format) -> Result<(), Report> {
    match format {
        Format::Name => return Ok(output::print(&format!("{}\n", group.id))?),
        Format::Csv => return Ok(output::list(format, &group.offsets)?),
        Format::Table | Format::Json | Format::Yaml => {}
    }
    Ok(output::one(format, group, || {
        let mut pairs = vec![("group", output::printable(&group.id)), ("state", group.state.clone())];
        if !group.protocol.is_empty() {
            pairs.push(("assignor", group.protocol.clone()));
        }
        let lag: i64 = group.offsets.iter().filter_map(|at| at.lag).map(|lag| lag.0).sum();
        pairs.push(("lag", lag.to_string()));
        let held = group.offsets.iter().filter_map(|at| at.held_back.as_ref());
        pairs.extend(held.map(|held| ("held back", output::held_back(held))));
        let mut text = output::pairs(&pairs);
        if !group.offsets.is_empty() {
            text += "\n";
            text += &output::table(&group.offsets);
        }
        if !group.members.is_empty() {
            text += "\n";
            text += &output::table(&group.members);
        }
        text
    })?)
}

/// Says how a group is created that was not misspelt.
fn unknown(error: Error) -> Report {
    match error {
        Error::Unknown { kind, name, help } => {
            let end = if help.ends_with('?') { "" } else { ";" };
            let help = format!("{help}{end} --create makes a group of this name");
            Error::Unknown { kind, name, help }.into()
        }
        error => error.into(),
    }
}

async fn reset(group: &str, body: &ResetOffsets, client: &Client, format: Format) -> Result<(), Report> {
    if let Some(topic) = &body.topic {
        client.topic(topic).await?;
    }
    if !body.create {
        let found = client.get::<GroupView>(&["api", "v1", "groups", group]).await;
        if let Err(error) = known(found, group, client).await {
            return Err(unknown(error));
        }
    }
    let request = client.request(Method::POST, &["api", "v1", "groups", group, "offsets"]).json(body);
    let done: ResetOffsetsResult = client.json(request).await?;
    output::list(format, &done.offsets)?;
    if body.dry_run {
        report::say("nothing was moved: this was a dry run");
    }
    Ok(())
}
