//! Schema groups: contexts that ask for one format and one level, as Azure's registry has them.

use super::Registry;
use crate::group_name::GroupName;
use crate::store::{ContextEntry, Entry, Memory};
use crate::{CompatibilityLevel, Config, SchemaType, StoreError};

/// Groups that are created by name, at most.
pub const MAX_GROUPS: usize = 10_000;

/// A schema group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaGroup {
    /// Its name.
    pub name: GroupName,
    /// The format that all its schemas have; `None` for any.
    pub schema_type: Option<SchemaType>,
    /// The level in effect.
    pub compatibility: CompatibilityLevel,
    /// How many schemas have a version that is not deleted.
    pub schemas: usize,
}

/// Why a group was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateGroupError {
    /// There is one of this name.
    #[error("schema group {name} exists already")]
    Exists {
        /// The name.
        name: GroupName,
    },
    /// Over the limit.
    #[error("too many schema groups: the limit is {MAX_GROUPS}")]
    TooMany,
    /// The creation is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// The groups, in order: every context whose name a group can have.
    pub fn groups(&self) -> Vec<SchemaGroup> {
        let memory = self.0.store.memory();
        let names = memory.contexts().into_iter().filter_map(|context| GroupName::of_context(&context));
        names.map(|name| group(&memory, name)).collect()
    }

    /// The names of the groups, in order.
    pub fn group_names(&self) -> Vec<GroupName> {
        let contexts = self.0.store.memory().contexts().into_iter();
        contexts.filter_map(|context| GroupName::of_context(&context)).collect()
    }

    /// Creates a group, and answers once it is on disk.
    ///
    /// # Errors
    /// [`CreateGroupError`].
    pub async fn create_group(
        &self,
        name: &GroupName,
        schema_type: Option<SchemaType>,
        compatibility: Option<CompatibilityLevel>,
    ) -> Result<SchemaGroup, CreateGroupError> {
        let mut change = self.0.store.begin().await?;
        let context = name.context();
        {
            let memory = self.0.store.memory();
            let contexts = memory.contexts();
            if contexts.contains(&context) {
                return Err(CreateGroupError::Exists { name: name.clone() });
            }
            if contexts.len() >= MAX_GROUPS {
                return Err(CreateGroupError::TooMany);
            }
        }
        let scope = Some(name.scope());
        let config = compatibility.map(|level| {
            let config = Config { compatibility_level: Some(level), ..Config::default() };
            Entry::Config { scope, config: Some(Box::new(config)) }
        });
        let mut entries: Vec<_> = config.into_iter().collect();
        entries.push(Entry::Context { context, value: Some(ContextEntry { last_id: None, schema_type }) });
        change.append(entries).await?;
        Ok(group(&self.0.store.memory(), name.clone()))
    }
}

fn group(memory: &Memory, name: GroupName) -> SchemaGroup {
    let context = name.context();
    let scope = name.scope();
    let is_live =
        |(_, versions): &(_, &crate::store::Versions)| versions.values().any(|known| !known.is_deleted);
    SchemaGroup {
        schema_type: memory.schema_type(&context),
        compatibility: memory.config_in_effect(&scope).level(),
        schemas: memory.within(&scope).filter(is_live).count(),
        name,
    }
}
