//! Schemas that were read lately, so that they need not be read again.
//!
//! **Invariants:** what is kept is bounded in number and in the size of its text.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::{Guid, ParsedSchema};

const MAX_SCHEMAS: usize = 4096;
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// By context and fingerprint; the oldest go first.
#[derive(Debug, Default)]
pub(crate) struct ParsedSchemas(Mutex<Cache>);

type Key = (String, Guid);

#[derive(Debug, Default)]
struct Cache {
    schemas: HashMap<Key, (ParsedSchema, usize)>,
    order: VecDeque<Key>,
    text_bytes: usize,
}

impl ParsedSchemas {
    pub(crate) fn get(&self, context: &str, guid: Guid) -> Option<ParsedSchema> {
        self.0.lock().schemas.get(&(context.to_owned(), guid)).map(|(schema, _)| schema.clone())
    }

    /// Keeps a schema whose text, with what it refers to, has so many bytes.
    pub(crate) fn keep(&self, context: &str, guid: Guid, schema: ParsedSchema, text_bytes: usize) {
        let mut kept = self.0.lock();
        let key = (context.to_owned(), guid);
        if kept.schemas.contains_key(&key) || text_bytes > MAX_TEXT_BYTES {
            return;
        }
        while kept.schemas.len() >= MAX_SCHEMAS || kept.text_bytes + text_bytes > MAX_TEXT_BYTES {
            let Some(oldest) = kept.order.pop_front() else { break };
            let removed = kept.schemas.remove(&oldest).map_or(0, |(_, bytes)| bytes);
            kept.text_bytes -= removed;
        }
        kept.text_bytes += text_bytes;
        kept.order.push_back(key.clone());
        kept.schemas.insert(key, (schema, text_bytes));
    }
}
