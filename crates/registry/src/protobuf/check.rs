//! Shapes of a file that linking and reading values rely on, checked before either.
//!
//! Text cannot have most of these mistakes; a serialized descriptor can have all of them. A text may call a message the
//! entry of a map, as Confluent's canonical form of a serialized descriptor does, so that is looked at in both.

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption,
};

use crate::{InvalidSchema, MAX_DEPTH};

/// Bytes of a name with its package and the messages around it.
const MAX_NAME_BYTES: usize = 512;

/// Checks a file.
///
/// # Errors
/// With the full name of the part that is wrong.
pub(super) fn check(file: &FileDescriptorProto) -> Result<(), InvalidSchema> {
    if !matches!(file.syntax(), "" | "proto2" | "proto3") {
        let reason = format!("syntax {:?} is not supported: write proto2 or proto3", file.syntax());
        return Err(InvalidSchema::new(reason));
    }
    let package = file.package();
    if package.len() > MAX_NAME_BYTES || package.split('.').count() > MAX_DEPTH {
        return Err(too_long("the package"));
    }
    if !package.is_empty() && !package.split('.').all(is_identifier) {
        return Err(InvalidSchema::new(format!("invalid package {package:?}")));
    }
    let indexes = file.public_dependency.iter().chain(&file.weak_dependency);
    if indexes.clone().any(|index| usize::try_from(*index).map_or(true, |at| at >= file.dependency.len())) {
        return Err(InvalidSchema::new("an import that is public or weak, and is not there"));
    }
    let scope = Scope { name: package.to_owned(), depth: 0 };
    for message in &file.message_type {
        check_message(&scope, message)?;
    }
    for enumeration in &file.enum_type {
        check_enum(&scope, enumeration)?;
    }
    for field in &file.extension {
        check_field(&scope, field, 0)?;
    }
    for service in &file.service {
        let scope = scope.inside(service.name())?;
        for method in &service.method {
            scope.inside(method.name())?;
            check_type_name(&scope, method.input_type())?;
            check_type_name(&scope, method.output_type())?;
        }
    }
    Ok(())
}

/// A name that others are declared in.
struct Scope {
    name: String,
    depth: usize,
}

impl Scope {
    fn inside(&self, name: &str) -> Result<Self, InvalidSchema> {
        let at = if self.name.is_empty() { "the file" } else { self.name.as_str() };
        if !is_identifier(name) {
            return Err(InvalidSchema::at(at, format!("invalid name {name:?}")));
        }
        if self.name.len() + name.len() >= MAX_NAME_BYTES {
            return Err(too_long(at));
        }
        if self.depth == MAX_DEPTH {
            let reason = format!("nested too deeply: at most {MAX_DEPTH} messages in one another");
            return Err(InvalidSchema::at(at, reason));
        }
        let full = if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) };
        Ok(Self { name: full, depth: self.depth + 1 })
    }

    fn error(&self, reason: impl Into<String>) -> InvalidSchema {
        InvalidSchema::at(self.name.clone(), reason)
    }
}

fn too_long(place: &str) -> InvalidSchema {
    InvalidSchema::at(
        place,
        format!("a name that is too long: at most {MAX_NAME_BYTES} bytes with all around it"),
    )
}

/// A letter or underscore, then letters, digits and underscores.
fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn check_type_name(scope: &Scope, name: &str) -> Result<(), InvalidSchema> {
    if name.len() > MAX_NAME_BYTES {
        return Err(too_long(&scope.name));
    }
    if !name.strip_prefix('.').unwrap_or(name).split('.').all(is_identifier) {
        return Err(scope.error(format!("invalid name of a type {name:?}")));
    }
    Ok(())
}

fn check_message(around: &Scope, message: &DescriptorProto) -> Result<(), InvalidSchema> {
    let scope = around.inside(message.name())?;
    for field in &message.field {
        check_field(&scope, field, message.oneof_decl.len())?;
    }
    for field in &message.extension {
        check_field(&scope, field, 0)?;
    }
    for oneof in &message.oneof_decl {
        scope.inside(oneof.name())?;
    }
    for nested in &message.nested_type {
        check_message(&scope, nested)?;
    }
    for enumeration in &message.enum_type {
        check_enum(&scope, enumeration)?;
    }
    if is_map_entry(message) {
        check_map_entry(&scope, message)?;
    }
    Ok(())
}

/// The entry of a map, be it generated for a field of type `map<…>` or written out.
pub(super) fn is_map_entry(message: &DescriptorProto) -> bool {
    let Some(options) = &message.options else { return false };
    options.map_entry() || options.uninterpreted_option.iter().any(sets_map_entry)
}

/// Whether the parser made an entry for a field of type `map<…>`, so that the text has no such message.
pub(super) fn is_generated_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}

/// `option map_entry = true`
pub(super) fn sets_map_entry(option: &UninterpretedOption) -> bool {
    let is_named = matches!(&option.name[..], [only] if only.name_part == "map_entry" && !only.is_extension);
    is_named && option.identifier_value() == "true"
}

/// What reads the values of maps takes for granted that they have keys and values.
fn check_map_entry(scope: &Scope, message: &DescriptorProto) -> Result<(), InvalidSchema> {
    let is_key = |field: &FieldDescriptorProto| {
        let is_text_or_integer = !matches!(
            field.r#type(),
            Type::Double | Type::Float | Type::Bytes | Type::Group | Type::Message | Type::Enum
        );
        is_text_or_integer && field.r#type.is_some() && field.type_name.is_none()
    };
    let is_single =
        |field: &FieldDescriptorProto| field.label() == Label::Optional && field.oneof_index.is_none();
    let is_entry = match &message.field[..] {
        [key, value] => {
            (key.name(), key.number(), value.name(), value.number()) == ("key", 1, "value", 2)
                && is_key(key)
                && is_single(key)
                && is_single(value)
                && value.r#type() != Type::Group
        }
        _ => false,
    };
    if !is_entry || !message.extension_range.is_empty() {
        let reason =
            "an entry of a map has a field key = 1 that is text, a number or a bool, and a field value = 2";
        return Err(scope.error(reason));
    }
    Ok(())
}

fn check_field(around: &Scope, field: &FieldDescriptorProto, oneofs: usize) -> Result<(), InvalidSchema> {
    let scope = around.inside(field.name())?;
    let is_known = field.r#type.is_none_or(|kind| Type::try_from(kind).is_ok())
        && field.label.is_none_or(|label| Label::try_from(label).is_ok());
    if !is_known || (field.r#type.is_none() && field.type_name.is_none()) {
        return Err(scope.error("a field without a type that is known"));
    }
    if !field.oneof_index.is_none_or(|index| usize::try_from(index).is_ok_and(|at| at < oneofs)) {
        return Err(scope.error("a field of a oneof that is not there"));
    }
    if field.json_name().len() > MAX_NAME_BYTES {
        return Err(too_long(&scope.name));
    }
    for name in [&field.type_name, &field.extendee].into_iter().flatten() {
        check_type_name(&scope, name)?;
    }
    Ok(())
}

fn check_enum(around: &Scope, enumeration: &EnumDescriptorProto) -> Result<(), InvalidSchema> {
    let scope = around.inside(enumeration.name())?;
    // Values are declared beside their enumeration.
    enumeration.value.iter().try_for_each(|value| around.inside(value.name()).map(drop))?;
    if enumeration.value.is_empty() {
        return Err(scope.error("an enum without a value"));
    }
    Ok(())
}
