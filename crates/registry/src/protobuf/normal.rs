//! A file with all its names in full and its parts sorted: `normalize=true`.
//!
//! As in Confluent's registry, fields and values of enums go by number, options by name, imports and reserved ranges are
//! sorted, entries of maps become `map<…>`, and messages, enums and services stay in their order, since records name
//! messages by it. Fields of an option that are set one by one become one message. Numbers of options are whole where they
//! can be, and not rounded otherwise.

use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption,
};
use prost_reflect::{DescriptorPool, FileDescriptor};

/// The file, ready to be printed in the normal form; `linked` is the same file with its names resolved.
pub(super) fn normalize(file: &FileDescriptorProto, linked: &FileDescriptor) -> FileDescriptorProto {
    let mut proto = file.clone();
    let resolved = linked.file_descriptor_proto();
    let names = Names { pool: linked.parent_pool() };
    let package = proto.package().to_owned();
    sort_imports(&mut proto);
    if let Some(options) = &mut proto.options {
        names.options(&mut options.uninterpreted_option, &package);
    }
    for (message, resolved) in proto.message_type.iter_mut().zip(&resolved.message_type) {
        names.message(message, resolved, &package);
    }
    for enumeration in &mut proto.enum_type {
        names.enumeration(enumeration, &package);
    }
    for (field, resolved) in proto.extension.iter_mut().zip(&resolved.extension) {
        names.field(field, resolved, &package);
    }
    sort_extensions(&mut proto.extension);
    for (service, resolved) in proto.service.iter_mut().zip(&resolved.service) {
        let scope = format!("{package}.{}", service.name());
        if let Some(options) = &mut service.options {
            names.options(&mut options.uninterpreted_option, &scope);
        }
        for (method, resolved) in service.method.iter_mut().zip(&resolved.method) {
            method.input_type.clone_from(&resolved.input_type);
            method.output_type.clone_from(&resolved.output_type);
            if let Some(options) = &mut method.options {
                names.options(&mut options.uninterpreted_option, &scope);
            }
        }
    }
    proto
}

fn sort_imports(proto: &mut FileDescriptorProto) {
    let is_in = |list: &[i32], at: usize| list.iter().any(|index| usize::try_from(*index) == Ok(at));
    let kinds = proto.dependency.iter().enumerate();
    let kinds = kinds.map(|(at, _)| (is_in(&proto.public_dependency, at), is_in(&proto.weak_dependency, at)));
    let mut imports: Vec<_> = proto.dependency.iter().cloned().zip(kinds).collect();
    imports.sort();
    imports.dedup();
    let at = |wanted: fn(&(bool, bool)) -> bool| {
        let found = imports.iter().zip(0..).filter(move |((_, kind), _)| wanted(kind));
        found.map(|(_, at)| at).collect::<Vec<i32>>()
    };
    (proto.public_dependency, proto.weak_dependency) = (at(|kind| kind.0), at(|kind| kind.1));
    proto.dependency = imports.into_iter().map(|(import, _)| import).collect();
}

/// Those of one type together, in the order of the first of each.
fn sort_extensions(fields: &mut [FieldDescriptorProto]) {
    let mut extendees: Vec<Option<String>> = Vec::new();
    for field in fields.iter() {
        if !extendees.contains(&field.extendee) {
            extendees.push(field.extendee.clone());
        }
    }
    fields.sort_by_key(|field| (extendees.iter().position(|known| *known == field.extendee), field.number()));
}

struct Names<'a> {
    pool: &'a DescriptorPool,
}

impl Names<'_> {
    fn message(&self, proto: &mut DescriptorProto, resolved: &DescriptorProto, around: &str) {
        let scope = format!("{around}.{}", proto.name());
        let scope = scope.trim_start_matches('.');
        if let Some(options) = &mut proto.options {
            self.options(&mut options.uninterpreted_option, scope);
        }
        for (field, resolved) in proto.field.iter_mut().zip(&resolved.field) {
            self.field(field, resolved, scope);
        }
        for (field, resolved) in proto.extension.iter_mut().zip(&resolved.extension) {
            self.field(field, resolved, scope);
        }
        sort_extensions(&mut proto.extension);
        for options in proto.oneof_decl.iter_mut().filter_map(|oneof| oneof.options.as_mut()) {
            self.options(&mut options.uninterpreted_option, scope);
        }
        for options in proto.extension_range.iter_mut().filter_map(|range| range.options.as_mut()) {
            self.options(&mut options.uninterpreted_option, scope);
        }
        for (nested, resolved) in proto.nested_type.iter_mut().zip(&resolved.nested_type) {
            self.message(nested, resolved, scope);
        }
        for enumeration in &mut proto.enum_type {
            self.enumeration(enumeration, scope);
        }
    }

    fn field(&self, proto: &mut FieldDescriptorProto, resolved: &FieldDescriptorProto, scope: &str) {
        proto.type_name.clone_from(&resolved.type_name);
        proto.extendee.clone_from(&resolved.extendee);
        if let Some(options) = &mut proto.options {
            self.options(&mut options.uninterpreted_option, scope);
        }
    }

    fn enumeration(&self, proto: &mut EnumDescriptorProto, scope: &str) {
        if let Some(options) = &mut proto.options {
            self.options(&mut options.uninterpreted_option, scope);
        }
        for options in proto.value.iter_mut().filter_map(|value| value.options.as_mut()) {
            self.options(&mut options.uninterpreted_option, scope);
        }
    }

    /// Names of extensions in full.
    fn options(&self, options: &mut [UninterpretedOption], scope: &str) {
        let parts = options.iter_mut().flat_map(|option| &mut option.name).filter(|part| part.is_extension);
        for part in parts {
            if let Some(full) = self.extension(&part.name_part, scope) {
                part.name_part = full;
            }
        }
    }

    /// The innermost scope that has the name is the one that is meant.
    fn extension(&self, name: &str, scope: &str) -> Option<String> {
        if let Some(full) = name.strip_prefix('.') {
            return Some(full.to_owned());
        }
        let mut around = Some(scope);
        while let Some(scope) = around {
            let full = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
            if self.pool.get_extension_by_name(&full).is_some() {
                return Some(full);
            }
            around = match scope.rsplit_once('.') {
                Some((outer, _)) => Some(outer),
                None if scope.is_empty() => None,
                None => Some(""),
            };
        }
        None
    }
}
