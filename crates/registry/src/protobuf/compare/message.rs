//! Files and messages, by the names and numbers of what is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor};

use super::{Comparison, DifferenceKind, Pair, field};

/// Compares two schemas from their packages down.
pub(super) fn compare_files(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    original: &FileDescriptor,
    update: &FileDescriptor,
) {
    if original.package_name() != update.package_name() {
        let name = |file: &FileDescriptor| match file.package_name() {
            "" => "no package".to_owned(),
            package => format!("package {package}"),
        };
        let message = format!("the writer's schema has {}, the reader's {}", name(original), name(update));
        pair.add(DifferenceKind::PackageChanged, message);
    }
    let steps = |file: &FileDescriptor| {
        file.messages().len() + file.enums().map(|declared| 1 + declared.values().len()).sum::<usize>()
    };
    if !comparison.work.spend(steps(original) + steps(update)) {
        return;
    }
    let messages = Siblings { original: original.messages().collect(), update: update.messages().collect() };
    compare_messages(comparison, pair, &messages);
    let enums = Siblings { original: original.enums().collect(), update: update.enums().collect() };
    compare_enums(pair, &enums);
}

/// What two scopes declare.
struct Siblings<T> {
    original: Vec<T>,
    update: Vec<T>,
}

/// Position and message of each name; entries of maps are compared as the fields that have them.
fn by_name(messages: &[MessageDescriptor]) -> HashMap<&str, (usize, &MessageDescriptor)> {
    let written = messages.iter().filter(|message| !message.is_map_entry());
    written.enumerate().map(|(at, message)| (message.name(), (at, message))).collect()
}

fn compare_messages(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    siblings: &Siblings<MessageDescriptor>,
) {
    let (originals, updates) = (by_name(&siblings.original), by_name(&siblings.update));
    let added = siblings.update.iter().filter(|message| !originals.contains_key(message.name()));
    let all = siblings.original.iter().chain(added).map(|message| message.name());
    for name in all {
        pair.within(name, |pair| match (originals.get(name), updates.get(name)) {
            (Some((at, original)), Some((position, update))) => {
                compare(comparison, pair, original, update);
                if at != position {
                    pair.add(DifferenceKind::MessageMoved, format!("message {name} is at another position"));
                }
            }
            (Some(_), None) => {
                let message = format!("message {name} of the writer's schema is not in the reader's");
                pair.add(DifferenceKind::MessageRemoved, message);
            }
            (None, Some(_)) => pair.add(DifferenceKind::MessageAdded, format!("message {name} is new")),
            (None, None) => {}
        });
    }
}

fn compare_enums(pair: &mut Pair, siblings: &Siblings<EnumDescriptor>) {
    let by_name = |enums: &[EnumDescriptor]| -> HashMap<String, EnumDescriptor> {
        enums.iter().map(|declared| (declared.name().to_owned(), declared.clone())).collect()
    };
    let (originals, updates) = (by_name(&siblings.original), by_name(&siblings.update));
    let added = siblings.update.iter().filter(|declared| !originals.contains_key(declared.name()));
    for name in siblings.original.iter().chain(added).map(EnumDescriptor::name) {
        pair.within(name, |pair| match (originals.get(name), updates.get(name)) {
            (Some(original), Some(update)) => compare_values(pair, original, update),
            (Some(_), None) => pair.add(DifferenceKind::EnumRemoved, format!("enum {name} is gone")),
            (None, _) => pair.add(DifferenceKind::EnumAdded, format!("enum {name} is new")),
        });
    }
}

fn compare_values(pair: &mut Pair, original: &EnumDescriptor, update: &EnumDescriptor) {
    // Of several names of a number, the last counts.
    let by_number = |declared: &EnumDescriptor| -> BTreeMap<i32, String> {
        let values = &declared.enum_descriptor_proto().value;
        values.iter().map(|value| (value.number(), value.name().to_owned())).collect()
    };
    let (originals, updates) = (by_number(original), by_number(update));
    let numbers: BTreeSet<i32> = originals.keys().chain(updates.keys()).copied().collect();
    for number in numbers {
        pair.within(number.to_string(), |pair| match (originals.get(&number), updates.get(&number)) {
            (Some(before), Some(after)) if before != after => {
                let message = format!("value {number} was {before} and is {after}");
                pair.add(DifferenceKind::EnumConstChanged, message);
            }
            (Some(_), Some(_)) | (None, None) => {}
            (Some(before), None) => {
                pair.add(DifferenceKind::EnumConstRemoved, format!("value {before} is gone"));
            }
            (None, Some(after)) => pair.add(DifferenceKind::EnumConstAdded, format!("value {after} is new")),
        });
    }
}

/// What a comparison looks at of a message, beside the messages inside it.
fn steps_of(message: &MessageDescriptor) -> usize {
    let fields = message.fields().len() + message.child_messages().len();
    1 + fields + message.child_enums().map(|declared| 1 + declared.values().len()).sum::<usize>()
}

/// Compares two messages, and those inside them.
pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    original: &MessageDescriptor,
    update: &MessageDescriptor,
) {
    if !comparison.work.spend(steps_of(original) + steps_of(update)) {
        return;
    }
    let fields = Fields { original: Numbers::of(original), update: Numbers::of(update) };
    fields.compare_membership(pair);
    fields.compare_oneofs(pair);
    fields.compare_each(comparison, pair);
    let messages =
        Siblings { original: original.child_messages().collect(), update: update.child_messages().collect() };
    compare_messages(comparison, pair, &messages);
    let enums =
        Siblings { original: original.child_enums().collect(), update: update.child_enums().collect() };
    compare_enums(pair, &enums);
}

/// The fields of a message by their numbers, with the oneofs that they are in.
struct Numbers {
    fields: BTreeMap<u32, FieldDescriptor>,
    oneofs: HashMap<u32, String>,
    /// Names of the oneofs, and the numbers in them.
    members: BTreeMap<String, Vec<u32>>,
}

impl Numbers {
    fn of(message: &MessageDescriptor) -> Self {
        let fields: BTreeMap<_, _> = message.fields().map(|field| (field.number(), field)).collect();
        let mut oneofs = HashMap::new();
        let mut members: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, field) in &fields {
            if field.field_descriptor_proto().proto3_optional() {
                continue;
            }
            if let Some(oneof) = field.containing_oneof() {
                oneofs.insert(*number, oneof.name().to_owned());
                members.entry(oneof.name().to_owned()).or_default().push(*number);
            }
        }
        Self { fields, oneofs, members }
    }
}

struct Fields {
    original: Numbers,
    update: Numbers,
}

impl Fields {
    /// Fields that could be set together, and cannot be any more.
    fn compare_membership(&self, pair: &mut Pair) {
        for (name, numbers) in &self.update.members {
            let known = numbers.iter().filter(|number| self.original.fields.contains_key(number));
            let (inside, outside): (Vec<_>, Vec<_>) =
                known.partition(|number| self.original.oneofs.contains_key(number));
            let groups: HashSet<_> =
                inside.iter().filter_map(|number| self.original.oneofs.get(number)).collect();
            if groups.len() + outside.len() <= 1 {
                continue;
            }
            pair.within(name, |pair| {
                if outside.len() > 1 {
                    let list: Vec<String> = outside.iter().map(|number| number.to_string()).collect();
                    let message = format!(
                        "fields {} can be set together by the writer, and only one of them in the reader's oneof {name}",
                        list.join(", ")
                    );
                    pair.add(DifferenceKind::MultipleFieldsMovedToOneof, message);
                } else {
                    let message = format!(
                        "the reader's oneof {name} has fields that the writer can set together, because they are not in one oneof there"
                    );
                    pair.add(DifferenceKind::FieldMovedToExistingOneof, message);
                }
            });
        }
    }

    fn compare_oneofs(&self, pair: &mut Pair) {
        let names: BTreeSet<&String> =
            self.original.members.keys().chain(self.update.members.keys()).collect();
        for name in names {
            pair.within(name, |pair| {
                if !self.update.members.contains_key(name) {
                    pair.add(DifferenceKind::OneofRemoved, format!("oneof {name} is gone"));
                } else if !self.original.members.contains_key(name) {
                    pair.add(DifferenceKind::OneofAdded, format!("oneof {name} is new"));
                }
            });
        }
    }

    /// Whether no field of a oneof of the writer is left, which is as compatible as the removal of any field.
    fn is_gone(&self, oneof: &str) -> bool {
        let members = self.original.members.get(oneof).into_iter().flatten();
        !self.update.members.contains_key(oneof)
            && !members.into_iter().any(|number| self.update.fields.contains_key(number))
    }

    fn compare_each(&self, comparison: &mut Comparison<'_>, pair: &mut Pair) {
        let numbers: BTreeSet<u32> =
            self.original.fields.keys().chain(self.update.fields.keys()).copied().collect();
        for number in numbers {
            match (self.original.fields.get(&number), self.update.fields.get(&number)) {
                (Some(original), Some(update)) => {
                    let (was, is) = (self.original.oneofs.get(&number), self.update.oneofs.get(&number));
                    if was.is_some() && is.is_none() {
                        pair.within(number.to_string(), |pair| {
                            let message = format!("field {} is in no oneof any more", update.name());
                            pair.add(DifferenceKind::OneofFieldMovedToTopLevel, message);
                        });
                    }
                    within_oneof(pair, is, number, |pair| field::compare(comparison, pair, original, update));
                }
                (Some(original), None) => self.removed(pair, original),
                (None, Some(update)) => self.added(pair, update),
                (None, None) => {}
            }
        }
    }

    fn removed(&self, pair: &mut Pair, field: &FieldDescriptor) {
        let name = field.name();
        match self.original.oneofs.get(&field.number()) {
            Some(oneof) if self.is_gone(oneof) => {}
            Some(oneof) => within_oneof(pair, Some(oneof), field.number(), |pair| {
                let message =
                    format!("field {name} of the writer's oneof {oneof} is not in the reader's schema");
                pair.add(DifferenceKind::OneofFieldRemoved, message);
            }),
            None => pair.within(field.number().to_string(), |pair| {
                if field.cardinality() == Cardinality::Required {
                    let message =
                        format!("field {name} is required by the writer's schema and not in the reader's");
                    pair.add(DifferenceKind::RequiredFieldRemoved, message);
                } else {
                    pair.add(DifferenceKind::FieldRemoved, format!("field {name} is gone"));
                }
            }),
        }
    }

    fn added(&self, pair: &mut Pair, field: &FieldDescriptor) {
        let name = field.name();
        let oneof = self.update.oneofs.get(&field.number());
        within_oneof(pair, oneof, field.number(), |pair| {
            if let Some(oneof) = oneof {
                pair.add(DifferenceKind::OneofFieldAdded, format!("field {name} of oneof {oneof} is new"));
            } else if field.cardinality() == Cardinality::Required {
                let message =
                    format!("field {name} is required by the reader's schema and not in the writer's");
                pair.add(DifferenceKind::RequiredFieldAdded, message);
            } else {
                pair.add(DifferenceKind::FieldAdded, format!("field {name} is new"));
            }
        });
    }
}

/// `2`, or `payment/2` in a oneof.
fn within_oneof(pair: &mut Pair, oneof: Option<&String>, number: u32, compare: impl FnOnce(&mut Pair)) {
    match oneof {
        Some(oneof) => pair.within(oneof, |pair| pair.within(number.to_string(), compare)),
        None => pair.within(number.to_string(), compare),
    }
}
