//! The messages of a schema, by the positions that records name them with.
//!
//! As in Confluent's registry, a position counts the messages that the schema's text writes out: entries that the parser
//! makes for `map<…>` are not among them, nor are the bodies of groups; entries that a serialized descriptor spells out are.

use std::collections::HashSet;

use prost_reflect::prost_types::field_descriptor_proto::Type;
use prost_reflect::prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::MessageIndexes;
use super::check::{is_generated_entry, is_map_entry};
use super::print::last_part;

/// A message of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageName {
    /// Its name with the package and the messages around it: `store.Order.Line`.
    pub full_name: String,
    /// The way to it.
    pub indexes: MessageIndexes,
}

/// All messages of a file, each before those inside it; so they are sorted by their indexes.
pub(super) fn all(file: &FileDescriptorProto) -> Vec<MessageName> {
    let mut found = Vec::new();
    let groups = group_names(file.extension.iter());
    collect(&file.message_type, &groups, file.package(), &mut Vec::new(), &mut found);
    found
}

fn collect(
    messages: &[DescriptorProto],
    groups: &HashSet<&str>,
    scope: &str,
    way: &mut Vec<u32>,
    found: &mut Vec<MessageName>,
) {
    let is_written =
        |message: &&DescriptorProto| !is_generated_entry(message) && !groups.contains(message.name());
    for (position, message) in (0..).zip(messages.iter().filter(is_written)) {
        if is_map_entry(message) {
            continue;
        }
        let full_name =
            if scope.is_empty() { message.name().to_owned() } else { format!("{scope}.{}", message.name()) };
        way.push(position);
        found.push(MessageName { full_name: full_name.clone(), indexes: MessageIndexes::new(way) });
        let groups = group_names(message.field.iter().chain(&message.extension));
        collect(&message.nested_type, &groups, &full_name, way, found);
        way.pop();
    }
}

/// Names of the bodies of groups.
fn group_names<'a>(fields: impl Iterator<Item = &'a FieldDescriptorProto>) -> HashSet<&'a str> {
    let groups = fields.filter(|field| field.r#type() == Type::Group && field.r#type.is_some());
    groups.map(|field| last_part(field.type_name())).collect()
}
