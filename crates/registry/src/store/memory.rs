//! Subjects, versions and settings in memory, as the records of `_schemas` say.
//!
//! **Invariants:** a version's schema and its id are the same in all subjects of a context; an id is given once. The versions that refer to a
//! version are found from it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::record::{Entry, VersionEntry};
use crate::given_ids::IdFloors;
use crate::json_size::json_size;
use crate::subject::{GLOBAL_CONTEXT, Subject};
use crate::{Config, DEFAULT_CONTEXT, Guid, Mode, Schema, SchemaType, VersionId};

/// A schema and what identifies it in its context.
#[derive(Debug, PartialEq)]
pub(crate) struct KnownSchema {
    pub(crate) id: i32,
    pub(crate) guid: Guid,
    pub(crate) schema: Schema,
}

/// A version of a subject.
#[derive(Debug, Clone)]
pub(crate) struct KnownVersion {
    pub(crate) schema: Arc<KnownSchema>,
    /// Its text as the client gave it, where that is kept and differs from the schema's.
    pub(crate) definition: Option<Arc<str>>,
    pub(crate) is_deleted: bool,
}

impl KnownVersion {
    /// Its text as Azure's clients are given it.
    pub(crate) fn definition(&self) -> &str {
        self.definition.as_deref().unwrap_or(&self.schema.schema.text)
    }
}

/// Bytes that a version, or the settings or the mode of a scope, takes beside its texts.
const ENTRY_BYTES: usize = 512;

/// Versions of one subject, by number.
pub(crate) type Versions = BTreeMap<i32, KnownVersion>;

/// All subjects.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    subjects: BTreeMap<Subject, Versions>,
    contexts: BTreeMap<String, Context>,
    floors: IdFloors,
    /// Versions by the ids that Azure's clients know them by.
    version_ids: HashMap<VersionId, (Subject, i32)>,
    configs: HashMap<Option<Subject>, Config>,
    modes: HashMap<Option<Subject>, Mode>,
    /// Scopes with settings or a mode that are no subject, and no context that was created.
    unused_scopes: HashSet<Subject>,
    /// Bytes of all schemas and settings.
    bytes: usize,
    /// How often a version was taken away or replaced: as long as it is the same, references lead to the same schemas.
    removals: u64,
    /// Which versions refer to a version.
    referrers: HashMap<(Subject, i32), BTreeSet<(Subject, i32)>>,
}

/// The ids of one context.
#[derive(Debug, Default)]
struct Context {
    last_id: i32,
    ids: HashMap<i32, KnownId>,
    guids: HashMap<Guid, i32>,
    /// Whether it was created by name, and is listed also when it has no subject.
    is_declared: bool,
    /// The format that all its schemas have, if it asks for one.
    schema_type: Option<SchemaType>,
}

/// An id, and the versions that have its schema.
#[derive(Debug)]
struct KnownId {
    schema: Arc<KnownSchema>,
    uses: BTreeSet<(Subject, i32)>,
}

impl Memory {
    /// Does what a record says.
    ///
    /// # Errors
    /// A record that contradicts those before it, which changes nothing.
    pub(crate) fn apply(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Version { subject, version, value: Some(value) } => {
                self.set_version(&subject, version, *value)?;
            }
            Entry::Version { subject, version, value: None } => self.remove_version(&subject, version),
            Entry::Config { scope, config } => self.set_config(scope, config.map(|config| *config)),
            Entry::Mode { scope, mode } => self.set_mode(scope, mode),
            Entry::DeleteSubject { subject, up_to } => {
                let versions = self.subjects.entry(subject).or_default();
                versions.range_mut(..=up_to).for_each(|(_, version)| version.is_deleted = true);
            }
            Entry::ClearSubject { subject } => self.clear(&subject),
            Entry::Context { context, value } => {
                let scope = Subject::of_context(&context);
                let known = self.contexts.entry(context).or_default();
                known.is_declared = value.is_some();
                let value = value.unwrap_or_default();
                known.last_id = known.last_id.max(value.last_id.unwrap_or_default());
                known.schema_type = value.schema_type;
                self.note_scope(&scope);
            }
            Entry::Noop => {}
        }
        Ok(())
    }

    fn set_config(&mut self, scope: Option<Subject>, config: Option<Config>) {
        if let Some(before) = self.configs.remove(&scope) {
            self.bytes -= json_size(&before) + ENTRY_BYTES;
        }
        let noted = scope.clone();
        if let Some(config) = config {
            self.bytes += json_size(&config) + ENTRY_BYTES;
            self.configs.insert(scope, config);
        }
        noted.iter().for_each(|scope| self.note_scope(scope));
    }

    fn set_mode(&mut self, scope: Option<Subject>, mode: Option<Mode>) {
        if self.modes.remove(&scope).is_some() {
            self.bytes -= ENTRY_BYTES;
        }
        let noted = scope.clone();
        if let Some(mode) = mode {
            self.bytes += ENTRY_BYTES;
            self.modes.insert(scope, mode);
        }
        noted.iter().for_each(|scope| self.note_scope(scope));
    }

    /// Finds out whether a scope has settings or a mode, and is there.
    fn note_scope(&mut self, scope: &Subject) {
        if !self.has_scope(scope) && (self.config(Some(scope)).is_some() || self.mode(Some(scope)).is_some())
        {
            self.unused_scopes.insert(scope.clone());
        } else {
            self.unused_scopes.remove(scope);
        }
    }

    fn set_version(&mut self, subject: &Subject, version: i32, value: VersionEntry) -> Result<(), String> {
        let VersionEntry { id, schema, definition, is_deleted } = value;
        let guid = schema.guid();
        let context = self.contexts.entry(subject.context().to_owned()).or_default();
        let known = match context.ids.get(&id) {
            Some(known) if known.schema.schema.text != schema.text => {
                return Err(format!(
                    "id {id} of version {version} of subject {subject} is that of another schema"
                ));
            }
            // The same text, perhaps with other metadata: an id stands for what was registered first.
            Some(known) if known.schema.guid == guid => Arc::clone(&known.schema),
            _ => Arc::new(KnownSchema { id, guid, schema }),
        };
        self.remove_version(subject, version);
        let context = self.contexts.entry(subject.context().to_owned()).or_default();
        context.last_id = context.last_id.max(id);
        context.guids.entry(guid).or_insert(id);
        let uses = context.ids.entry(id).or_insert_with(|| {
            self.bytes += known.schema.bytes();
            KnownId { schema: Arc::clone(&known), uses: BTreeSet::new() }
        });
        self.bytes += version_bytes(&known, definition.as_deref(), &uses.schema);
        uses.uses.insert((subject.clone(), version));
        for reference in &known.schema.references {
            if let Ok(referred) = subject.referred(&reference.subject) {
                let referrers = self.referrers.entry((referred, reference.version)).or_default();
                referrers.insert((subject.clone(), version));
            }
        }
        let known = KnownVersion { schema: known, definition, is_deleted };
        let version_id = VersionId::of(subject, version, known.definition());
        self.version_ids.insert(version_id, (subject.clone(), version));
        self.subjects.entry(subject.clone()).or_default().insert(version, known);
        self.note_scope(subject);
        Ok(())
    }

    fn remove_version(&mut self, subject: &Subject, version: i32) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        let Some(removed) = versions.remove(&version) else { return };
        self.removals += 1;
        if versions.is_empty() {
            self.subjects.remove(subject);
            self.note_scope(subject);
        }
        self.version_ids.remove(&VersionId::of(subject, version, removed.definition()));
        let (place, schema, definition) = ((subject.clone(), version), removed.schema, removed.definition);
        for reference in &schema.schema.references {
            let Ok(referred) = subject.referred(&reference.subject) else { continue };
            let referred = (referred, reference.version);
            if let Some(referrers) = self.referrers.get_mut(&referred) {
                referrers.remove(&place);
                if referrers.is_empty() {
                    self.referrers.remove(&referred);
                }
            }
        }
        let Some(context) = self.contexts.get_mut(subject.context()) else { return };
        let Some(known) = context.ids.get_mut(&schema.id) else { return };
        self.bytes -= version_bytes(&schema, definition.as_deref(), &known.schema);
        known.uses.remove(&place);
        if known.uses.is_empty() {
            self.bytes -= known.schema.schema.bytes();
            context.ids.remove(&schema.id);
            context.guids.retain(|_, id| *id != schema.id);
        }
    }

    fn clear(&mut self, subject: &Subject) {
        let all = self
            .within(subject)
            .flat_map(|(name, versions)| versions.keys().map(move |version| (name.clone(), *version)));
        let cleared: Vec<_> = all.collect();
        for (subject, version) in cleared {
            self.remove_version(&subject, version);
        }
    }

    /// Another number after a version was taken away or replaced.
    pub(crate) fn removals(&self) -> u64 {
        self.removals
    }

    /// The subject, or all of a context, in order.
    pub(crate) fn within<'a>(
        &'a self,
        scope: &'a Subject,
    ) -> impl Iterator<Item = (&'a Subject, &'a Versions)> {
        let first = self.subjects.range(scope.clone()..);
        first.take_while(move |(subject, _)| match scope.is_context() {
            true => subject.context() == scope.context(),
            false => *subject == scope,
        })
    }

    /// Every subject, those of the default context first, in order.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (&Subject, &Versions)> {
        self.subjects.iter()
    }

    /// The versions of a subject, deleted ones too.
    pub(crate) fn versions(&self, subject: &Subject) -> Option<&Versions> {
        self.subjects.get(subject)
    }

    /// A schema by its id in a context.
    pub(crate) fn by_id(&self, context: &str, id: i32) -> Option<&Arc<KnownSchema>> {
        self.contexts.get(context)?.ids.get(&id).map(|known| &known.schema)
    }

    /// The versions that have a schema, by its id in a context.
    pub(crate) fn uses(&self, context: &str, id: i32) -> impl Iterator<Item = &(Subject, i32)> {
        let known = self.contexts.get(context).and_then(|context| context.ids.get(&id));
        known.into_iter().flat_map(|known| &known.uses)
    }

    /// A version of a subject that has a schema, by its id in the subject's context; the first of several.
    pub(crate) fn use_by(&self, subject: &Subject, id: i32) -> Option<&(Subject, i32)> {
        let known = self.contexts.get(subject.context())?.ids.get(&id)?;
        let own = (subject.clone(), i32::MIN)..=(subject.clone(), i32::MAX);
        known.uses.range(own).next()
    }

    /// The id of a schema in a context, by its fingerprint.
    pub(crate) fn id_of(&self, context: &str, guid: &Guid) -> Option<i32> {
        self.contexts.get(context)?.guids.get(guid).copied()
    }

    /// The contexts that have a schema, by its fingerprint, and its id in each.
    pub(crate) fn ids_of(&self, guid: &Guid) -> Vec<(String, i32)> {
        let known = self
            .contexts
            .iter()
            .filter_map(|(name, context)| Some((name.clone(), *context.guids.get(guid)?)));
        known.collect()
    }

    /// The highest id that was given in a context, or that is not given in it.
    pub(crate) fn last_id(&self, context: &str) -> i32 {
        let last = self.contexts.get(context).map_or(0, |context| context.last_id);
        last.max(self.floors.of(context))
    }

    /// The same of each context.
    pub(crate) fn last_ids(&self) -> BTreeMap<String, i32> {
        self.contexts.keys().map(|context| (context.clone(), self.last_id(context))).collect()
    }

    /// Ids that are not given, whatever the records say.
    pub(crate) fn set_floors(&mut self, floors: IdFloors) {
        self.floors = floors;
    }

    /// The contexts that were declared, have a subject, or are the default one, in order.
    pub(crate) fn contexts(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::from([DEFAULT_CONTEXT]);
        names.extend(
            self.contexts
                .iter()
                .filter(|(_, known)| known.is_declared || !known.ids.is_empty())
                .map(|(name, _)| name.as_str()),
        );
        names.into_iter().map(str::to_owned).collect()
    }

    /// Whether a context was created by name.
    pub(crate) fn is_declared(&self, context: &str) -> bool {
        self.contexts.get(context).is_some_and(|known| known.is_declared)
    }

    /// The format that all schemas of a context have, if it asks for one.
    pub(crate) fn schema_type(&self, context: &str) -> Option<SchemaType> {
        self.contexts.get(context)?.schema_type
    }

    /// A version by its own id.
    pub(crate) fn by_version_id(&self, id: VersionId) -> Option<&(Subject, i32)> {
        self.version_ids.get(&id)
    }

    /// The versions that refer to a version.
    pub(crate) fn referrers(&self, subject: &Subject, version: i32) -> impl Iterator<Item = &(Subject, i32)> {
        self.referrers.get(&(subject.clone(), version)).into_iter().flatten()
    }

    /// Whether a version is there and not deleted.
    pub(crate) fn is_live(&self, subject: &Subject, version: i32) -> bool {
        let found = self.subjects.get(subject).and_then(|versions| versions.get(&version));
        found.is_some_and(|version| !version.is_deleted)
    }

    /// What is set for exactly this scope.
    pub(crate) fn config(&self, scope: Option<&Subject>) -> Option<&Config> {
        self.configs.get(&scope.cloned())
    }

    /// What holds for a subject: its own settings within those of its context, or of all.
    pub(crate) fn config_in_effect(&self, subject: &Subject) -> Config {
        let own = self.config(Some(subject)).cloned().unwrap_or_default();
        scopes_above(subject)
            .find_map(|scope| self.configs.get(&scope))
            .map_or_else(|| own.clone(), |wide| Config::within(&own, wide))
    }

    /// The mode of exactly this scope.
    pub(crate) fn mode(&self, scope: Option<&Subject>) -> Option<Mode> {
        self.modes.get(&scope.cloned()).copied()
    }

    /// The mode that holds for a subject.
    pub(crate) fn mode_in_effect(&self, subject: &Subject) -> Mode {
        let above = || scopes_above(subject).find_map(|scope| self.modes.get(&scope).copied());
        self.mode(Some(subject)).or_else(above).unwrap_or_default()
    }

    /// Scopes with settings or a mode that are no subject, and no context that was created.
    pub(crate) fn unused_scopes(&self) -> &HashSet<Subject> {
        &self.unused_scopes
    }

    /// Whether a scope is a subject that has versions, or a context that was created or is always there.
    pub(crate) fn has_scope(&self, scope: &Subject) -> bool {
        let context = scope.context();
        match scope.is_context() {
            true => context == GLOBAL_CONTEXT || context == DEFAULT_CONTEXT || self.is_declared(context),
            false => self.subjects.contains_key(scope),
        }
    }

    /// Bytes of all schemas and settings.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many subjects and schemas there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.subjects.len(), self.contexts.values().map(|context| context.ids.len()).sum())
    }
}

/// Bytes of a version whose id stands for `shared`: those of a schema of its own are counted with it.
fn version_bytes(known: &Arc<KnownSchema>, definition: Option<&str>, shared: &Arc<KnownSchema>) -> usize {
    let own = if Arc::ptr_eq(known, shared) { 0 } else { known.schema.bytes() };
    ENTRY_BYTES + own + definition.map_or(0, str::len)
}

/// The scopes that hold for a subject that has nothing of its own: its context, or all subjects without one; then every context.
fn scopes_above(subject: &Subject) -> impl Iterator<Item = Option<Subject>> {
    let own = match subject.is_in_default_context() {
        true => None,
        false => Some(Subject::of_context(subject.context())),
    };
    [own, Some(Subject::of_context(GLOBAL_CONTEXT))].into_iter()
}
