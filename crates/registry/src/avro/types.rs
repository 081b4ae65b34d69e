//! The types of a schema, each under a number, so that types that contain themselves need no pointers.

use std::collections::HashMap;

use super::json::Json;
use super::logical::LogicalType;
use super::name::Name;

/// A type's number within its [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(u32);

/// All types of a schema and of what it refers to.
///
/// Invariants: a named type has one number wherever it is used; an unnamed one has a number at each place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Types {
    types: Vec<Type>,
    by_name: HashMap<String, TypeId>,
}

/// A type with its properties.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    /// What the specification does not name, in its order; `logicalType` and what belongs to it as well.
    pub(crate) properties: Vec<(String, Json)>,
    pub(crate) logical: Option<LogicalType>,
}

/// A type without its properties.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Record),
    Enum(Enum),
    Fixed(FixedType),
}

/// The name of a type and what else names it.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    pub(crate) name: Name,
    pub(crate) aliases: Vec<Name>,
    pub(crate) doc: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) naming: Naming,
    pub(crate) fields: Vec<Field>,
    /// The fields' places.
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) is_error: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) of: TypeId,
    pub(crate) doc: Option<String>,
    pub(crate) default: Option<Json>,
    pub(crate) order: Order,
    pub(crate) aliases: Vec<String>,
    pub(crate) properties: Vec<(String, Json)>,
}

/// The order of records by a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
    Ignore,
}

#[derive(Debug, Clone)]
pub(crate) struct Enum {
    pub(crate) naming: Naming,
    pub(crate) symbols: Vec<String>,
    /// The symbols' places.
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) default: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct FixedType {
    pub(crate) naming: Naming,
    pub(crate) size: usize,
}

impl Types {
    pub(crate) fn add(&mut self, new: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).expect("a schema's text is shorter than 4 GiB"));
        self.types.push(new);
        id
    }

    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, id: TypeId) -> &mut Type {
        &mut self.types[id.0 as usize]
    }

    pub(crate) fn kind(&self, id: TypeId) -> &Kind {
        &self.get(id).kind
    }

    pub(crate) fn named(&self, full_name: &str) -> Option<TypeId> {
        self.by_name.get(full_name).copied()
    }

    /// Lets `full_name` be that of `id`; false where it is another's already.
    pub(crate) fn define(&mut self, full_name: &str, id: TypeId) -> bool {
        *self.by_name.entry(full_name.to_owned()).or_insert(id) == id
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..self.types.len() as u32).map(TypeId)
    }
}

impl Type {
    pub(crate) fn plain(kind: Kind) -> Self {
        Self { kind, properties: Vec::new(), logical: None }
    }
}

impl Kind {
    pub(crate) fn primitive(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }

    /// `null`, `record` and so on.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
        }
    }

    pub(crate) fn naming(&self) -> Option<&Naming> {
        match self {
            Self::Record(record) => Some(&record.naming),
            Self::Enum(symbols) => Some(&symbols.naming),
            Self::Fixed(fixed) => Some(&fixed.naming),
            _ => None,
        }
    }

    /// What a branch of a union is called: the full name, or that of the type.
    pub(crate) fn full_name(&self) -> &str {
        self.naming().map_or(self.type_name(), |naming| naming.name.full())
    }
}
