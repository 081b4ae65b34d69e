//! Options of a serialized descriptor, back in the form in which a text has them.
//!
//! A descriptor carries its options as messages, of which some fields are declared by imports. The pool knows them; here
//! they become names and values, as the parser leaves them of a text, so that everything else knows one form.

use prost_reflect::prost_types::uninterpreted_option::NamePart;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, EnumValueOptions, ExtensionRangeOptions,
    FieldDescriptorProto, FieldOptions, FileDescriptorProto, FileOptions, MessageOptions, MethodOptions,
    OneofOptions, ServiceDescriptorProto, ServiceOptions, UninterpretedOption,
};
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, Kind, MapKey, MessageDescriptor, Value};

use super::options::{OptionValue, number_text};
use crate::MAX_DEPTH;

/// Replaces the options of a part by the given ones.
macro_rules! replace {
    ($options:expr, $kind:ident, $message:expr) => {
        if $options.is_some() {
            let uninterpreted_option = uninterpreted(&$message);
            let mut options = $kind::default();
            options.uninterpreted_option = uninterpreted_option;
            $options = Some(options);
        }
    };
}

/// Spells out the options of a file that was linked.
pub(super) fn spell_out(proto: &mut FileDescriptorProto, file: &FileDescriptor) {
    let pool = file.parent_pool();
    let package = proto.package().to_owned();
    replace!(proto.options, FileOptions, file.options());
    for message in &mut proto.message_type {
        spell_out_message(message, &package, pool);
    }
    for enumeration in &mut proto.enum_type {
        spell_out_enum(enumeration, &package, pool);
    }
    for field in &mut proto.extension {
        drop_json_name(field);
        if let Some(known) = pool.get_extension_by_name(&join(&package, field.name())) {
            replace!(field.options, FieldOptions, known.options());
        }
    }
    for service in &mut proto.service {
        spell_out_service(service, &package, pool);
    }
}

/// Compilers fill in the name that the JSON mapping has anyway.
fn drop_json_name(field: &mut FieldDescriptorProto) {
    if field.json_name.as_deref() == Some(json_name(field.name()).as_str()) {
        field.json_name = None;
    }
}

/// The name of a field in JSON unless it says another: lowerCamelCase.
fn json_name(name: &str) -> String {
    let mut found = String::with_capacity(name.len());
    let mut is_upper = false;
    for sign in name.chars() {
        match sign {
            '_' => is_upper = true,
            sign if std::mem::take(&mut is_upper) => found.push(sign.to_ascii_uppercase()),
            sign => found.push(sign),
        }
    }
    found
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

fn spell_out_message(proto: &mut DescriptorProto, scope: &str, pool: &DescriptorPool) {
    let full_name = join(scope, proto.name());
    let Some(message) = pool.get_message_by_name(&full_name) else { return };
    replace!(proto.options, MessageOptions, message.options());
    for field in &mut proto.field {
        drop_json_name(field);
        if let Some(known) = message.get_field_by_name(field.name()) {
            replace!(field.options, FieldOptions, known.options());
        }
    }
    for field in &mut proto.extension {
        drop_json_name(field);
        if let Some(known) = pool.get_extension_by_name(&join(&full_name, field.name())) {
            replace!(field.options, FieldOptions, known.options());
        }
    }
    for (oneof, known) in proto.oneof_decl.iter_mut().zip(message.oneofs()) {
        replace!(oneof.options, OneofOptions, known.options());
    }
    for range in &mut proto.extension_range {
        // What the options of a range declare is for code generators; there is no way to them here.
        range.options = None::<ExtensionRangeOptions>;
    }
    for nested in &mut proto.nested_type {
        spell_out_message(nested, &full_name, pool);
    }
    for enumeration in &mut proto.enum_type {
        spell_out_enum(enumeration, &full_name, pool);
    }
}

fn spell_out_enum(proto: &mut EnumDescriptorProto, scope: &str, pool: &DescriptorPool) {
    let Some(enumeration) = pool.get_enum_by_name(&join(scope, proto.name())) else { return };
    replace!(proto.options, EnumOptions, enumeration.options());
    for value in &mut proto.value {
        if let Some(known) = enumeration.get_value_by_name(value.name()) {
            replace!(value.options, EnumValueOptions, known.options());
        }
    }
}

fn spell_out_service(proto: &mut ServiceDescriptorProto, scope: &str, pool: &DescriptorPool) {
    let Some(service) = pool.get_service_by_name(&join(scope, proto.name())) else { return };
    replace!(proto.options, ServiceOptions, service.options());
    for (method, known) in proto.method.iter_mut().zip(service.methods()) {
        replace!(method.options, MethodOptions, known.options());
    }
}

/// The fields that are set, as options.
fn uninterpreted(options: &DynamicMessage) -> Vec<UninterpretedOption> {
    let own = options.fields().map(|(field, value)| {
        let part = NamePart { name_part: field.name().to_owned(), is_extension: false };
        (part, field.kind(), value)
    });
    let custom = options.extensions().map(|(field, value)| {
        let part = NamePart { name_part: field.full_name().to_owned(), is_extension: true };
        (part, field.kind(), value)
    });
    let mut found = Vec::new();
    for (part, kind, value) in own.chain(custom) {
        let values = match value {
            Value::List(values) => values.iter().collect(),
            other => vec![other],
        };
        for value in values {
            found.extend(option_value(value, &kind, 0).map(|value| named(part.clone(), value)));
        }
    }
    found
}

fn named(part: NamePart, value: OptionValue) -> UninterpretedOption {
    let mut option = UninterpretedOption { name: vec![part], ..UninterpretedOption::default() };
    match value {
        OptionValue::Plain(word) => option.identifier_value = Some(word),
        OptionValue::Text(bytes) => option.string_value = Some(bytes),
        aggregate => option.aggregate_value = Some(aggregate.aggregate()),
    }
    option
}

/// `None` beyond the limit of depth, and for keys of maps that are no text.
fn option_value(value: &Value, kind: &Kind, depth: usize) -> Option<OptionValue> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match value {
        Value::Bool(value) => OptionValue::Plain(value.to_string()),
        Value::I32(value) => OptionValue::Plain(value.to_string()),
        Value::I64(value) => OptionValue::Plain(value.to_string()),
        Value::U32(value) => OptionValue::Plain(value.to_string()),
        Value::U64(value) => OptionValue::Plain(value.to_string()),
        Value::F32(value) => OptionValue::Plain(number_text(f64::from(*value))),
        Value::F64(value) => OptionValue::Plain(number_text(*value)),
        Value::String(text) => OptionValue::Text(text.clone().into_bytes()),
        Value::Bytes(bytes) => OptionValue::Text(bytes.to_vec()),
        Value::EnumNumber(number) => {
            let known = kind.as_enum().and_then(|known| known.get_value(*number));
            OptionValue::Plain(known.map_or_else(|| number.to_string(), |known| known.name().to_owned()))
        }
        Value::Message(message) => message_value(message, depth + 1)?,
        Value::List(values) => {
            let values = values.iter().map(|value| option_value(value, kind, depth + 1));
            OptionValue::List(values.collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let value_kind = kind.as_message().map(MessageDescriptor::map_entry_value_field)?.kind();
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key_value(key), value)).collect();
            entries.sort_by_key(|(key, _)| key.aggregate());
            let entries = entries.into_iter().map(|(key, value)| {
                let value = option_value(value, &value_kind, depth + 1)?;
                Some(OptionValue::Map(vec![("key".to_owned(), key), ("value".to_owned(), value)]))
            });
            OptionValue::List(entries.collect::<Option<_>>()?)
        }
    })
}

fn message_value(message: &DynamicMessage, depth: usize) -> Option<OptionValue> {
    let own = message.fields().map(|(field, value)| (field.name().to_owned(), field.kind(), value));
    let custom =
        message.extensions().map(|(field, value)| (format!("[{}]", field.full_name()), field.kind(), value));
    let fields =
        own.chain(custom).map(|(name, kind, value)| Some((name, option_value(value, &kind, depth)?)));
    fields.collect::<Option<_>>().map(OptionValue::Map)
}

fn key_value(key: &MapKey) -> OptionValue {
    match key {
        MapKey::Bool(key) => OptionValue::Plain(key.to_string()),
        MapKey::I32(key) => OptionValue::Plain(key.to_string()),
        MapKey::I64(key) => OptionValue::Plain(key.to_string()),
        MapKey::U32(key) => OptionValue::Plain(key.to_string()),
        MapKey::U64(key) => OptionValue::Plain(key.to_string()),
        MapKey::String(key) => OptionValue::Text(key.clone().into_bytes()),
    }
}
