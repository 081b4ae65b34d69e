//! Kinds of definitions: what a type says of itself so that it can be loaded, compared, recorded and shown.
//!
//! A kind is a type that implements [`Kind`]. Loading, planning, recording and the catalogue know kinds by [`Definition`]
//! and [`KindEntry`] alone, in which the type is erased; the one list of kinds is [`crate::kinds`].
//!
//! Not here: the container of definitions, and anything of one kind only.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use factum_types::{TeamName, TopicName};
use miette::SourceSpan;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::defaults::Defaults;
use crate::folder::Item;
use crate::manifest::SourceFile;
use crate::problem::Problem;
use crate::project_files::ProjectFiles;
use crate::topic_settings::TopicSettings;

/// A type whose values are definitions of one kind. As JSON it is an object: the value of its record.
pub trait Kind:
    fmt::Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The word for it; the first part of the keys of its records.
    const WORD: &'static str;
    /// The word for it in a plan.
    const LABEL: &'static str = Self::WORD;
    /// Where its files lie in the folder of a team; empty for the team itself, which is what its own folder says.
    const FOLDER: &'static str;
    /// How the name of a manifest ends.
    const ENDING: &'static str = ".yaml";

    /// Whether its names are of the one space that SQL reads: no two definitions of such kinds have the same.
    const IS_RELATION: bool = false;

    /// Its name, `<team>.<name>`; a team's is its own.
    fn name(&self) -> &str;

    /// The team that owns it.
    fn team(&self) -> &TeamName;

    /// The project that it is defined in.
    fn project(&self) -> &str;

    /// What a plan says behind its name when it comes in; empty for nothing.
    fn facts(&self) -> String;

    /// The files that belong to it besides its manifest, relative to the project's folder: what is wrong with one of
    /// them is wrong with the definition.
    fn files(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// What it says of the topic that it declares, if it declares one.
    fn topic(&self) -> Option<DeclaredTopic<'_>> {
        None
    }

    /// The same with the number of partitions that its topic has; for kinds that declare one.
    #[must_use]
    fn with_partitions(self, _partitions: i32) -> Self {
        self
    }

    /// What a manifest calls the field that is `name` in JSON.
    fn manifest_field(name: &str) -> &str {
        name
    }

    /// What an entry of its folder is.
    fn entry(item: &Item) -> Entry<'_> {
        match item.manifest_stem() {
            _ if item.is_folder => Entry::no_folder(Self::FOLDER),
            Some(stem) => Entry::Manifest(stem),
            None => Entry::Beside,
        }
    }

    /// Reads the manifest at `path`, named `stem` without its ending. Whatever is wrong with it goes to `problems`; with
    /// an error among them the definition is withheld, whether or not one is given.
    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)>;

    /// Looks at the other files of a team's folder, once each definition of the team is `read`.
    fn look_beside(_context: &Context<'_>, _read: &[&Self], _problems: &mut Vec<Problem>) {}

    /// Finds definitions that cannot be in force together, once the whole project is read.
    fn conflicts(_all: &[(&Self, &Origin)]) -> Vec<Conflict> {
        Vec::new()
    }
}

/// What an entry of a kind's folder is.
pub enum Entry<'a> {
    /// A definition of this name.
    Manifest(&'a str),
    /// Something that a later version reads.
    Later,
    /// Something that is read by nothing, and where it belongs.
    Stray(String),
    /// Something that a manifest may name.
    Beside,
}

impl Entry<'_> {
    /// A folder where only files are read.
    pub(crate) fn no_folder(what: &str) -> Self {
        Self::Stray(format!("{what} are files of this folder, not folders in it"))
    }
}

/// What surrounds a manifest.
pub struct Context<'a> {
    pub(crate) files: &'a ProjectFiles,
    /// The project's name.
    pub(crate) project: &'a str,
    pub(crate) defaults: &'a Defaults,
    pub(crate) team: &'a TeamName,
    /// The entries of each folder of the team.
    pub(crate) folders: &'a BTreeMap<&'static str, Vec<Item>>,
}

impl Context<'_> {
    /// The entries of the folder in which definitions of a kind lie.
    pub(crate) fn items<K: Kind>(&self) -> &[Item] {
        self.folders.get(K::FOLDER).map_or(&[], Vec::as_slice)
    }

    /// The names of the files in that folder.
    pub(crate) fn file_names<K: Kind>(&self) -> impl Iterator<Item = &str> {
        self.items::<K>().iter().filter(|item| !item.is_folder).map(|item| item.name.as_str())
    }

    /// What the team has of a kind, by bare names. By the files: what is wrong inside one is no reason to call it
    /// unknown.
    pub(crate) fn stems<K: Kind>(&self) -> Vec<&str> {
        self.items::<K>().iter().filter_map(Item::manifest_stem).collect()
    }
}

/// Where a definition was read from, for problems that are only seen later.
#[derive(Debug, Clone)]
pub struct Origin {
    pub(crate) file: SourceFile,
    /// Parts of it, by names that the kind gives them.
    pub(crate) places: BTreeMap<String, SourceSpan>,
}

impl Origin {
    /// A problem at `place`, or at the beginning of the file if it has no such place.
    pub(crate) fn problem(&self, place: &str, message: impl Into<String>) -> Problem {
        let span = self.places.get(place).copied();
        self.file.problem(span.unwrap_or_else(|| (0, 0).into()), message)
    }
}

/// Definitions that cannot be in force together; which of them is meant is for their owners to say.
pub struct Conflict {
    /// The names of all of them.
    pub(crate) names: Vec<String>,
    pub(crate) problem: Problem,
}

/// A part of a definition that shows nothing; the rest of it is in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The part, by the name that the kind gives its place in the file.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What a definition says of its topic; what it does not say is the log's default.
#[derive(Debug, Clone, Copy)]
pub struct DeclaredTopic<'a> {
    /// The topic.
    pub name: &'a TopicName,
    /// Partitions of a new one.
    pub partitions: Option<i32>,
    /// What is set for it.
    pub settings: &'a TopicSettings,
}

/// A definition of any kind.
pub trait Definition: fmt::Debug + Send + Sync {
    /// The word for its kind.
    fn word(&self) -> &'static str;
    /// The word for its kind in a plan.
    fn label(&self) -> &'static str;
    /// Its name, `<team>.<name>`; a team's is its own.
    fn name(&self) -> &str;
    /// The team that owns it.
    fn team(&self) -> &TeamName;
    /// The project that it is defined in.
    fn project(&self) -> &str;
    /// What a plan says behind its name when it comes in.
    fn facts(&self) -> String;
    /// The files that belong to it besides its manifest.
    fn files(&self) -> Vec<&Path>;
    /// What it says of the topic that it declares, if it declares one.
    fn topic(&self) -> Option<DeclaredTopic<'_>>;
    /// The same with the number of partitions that its topic has.
    fn with_partitions(&self, partitions: i32) -> Arc<dyn Definition>;
    /// Its fields.
    fn fields(&self) -> Map<String, Value>;
    /// What a manifest calls the field that is `name` in JSON.
    fn manifest_field<'a>(&self, name: &'a str) -> &'a str;
    /// The value of its record.
    fn to_json(&self) -> Vec<u8>;
    /// Whether the other is of the same kind and says the same.
    fn is_same(&self, other: &dyn Definition) -> bool;
    /// Itself, to be asked for its type.
    fn as_any(&self) -> &dyn Any;
    /// The same, shared.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<K: Kind> Definition for K {
    fn word(&self) -> &'static str {
        K::WORD
    }

    fn label(&self) -> &'static str {
        K::LABEL
    }

    fn name(&self) -> &str {
        Kind::name(self)
    }

    fn team(&self) -> &TeamName {
        Kind::team(self)
    }

    fn project(&self) -> &str {
        Kind::project(self)
    }

    fn facts(&self) -> String {
        Kind::facts(self)
    }

    fn files(&self) -> Vec<&Path> {
        Kind::files(self)
    }

    fn topic(&self) -> Option<DeclaredTopic<'_>> {
        Kind::topic(self)
    }

    fn with_partitions(&self, partitions: i32) -> Arc<dyn Definition> {
        Arc::new(Kind::with_partitions(self.clone(), partitions))
    }

    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object,
            _ => unreachable!("a definition is an object in JSON"),
        }
    }

    fn manifest_field<'a>(&self, name: &'a str) -> &'a str {
        K::manifest_field(name)
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("definitions have text keys and no failing parts")
    }

    fn is_same(&self, other: &dyn Definition) -> bool {
        other.as_any().downcast_ref::<K>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A kind as an entry of a list.
pub(crate) struct KindEntry {
    pub(crate) word: &'static str,
    pub(crate) folder: &'static str,
    /// How the name of a manifest ends.
    pub(crate) ending: &'static str,
    /// Whether its names are of the one space that SQL reads.
    pub(crate) is_relation: bool,
    pub(crate) entry: fn(&Item) -> Entry<'_>,
    pub(crate) read: ReadFn,
    pub(crate) look_beside: LookBesideFn,
    pub(crate) conflicts: ConflictsFn,
    /// The definition that is the value of a record.
    pub(crate) decode: DecodeFn,
}

type LookBesideFn = fn(&Context<'_>, &[&dyn Definition], &mut Vec<Problem>);
type LocatedDefinition<'a> = (&'a dyn Definition, &'a Origin);
type ConflictsFn = fn(&[LocatedDefinition<'_>]) -> Vec<Conflict>;
type DecodeFn = fn(&[u8]) -> Result<Arc<dyn Definition>, serde_json::Error>;
type ReadFn = fn(&Context<'_>, &Path, &str, &mut Vec<Problem>) -> Option<(Arc<dyn Definition>, Origin)>;

impl KindEntry {
    /// The entry of a kind.
    pub(crate) const fn of<K: Kind>() -> Self {
        Self {
            word: K::WORD,
            folder: K::FOLDER,
            ending: K::ENDING,
            is_relation: K::IS_RELATION,
            entry: K::entry,
            read: |context, path, stem, problems| {
                let (definition, origin) = K::read(context, path, stem, problems)?;
                Some((Arc::new(definition), origin))
            },
            look_beside: |context, read, problems| {
                let read: Vec<_> = read.iter().filter_map(|it| it.as_any().downcast_ref()).collect();
                K::look_beside(context, &read, problems);
            },
            conflicts: conflicts::<K>,
            decode: |json| Ok(Arc::new(serde_json::from_slice::<K>(json)?)),
        }
    }
}

fn conflicts<K: Kind>(all: &[LocatedDefinition<'_>]) -> Vec<Conflict> {
    let of_kind = all.iter().filter_map(|(it, origin)| Some((it.as_any().downcast_ref::<K>()?, *origin)));
    K::conflicts(&of_kind.collect::<Vec<_>>())
}
