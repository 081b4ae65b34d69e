//! Views that read a topic, with the fields of its events that they need, and views over those.

use std::collections::{BTreeMap, BTreeSet};

use factum_types::TopicName;

use super::{Effective, Engine};
use crate::definitions::RelationName;
use crate::plan::ViewPlan;
use crate::schema::EventSchema;

/// A view that reads a topic, itself or by other views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicReader {
    /// The view.
    pub view: RelationName,
    /// Whether a pipeline keeps it up to date; else it is computed whenever someone reads it.
    pub is_materialized: bool,
    /// Fields of the events' data that it needs; none if that is not known, as its topic has no columns yet, or if it needs
    /// only how many events there are.
    pub fields: Vec<String>,
    /// The views by which it reads the topic; none if it does itself.
    pub through: Vec<RelationName>,
}

/// A view that reads the topic or another view.
struct Node<'a> {
    is_materialized: bool,
    /// Columns of the topic's events; `None` if it does not read the topic itself.
    columns: Option<BTreeSet<usize>>,
    views: Vec<&'a RelationName>,
}

impl Engine {
    /// Every view that reads `topic`, by name: as its definition in effect says, whether or not it runs at this moment.
    pub fn readers(&self, topic: &TopicName) -> Vec<TopicReader> {
        self.effective().readers(topic)
    }
}

impl Effective {
    fn readers(&self, topic: &TopicName) -> Vec<TopicReader> {
        let nodes = self.nodes(topic);
        let schema = self.schemas.get(topic);
        let mut found: BTreeMap<&RelationName, TopicReader> = BTreeMap::new();
        let mut next: Vec<&RelationName> = Vec::new();
        for (name, node) in &nodes {
            let Some(columns) = &node.columns else { continue };
            let fields = schema.map(|schema| data_fields(schema, columns)).unwrap_or_default();
            found.insert(name, reader(name, node, fields, Vec::new()));
            next.push(name);
        }
        // Views over those, one step further each time; a view that is reached on several ways is said once.
        while !next.is_empty() {
            let before = std::mem::take(&mut next);
            for (name, node) in nodes.iter().filter(|(_, node)| node.columns.is_none()) {
                let by = node.views.iter().find(|view| before.contains(view));
                let Some(by) = by.and_then(|by| found.get(*by)).filter(|_| !found.contains_key(name)) else {
                    continue;
                };
                let (mut through, fields) = (by.through.clone(), by.fields.clone());
                through.push(by.view.clone());
                found.insert(name, reader(name, node, fields, through));
                next.push(name);
            }
        }
        found.into_values().collect()
    }

    fn nodes(&self, topic: &TopicName) -> BTreeMap<&RelationName, Node<'_>> {
        let kept = self.planned.views.iter().map(|plan| {
            let columns = columns_of(plan, topic);
            (&plan.name, Node { is_materialized: true, columns, views: plan.depends_on.iter().collect() })
        });
        let plain = self.planned.planner.plain_views().iter().map(|(name, reads)| {
            let columns = reads.topics.get(topic).cloned();
            (name, Node { is_materialized: false, columns, views: reads.views.iter().collect() })
        });
        let awaiting = self.planned.awaiting.iter().filter(|awaiting| awaiting.topic == *topic);
        let awaiting = awaiting.map(|awaiting| {
            (
                &awaiting.name,
                Node { is_materialized: true, columns: Some(BTreeSet::new()), views: Vec::new() },
            )
        });
        kept.chain(plain).chain(awaiting).collect()
    }
}

fn reader(
    name: &RelationName,
    node: &Node<'_>,
    fields: Vec<String>,
    through: Vec<RelationName>,
) -> TopicReader {
    TopicReader { view: name.clone(), is_materialized: node.is_materialized, fields, through }
}

/// The columns of a topic that the cuts of a view read.
fn columns_of(plan: &ViewPlan, topic: &TopicName) -> Option<BTreeSet<usize>> {
    let mut cuts = plan.cuts.iter().filter(|cut| cut.topic == *topic).peekable();
    cuts.peek()?;
    Some(cuts.flat_map(|cut| cut.projection.iter().copied()).collect())
}

/// The fields of the data among `columns`, with the one that is the time of events: no view is without it.
fn data_fields(schema: &EventSchema, columns: &BTreeSet<usize>) -> Vec<String> {
    let needed = columns.iter().copied().chain([schema.time]);
    let needed: BTreeSet<usize> = needed.filter(|column| *column < schema.data_columns()).collect();
    needed.into_iter().map(|column| schema.schema.field(column).name().clone()).collect()
}
