//! Producers and consumers of a topic's events, as far as the server knows them.
//!
//! Invariants: no one is named whom the caller may not know of, and no one is made up: a Kafka client that writes leaves no name
//! with its records, so that producers are those that the project declares, that have a transaction open, or that their events
//! name as their source.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use factum_api::catalogue::{Consumer, Producer};
use factum_eventlog::{Group, Topic, Transaction};
use factum_governance::FeedDefinition;
use factum_sql::TopicReader;
use factum_types::{Event, Offset, Resource, TopicName, TopicPartition};

use crate::api::Api;
use crate::http::problem::Problem;
use crate::routes::groups;

/// Partitions whose latest records are looked at, at most.
const PARTITIONS: usize = 16;
/// Records of each that are looked at, and about how many bytes.
const LATEST: i64 = 20;
const LATEST_BYTES: usize = 64 << 10;
/// Sources that are named, at most.
const SOURCES: usize = 20;

/// Everyone that a caller may know of.
pub(crate) struct Participants {
    groups: Vec<Group>,
    transactions: Vec<Transaction>,
    feeds: Vec<Arc<FeedDefinition>>,
}

impl Participants {
    /// Everyone whom `is_visible` lets through.
    ///
    /// # Errors
    /// [`Problem`] if the log does not answer.
    pub(crate) async fn known(api: &Api, is_visible: &dyn Fn(Resource<'_>) -> bool) -> Result<Self, Problem> {
        let mut groups = api.log().groups().await?;
        groups.retain(|group| is_visible(Resource::Group(&group.id)));
        let mut transactions = api.state.transactions.transactions().await;
        transactions.retain(|each| is_visible(Resource::TransactionalId(&each.id)));
        Ok(Self { groups, transactions, feeds: api.state.catalogue.of() })
    }

    /// Those who make the events of a topic, but for the sources that the events themselves name.
    pub(crate) fn producers(&self, topic: &TopicName) -> Vec<Producer> {
        let feeds = self.feeds.iter().filter(|feed| feed.into == *topic);
        let feeds = feeds.map(|feed| producer("feed", feed.name.as_str()));
        let is_open = |each: &&Transaction| each.partitions.iter().any(|partition| partition.topic == *topic);
        let open = self.transactions.iter().filter(is_open);
        feeds.chain(open.map(|each| producer("transaction", each.id.as_str()))).collect()
    }

    /// Those who read the events of a topic: groups, then views.
    pub(crate) fn consumers(
        &self,
        api: &Api,
        topic: &TopicName,
        is_visible: &dyn Fn(Resource<'_>) -> bool,
    ) -> Vec<Consumer> {
        let groups =
            self.groups.iter().filter_map(|group| groups::reader(group, topic)).map(|group| Consumer {
                kind: "group".to_owned(),
                name: group.id,
                state: Some(group.state),
                members: Some(group.members),
                lag: Some(group.lag),
                fields: Vec::new(),
                through: Vec::new(),
            });
        let readers = api.state.engine.readers(topic);
        let seen = |name: &dyn ToString| is_visible(Resource::view(&name.to_string()));
        let readers = readers.into_iter().filter(|reader| seen(&reader.view));
        groups.chain(readers.map(|reader| of_view(reader, &seen))).collect()
    }
}

fn of_view(reader: TopicReader, seen: &dyn Fn(&dyn ToString) -> bool) -> Consumer {
    let through = reader.through.iter().filter(|view| seen(view)).map(ToString::to_string);
    Consumer {
        kind: "view".to_owned(),
        name: reader.view.to_string(),
        state: None,
        members: None,
        lag: None,
        fields: reader.fields,
        through: through.collect(),
    }
}

fn producer(kind: &str, name: &str) -> Producer {
    Producer { kind: kind.to_owned(), name: name.to_owned() }
}

/// The sources that the latest events of a topic name. What cannot be read is passed over.
pub(super) async fn sources(api: &Api, topic: &Topic) -> Vec<Producer> {
    let mut found = BTreeSet::new();
    for bounds in topic.partitions.iter().take(PARTITIONS) {
        let from = (bounds.high_watermark.get() - LATEST).max(bounds.log_start.get());
        let partition = TopicPartition::new(topic.name.clone(), bounds.partition);
        let read = api.log().read(&partition, Offset::new(from), LATEST_BYTES, Duration::ZERO).await;
        for record in read.map(|chunk| chunk.records).unwrap_or_default() {
            if let Some(Ok(event)) = Event::from_kafka(&record.headers, record.value) {
                found.insert(event.source);
            }
        }
    }
    found.into_iter().take(SOURCES).map(|source| producer("source", &source)).collect()
}
