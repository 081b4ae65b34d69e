//! Definitions of every kind, by kind and name: what a project says, what is recorded, and what the catalogue shows.
//!
//! Invariants: a definition is found under its own kind and name. Clones share what they hold until one is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::kind::{Definition, Kind};
use crate::resource_id::{ResourceId, ResourceKind};

/// A definition of any kind, shared.
pub type SharedDefinition = Arc<dyn Definition>;

/// Definitions of every kind.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// In the order of the kinds, so that what refers to others comes behind them.
    by_kind: BTreeMap<ResourceKind, Arc<BTreeMap<Arc<str>, SharedDefinition>>>,
    /// Whether definitions may be missing that are in force all the same.
    is_partial: bool,
}

impl Definitions {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether these are all that there are. Where not, a definition that is missing here may be in force all the
    /// same: nothing may be dropped because of it.
    pub fn is_complete(&self) -> bool {
        !self.is_partial
    }

    /// The same, of which it is known that some are missing.
    #[must_use]
    pub(crate) fn partial(self) -> Self {
        Self { is_partial: true, ..self }
    }

    /// The definition of this kind and name.
    pub fn get<K: Kind>(&self, name: &str) -> Option<&K> {
        self.of_kind(ResourceKind::of::<K>())?.get(name)?.as_any().downcast_ref()
    }

    /// The same, shared.
    pub fn get_shared<K: Kind>(&self, name: &str) -> Option<Arc<K>> {
        share(self.of_kind(ResourceKind::of::<K>())?.get(name)?)
    }

    /// Every definition of a kind, by name.
    pub fn of<K: Kind>(&self) -> impl DoubleEndedIterator<Item = &K> {
        let all = self.of_kind(ResourceKind::of::<K>()).into_iter().flat_map(BTreeMap::values);
        all.filter_map(|definition| definition.as_any().downcast_ref())
    }

    /// The same, shared.
    pub fn shared<K: Kind>(&self) -> Vec<Arc<K>> {
        let all = self.of_kind(ResourceKind::of::<K>()).into_iter().flat_map(BTreeMap::values);
        all.filter_map(share).collect()
    }

    /// The definition that is named so.
    pub fn find(&self, id: &ResourceId) -> Option<&SharedDefinition> {
        self.of_kind(id.kind)?.get(id.name.as_str())
    }

    /// Every definition: by kind, what refers to others behind them, and by name.
    pub fn iter(&self) -> impl Iterator<Item = &SharedDefinition> {
        self.by_kind.values().flat_map(|of_kind| of_kind.values())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_kind.values().all(|of_kind| of_kind.is_empty())
    }

    /// Puts a definition in place of the one of its kind and name.
    pub fn insert(&mut self, definition: impl Kind) {
        self.extend([Arc::new(definition) as SharedDefinition]);
    }

    /// Takes the definition out that is named so.
    pub(crate) fn remove(&mut self, id: &ResourceId) {
        if let Some(of_kind) = self.by_kind.get_mut(&id.kind)
            && of_kind.contains_key(id.name.as_str())
        {
            Arc::make_mut(of_kind).remove(id.name.as_str());
        }
    }

    /// Leaves those that `keep` says.
    pub(crate) fn retain(&mut self, keep: impl Fn(&dyn Definition) -> bool) {
        for of_kind in self.by_kind.values_mut() {
            if !of_kind.values().all(|definition| keep(&**definition)) {
                Arc::make_mut(of_kind).retain(|_, definition| keep(&**definition));
            }
        }
    }

    /// Leaves definitions out that cannot run. They are in force all the same: these are not all.
    pub(crate) fn leave_out(&mut self, refused: &BTreeSet<ResourceId>) {
        self.is_partial |= !refused.is_empty();
        refused.iter().for_each(|id| self.remove(id));
    }

    /// Which definitions a problem with `file` is about, a path relative to the project's folder: that of a manifest, or
    /// of a contract, rows or SQL.
    pub(crate) fn defined_in(&self, file: &Path) -> Vec<ResourceId> {
        let manifest = file.with_extension("yaml");
        let is_of = |definition: &SharedDefinition, id: &ResourceId| {
            definition.files().contains(&file) || manifest == Path::new(&id.manifest())
        };
        let all = self.iter().map(|definition| (definition, ResourceId::of(&**definition)));
        all.filter(|(definition, id)| is_of(definition, id)).map(|(_, id)| id).collect()
    }

    /// What is in one of both and not the same in the other.
    pub(crate) fn differences(&self, other: &Self) -> BTreeSet<ResourceId> {
        let is_other = |definition: &SharedDefinition, all: &Self| {
            let id = ResourceId::of(&**definition);
            let known = all.find(&id).is_some_and(|known| known.is_same(&**definition));
            (!known).then_some(id)
        };
        let these = self.iter().filter_map(|definition| is_other(definition, other));
        these.chain(other.iter().filter_map(|definition| is_other(definition, self))).collect()
    }

    fn of_kind(&self, kind: ResourceKind) -> Option<&BTreeMap<Arc<str>, SharedDefinition>> {
        self.by_kind.get(&kind).map(|of_kind| &**of_kind)
    }
}

/// Each in place of the one of its kind and name.
impl Extend<SharedDefinition> for Definitions {
    fn extend<I: IntoIterator<Item = SharedDefinition>>(&mut self, definitions: I) {
        for definition in definitions {
            let of_kind = self.by_kind.entry(ResourceKind::of_definition(&*definition)).or_default();
            Arc::make_mut(of_kind).insert(definition.name().into(), definition);
        }
    }
}

impl FromIterator<SharedDefinition> for Definitions {
    fn from_iter<I: IntoIterator<Item = SharedDefinition>>(definitions: I) -> Self {
        let mut all = Self::new();
        all.extend(definitions);
        all
    }
}

fn share<K: Kind>(definition: &SharedDefinition) -> Option<Arc<K>> {
    Arc::clone(definition).into_any().downcast().ok()
}
