//! The note of which schema ids were given, and how far topic `_schemas` went.
//!
//! ```text
//!   registry.json   {"format":1,"end":7,"ids":{".":6},"others":0,"has_lost":false,"lost":[],"accepted":[]}     after every change
//! ```
//!
//! Records that were written with an id mean its schema for good: an id whose schema was lost must not be given to another one.
//!
//! **Invariants:** what was answered is noted, so that ids go on above all that were given, whatever the log lost. What was lost is
//! said until the operator accepts it.
//!
//! **Not here:** users and rules, whose loss closes the server ([`crate::access`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use factum_eventlog::UnreadableRecords;
use factum_log::{LocalDisk, write_atomically};
use factum_registry::{GivenIds, Registry, TOPIC};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::access::damage::{LostRange, find_in, in_words, not_accepted};

/// In the data directory.
const FILE: &str = "registry.json";
const FORMAT: u32 = 1;
/// More is no note of ours.
const MAX_BYTES: u64 = 16 << 20;
/// Contexts whose ids are noted one by one.
const MAX_CONTEXTS: usize = 1_000;
/// Ranges that one note has; damage beyond them cannot be accepted for good.
const MAX_RANGES: usize = 10_000;

/// The note of one server.
#[derive(Debug)]
pub(crate) struct RegistryNote {
    data_dir: PathBuf,
    /// Whether the operator does without what is lost.
    accepts: bool,
    content: Mutex<Content>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// 0 before there is a note.
    format: u32,
    /// The offset behind the last record.
    end: i64,
    /// The highest id of each context.
    ids: BTreeMap<String, i32>,
    /// The highest id of contexts that are not among these.
    others: i32,
    /// Whether anything was ever lost: contexts that are not known any more may have had ids.
    has_lost: bool,
    /// Offsets that the topic had and has no more: the first, and behind the last.
    lost: Vec<(i64, i64)>,
    /// Offsets that the operator does without.
    accepted: Vec<(i64, i64)>,
}

impl RegistryNote {
    /// The note in `data_dir`, if there is one. Blocking.
    pub(crate) fn open(data_dir: &Path, accepts: bool) -> Self {
        let path = data_dir.join(FILE);
        let is_small = std::fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= MAX_BYTES);
        let bytes = if is_small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let content = serde_json::from_slice::<Content>(&bytes).ok().filter(|note| note.format == FORMAT);
        if content.is_none() && path.exists() {
            error!(path = %path.display(), "the note of which schema ids were given cannot be read");
        }
        Self { data_dir: data_dir.to_owned(), accepts, content: Mutex::new(content.unwrap_or_default()) }
    }

    /// Has `registry` give no id that was given.
    pub(crate) fn raise(&self, registry: &Registry) {
        let content = self.content.lock();
        let others = if content.has_lost { content.others } else { 0 };
        registry.keep_ids_above(content.ids.clone(), others);
    }

    /// Notes ids that were given. Blocking.
    pub(crate) fn add(&self, given: &GivenIds) {
        let mut content = self.content.lock();
        content.add(given);
        self.write(&content);
    }

    /// What is lost and not accepted, in words; `unreadable` is what the reader of the topic passed over. Blocking.
    pub(crate) fn judge(
        &self,
        registry: &Registry,
        given: &GivenIds,
        unreadable: &UnreadableRecords,
    ) -> Option<String> {
        let has_topic = given.end.get() > 0;
        let mut lost = if has_topic { find_in(&self.data_dir, TOPIC, unreadable) } else { Vec::new() };
        let mut content = self.content.lock();
        let is_first = content.format != FORMAT;
        content.format = FORMAT;
        if content.end > given.end.get() {
            let range = (given.end.get(), content.end);
            content.lost.push(range);
            content.lost.truncate(MAX_RANGES);
            content.end = range.0;
        }
        lost.extend(content.lost.iter().map(|&(from, next)| LostRange {
            from,
            next,
            reason: format!("the last {} records, from offset {from} on, are gone", next - from),
        }));
        content.add(given);
        let lost = not_accepted(lost, &content.accepted);
        if !lost.is_empty() {
            content.has_lost = true;
            if is_first {
                content.raise_by(lost.iter().map(|lost| lost.next.saturating_sub(lost.from)).sum());
            }
        }
        let words = self.decide(&mut content, &lost);
        self.write(&content);
        drop(content);
        self.raise(registry);
        words
    }

    fn decide(&self, content: &mut Content, lost: &[LostRange]) -> Option<String> {
        let words = in_words(lost);
        match (lost.is_empty(), self.accepts) {
            (true, true) => {
                warn!("nothing of schemas is lost: take accept_damage out of the configuration");
                None
            }
            (true, false) => None,
            (false, true) => {
                warn!(lost = %words, "what is lost of schemas is accepted: take accept_damage out of the configuration");
                content.accepted.extend(lost.iter().map(|lost| (lost.from, lost.next)));
                content.accepted.truncate(MAX_RANGES);
                content.lost.clear();
                None
            }
            (false, false) => {
                error!(lost = %words, "a part of topic {TOPIC} is lost or cannot be read, and has no effect");
                Some(format!(
                    "a part of topic {TOPIC} is lost or cannot be read, and has no effect ({words}). New ids are above those that were \
                     given; schemas, levels, modes and deletions may be missing: check them, then start once with accept_damage = true \
                     in [registry]"
                ))
            }
        }
    }

    fn write(&self, content: &Content) {
        let path = self.data_dir.join(FILE);
        let written = serde_json::to_vec(content)
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_atomically(&LocalDisk, &path, &bytes));
        if let Err(error) = written {
            warn!(path = %path.display(), %error, "cannot note which schema ids were given");
        }
    }
}

impl Content {
    fn add(&mut self, given: &GivenIds) {
        self.format = FORMAT;
        self.end = self.end.max(given.end.get());
        for (context, id) in &given.ids {
            let has_room = self.ids.len() < MAX_CONTEXTS;
            let known = match self.ids.get_mut(context) {
                Some(known) => known,
                None if has_room => self.ids.entry(context.clone()).or_default(),
                None => &mut self.others,
            };
            *known = (*known).max(*id);
        }
    }

    /// Raises all ids by the number of lost records, each of which may have given one: nothing else is known without a note.
    fn raise_by(&mut self, records: i64) {
        let records = i32::try_from(records).unwrap_or(i32::MAX / 2);
        self.ids.values_mut().for_each(|id| *id = id.saturating_add(records));
        self.others = self.others.saturating_add(records);
    }
}
