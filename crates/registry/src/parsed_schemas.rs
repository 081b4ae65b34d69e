//! Registered schemas that were read lately, so that they need not be read again.
//!
//! **Invariants:** what is kept is bounded in number and in memory. A schema is given back as long as what it refers to is what it
//! was read with: the same names may stand for others after a version was deleted for good.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::subject::Subject;
use crate::{Guid, ParsedSchema, ReferencedSchema, Schema, SchemaType};

const MAX_SCHEMAS: usize = 4096;
/// Bytes of memory, by [`ParsedSchema::weight`].
const MAX_WEIGHT: usize = 64 * 1024 * 1024;

/// The oldest go first.
#[derive(Debug, Default)]
pub(crate) struct ParsedSchemas(Mutex<Cache>);

/// A schema, and the context that its references are looked up in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SchemaKey {
    context: String,
    schema_type: SchemaType,
    guid: Guid,
}

/// A schema that was read.
#[derive(Debug)]
pub(crate) struct ReadSchema {
    pub(crate) parsed: ParsedSchema,
    /// Of its text and those that it refers to.
    pub(crate) bytes: usize,
    /// The schemas that it was read with.
    pub(crate) references: Vec<ReferencedSchema>,
    /// Of the registry when they were looked up.
    pub(crate) removals: u64,
}

#[derive(Debug, Default)]
struct Cache {
    /// With their weights.
    schemas: HashMap<SchemaKey, (ReadSchema, usize)>,
    order: VecDeque<SchemaKey>,
    weight: usize,
}

impl SchemaKey {
    pub(crate) fn new(subject: &Subject, schema: &Schema, guid: Guid) -> Self {
        Self { context: subject.context().to_owned(), schema_type: schema.schema_type, guid }
    }
}

impl ParsedSchemas {
    /// A schema that was read and the bytes of its texts, unless its references may lead elsewhere since: `removals` is the registry's.
    pub(crate) fn get(&self, key: &SchemaKey, removals: u64) -> Option<(ParsedSchema, usize)> {
        let kept = self.0.lock();
        let (read, _) = kept.schemas.get(key)?;
        let is_same = read.references.is_empty() || read.removals == removals;
        is_same.then(|| (read.parsed.clone(), read.bytes))
    }

    /// A schema that was read with the same references, which were looked up again.
    pub(crate) fn renew(
        &self,
        key: &SchemaKey,
        references: &[ReferencedSchema],
        removals: u64,
    ) -> Option<ParsedSchema> {
        let mut kept = self.0.lock();
        let (read, _) = kept.schemas.get_mut(key).filter(|(read, _)| read.references == references)?;
        read.removals = read.removals.max(removals);
        Some(read.parsed.clone())
    }

    /// Keeps a schema in place of what was kept for it.
    pub(crate) fn keep(&self, key: SchemaKey, read: ReadSchema) {
        let weight = read.parsed.weight(read.bytes);
        let mut kept = self.0.lock();
        kept.remove(&key);
        if weight > MAX_WEIGHT {
            return;
        }
        while kept.schemas.len() >= MAX_SCHEMAS || kept.weight + weight > MAX_WEIGHT {
            let Some(oldest) = kept.order.front().cloned() else { break };
            kept.remove(&oldest);
        }
        kept.weight += weight;
        kept.order.push_back(key.clone());
        kept.schemas.insert(key, (read, weight));
    }
}

impl Cache {
    fn remove(&mut self, key: &SchemaKey) {
        if let Some((_, weight)) = self.schemas.remove(key) {
            self.weight -= weight;
            if let Some(at) = self.order.iter().position(|kept| kept == key) {
                self.order.remove(at);
            }
        }
    }
}
