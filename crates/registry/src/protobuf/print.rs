//! Text of a file in the form that Confluent's registry keeps and gives back.
//!
//! The order of parts and the lines between them are those of its `ProtobufSchemaUtils`: syntax, package, imports, options,
//! messages, enums, extensions, services; within a message reserved names, options, fields, oneofs, groups, extension
//! ranges, extensions, messages, enums. Comments are not part of it.

use std::collections::{HashMap, HashSet};

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
    UninterpretedOption,
};

use super::check::{is_generated_entry, is_map_entry};
use super::options::{OptionValue, PrintOption, number_text};
use super::ranges;

/// Which of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it was written, as far as order and names go.
    Canonical,
    /// Sorted, with all names in full: `normalize=true`.
    Normal,
}

/// Prints a file, up to a number of bytes. `None` if there would be more.
pub(super) fn print(file: &FileDescriptorProto, form: Form, limit: usize) -> Option<String> {
    let mut printer =
        Printer { out: String::new(), indent: 0, form, is_proto3: file.syntax() == "proto3", limit };
    printer.file(file);
    (printer.out.len() <= limit).then_some(printer.out)
}

/// The name of a scalar type.
pub(super) fn scalar(kind: Type) -> &'static str {
    match kind {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Fixed64 => "fixed64",
        Type::Fixed32 => "fixed32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Uint32 => "uint32",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
        Type::Group => "group",
        Type::Message => "message",
        Type::Enum => "enum",
    }
}

/// Messages by their names in the message or file around them.
type NestedMessages<'a> = HashMap<&'a str, &'a DescriptorProto>;

fn nested(messages: &[DescriptorProto]) -> NestedMessages<'_> {
    messages.iter().map(|message| (message.name(), message)).collect()
}

/// The last part of a dotted name.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

struct Printer {
    out: String,
    indent: usize,
    form: Form,
    is_proto3: bool,
    limit: usize,
}

impl Printer {
    /// Lines, each indented; what is beyond the limit is left out, for it makes no text at all.
    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            if self.out.len() > self.limit {
                return;
            }
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// A line between parts: not quite empty within a message, as the registry has it.
    fn gap(&mut self, is_first: &mut bool) {
        if !std::mem::take(is_first) {
            self.out.extend(std::iter::repeat_n(' ', self.indent.saturating_sub(2)));
            self.out.push('\n');
        }
    }

    /// `head {`, what is inside, `}`; on one line where nothing is.
    fn block(&mut self, head: &str, is_empty: bool, inside: impl FnOnce(&mut Self)) {
        if is_empty {
            self.lines(&format!("{head} {{}}"));
            return;
        }
        self.lines(&format!("{head} {{"));
        self.indent += 2;
        inside(self);
        self.indent -= 2;
        self.lines("}");
    }

    fn file(&mut self, file: &FileDescriptorProto) {
        if let Some(syntax) = &file.syntax
            && (self.form == Form::Canonical || self.is_proto3)
        {
            self.lines(&format!("syntax = \"{syntax}\";"));
        }
        if let Some(package) = file.package.as_ref().filter(|package| !package.is_empty()) {
            self.lines(&format!("package {package};"));
        }
        self.imports(file);
        let options = file.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let options = self.options(options.unwrap_or_default());
        if !options.is_empty() {
            self.out.push('\n');
            self.option_statements(&options);
        }
        if !file.message_type.is_empty() || !file.enum_type.is_empty() {
            self.out.push('\n');
            file.message_type.iter().for_each(|message| self.message(message));
            file.enum_type.iter().for_each(|enumeration| self.enumeration(enumeration));
        }
        if !file.extension.is_empty() {
            self.out.push('\n');
            self.extensions(&file.extension, &nested(&file.message_type));
        }
        if !file.service.is_empty() {
            self.out.push('\n');
            file.service.iter().for_each(|service| self.service(service));
        }
    }

    fn imports(&mut self, file: &FileDescriptorProto) {
        if file.dependency.is_empty() {
            return;
        }
        self.out.push('\n');
        let is_in = |list: &[i32], at: usize| list.iter().any(|index| usize::try_from(*index) == Ok(at));
        let kind = |at| match (is_in(&file.public_dependency, at), is_in(&file.weak_dependency, at)) {
            (true, _) => "public ",
            (_, true) => "weak ",
            _ => "",
        };
        for wanted in ["", "weak ", "public "] {
            for (_, path) in file.dependency.iter().enumerate().filter(|(at, _)| kind(*at) == wanted) {
                self.lines(&format!("import {wanted}\"{path}\";"));
            }
        }
    }

    fn options(&self, options: &[UninterpretedOption]) -> Vec<PrintOption> {
        match self.form {
            Form::Canonical => options.iter().map(PrintOption::new).collect(),
            Form::Normal => PrintOption::normal_list(options),
        }
    }

    fn option_statements(&mut self, options: &[PrintOption]) {
        options.iter().for_each(|option| self.lines(&format!("option {};", option.text())));
    }

    fn message(&mut self, message: &DescriptorProto) {
        let is_empty = Body::of(message, self).is_empty();
        self.block(&format!("message {}", message.name()), is_empty, |printer| printer.body(message));
    }

    fn body(&mut self, message: &DescriptorProto) {
        let body = Body::of(message, self);
        let nested = &nested(&message.nested_type);
        let is_first = &mut true;
        let reserved = self.reserved(message);
        if !reserved.is_empty() {
            self.gap(is_first);
            self.lines(&reserved);
        }
        if !body.options.is_empty() {
            self.gap(is_first);
            self.option_statements(&body.options);
        }
        if !body.fields.is_empty() {
            self.gap(is_first);
            body.fields.iter().for_each(|field| self.field(field, nested));
        }
        if !body.oneofs.is_empty() {
            self.gap(is_first);
            body.oneofs.iter().for_each(|(at, fields)| self.oneof(message, *at, fields, nested));
        }
        if !body.groups.is_empty() {
            self.gap(is_first);
            body.groups.iter().for_each(|group| self.group(group, nested));
        }
        let extensible = self.extension_ranges(message);
        if !extensible.is_empty() {
            self.gap(is_first);
            self.lines(&extensible);
        }
        if !message.extension.is_empty() {
            self.gap(is_first);
            self.extensions(&message.extension, nested);
        }
        if !body.messages.is_empty() || !message.enum_type.is_empty() {
            self.gap(is_first);
            body.messages.iter().for_each(|message| self.message(message));
            message.enum_type.iter().for_each(|enumeration| self.enumeration(enumeration));
        }
    }

    fn reserved(&self, message: &DescriptorProto) -> String {
        // The end of a range of fields is not in it.
        let inside =
            message.reserved_range.iter().map(|range| (range.start(), range.end().saturating_sub(1)));
        ranges::reserved(self.form, inside.collect(), &message.reserved_name, ranges::MAX_FIELD)
    }

    fn extension_ranges(&self, message: &DescriptorProto) -> String {
        let mut out = String::new();
        let mut rest = &message.extension_range[..];
        let mut sorted;
        if self.form == Form::Normal {
            sorted = rest.to_vec();
            sorted.sort_by_key(|range| range.start());
            rest = &sorted;
        }
        while let Some(first) = rest.first() {
            // Ranges of one statement have the same options.
            let same = rest.iter().take_while(|range| range.options == first.options).count();
            let taken = if self.form == Form::Normal { 1 } else { same };
            let numbers: Vec<String> = rest
                .iter()
                .take(taken)
                .map(|range| ranges::range(range.start(), range.end().saturating_sub(1), ranges::MAX_FIELD))
                .collect();
            let options = first.options.as_ref().map(|options| &options.uninterpreted_option[..]);
            let options = option_list(&self.options(options.unwrap_or_default()));
            out.push_str(&format!("extensions {}{options};\n", numbers.join(", ")));
            rest = rest.get(taken..).unwrap_or_default();
        }
        out
    }

    fn oneof(
        &mut self,
        message: &DescriptorProto,
        at: usize,
        fields: &[&FieldDescriptorProto],
        nested: &NestedMessages<'_>,
    ) {
        let Some(oneof) = message.oneof_decl.get(at) else { return };
        let options = oneof.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let options = self.options(options.unwrap_or_default());
        self.block(&format!("oneof {}", oneof.name()), false, |printer| {
            let is_first = &mut true;
            if !options.is_empty() {
                printer.gap(is_first);
                printer.option_statements(&options);
            }
            printer.gap(is_first);
            for field in fields {
                if field.r#type() == Type::Group && field.r#type.is_some() {
                    printer.group(field, nested);
                } else {
                    printer.field(field, nested);
                }
            }
        });
    }

    fn label(&self, field: &FieldDescriptorProto) -> &'static str {
        match field.label() {
            _ if field.oneof_index.is_some() && !field.proto3_optional() => "",
            Label::Repeated => "repeated ",
            Label::Required => "required ",
            Label::Optional if self.is_proto3 && !field.proto3_optional() => "",
            Label::Optional => "optional ",
        }
    }

    fn field(&mut self, field: &FieldDescriptorProto, nested: &NestedMessages<'_>) {
        let entry = self.entry(field, nested);
        let kind = match (&entry, &field.type_name) {
            (Some(kind), _) => kind.clone(),
            (None, Some(name)) => name.clone(),
            (None, None) => scalar(field.r#type()).to_owned(),
        };
        let label = if entry.is_some() { "" } else { self.label(field) };
        let options = option_list(&self.field_options(field));
        self.lines(&format!("{label}{kind} {} = {}{options};", field.name(), field.number()));
    }

    /// `map<…>`, where the field's type is an entry that the text does not write out.
    fn entry(&self, field: &FieldDescriptorProto, nested: &NestedMessages<'_>) -> Option<String> {
        let name = last_part(field.type_name.as_deref()?);
        let is_folded = |message: &DescriptorProto| match self.form {
            Form::Canonical => is_generated_entry(message),
            Form::Normal => is_map_entry(message),
        };
        let entry = nested.get(name).filter(|entry| is_folded(entry))?;
        let [key, value] = &entry.field[..] else { return None };
        let kind = value.type_name.clone().unwrap_or_else(|| scalar(value.r#type()).to_owned());
        Some(format!("map<{}, {kind}>", scalar(key.r#type())))
    }

    fn field_options(&self, field: &FieldDescriptorProto) -> Vec<PrintOption> {
        let options = field.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let mut options = self.options(options.unwrap_or_default());
        if let Some(default) = &field.default_value {
            let value = match field.r#type() {
                Type::String if field.r#type.is_some() => OptionValue::Text(default.clone().into_bytes()),
                // The parser has escaped the bytes.
                Type::Bytes => OptionValue::Plain(format!("\"{default}\"")),
                Type::Double | Type::Float if field.r#type.is_some() => {
                    OptionValue::Plain(default.parse().map_or_else(|_| default.clone(), number_text))
                }
                _ => OptionValue::Plain(default.clone()),
            };
            options.push(PrintOption { name: "default".to_owned(), value });
        }
        if let Some(name) = &field.json_name {
            let value = OptionValue::Text(name.clone().into_bytes());
            options.push(PrintOption { name: "json_name".to_owned(), value });
        }
        if self.form == Form::Normal {
            options.sort_by_cached_key(PrintOption::sort_key);
        }
        options
    }

    fn group(&mut self, field: &FieldDescriptorProto, nested: &NestedMessages<'_>) {
        let name = last_part(field.type_name());
        let Some(message) = nested.get(name) else { return };
        let options = option_list(&self.field_options(field));
        let head = format!("{}group {name} = {}{options}", self.label(field), field.number());
        let is_empty = Body::of(message, self).is_empty();
        self.block(&head, is_empty, |printer| printer.body(message));
    }

    /// Extensions of one type that follow each other share a block.
    fn extensions(&mut self, fields: &[FieldDescriptorProto], nested: &NestedMessages<'_>) {
        // No extension is a map.
        let none = NestedMessages::new();
        for block in fields.chunk_by(|one, next| one.extendee == next.extendee) {
            let Some(first) = block.first() else { continue };
            self.block(&format!("extend {}", first.extendee()), false, |printer| {
                for field in block {
                    if field.r#type() == Type::Group && field.r#type.is_some() {
                        printer.group(field, nested);
                    } else {
                        printer.field(field, &none);
                    }
                }
            });
        }
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptorProto) {
        let options = enumeration.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let options = self.options(options.unwrap_or_default());
        let mut values: Vec<_> = enumeration.value.iter().collect();
        if self.form == Form::Normal {
            values.sort_by_key(|value| (value.number(), value.name()));
        }
        self.block(&format!("enum {}", enumeration.name()), false, |printer| {
            // The end of a range of numbers is in it.
            let inside = enumeration.reserved_range.iter().map(|range| (range.start(), range.end()));
            let reserved =
                ranges::reserved(printer.form, inside.collect(), &enumeration.reserved_name, i32::MAX);
            printer.lines(&reserved);
            printer.option_statements(&options);
            for value in values {
                let options = value.options.as_ref().map(|options| &options.uninterpreted_option[..]);
                let options = option_list(&printer.options(options.unwrap_or_default()));
                printer.lines(&format!("{} = {}{options};", value.name(), value.number()));
            }
        });
    }

    fn service(&mut self, service: &ServiceDescriptorProto) {
        let options = service.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let options = self.options(options.unwrap_or_default());
        let is_empty = options.is_empty() && service.method.is_empty();
        self.block(&format!("service {}", service.name()), is_empty, |printer| {
            let is_first = &mut true;
            if !options.is_empty() {
                printer.gap(is_first);
                printer.option_statements(&options);
            }
            if !service.method.is_empty() {
                printer.gap(is_first);
            }
            for method in &service.method {
                let stream = |is_stream: bool| if is_stream { "stream " } else { "" };
                let head = format!(
                    "rpc {} ({}{}) returns ({}{})",
                    method.name(),
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type()
                );
                let options = method.options.as_ref().map(|options| &options.uninterpreted_option[..]);
                let options = printer.options(options.unwrap_or_default());
                if options.is_empty() {
                    printer.lines(&format!("{head};"));
                } else {
                    let statements: Vec<_> = options
                        .iter()
                        .map(|option| indented(&format!("option {};", option.text())))
                        .collect();
                    printer.lines(&format!("{head} {{\n{}}};", statements.concat()));
                }
            }
        });
    }
}

/// ` [a = b]`, or with one option a line where there are more; empty without options.
fn option_list(options: &[PrintOption]) -> String {
    match options {
        [] => String::new(),
        [only] => format!(" [{}]", only.text()),
        several => {
            let lines: Vec<_> = several.iter().map(|option| indented(&option.text())).collect();
            let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
            format!(" [\n{}\n]", lines.join(",\n"))
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// The parts of a message, apart.
struct Body<'a> {
    options: Vec<PrintOption>,
    fields: Vec<&'a FieldDescriptorProto>,
    oneofs: Vec<(usize, Vec<&'a FieldDescriptorProto>)>,
    groups: Vec<&'a FieldDescriptorProto>,
    messages: Vec<&'a DescriptorProto>,
    is_bare: bool,
}

impl<'a> Body<'a> {
    fn of(message: &'a DescriptorProto, printer: &Printer) -> Self {
        let options = message.options.as_ref().map(|options| &options.uninterpreted_option[..]);
        let mut all: Vec<_> = message.field.iter().collect();
        if printer.form == Form::Normal {
            all.sort_by_key(|field| field.number());
        }
        let is_group = |field: &FieldDescriptorProto| field.r#type() == Type::Group && field.r#type.is_some();
        let oneof = |field: &FieldDescriptorProto| {
            let index = field.oneof_index.filter(|_| !field.proto3_optional())?;
            usize::try_from(index).ok()
        };
        let (mut fields, mut groups) = (Vec::new(), Vec::new());
        let mut oneofs: Vec<(usize, Vec<_>)> = Vec::new();
        for field in all {
            match oneof(field) {
                Some(at) => match oneofs.iter_mut().find(|(known, _)| *known == at) {
                    Some((_, fields)) => fields.push(field),
                    None => oneofs.push((at, vec![field])),
                },
                None if is_group(field) => groups.push(field),
                None => fields.push(field),
            }
        }
        if printer.form == Form::Canonical {
            oneofs.sort_by_key(|(at, _)| *at);
        }
        let group_fields = message.field.iter().chain(&message.extension).filter(|field| is_group(field));
        let group_names: HashSet<_> = group_fields.map(|field| last_part(field.type_name())).collect();
        let is_written = |nested: &&DescriptorProto| {
            let is_folded = match printer.form {
                Form::Canonical => is_generated_entry(nested),
                Form::Normal => is_map_entry(nested),
            };
            !is_folded && !group_names.contains(nested.name())
        };
        let is_bare = message.reserved_range.is_empty()
            && message.reserved_name.is_empty()
            && message.extension_range.is_empty()
            && message.extension.is_empty()
            && message.enum_type.is_empty();
        let options = printer.options(options.unwrap_or_default());
        let messages = message.nested_type.iter().filter(is_written).collect();
        Self { options, fields, oneofs, groups, messages, is_bare }
    }

    fn is_empty(&self) -> bool {
        self.is_bare
            && self.options.is_empty()
            && self.fields.is_empty()
            && self.oneofs.is_empty()
            && self.groups.is_empty()
            && self.messages.is_empty()
    }
}
