//! Decoders of strangers' text and events, each as a function of them: for fuzzers, which have no engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use factum_types::{Record, TopicName};

use crate::access::RelationAccess;
use crate::decode::Decoder;
use crate::definitions::{Definitions, EventDefinition, Problem};
use crate::plan;
use crate::schema::EventSchema;

/// Plans every view of `definitions` whose events have a contract; how many there are.
///
/// # Errors
/// What is wrong with them, each at its place.
pub fn plan_views(definitions: &Definitions) -> Result<usize, Vec<Problem>> {
    plan::plan(definitions, &schemas(definitions)).map(|planned| planned.views.len())
}

/// Plans `query` as one over `definitions`; whether it can be run.
pub fn plan_query(definitions: &Definitions, query: &str) -> bool {
    let planned = plan::plan(definitions, &schemas(definitions));
    planned.is_ok_and(|planned| planned.planner.query(RelationAccess::All, &Arc::from(query)).is_ok())
}

/// Decodes `records` into all columns of `event`: how many there are, and how many could not be. `None` if its contract
/// gives no columns.
pub fn decode(event: &EventDefinition, records: &[Record]) -> Option<(usize, usize)> {
    let schema = schema(event)?;
    let columns: Vec<_> = (0..schema.schema.fields().len()).collect();
    let decoded = Decoder::new(&schema, &columns).decode(0, records);
    Some((decoded.batch.num_rows(), decoded.poisoned.len()))
}

fn schema(event: &EventDefinition) -> Option<EventSchema> {
    EventSchema::from_contract(event, event.schema.as_deref()?).ok()
}

fn schemas(definitions: &Definitions) -> BTreeMap<TopicName, EventSchema> {
    definitions.events.iter().filter_map(|event| Some((event.topic.clone(), schema(event)?))).collect()
}
