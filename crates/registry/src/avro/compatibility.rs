//! Reasons why one schema cannot read what another wrote, by the rules of Java Avro's `SchemaCompatibility`.
//!
//! Invariants: the same kinds, places and order as there, so a pair of types that is met again has the places of its
//! first time, and a branch of a union has places of its own. Aliases count where they are the reader's. The comparison
//! keeps its own stack, for the types of a schema may form a long chain, and ends after [`MAX_STEPS`].

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::incompatibilities as reasons;
use super::types::{Enum, Field, Kind, Record, TypeId, Types};
use crate::Incompatibility;
use crate::work::Work;

/// The most reasons that are listed.
pub(crate) const MAX_REASONS: usize = 100;

/// The most comparisons of a field, a symbol or a branch.
const MAX_STEPS: usize = 1_000_000;

/// The most steps of a place that are written.
const MAX_PLACE: usize = 256;

/// From so many branches on a reader's union is searched by name.
const LARGE_UNION: usize = 64;

/// A pair of types' reasons.
#[derive(Debug, Clone, Default)]
struct Verdict {
    is_incompatible: bool,
    /// [`MAX_REASONS`] at most.
    reasons: Vec<Incompatibility>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Name(&'static str),
    At(usize),
}

/// A pair of types that is being compared.
struct Frame {
    reader: TypeId,
    writer: TypeId,
    /// From the pair around to this one.
    place: Vec<Step>,
    /// Whether places count from here.
    is_fresh: bool,
    /// The part that comes next.
    next: usize,
    verdict: Verdict,
}

enum Next {
    Compare(Frame),
    Done,
}

struct Comparison<'a> {
    readers: &'a Types,
    writers: &'a Types,
    /// Pairs that were compared, and nothing for those that are being compared.
    known: HashMap<(TypeId, TypeId), Option<Rc<Verdict>>>,
    /// The branches of large unions by simple names and aliases, the unnamed ones under an empty name.
    large_unions: HashMap<TypeId, Rc<HashMap<String, Vec<TypeId>>>>,
    stack: Vec<Frame>,
    steps_left: usize,
    /// That of the request, of which this comparison is a part.
    work: &'a Work,
}

/// Compares two types; at most [`MAX_REASONS`] reasons.
pub(crate) fn compare(
    readers: &Types,
    reader: TypeId,
    writers: &Types,
    writer: TypeId,
    work: &Work,
) -> Vec<Incompatibility> {
    let mut comparison = Comparison {
        readers,
        writers,
        known: HashMap::new(),
        large_unions: HashMap::new(),
        stack: Vec::new(),
        steps_left: MAX_STEPS,
        work,
    };
    let mut verdict = comparison.run(Frame::new(reader, writer, Vec::new(), true));
    if comparison.steps_left == 0 {
        verdict.reasons.truncate(MAX_REASONS - 1);
        verdict.reasons.push(reasons::too_complex());
    }
    verdict.reasons
}

impl Frame {
    fn new(reader: TypeId, writer: TypeId, place: Vec<Step>, is_fresh: bool) -> Self {
        Self { reader, writer, place, is_fresh, next: 0, verdict: Verdict::default() }
    }
}

impl Verdict {
    fn add(&mut self, reason: Incompatibility) {
        self.is_incompatible = true;
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.is_incompatible |= other.is_incompatible;
        let room = MAX_REASONS - self.reasons.len();
        self.reasons.extend(other.reasons.iter().take(room).cloned());
    }
}

impl Comparison<'_> {
    fn run(&mut self, first: Frame) -> Verdict {
        self.known.insert((first.reader, first.writer), None);
        self.stack.push(first);
        loop {
            let Some(mut frame) = self.stack.pop() else { return Verdict::default() };
            match self.advance(&mut frame) {
                Next::Compare(part) => {
                    let known = self.known.get(&(part.reader, part.writer)).cloned();
                    match known {
                        Some(verdict) => {
                            // A pair within itself is compatible unless something else in it is not.
                            self.absorb(&mut frame, &verdict.unwrap_or_default());
                            self.stack.push(frame);
                        }
                        None => {
                            self.known.insert((part.reader, part.writer), None);
                            self.stack.push(frame);
                            self.stack.push(part);
                        }
                    }
                }
                Next::Done => {
                    let verdict = Rc::new(frame.verdict);
                    self.known.insert((frame.reader, frame.writer), Some(Rc::clone(&verdict)));
                    let Some(mut around) = self.stack.pop() else { return (*verdict).clone() };
                    self.absorb(&mut around, &verdict);
                    self.stack.push(around);
                }
            }
        }
    }

    fn spend(&mut self, steps: usize) {
        let may_go_on = self.work.spend(steps);
        self.steps_left = if may_go_on { self.steps_left.saturating_sub(steps) } else { 0 };
    }

    /// The place of a frame that is not on the stack, with what follows.
    fn place(&self, frame: &Frame, rest: &[Step]) -> String {
        let mut steps: Vec<Step> = rest.iter().rev().copied().collect();
        let mut is_complete = false;
        for around in std::iter::once(frame).chain(self.stack.iter().rev()) {
            steps.extend(around.place.iter().rev());
            if around.is_fresh || steps.len() > MAX_PLACE {
                is_complete = around.is_fresh;
                break;
            }
        }
        let written: Vec<String> = steps
            .iter()
            .rev()
            .map(|step| match step {
                Step::Name(name) => (*name).to_owned(),
                Step::At(at) => at.to_string(),
            })
            .collect();
        format!("/{}{}", if is_complete { "" } else { "…/" }, written.join("/"))
    }

    /// Takes the verdict on the part that came last.
    fn absorb(&mut self, frame: &mut Frame, verdict: &Verdict) {
        let (reader, writer) = (self.readers.kind(frame.reader), self.writers.kind(frame.writer));
        match (reader, writer) {
            (Kind::Union(_), Kind::Union(branches)) => {
                let at = frame.next - 1;
                if let (true, Some(branch)) = (verdict.is_incompatible, branches.get(at)) {
                    let place = self.place(frame, &[Step::At(at)]);
                    let reason =
                        reasons::missing_branch(self.readers, reader, self.writers.kind(*branch), place);
                    frame.verdict.add(reason);
                }
            }
            (Kind::Union(_), _) => {
                if !verdict.is_incompatible {
                    frame.next = usize::MAX;
                }
            }
            _ => frame.verdict.merge(verdict),
        }
    }

    /// Compares a pair up to the next pair within it.
    fn advance(&mut self, frame: &mut Frame) -> Next {
        if self.steps_left == 0 {
            return Next::Done;
        }
        self.spend(1);
        let (readers, writers) = (self.readers, self.writers);
        let (reader, writer) = (readers.kind(frame.reader), writers.kind(frame.writer));
        let at = frame.next;
        match (reader, writer) {
            (Kind::Array(a), Kind::Array(b)) | (Kind::Map(a), Kind::Map(b)) if at == 0 => {
                frame.next = 1;
                let name = if matches!(reader, Kind::Array(_)) { "items" } else { "values" };
                Next::Compare(Frame::new(*a, *b, vec![Step::Name(name)], false))
            }
            (Kind::Array(_), Kind::Array(_)) | (Kind::Map(_), Kind::Map(_)) => Next::Done,
            (Kind::Record(a), Kind::Record(b)) => self.next_field(frame, a, b),
            (Kind::Enum(a), Kind::Enum(b)) => {
                self.check_name(frame, reader, writer);
                self.check_symbols(frame, a, b);
                Next::Done
            }
            (Kind::Fixed(a), Kind::Fixed(b)) => {
                self.check_name(frame, reader, writer);
                if a.size != b.size {
                    let place = self.place(frame, &[Step::Name("size")]);
                    frame.verdict.add(reasons::fixed_size(a, b, place));
                }
                Next::Done
            }
            (_, Kind::Union(branches)) => {
                let Some(branch) = branches.get(at) else { return Next::Done };
                frame.next = at + 1;
                let is_fresh = matches!(reader, Kind::Union(_));
                let place = if is_fresh { Vec::new() } else { vec![Step::At(at)] };
                Next::Compare(Frame::new(frame.reader, *branch, place, is_fresh))
            }
            (Kind::Union(branches), _) => {
                // Compatible with one of them.
                if at == usize::MAX {
                    return Next::Done;
                }
                if let Some(branch) = self.candidate(frame.reader, branches, writer, at) {
                    frame.next = at + 1;
                    return Next::Compare(Frame::new(branch, frame.writer, Vec::new(), true));
                }
                let place = self.place(frame, &[]);
                frame.verdict.add(reasons::missing_branch(readers, reader, writer, place));
                Next::Done
            }
            _ => {
                if !is_promoted(reader, writer) {
                    let place = self.place(frame, &[]);
                    frame.verdict.add(reasons::type_mismatch(reader, writer, place));
                }
                Next::Done
            }
        }
    }

    /// The branch to try next: each of a small union, of a large one those that may fit by name.
    fn candidate(&mut self, union: TypeId, branches: &[TypeId], writer: &Kind, at: usize) -> Option<TypeId> {
        if branches.len() <= LARGE_UNION {
            return branches.get(at).copied();
        }
        let readers = self.readers;
        let by_name = self.large_unions.entry(union).or_insert_with(|| {
            let mut by_name: HashMap<String, Vec<TypeId>> = HashMap::new();
            for branch in branches {
                let names: Vec<&str> = match readers.kind(*branch).naming() {
                    None => vec![""],
                    Some(naming) => std::iter::once(naming.name.simple())
                        .chain(naming.aliases.iter().map(|alias| alias.full()))
                        .collect(),
                };
                for name in names {
                    by_name.entry(name.to_owned()).or_default().push(*branch);
                }
            }
            Rc::new(by_name)
        });
        let Some(naming) = writer.naming() else { return by_name.get("")?.get(at).copied() };
        let (simple, full) = (naming.name.simple(), naming.name.full());
        let of = |name| by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let aliases = if full == simple { &[] } else { of(full) };
        of(simple).iter().chain(aliases).nth(at).copied()
    }

    fn next_field(&mut self, frame: &mut Frame, reader: &Record, writer: &Record) -> Next {
        if frame.next == 0 {
            let (a, b) = (self.readers.kind(frame.reader), self.writers.kind(frame.writer));
            self.check_name(frame, a, b);
        }
        while let Some(field) = reader.fields.get(frame.next) {
            let at = frame.next;
            frame.next += 1;
            self.spend(1 + field.aliases.len());
            let found = writer_fields(field, writer);
            match found.as_slice() {
                [] if field.default.is_some() => {}
                [] => {
                    let place = [Step::Name("fields"), Step::At(at)];
                    // Java Avro compares such an enum with the whole record, which never fits.
                    let has_default = match self.readers.kind(field.of) {
                        Kind::Enum(symbols) => symbols.default.is_some(),
                        _ => false,
                    };
                    if has_default {
                        let place = vec![place[0], place[1], Step::Name("type")];
                        return Next::Compare(Frame::new(field.of, frame.writer, place, false));
                    }
                    let place = self.place(frame, &place);
                    frame.verdict.add(reasons::missing_default(reader, field, writer, place));
                }
                [one] => {
                    let place = vec![Step::Name("fields"), Step::At(at), Step::Name("type")];
                    return Next::Compare(Frame::new(field.of, one.of, place, false));
                }
                several => {
                    let place = self.place(frame, &[Step::Name("fields"), Step::At(at)]);
                    frame.verdict.add(reasons::ambiguous_alias(field, several, place));
                }
            }
            if self.steps_left == 0 {
                return Next::Done;
            }
        }
        Next::Done
    }

    fn check_name(&mut self, frame: &mut Frame, reader: &Kind, writer: &Kind) {
        let (Some(a), Some(b)) = (reader.naming(), writer.naming()) else { return };
        self.spend(a.aliases.len());
        // As the specification has it: namespaces count in aliases only.
        if a.name.simple() != b.name.simple() && !a.aliases.contains(&b.name) {
            let place = self.place(frame, &[Step::Name("name")]);
            frame.verdict.add(reasons::name_mismatch(reader, writer, place));
        }
    }

    fn check_symbols(&mut self, frame: &mut Frame, reader: &Enum, writer: &Enum) {
        self.spend(writer.symbols.len());
        if reader.default.is_some() {
            return;
        }
        let missing: BTreeSet<&str> = writer
            .symbols
            .iter()
            .filter(|symbol| !reader.by_name.contains_key(*symbol))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let place = self.place(frame, &[Step::Name("symbols")]);
            frame.verdict.add(reasons::missing_symbols(reader, &missing, place));
        }
    }
}

/// The writer's fields that have the name or an alias of the reader's.
fn writer_fields<'a>(field: &Field, writer: &'a Record) -> Vec<&'a Field> {
    let names = std::iter::once(&field.name).chain(&field.aliases);
    names.filter_map(|name| writer.by_name.get(name)).filter_map(|at| writer.fields.get(*at)).collect()
}

/// Whether a reader takes values of another primitive type, or of the same.
fn is_promoted(reader: &Kind, writer: &Kind) -> bool {
    match reader {
        Kind::Null => matches!(writer, Kind::Null),
        Kind::Boolean => matches!(writer, Kind::Boolean),
        Kind::Int => matches!(writer, Kind::Int),
        Kind::Long => matches!(writer, Kind::Int | Kind::Long),
        Kind::Float => matches!(writer, Kind::Int | Kind::Long | Kind::Float),
        Kind::Double => matches!(writer, Kind::Int | Kind::Long | Kind::Float | Kind::Double),
        Kind::Bytes | Kind::String => matches!(writer, Kind::Bytes | Kind::String),
        _ => false,
    }
}
