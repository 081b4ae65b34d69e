//! A broker, and a registry on its log.

use std::fmt::Write as _;
use std::sync::Arc;

use factum_base::clock::SystemClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::{Broker, Options, Service};
use factum_registry::{
    NewSchema, Reference, RegisterError, Registry, SchemaFilter, Subject, SubjectVersion, VersionFilter,
};

/// A log on disk.
pub(crate) struct Log {
    pub(crate) broker: Broker,
    group: TaskGroup,
    _tree: TaskTree,
    _folder: tempfile::TempDir,
}

impl Log {
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { data_dir: folder.path().to_owned(), ..Options::default() };
        let opened = Service::open_local(options, Arc::new(SystemClock), Random::system());
        let (service, broker) = opened.expect("the log opens");
        let tree = TaskTree::new();
        let group = tree.child("log");
        group.spawn("broker", OnError::StopServer, service.run(group.stop(), group.clone()));
        Self { broker, group, _tree: tree, _folder: folder }
    }

    /// A registry that has read what is there.
    pub(crate) async fn registry(&self) -> Registry {
        let registry = Registry::new(Arc::new(self.broker.internal_log()));
        let unreadable = registry.read().await.expect("the log answers");
        assert!(unreadable.is_empty(), "{unreadable}");
        registry
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.group.stop().request();
    }
}

pub(crate) fn subject(text: &str) -> Subject {
    Subject::parse(text).expect("a subject")
}

pub(crate) fn avro(text: &str) -> NewSchema {
    NewSchema { text: text.to_owned(), ..NewSchema::default() }
}

/// A record with fields of type `string`; those that end in `?` have a default.
pub(crate) fn record(fields: &[&str]) -> NewSchema {
    let field = |name: &&str| match name.strip_suffix('?') {
        Some(name) => format!(r#"{{"name":"{name}","type":"string","default":""}}"#),
        None => format!(r#"{{"name":"{name}","type":"string"}}"#),
    };
    let fields: Vec<_> = fields.iter().map(field).collect();
    avro(&format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(",")))
}

pub(crate) fn reference(name: &str, subject: &str, version: i32) -> Reference {
    Reference { name: name.to_owned(), subject: subject.to_owned(), version }
}

pub(crate) async fn register(
    registry: &Registry,
    of: &str,
    new: NewSchema,
) -> Result<SubjectVersion, RegisterError> {
    loop {
        let prepared = registry.prepare(&subject(of), new.clone())?;
        if let Some(registered) = registry.commit(prepared).await? {
            return Ok(registered);
        }
    }
}

/// Version and id of what is registered.
pub(crate) async fn registered(registry: &Registry, of: &str, new: NewSchema) -> (i32, i32) {
    let registered = register(registry, of, new).await.expect(of);
    (registered.version, registered.id())
}

/// Everything that a registry has, as text.
pub(crate) fn dump(registry: &Registry) -> String {
    let mut text = String::new();
    let all =
        SchemaFilter { subject_prefix: ":*:".to_owned(), versions: VersionFilter::All, latest_only: false };
    for found in registry.schemas(&all) {
        let deleted = if found.is_deleted { " deleted" } else { "" };
        let schema = &found.schema().text;
        writeln!(text, "{} v{} id {}{deleted} {schema}", found.subject, found.version, found.id())
            .expect("text");
    }
    for found in registry.subjects(":*:", VersionFilter::All) {
        let (config, mode) = (registry.config(Some(&found)), registry.mode(Some(&found)));
        if config.is_some() || mode.is_some() {
            writeln!(text, "{found}: {config:?} {mode:?}").expect("text");
        }
    }
    writeln!(text, "{:?} {:?} {:?}", registry.contexts(), registry.config(None), registry.mode(None))
        .expect("text");
    text
}
