//! Tags and properties of a schema.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What is said about a schema beside its text; kept in order, so that it is hashed as Confluent does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Tags, by a path in the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Properties, such as its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, String>>,
    /// Properties that are not to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<BTreeSet<String>>,
}

impl Metadata {
    /// Gives `hash` its parts, in the order of Confluent's fingerprint.
    pub(crate) fn hash_into(&self, hash: &mut dyn FnMut(&[u8])) {
        for (path, tags) in self.tags.iter().flatten() {
            hash(path.as_bytes());
            tags.iter().for_each(|tag| hash(tag.as_bytes()));
        }
        for (name, value) in self.properties.iter().flatten() {
            hash(name.as_bytes());
            hash(value.as_bytes());
        }
        self.sensitive.iter().flatten().for_each(|name| hash(name.as_bytes()));
    }

    /// `base` with what `over` says in its place; `None` where neither says anything.
    pub(crate) fn merge(base: Option<&Self>, over: Option<&Self>) -> Option<Self> {
        let (base, over) = match (base, over) {
            (Some(base), Some(over)) => (base, over),
            (one, None) | (None, one) => return one.cloned(),
        };
        let union = |a: &Option<BTreeSet<String>>, b: &Option<BTreeSet<String>>| match (a, b) {
            (Some(a), Some(b)) => Some(a | b),
            (one, None) | (None, one) => one.clone(),
        };
        Some(Self {
            tags: merge(base.tags.as_ref(), over.tags.as_ref()),
            properties: merge(base.properties.as_ref(), over.properties.as_ref()),
            sensitive: union(&base.sensitive, &over.sensitive),
        })
    }
}

/// All of `base` and `over`; where both have a name, as `over` says.
fn merge<T: Clone>(
    base: Option<&BTreeMap<String, T>>,
    over: Option<&BTreeMap<String, T>>,
) -> Option<BTreeMap<String, T>> {
    match (base, over) {
        (Some(base), Some(over)) => {
            let both = base.iter().chain(over);
            Some(both.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        (one, None) | (None, one) => one.cloned(),
    }
}
