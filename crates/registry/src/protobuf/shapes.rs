//! Types of `google.protobuf` that a schema declares by itself.
//!
//! A registry may hold `timestamp.proto` as a schema, since old serializers register all that they import. But options and
//! the JSON form of values are read with the built-in shape of these types, so no other shape of them is let in.

use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::field_descriptor_proto::Type;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use crate::InvalidSchema;

/// Checks a file that may be in the package `google.protobuf`.
///
/// # Errors
/// If it declares a type that is built in, with other fields.
pub(super) fn check(file: &FileDescriptorProto) -> Result<(), InvalidSchema> {
    if file.package() != "google.protobuf" {
        // The package `google` could have a message `protobuf` around them.
        let hides = file.package() == "google"
            && file.message_type.iter().any(|message| message.name() == "protobuf");
        return if hides { Err(refusal("google.protobuf")) } else { Ok(()) };
    }
    let pool = DescriptorPool::global();
    let full_name = |name: &str| format!("google.protobuf.{name}");
    for message in &file.message_type {
        let name = full_name(message.name());
        let is_other = match pool.get_message_by_name(&name) {
            Some(built_in) => !is_same(message, built_in.descriptor_proto()),
            None => pool.get_enum_by_name(&name).is_some(),
        };
        if is_other {
            return Err(refusal(&name));
        }
    }
    let mut enums = file.enum_type.iter().map(|enumeration| full_name(enumeration.name()));
    match enums.find(|name| pool.get_message_by_name(name).is_some()) {
        Some(name) => Err(refusal(&name)),
        None => Ok(()),
    }
}

fn refusal(name: &str) -> InvalidSchema {
    InvalidSchema::at(name, "built in: it cannot be declared in another way")
}

/// Whether both have the same fields, and the same messages inside. Both are within the limits of depth.
fn is_same(given: &DescriptorProto, built_in: &DescriptorProto) -> bool {
    let is_same_field = |(given, built_in): (&FieldDescriptorProto, &FieldDescriptorProto)| {
        let kind = |field: &FieldDescriptorProto| field.r#type.filter(|_| field.type_name.is_none());
        let name = |field: &FieldDescriptorProto| {
            let name = field.type_name.as_deref()?;
            name.rsplit('.').next().map(str::to_owned)
        };
        let number = |field: &FieldDescriptorProto| (field.number(), field.label(), kind(field), name(field));
        // A named type is resolved later; a group has both.
        let is_group = |field: &FieldDescriptorProto| field.r#type() == Type::Group && field.r#type.is_some();
        number(given) == number(built_in) && is_group(given) == is_group(built_in)
    };
    let mut given_fields: Vec<_> = given.field.iter().collect();
    let mut fields: Vec<_> = built_in.field.iter().collect();
    given_fields.sort_by_key(|field| field.number());
    fields.sort_by_key(|field| field.number());
    given_fields.len() == fields.len()
        && given_fields.into_iter().zip(fields).all(is_same_field)
        && given
            .enum_type
            .iter()
            .map(EnumDescriptorProto::name)
            .eq(built_in.enum_type.iter().map(EnumDescriptorProto::name))
        && given.nested_type.len() == built_in.nested_type.len()
        && given.nested_type.iter().all(|inner| {
            let twin = built_in.nested_type.iter().find(|twin| twin.name() == inner.name());
            twin.is_some_and(|twin| is_same(inner, twin))
        })
}
