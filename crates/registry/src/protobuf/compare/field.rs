//! Fields of one number: their names, labels and types.

use prost_reflect::prost_types::field_descriptor_proto::Label;
use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, Syntax};

use super::{Comparison, DifferenceKind, Pair, is_own, local_name};
use crate::protobuf::scalars::type_name;

/// Types whose values are written alike (Protobuf's rules for updating a message).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScalarKind {
    GeneralNumber,
    SignedNumber,
    StringOrBytes,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

/// A field's type, as `SchemaDiff` sorts them.
enum FieldKind {
    Scalar(ScalarKind),
    Message(MessageDescriptor),
    Map(Kind, Kind),
}

impl FieldKind {
    fn of(kind: Kind) -> Self {
        Self::Scalar(match kind {
            Kind::Message(message) if message.is_map_entry() => {
                return Self::Map(
                    message.map_entry_key_field().kind(),
                    message.map_entry_value_field().kind(),
                );
            }
            Kind::Message(message) => return Self::Message(message),
            Kind::Enum(_) | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool => {
                ScalarKind::GeneralNumber
            }
            Kind::Sint32 | Kind::Sint64 => ScalarKind::SignedNumber,
            Kind::String | Kind::Bytes => ScalarKind::StringOrBytes,
            Kind::Fixed32 | Kind::Sfixed32 => ScalarKind::Fixed32,
            Kind::Fixed64 | Kind::Sfixed64 => ScalarKind::Fixed64,
            Kind::Float => ScalarKind::Float,
            Kind::Double => ScalarKind::Double,
        })
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "a scalar",
            Self::Message(_) => "a message",
            Self::Map(..) => "a map",
        }
    }
}

/// Compares two fields that have the same number.
pub(super) fn compare(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    original: &FieldDescriptor,
    update: &FieldDescriptor,
) {
    if original.name() != update.name() {
        let message = format!("field {} is called {} in the reader's schema", original.name(), update.name());
        pair.add(DifferenceKind::FieldNameChanged, message);
    }
    let labels = written_label(original).zip(written_label(update));
    compare_types(comparison, pair, original.name(), labels, original.kind(), update.kind());
}

/// The label that the schema's text has. `proto3` has none on most fields, and fields of a oneof have none at all; what is
/// not written is not compared.
fn written_label(field: &FieldDescriptor) -> Option<Label> {
    let is_optional = field.field_descriptor_proto().proto3_optional();
    if field.containing_oneof().is_some() && !is_optional {
        return None;
    }
    match field.cardinality() {
        Cardinality::Repeated => Some(Label::Repeated),
        Cardinality::Required => Some(Label::Required),
        Cardinality::Optional => {
            let is_written = is_optional || field.parent_message().parent_file().syntax() == Syntax::Proto2;
            is_written.then_some(Label::Optional)
        }
    }
}

fn compare_types(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    name: &str,
    labels: Option<(Label, Label)>,
    original: Kind,
    update: Kind,
) {
    let (was, is) = (type_name(&original), type_name(&update));
    match (FieldKind::of(original), FieldKind::of(update)) {
        (FieldKind::Scalar(original), FieldKind::Scalar(update)) => {
            if original != update {
                let message = format!(
                    "field {name} is {was} in the writer's schema and {is} in the reader's, which are written differently"
                );
                pair.add(DifferenceKind::FieldScalarKindChanged, message);
            } else if let Some((before, after)) = labels.filter(|(before, after)| before != after) {
                let kind = match original {
                    ScalarKind::StringOrBytes => DifferenceKind::FieldStringOrBytesLabelChanged,
                    _ => DifferenceKind::FieldNumericLabelChanged,
                };
                let message = format!(
                    "field {name} is {} in the writer's schema and {} in the reader's",
                    label(before),
                    label(after)
                );
                pair.add(kind, message);
            }
        }
        (FieldKind::Message(original), FieldKind::Message(update)) => {
            compare_messages(comparison, pair, name, &original, &update);
        }
        (FieldKind::Map(key, value), FieldKind::Map(update_key, update_value)) => {
            compare_types(comparison, pair, name, None, key, update_key);
            compare_types(comparison, pair, name, None, value, update_value);
        }
        (original, update) => {
            let message = format!(
                "field {name} is {} ({was}) in the writer's schema and {} ({is}) in the reader's",
                original.as_str(),
                update.as_str()
            );
            pair.add(DifferenceKind::FieldKindChanged, message);
        }
    }
}

fn label(label: Label) -> &'static str {
    match label {
        Label::Optional => "optional",
        Label::Required => "required",
        Label::Repeated => "repeated",
    }
}

fn compare_messages(
    comparison: &mut Comparison<'_>,
    pair: &mut Pair,
    name: &str,
    original: &MessageDescriptor,
    update: &MessageDescriptor,
) {
    let (was, is) = (original.full_name(), update.full_name());
    if local_name(original) != local_name(update) {
        let message =
            format!("field {name} is of message {was} in the writer's schema and of {is} in the reader's");
        pair.add(DifferenceKind::FieldNamedTypeChanged, message);
    } else if !(is_own(original) && is_own(update)) {
        // Messages that both schemas declare are compared where they are declared.
        let message =
            format!("field {name} is of message {is}, which is incompatible with the writer's {was}");
        let difference = pair.difference(DifferenceKind::FieldNamedTypeChanged, message);
        let target = comparison.pair(original, update);
        pair.uses.push((target, difference));
    }
}
