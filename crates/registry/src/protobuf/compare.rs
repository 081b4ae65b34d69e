//! Differences of two schemas, with the verdicts, names and paths of Confluent's `SchemaDiff` for Protobuf.
//!
//! Messages are compared in pairs. The first pair is that of the files, whose messages are paired by name; a field whose
//! message one of the files imports adds the pair of both sides' messages, and a pair that is incompatible makes its
//! fields so ([`DifferenceKind::FieldNamedTypeChanged`]). Each pair is compared once, from a queue and not by recursion, so that
//! imports that refer to each other, or in many ways to the same, take no more time than their size.
//!
//! What differs from `SchemaDiff`: a message that several fields refer to is reported once, and groups are compared as the
//! messages that they are, while `SchemaDiff` does not look at them.

mod difference;
mod field;
mod message;

use std::collections::HashMap;

use prost_reflect::{FileDescriptor, MessageDescriptor};

pub(super) use difference::{Difference, DifferenceKind};

use super::link::OWN_NAME;
use crate::Incompatibility;
use crate::work::Work;

/// Incompatibilities that are reported at most.
const MAX_REPORTED: usize = 100;

/// What keeps `reader` from reading what `writer` wrote.
pub(super) fn incompatibilities(
    reader: &FileDescriptor,
    writer: &FileDescriptor,
    work: &Work,
) -> Vec<Incompatibility> {
    let found = differences(writer, reader, work).into_iter();
    let found = found.filter(|difference| !difference.kind.is_compatible());
    let mut reported: Vec<_> = found.take(MAX_REPORTED).map(Difference::into_incompatibility).collect();
    if let Err(error) = work.check() {
        let (kind, path) = ("SCHEMA_TOO_COMPLEX", "#/".to_owned());
        reported.push(Incompatibility { kind, path, message: error.to_string(), detail: None });
    }
    reported
}

/// All differences, compatible ones too, from `original` to `update`.
pub(super) fn differences(
    original: &FileDescriptor,
    update: &FileDescriptor,
    work: &Work,
) -> Vec<Difference> {
    let mut comparison = Comparison { pairs: Vec::new(), positions: HashMap::new(), work };
    let mut files = Pair::default();
    message::compare_files(&mut comparison, &mut files, original, update);
    let mut compared = vec![files];
    // Pairs are added while others are compared.
    let mut next = 0;
    while let Some((original, update)) = comparison.pairs.get(next).cloned() {
        let mut pair = Pair::at(&original);
        message::compare(&mut comparison, &mut pair, &original, &update);
        compared.push(pair);
        next += 1;
    }
    conclude(compared)
}

/// Adds what follows for fields from the messages that they are of.
fn conclude(mut pairs: Vec<Pair>) -> Vec<Difference> {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); pairs.len()];
    for (at, pair) in pairs.iter().enumerate() {
        for (target, _) in &pair.uses {
            if let Some(users) = users.get_mut(*target) {
                users.push(at);
            }
        }
    }
    let is_wrong = |pair: &Pair| pair.differences.iter().any(|difference| !difference.kind.is_compatible());
    let mut incompatible: Vec<bool> = pairs.iter().map(is_wrong).collect();
    let mut open: Vec<usize> = (0..pairs.len()).filter(|at| incompatible.get(*at) == Some(&true)).collect();
    while let Some(at) = open.pop() {
        for user in users.get(at).into_iter().flatten() {
            if let Some(known) = incompatible.get_mut(*user).filter(|known| !**known) {
                *known = true;
                open.push(*user);
            }
        }
    }
    for pair in &mut pairs {
        let wrong = pair.uses.drain(..).filter(|(target, _)| incompatible.get(*target) == Some(&true));
        pair.differences.extend(wrong.map(|(_, difference)| difference));
    }
    pairs.into_iter().flat_map(|pair| pair.differences).collect()
}

/// Messages of both sides that are compared, or will be.
struct Comparison<'w> {
    pairs: Vec<(MessageDescriptor, MessageDescriptor)>,
    positions: HashMap<(String, String), usize>,
    /// That of the request, of which this comparison is a part.
    work: &'w Work,
}

impl Comparison<'_> {
    /// The position of a pair, in the list that [`conclude`] is given.
    fn pair(&mut self, original: &MessageDescriptor, update: &MessageDescriptor) -> usize {
        let names = (original.full_name().to_owned(), update.full_name().to_owned());
        let pairs = &mut self.pairs;
        *self.positions.entry(names).or_insert_with(|| {
            pairs.push((original.clone(), update.clone()));
            // The pair of files is before them all.
            pairs.len()
        })
    }
}

/// The state of one comparison.
#[derive(Default)]
struct Pair {
    /// Names and numbers on the way to what is compared.
    path: Vec<String>,
    differences: Vec<Difference>,
    /// Pairs that fields are of, and what is to be said if that pair is incompatible.
    uses: Vec<(usize, Difference)>,
}

impl Pair {
    /// Begins at a message, which stands for itself and not for the field that it is of.
    fn at(message: &MessageDescriptor) -> Self {
        let path = local_name(message).split('.').map(str::to_owned).collect();
        Self { path, ..Self::default() }
    }

    fn within(&mut self, name: impl Into<String>, compare: impl FnOnce(&mut Self)) {
        self.path.push(name.into());
        compare(self);
        self.path.pop();
    }

    fn difference(&self, kind: DifferenceKind, message: impl Into<String>) -> Difference {
        Difference { kind, path: format!("#/{}", self.path.join("/")), message: message.into() }
    }

    fn add(&mut self, kind: DifferenceKind, message: impl Into<String>) {
        let difference = self.difference(kind, message);
        self.differences.push(difference);
    }
}

/// The name without the package.
fn local_name(message: &MessageDescriptor) -> &str {
    let package = message.package_name();
    match message.full_name().strip_prefix(package) {
        Some(local) if !package.is_empty() => local.trim_start_matches('.'),
        _ => message.full_name(),
    }
}

/// Whether a message is declared by the schema itself, and not by an import.
fn is_own(message: &MessageDescriptor) -> bool {
    message.parent_file().name() == OWN_NAME
}
