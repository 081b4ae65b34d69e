//! Imports: from the references of a schema and the built-in files, and from nowhere else.
//!
//! Invariants: the walk over imports keeps its own stack; a cycle is an error; at most [`MAX_FILES`] files.
//! Public imports are spelt out in each file that sees through them before the files are linked, because what links them
//! follows public imports once for each path to them.

use std::collections::{BTreeSet, HashMap};

use prost_reflect::prost::Message;
use prost_reflect::prost_types::{FileDescriptorProto, SourceCodeInfo};
use prost_reflect::{DescriptorError, DescriptorPool, Kind, MessageDescriptor};

use super::text::{MAX_PARTS, place_of, too_many_parts};
use super::{check, imports, shapes, source};
use crate::{InvalidSchema, MAX_SCHEMA_BYTES, ReferencedSchema};

/// Files of a schema at most, with itself and the built-in ones that it imports.
pub(super) const MAX_FILES: usize = 256;

/// What the file of a schema is called where its own descriptor is needed, as in Confluent's registry.
pub(super) const OWN_NAME: &str = "default";

/// A file that was read, and not linked yet.
pub(super) struct SourceFile {
    /// The file; options are not interpreted unless `body` is there.
    pub(super) proto: FileDescriptorProto,
    /// The bytes that it was decoded from, without its name and imports.
    pub(super) body: Option<Vec<u8>>,
    /// The places of its parts, if it was a text.
    pub(super) places: SourceCodeInfo,
    /// How many parts it has.
    pub(super) parts: usize,
}

/// Files in the order of their imports, each before those that import it.
struct Files<'a> {
    references: HashMap<&'a str, &'a str>,
    by_name: HashMap<String, State>,
    loaded: Vec<SourceFile>,
    parts: usize,
}

/// How far the walk is with a file.
#[derive(Clone, Copy)]
enum State {
    Open,
    Done(usize),
}

/// Links a file with all that it imports, directly or not, and gives it back with the pool.
///
/// # Errors
/// If an import is in no reference and not built in, or imports come back to a file, or names do not resolve.
pub(super) fn link(
    main: SourceFile,
    references: &[ReferencedSchema],
) -> Result<(SourceFile, DescriptorPool), InvalidSchema> {
    let bytes: usize = references.iter().map(|reference| reference.text.len()).sum();
    if bytes > MAX_SCHEMA_BYTES {
        return Err(InvalidSchema::new(format!(
            "references too large: at most {MAX_SCHEMA_BYTES} bytes in all"
        )));
    }
    let known = references.iter().map(|reference| (reference.name.as_str(), &*reference.text));
    let mut files =
        Files { references: known.collect(), by_name: HashMap::new(), loaded: Vec::new(), parts: main.parts };
    files.walk(main)?;
    let pool = files.link()?;
    check_entries(&pool)?;
    check_members(&pool)?;
    let main = files.loaded.pop().ok_or_else(|| InvalidSchema::new("a schema without a file"))?;
    Ok((main, pool))
}

/// Fields of a oneof, and extensions of a message, at most: what reads a value looks at all of them for each field of it.
const MAX_MEMBERS: usize = 256;

fn check_members(pool: &DescriptorPool) -> Result<(), InvalidSchema> {
    for message in pool.all_messages() {
        if let Some(oneof) = message.oneofs().find(|oneof| oneof.fields().len() > MAX_MEMBERS) {
            let reason = format!("too many fields in a oneof: at most {MAX_MEMBERS}");
            return Err(InvalidSchema::at(oneof.full_name(), reason));
        }
        if message.extensions().len() > MAX_MEMBERS {
            let reason = format!("too many extensions of a message: at most {MAX_MEMBERS}");
            return Err(InvalidSchema::at(message.full_name(), reason));
        }
    }
    Ok(())
}

/// What walks over types takes for granted that the value of a map is no map.
fn check_entries(pool: &DescriptorPool) -> Result<(), InvalidSchema> {
    let is_nested = |entry: &MessageDescriptor| match entry.map_entry_value_field().kind() {
        Kind::Message(value) => value.is_map_entry(),
        _ => false,
    };
    match pool.all_messages().filter(MessageDescriptor::is_map_entry).find(is_nested) {
        Some(entry) => Err(InvalidSchema::at(entry.full_name(), "the value of a map is a map")),
        None => Ok(()),
    }
}

impl Files<'_> {
    /// Loads what `main` imports, and puts it last.
    fn walk(&mut self, main: SourceFile) -> Result<(), InvalidSchema> {
        self.by_name.insert(OWN_NAME.to_owned(), State::Open);
        let mut open = vec![(main, 0)];
        while let Some((file, next)) = open.last_mut() {
            if let Some(import) = file.proto.dependency.get(*next).cloned() {
                *next += 1;
                match self.by_name.get(&import) {
                    Some(State::Done(_)) => {}
                    Some(State::Open) => {
                        let of = if import == OWN_NAME { "this schema" } else { import.as_str() };
                        return Err(InvalidSchema::new(format!(
                            "import cycle: {of} imports itself, directly or not"
                        )));
                    }
                    None => {
                        let mut loaded = self.load(&import, file, *next - 1)?;
                        loaded.proto.name = Some(import.clone());
                        self.by_name.insert(import, State::Open);
                        open.push((loaded, 0));
                    }
                }
            } else if let Some((file, _)) = open.pop() {
                self.by_name.insert(file.proto.name().to_owned(), State::Done(self.loaded.len()));
                self.loaded.push(file);
            }
        }
        Ok(())
    }

    fn load(&mut self, import: &str, by: &SourceFile, index: usize) -> Result<SourceFile, InvalidSchema> {
        if self.by_name.len() >= MAX_FILES {
            return Err(InvalidSchema::new(format!("too many imports: at most {MAX_FILES} files")));
        }
        if let Some(proto) = imports::google_protobuf(import) {
            return Ok(SourceFile { proto, body: None, places: SourceCodeInfo::default(), parts: 0 });
        }
        let Some(text) = self.references.get(import).copied().or_else(|| imports::text(import)) else {
            let index = i32::try_from(index).unwrap_or_default();
            let place = place_of(&by.places, &[3, index]);
            let within =
                if by.proto.name() == OWN_NAME { String::new() } else { format!("{}: ", by.proto.name()) };
            let reason = format!("{within}import {import:?} is not known: add a reference of this name");
            return Err(InvalidSchema { place, reason });
        };
        let within = |error: InvalidSchema| InvalidSchema::new(format!("import {import:?}: {error}"));
        let loaded = source::read(import, text).map_err(within)?;
        check::check(&loaded.proto).map_err(within)?;
        shapes::check(&loaded.proto).map_err(within)?;
        self.parts += loaded.parts;
        if self.parts > MAX_PARTS {
            return Err(InvalidSchema::new(too_many_parts()));
        }
        Ok(loaded)
    }

    /// Builds the pool.
    fn link(&self) -> Result<DescriptorPool, InvalidSchema> {
        let mut pool = DescriptorPool::new();
        let mut public: Vec<BTreeSet<usize>> = Vec::with_capacity(self.loaded.len());
        for file in &self.loaded {
            let position = |import: &String| match self.by_name.get(import) {
                Some(State::Done(at)) => Some(*at),
                _ => None,
            };
            let direct: Vec<Option<usize>> = file.proto.dependency.iter().map(position).collect();
            let mut visible: BTreeSet<usize> = BTreeSet::new();
            let mut passed_on = BTreeSet::new();
            for (at, import) in direct.iter().enumerate() {
                let Some(seen) = import.and_then(|import| public.get(import)) else { continue };
                visible.extend(seen.iter().chain(import));
                if file.proto.public_dependency.iter().any(|public| usize::try_from(*public) == Ok(at)) {
                    passed_on.extend(seen.iter().chain(import));
                }
            }
            let names =
                visible.iter().filter_map(|at| self.loaded.get(*at)).map(|file| file.proto.name().to_owned());
            add(&mut pool, file, names.collect()).map_err(|error| self.invalid(&error))?;
            public.push(passed_on);
        }
        Ok(pool)
    }

    fn invalid(&self, error: &DescriptorError) -> InvalidSchema {
        let file = self.loaded.iter().find(|file| error.file() == Some(file.proto.name()));
        let place = file.zip(error.path()).and_then(|(file, path)| place_of(&file.places, path));
        match error.file() {
            None | Some(OWN_NAME) => InvalidSchema { place, reason: error.to_string() },
            Some(name) => {
                let place = place.map(|place| format!(", {place}")).unwrap_or_default();
                InvalidSchema::new(format!("import {name:?}{place}: {error}"))
            }
        }
    }
}

/// Adds a file that sees these others.
fn add(pool: &mut DescriptorPool, file: &SourceFile, dependency: Vec<String>) -> Result<(), DescriptorError> {
    let Some(body) = &file.body else {
        return pool.add_file_descriptor_proto(FileDescriptorProto {
            dependency,
            public_dependency: Vec::new(),
            weak_dependency: Vec::new(),
            ..file.proto.clone()
        });
    };
    // Options that only an import explains are in the bytes alone.
    let own =
        FileDescriptorProto { name: file.proto.name.clone(), dependency, ..FileDescriptorProto::default() };
    let mut bytes = own.encode_to_vec();
    bytes.extend_from_slice(body);
    pool.decode_file_descriptor_proto(bytes.as_slice())
}
