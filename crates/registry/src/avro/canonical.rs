//! Texts of a schema: as Java Avro and Confluent's registry write it, and the parsing canonical form.
//!
//! Invariants: a type is written where it is met first, and by its name from then on; so texts grow with the number of
//! types. They are written without recursion, for a chain of types that name each other may be long.

use std::borrow::Cow;
use std::collections::HashSet;

use super::defaults::Defaults;
use super::json::{Json, java_order, write_string};
use super::types::{Field, Kind, Naming, Order, Type, TypeId, Types};

/// A form of a schema's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `Schema.toString` of Java Avro, which Confluent's registry keeps.
    Canonical,
    /// The same of what `AvroSchema.normalize` of Confluent's registry gives: properties and aliases by their names,
    /// defaults as their types have them.
    Normal,
    /// The parsing canonical form of the specification.
    Parsing,
}

/// What is still to be written.
enum Piece<'a> {
    Type(TypeId, Option<&'a str>),
    Text(Cow<'a, str>),
}

struct Writer<'a> {
    types: &'a Types,
    form: Form,
    /// Full names of types that are written by their names alone.
    known: HashSet<&'a str>,
    defaults: Defaults<'a>,
    /// The next one last.
    left: Vec<Piece<'a>>,
    out: String,
}

/// Writes `root`; types of `known` names by their names alone.
pub(crate) fn write(types: &Types, root: TypeId, known: &[String], form: Form) -> String {
    let known =
        if form == Form::Parsing { HashSet::new() } else { known.iter().map(String::as_str).collect() };
    let defaults = Defaults::of(types);
    let mut writer = Writer { types, form, known, defaults, left: Vec::new(), out: String::new() };
    writer.left.push(Piece::Type(root, None));
    while let Some(piece) = writer.left.pop() {
        match piece {
            Piece::Text(text) => writer.out.push_str(&text),
            Piece::Type(id, namespace) => {
                let mut pieces = Pieces::default();
                writer.one(id, namespace, &mut pieces);
                writer.left.extend(pieces.0.into_iter().rev());
            }
        }
    }
    writer.out
}

/// The most types around a type, where each is written where it is met first; types of `known` names have no parts.
///
/// It is not that of the text that was read if types come before their definitions there.
pub(crate) fn nesting(types: &Types, root: TypeId, known: &[String]) -> usize {
    let mut known: HashSet<&str> = known.iter().map(String::as_str).collect();
    let mut left = vec![(root, 0)];
    let mut deepest = 0;
    while let Some((id, depth)) = left.pop() {
        let kind = types.kind(id);
        if kind.naming().is_some_and(|naming| !known.insert(naming.name.full())) {
            continue;
        }
        deepest = deepest.max(depth);
        match kind {
            Kind::Array(inner) | Kind::Map(inner) => left.push((*inner, depth + 1)),
            Kind::Union(branches) => left.extend(branches.iter().rev().map(|branch| (*branch, depth + 1))),
            Kind::Record(record) => {
                left.extend(record.fields.iter().rev().map(|field| (field.of, depth + 1)));
            }
            _ => {}
        }
    }
    deepest
}

#[derive(Default)]
struct Pieces<'a>(Vec<Piece<'a>>);

impl<'a> Pieces<'a> {
    fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        self.0.push(Piece::Text(text.into()));
    }

    fn of_type(&mut self, id: TypeId, namespace: Option<&'a str>) {
        self.0.push(Piece::Type(id, namespace));
    }
}

impl<'a> Writer<'a> {
    fn one(&mut self, id: TypeId, namespace: Option<&'a str>, to: &mut Pieces<'a>) {
        let of: &'a Type = self.types.get(id);
        let kind = &of.kind;
        if let Some(naming) = kind.naming() {
            let full = naming.name.full();
            if !self.known.insert(full) {
                let name = if self.form == Form::Parsing { full } else { naming.name.within(namespace) };
                return to.text(quoted(name));
            }
        }
        match kind {
            Kind::Union(branches) => {
                to.text("[");
                for (at, branch) in branches.iter().enumerate() {
                    if at > 0 {
                        to.text(",");
                    }
                    to.of_type(*branch, namespace);
                }
                to.text("]");
            }
            Kind::Array(inner) | Kind::Map(inner) => {
                let part = if matches!(kind, Kind::Array(_)) { "items" } else { "values" };
                to.text(format!("{{\"type\":\"{}\",\"{part}\":", kind.type_name()));
                to.of_type(*inner, namespace);
                to.text(self.properties(of));
                to.text("}");
            }
            Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => self.named(of, namespace, to),
            _ => {
                let properties = self.properties(of);
                if properties.is_empty() {
                    to.text(quoted(kind.type_name()));
                } else {
                    to.text(format!("{{\"type\":\"{}\"{properties}}}", kind.type_name()));
                }
            }
        }
    }

    fn named(&mut self, of: &'a Type, namespace: Option<&'a str>, to: &mut Pieces<'a>) {
        let Some(naming) = of.kind.naming() else { return };
        let type_name = match &of.kind {
            Kind::Record(record) if record.is_error && self.form == Form::Canonical => "error",
            other => other.type_name(),
        };
        to.text(self.head(naming, type_name, namespace));
        match &of.kind {
            Kind::Record(record) => {
                to.text(",\"fields\":[");
                for (at, field) in record.fields.iter().enumerate() {
                    to.text(format!(
                        "{}{{\"name\":{},\"type\":",
                        if at > 0 { "," } else { "" },
                        quoted(&field.name)
                    ));
                    to.of_type(field.of, naming.name.namespace());
                    let mut rest = self.field(field);
                    rest.push('}');
                    to.text(rest);
                }
                to.text("]");
            }
            Kind::Enum(symbols) => {
                let list: Vec<String> = symbols.symbols.iter().map(|symbol| quoted(symbol)).collect();
                to.text(format!(",\"symbols\":[{}]", list.join(",")));
                if let Some(default) = symbols.default.as_ref().filter(|_| self.form != Form::Parsing) {
                    to.text(format!(",\"default\":{}", quoted(default)));
                }
            }
            Kind::Fixed(fixed) => to.text(format!(",\"size\":{}", fixed.size)),
            _ => {}
        }
        to.text(self.properties(of));
        to.text(self.aliases(naming));
        to.text("}");
    }

    fn head(&self, naming: &Naming, type_name: &str, namespace: Option<&str>) -> String {
        let name = &naming.name;
        if self.form == Form::Parsing {
            return format!("{{\"name\":{},\"type\":\"{type_name}\"", quoted(name.full()));
        }
        let mut head = format!("{{\"type\":\"{type_name}\",\"name\":{}", quoted(name.simple()));
        if name.namespace() != namespace {
            head.push_str(",\"namespace\":");
            write_string(name.namespace().unwrap_or_default(), &mut head);
        }
        let doc = naming.doc.as_ref().filter(|doc| self.form == Form::Canonical || !doc.is_empty());
        if let Some(doc) = doc {
            head.push_str(",\"doc\":");
            write_string(doc, &mut head);
        }
        head
    }

    fn aliases(&self, naming: &Naming) -> String {
        if naming.aliases.is_empty() || self.form == Form::Parsing {
            return String::new();
        }
        let mut aliases: Vec<_> = naming.aliases.iter().collect();
        if self.form == Form::Normal {
            aliases.sort_by(|a, b| java_order(a.full(), b.full()));
        }
        let namespace = naming.name.namespace();
        let written = aliases.into_iter().map(|alias| {
            // A name without a namespace is one of the type's namespace, if no dot says otherwise.
            let dot = if alias.namespace().is_none() && namespace.is_some() { "." } else { "" };
            quoted(&format!("{dot}{}", alias.within(namespace)))
        });
        format!(",\"aliases\":[{}]", written.collect::<Vec<_>>().join(","))
    }

    /// What follows the type of a field.
    fn field(&mut self, field: &Field) -> String {
        let mut out = String::new();
        if self.form == Form::Parsing {
            return out;
        }
        if let Some(doc) = &field.doc {
            out.push_str(",\"doc\":");
            write_string(doc, &mut out);
        }
        if let Some(default) = &field.default {
            out.push_str(",\"default\":");
            match self.form {
                Form::Normal => self.defaults.normal(field.of, default).write(&mut out, true),
                _ => default.write(&mut out, false),
            }
        }
        match field.order {
            Order::Ascending => {}
            Order::Descending => out.push_str(",\"order\":\"descending\""),
            Order::Ignore => out.push_str(",\"order\":\"ignore\""),
        }
        if !field.aliases.is_empty() {
            let mut aliases: Vec<&str> = field.aliases.iter().map(String::as_str).collect();
            if self.form == Form::Normal {
                aliases.sort_by(|a, b| java_order(a, b));
            }
            let aliases: Vec<String> = aliases.into_iter().map(quoted).collect();
            out.push_str(&format!(",\"aliases\":[{}]", aliases.join(",")));
        }
        self.list(field.properties.iter(), &mut out);
        out
    }

    fn properties(&self, of: &Type) -> String {
        let mut out = String::new();
        if self.form == Form::Parsing {
            return out;
        }
        let first = match of.logical {
            Some(logical) if self.form == Form::Normal => logical.property_names(),
            // Confluent's normalization knows it, where the codec here does not.
            None if self.form == Form::Normal && of.is_big_decimal() => &["logicalType"],
            _ => &[],
        };
        for name in first {
            self.list(of.properties.iter().filter(|(known, _)| known == name), &mut out);
        }
        self.list(of.properties.iter().filter(|(name, _)| !first.contains(&name.as_str())), &mut out);
        out
    }

    fn list<'b>(&self, properties: impl Iterator<Item = &'b (String, Json)>, out: &mut String) {
        let mut properties: Vec<_> = properties.collect();
        let sorted = self.form == Form::Normal;
        if sorted {
            properties.sort_by(|a, b| java_order(&a.0, &b.0));
        }
        for (name, value) in properties {
            out.push(',');
            write_string(name, out);
            out.push(':');
            value.write(out, sorted);
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// The 64-bit Rabin fingerprint of the specification, `CRC-64-AVRO`.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
    bytes.iter().fold(EMPTY, |before, byte| {
        let mut entry = (before ^ u64::from(*byte)) & 0xff;
        for _ in 0..8 {
            entry = (entry >> 1) ^ (EMPTY & (entry & 1).wrapping_neg());
        }
        (before >> 8) ^ entry
    })
}
