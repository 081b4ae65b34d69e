//! Reading of schemas, as the specification of Avro 1.12 has them and Java Avro reads them.

use std::collections::HashMap;

use super::defaults::{self, Defaults};
use super::equality;
use super::json::{Json, Object};
use super::logical::LogicalType;
use super::name::{Name, check_name};
use super::place::Place;
use super::types::{Enum, Field, FixedType, Kind, Naming, Order, Record, Type, TypeId, Types};
use crate::{InvalidSchema, MAX_DEPTH};

/// The most bytes of a fixed type, as in Java.
const MAX_FIXED: i64 = i32::MAX as i64 - 8;

/// The most names that are used before they are defined.
const MAX_FORWARD: usize = 10_000;

/// Properties that the specification names.
const RESERVED: &[&str] =
    &["doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"];
const FIELD_RESERVED: &[&str] = &["default", "doc", "name", "order", "type", "aliases"];

type Result<T> = std::result::Result<T, InvalidSchema>;

/// Types as they are read, text after text; later texts may refer to earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    types: Types,
    /// Names that nothing had yet when they were read, by the type that stands for them.
    forward: HashMap<TypeId, Forward>,
    /// Second definitions beside their first ones.
    again: Vec<(TypeId, TypeId, String)>,
    /// What is checked once all names are known: unions, and records for the defaults of their fields.
    unchecked: Vec<(TypeId, String)>,
}

/// A name before its definition.
#[derive(Debug)]
struct Forward {
    full: String,
    written: String,
    place: String,
}

impl Parser {
    /// Reads one text.
    ///
    /// # Errors
    ///
    /// It is no JSON, or a part of it is no schema. That names are known is seen in [`Self::finish`].
    pub(crate) fn read(&mut self, text: &str) -> Result<TypeId> {
        let json = Json::parse(text).map_err(|(place, reason)| InvalidSchema::at(place, reason))?;
        self.any(&json, None, &Place::root(), 0)
    }

    /// Names that are used and not defined, each once, in the order of their use.
    pub(crate) fn undefined(&self) -> Vec<String> {
        let mut forward: Vec<_> = self.forward.iter().collect();
        forward.sort_by_key(|(id, _)| **id);
        let mut names: Vec<String> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for (_, name) in forward {
            if self.resolve(name).is_none() && known.insert(&name.full) {
                names.push(name.full.clone());
            }
        }
        names
    }

    fn resolve(&self, name: &Forward) -> Option<TypeId> {
        self.types.named(&name.full).or_else(|| self.types.named(&name.written))
    }

    /// Gives the types once all texts are read, and `root` as it is among them.
    ///
    /// # Errors
    ///
    /// A name that is not defined or is defined twice, differently; an invalid union; an invalid default.
    pub(crate) fn finish(mut self, root: TypeId) -> Result<(Types, TypeId)> {
        let mut found = HashMap::with_capacity(self.forward.len());
        let mut forward: Vec<_> = self.forward.iter().collect();
        forward.sort_by_key(|(id, _)| **id);
        for (id, name) in forward {
            let target = self.resolve(name).ok_or_else(|| {
                let reason = format!("no type is named {:?}, neither here nor in a reference", name.full);
                InvalidSchema::at(&name.place, reason)
            })?;
            found.insert(*id, target);
        }
        if !found.is_empty() {
            self.types.ids().for_each(|id| replace(&mut self.types.get_mut(id).kind, &found));
        }
        for (first, second, place) in &self.again {
            if !equality::is_same(&self.types, *first, *second) {
                let name = self.types.kind(*first).full_name();
                return Err(InvalidSchema::at(place, format!("{name:?} is defined twice, differently")));
            }
        }
        let mut defaults = Defaults::of(&self.types);
        for (id, place) in &self.unchecked {
            match self.types.kind(*id) {
                Kind::Union(branches) => check_union(&self.types, branches, place)?,
                Kind::Record(record) => check_defaults(&mut defaults, record, place)?,
                _ => {}
            }
        }
        let root = found.get(&root).copied().unwrap_or(root);
        Ok((self.types, root))
    }

    fn any(
        &mut self,
        json: &Json,
        namespace: Option<&str>,
        place: &Place<'_>,
        depth: usize,
    ) -> Result<TypeId> {
        if depth > MAX_DEPTH {
            return Err(
                place.error(format!("nested too deeply: the limit is {MAX_DEPTH} types within one another"))
            );
        }
        match json {
            Json::String(name) => self.name(name, namespace, place),
            Json::Object(object) => self.object(object, namespace, place, depth),
            Json::Array(branches) => {
                let mut types = Vec::with_capacity(branches.len());
                for (at, branch) in branches.iter().enumerate() {
                    if matches!(branch, Json::Array(_)) {
                        return Err(place.item(at).error("a union may not contain a union"));
                    }
                    types.push(self.any(branch, namespace, &place.item(at), depth + 1)?);
                }
                let id = self.types.add(Type::plain(Kind::Union(types)));
                self.unchecked.push((id, place.pointer()));
                Ok(id)
            }
            other => Err(place
                .error(format!("a type is a name, an object or an array of types, not {}", other.kind()))),
        }
    }

    fn name(&mut self, name: &str, namespace: Option<&str>, place: &Place<'_>) -> Result<TypeId> {
        if let Some(kind) = Kind::primitive(name) {
            return Ok(self.types.add(Type::plain(kind)));
        }
        let full = match namespace {
            Some(namespace) if !name.contains('.') => format!("{namespace}.{name}"),
            _ => name.strip_prefix('.').unwrap_or(name).to_owned(),
        };
        if let Some(id) = self.types.named(&full) {
            return Ok(id);
        }
        if self.forward.len() == MAX_FORWARD {
            return Err(place
                .error(format!("too many names that come before their types: the limit is {MAX_FORWARD}")));
        }
        let id = self.types.add(Type::plain(Kind::Null));
        let forward = Forward { full, written: name.to_owned(), place: place.pointer() };
        self.forward.insert(id, forward);
        Ok(id)
    }

    fn object(
        &mut self,
        object: &Object,
        namespace: Option<&str>,
        place: &Place<'_>,
        depth: usize,
    ) -> Result<TypeId> {
        let kind = match object.get("type") {
            Some(Json::String(kind)) => kind.as_str(),
            Some(other) => {
                let reason = format!(
                    "\"type\" is the name of a type here, not {}: write the type itself",
                    other.kind()
                );
                return Err(place.property("type").error(reason));
            }
            None => return Err(place.error("a type needs its \"type\"")),
        };
        check_nesting(object, place)?;
        if let Some(kind) = Kind::primitive(kind) {
            return Ok(self.with_properties(kind, object, false));
        }
        match kind {
            "record" | "error" => self.record(object, namespace, place, depth, kind == "error"),
            "enum" => self.symbols(object, namespace, place),
            "fixed" => self.fixed(object, namespace, place),
            "array" | "map" => {
                let name = if kind == "array" { "items" } else { "values" };
                let of = object.get(name).ok_or_else(|| place.error(format!("{kind} needs its {name:?}")))?;
                let of = self.any(of, namespace, &place.property(name), depth + 1)?;
                let kind = if kind == "array" { Kind::Array(of) } else { Kind::Map(of) };
                Ok(self.with_properties(kind, object, false))
            }
            // As Java Avro up to 1.11 allowed; its properties mean nothing.
            name => self.name(name, namespace, &place.property("type")),
        }
    }

    fn with_properties(&mut self, kind: Kind, object: &Object, is_enum: bool) -> TypeId {
        let mut properties = others(object, RESERVED);
        if is_enum {
            properties.retain(|(name, _)| name != "default");
        }
        let logical = LogicalType::of(&kind, &properties);
        self.types.add(Type { kind, properties, logical })
    }

    /// Defines a named type, unless an earlier one has its name: then the two are compared later.
    fn define(&mut self, id: TypeId, place: &Place<'_>) -> Result<()> {
        let Some(naming) = self.types.kind(id).naming() else { return Ok(()) };
        let name = naming.name.full().to_owned();
        naming.name.check_namespace().map_err(|reason| place.error(reason))?;
        if Kind::primitive(&name).is_some() {
            return Err(place
                .property("name")
                .error(format!("a type may not be named {name:?} like a primitive one")));
        }
        if !self.types.define(&name, id) {
            let first = self.types.named(&name).unwrap_or(id);
            self.again.push((first, id, place.pointer()));
        }
        Ok(())
    }

    fn record(
        &mut self,
        object: &Object,
        namespace: Option<&str>,
        place: &Place<'_>,
        depth: usize,
        is_error: bool,
    ) -> Result<TypeId> {
        let naming = naming(object, namespace, place)?;
        let inner = naming.name.namespace().map(str::to_owned);
        let Some(Json::Array(list)) = object.get("fields") else {
            return Err(place.error("a record needs its \"fields\", an array"));
        };
        // Defined before its fields are read, which may refer to it.
        let record = Record { naming, fields: Vec::new(), by_name: HashMap::new(), is_error };
        let id = self.with_properties(Kind::Record(record), object, false);
        self.define(id, place)?;
        let place = place.property("fields");
        let mut fields: Vec<Field> = Vec::with_capacity(list.len());
        let mut by_name = HashMap::with_capacity(list.len());
        for (at, json) in list.iter().enumerate() {
            let place = place.item(at);
            let field = self.field(json, inner.as_deref(), &place, depth)?;
            if by_name.insert(field.name.clone(), at).is_some() {
                return Err(place
                    .property("name")
                    .error(format!("the record has two fields {:?}", field.name)));
            }
            fields.push(field);
        }
        let has_default = fields.iter().any(|field| field.default.is_some());
        if let Kind::Record(record) = &mut self.types.get_mut(id).kind {
            record.fields = fields;
            record.by_name = by_name;
        }
        if has_default {
            self.unchecked.push((id, place.pointer()));
        }
        Ok(id)
    }

    fn field(
        &mut self,
        json: &Json,
        namespace: Option<&str>,
        place: &Place<'_>,
        depth: usize,
    ) -> Result<Field> {
        let Json::Object(object) = json else {
            return Err(place.error(format!("a field is an object, not {}", json.kind())));
        };
        check_nesting(object, place)?;
        let name = object.text("name").ok_or_else(|| place.error("a field needs its \"name\", a string"))?;
        check_name(name).map_err(|reason| place.property("name").error(reason))?;
        let of =
            object.get("type").ok_or_else(|| place.error(format!("field {name:?} needs its \"type\"")))?;
        let of = self.any(of, namespace, &place.property("type"), depth + 1)?;
        let order = match object.get("order") {
            None => Order::Ascending,
            Some(order) => match order.as_str().map(str::to_ascii_lowercase).as_deref() {
                Some("ascending") => Order::Ascending,
                Some("descending") => Order::Descending,
                Some("ignore") => Order::Ignore,
                _ => {
                    let reason = "invalid order: it is ascending, descending or ignore";
                    return Err(place.property("order").error(reason));
                }
            },
        };
        let mut default = object.get("default").cloned();
        if let (Some(Json::String(text)), Kind::Float | Kind::Double) = (&default, self.types.kind(of)) {
            let number = defaults::number(text).ok_or_else(|| {
                place.property("default").error(format!("invalid default of {name:?}: {text:?} is no number"))
            })?;
            default = Some(Json::Double(number));
        }
        Ok(Field {
            name: name.to_owned(),
            of,
            doc: object.text("doc").map(str::to_owned),
            default,
            order,
            aliases: aliases(object, place)?,
            properties: others(object, FIELD_RESERVED),
        })
    }

    fn symbols(&mut self, object: &Object, namespace: Option<&str>, place: &Place<'_>) -> Result<TypeId> {
        let naming = naming(object, namespace, place)?;
        let Some(Json::Array(list)) = object.get("symbols") else {
            return Err(place.error("an enum needs its \"symbols\", an array"));
        };
        let symbols_place = place.property("symbols");
        let mut symbols: Vec<String> = Vec::with_capacity(list.len());
        let mut by_name = HashMap::with_capacity(list.len());
        for (at, symbol) in list.iter().enumerate() {
            let place = symbols_place.item(at);
            let symbol = symbol
                .as_str()
                .ok_or_else(|| place.error(format!("a symbol is a string, not {}", symbol.kind())))?;
            check_name(symbol).map_err(|reason| place.error(reason))?;
            if by_name.insert(symbol.to_owned(), at).is_some() {
                return Err(place.error(format!("the enum has the symbol {symbol:?} twice")));
            }
            symbols.push(symbol.to_owned());
        }
        let default = object.text("default").map(str::to_owned);
        if let Some(default) = default.as_ref().filter(|default| !by_name.contains_key(*default)) {
            return Err(place
                .property("default")
                .error(format!("the default {default:?} is none of the symbols")));
        }
        let id = self.with_properties(Kind::Enum(Enum { naming, symbols, by_name, default }), object, true);
        self.define(id, place)?;
        Ok(id)
    }

    fn fixed(&mut self, object: &Object, namespace: Option<&str>, place: &Place<'_>) -> Result<TypeId> {
        let naming = naming(object, namespace, place)?;
        let size = match object.get("size") {
            Some(Json::Int(size @ 0..=MAX_FIXED)) => *size as usize,
            Some(_) => {
                let reason = format!("invalid size: it is a whole number of bytes from 0 to {MAX_FIXED}");
                return Err(place.property("size").error(reason));
            }
            None => return Err(place.error("a fixed type needs its \"size\"")),
        };
        let id = self.with_properties(Kind::Fixed(FixedType { naming, size }), object, false);
        self.define(id, place)?;
        Ok(id)
    }
}

fn naming(object: &Object, namespace: Option<&str>, place: &Place<'_>) -> Result<Naming> {
    let name = object.text("name").ok_or_else(|| place.error("a named type needs its \"name\", a string"))?;
    let namespace = object.text("namespace").or(namespace);
    let name = Name::new(name, namespace).map_err(|reason| place.property("name").error(reason))?;
    let mut names: Vec<Name> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for alias in aliases(object, place)? {
        let alias = Name::new(&alias, name.namespace());
        let alias = alias.map_err(|reason| place.property("aliases").error(reason))?;
        if known.insert(alias.clone()) {
            names.push(alias);
        }
    }
    Ok(Naming { name, aliases: names, doc: object.text("doc").map(str::to_owned) })
}

/// Checks properties and defaults, which texts may have further down than they were read.
fn check_nesting(object: &Object, place: &Place<'_>) -> Result<()> {
    let is_type = |name: &str| matches!(name, "type" | "items" | "values" | "fields");
    let too_deep = object.iter().find(|(name, value)| !is_type(name) && value.nesting() > MAX_DEPTH);
    let reason = || format!("nested too deeply: the limit is {MAX_DEPTH} arrays and objects in a property");
    too_deep.map_or(Ok(()), |(name, _)| Err(place.property(name).error(reason())))
}

/// Aliases as they are written, each once.
fn aliases(object: &Object, place: &Place<'_>) -> Result<Vec<String>> {
    let place = place.property("aliases");
    let list = match object.get("aliases") {
        None => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(other) => {
            return Err(place.error(format!("aliases are an array of strings, not {}", other.kind())));
        }
    };
    let mut known = std::collections::HashSet::with_capacity(list.len());
    let mut aliases = Vec::with_capacity(list.len());
    for (at, alias) in list.iter().enumerate() {
        let alias = alias
            .as_str()
            .ok_or_else(|| place.item(at).error(format!("an alias is a string, not {}", alias.kind())))?;
        if known.insert(alias) {
            aliases.push(alias.to_owned());
        }
    }
    Ok(aliases)
}

/// The properties that the specification does not name.
fn others(object: &Object, reserved: &[&str]) -> Vec<(String, Json)> {
    let others = object.iter().filter(|(name, _)| !reserved.contains(name));
    others.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// Puts definitions in place of what stood for their names.
fn replace(kind: &mut Kind, found: &HashMap<TypeId, TypeId>) {
    let put = |id: &mut TypeId| {
        if let Some(target) = found.get(id) {
            *id = *target;
        }
    };
    match kind {
        Kind::Array(of) | Kind::Map(of) => put(of),
        Kind::Union(branches) => branches.iter_mut().for_each(put),
        Kind::Record(record) => record.fields.iter_mut().for_each(|field| put(&mut field.of)),
        _ => {}
    }
}

fn check_union(types: &Types, branches: &[TypeId], place: &str) -> Result<()> {
    let mut names = std::collections::HashSet::with_capacity(branches.len());
    for (at, branch) in branches.iter().enumerate() {
        let kind = types.kind(*branch);
        let place = || format!("{}/{at}", place.trim_end_matches('/'));
        if matches!(kind, Kind::Union(_)) {
            return Err(InvalidSchema::at(place(), "a union may not contain a union"));
        }
        if !names.insert(kind.full_name()) {
            return Err(InvalidSchema::at(place(), format!("the union has {} twice", kind.full_name())));
        }
    }
    Ok(())
}

fn check_defaults(defaults: &mut Defaults<'_>, record: &Record, place: &str) -> Result<()> {
    for (at, field) in record.fields.iter().enumerate() {
        let Some(default) = &field.default else { continue };
        defaults.check(field.of, default).map_err(|reason| {
            InvalidSchema::at(
                format!("{place}/{at}/default"),
                format!("invalid default of {:?}: {reason}", field.name),
            )
        })?;
    }
    Ok(())
}
