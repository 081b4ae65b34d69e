//! The kinds of schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::number::Decimal;

/// A schema in a model.
#[derive(Clone, Copy, Debug)]
pub(in crate::json_schema) struct Child {
    /// Its place in the model.
    pub(in crate::json_schema) index: u32,
    /// The same for schemas that say the same.
    pub(in crate::json_schema) print: u64,
}

impl Hash for Child {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.print.hash(state);
    }
}

/// What a schema says.
#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) struct Schema {
    pub(in crate::json_schema) kind: Kind,
    pub(in crate::json_schema) id: Option<String>,
    pub(in crate::json_schema) title: Option<String>,
    pub(in crate::json_schema) description: Option<String>,
    /// The default, in a form in which equal values are equal texts.
    pub(in crate::json_schema) default: Option<String>,
    /// Whether `connect.type` says that it stands for bytes.
    pub(in crate::json_schema) is_connect_bytes: bool,
}

impl Schema {
    pub(in crate::json_schema) fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A number that is the same for schemas that say the same.
    pub(in crate::json_schema) fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Takes over what `other` says besides its kind.
    pub(super) fn take_annotations(&mut self, other: &Self) {
        let Self { kind: _, id, title, description, default, is_connect_bytes } = other;
        for (mine, theirs) in [
            (&mut self.id, id),
            (&mut self.title, title),
            (&mut self.description, description),
            (&mut self.default, default),
        ] {
            if theirs.is_some() {
                mine.clone_from(theirs);
            }
        }
        self.is_connect_bytes |= is_connect_bytes;
    }
}

#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) enum Kind {
    /// Says nothing: everything is valid.
    #[default]
    Empty,
    True,
    False,
    Boolean,
    Null,
    String(StringRules),
    Number(NumberRules),
    Array(Box<ArrayRules>),
    Object(Box<ObjectRules>),
    /// A value, in a form in which equal values are equal texts.
    Const(String),
    Enum(BTreeSet<String>),
    Not(Child),
    /// `if`, `then`, `else`, which are not compared.
    Conditional,
    Combined(Criterion, Vec<Child>),
    /// Another schema of the model. What it is counts by what the reference is called, so that recursion ends.
    Reference(Target),
    /// A schema outside of the model, by its name.
    Outside(String),
}

/// What a reference refers to.
#[derive(Clone, Debug)]
pub(in crate::json_schema) struct Target {
    pub(in crate::json_schema) index: u32,
    pub(in crate::json_schema) name: String,
}

impl Hash for Target {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// How many of the subschemas must match.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::json_schema) enum Criterion {
    All,
    Any,
    One,
}

impl Criterion {
    /// The keyword.
    pub(in crate::json_schema) fn as_str(self) -> &'static str {
        match self {
            Self::All => "allOf",
            Self::Any => "anyOf",
            Self::One => "oneOf",
        }
    }
}

#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) struct StringRules {
    pub(in crate::json_schema) min_length: Option<Decimal>,
    pub(in crate::json_schema) max_length: Option<Decimal>,
    pub(in crate::json_schema) pattern: Option<String>,
}

#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) struct NumberRules {
    pub(in crate::json_schema) minimum: Option<Decimal>,
    pub(in crate::json_schema) maximum: Option<Decimal>,
    pub(in crate::json_schema) exclusive_minimum: Option<Decimal>,
    pub(in crate::json_schema) exclusive_maximum: Option<Decimal>,
    pub(in crate::json_schema) multiple_of: Option<Decimal>,
    pub(in crate::json_schema) is_integer: bool,
}

#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) struct ArrayRules {
    pub(in crate::json_schema) min_items: Option<Decimal>,
    pub(in crate::json_schema) max_items: Option<Decimal>,
    pub(in crate::json_schema) min_contains: Option<Decimal>,
    pub(in crate::json_schema) max_contains: Option<Decimal>,
    pub(in crate::json_schema) is_unique: bool,
    /// Of every item.
    pub(in crate::json_schema) all_items: Option<Child>,
    /// Of the first items, one for each.
    pub(in crate::json_schema) items: Vec<Child>,
    /// Whether further items are forbidden.
    pub(in crate::json_schema) is_closed: bool,
    pub(in crate::json_schema) additional: Option<Child>,
    pub(in crate::json_schema) unevaluated: Option<Child>,
    pub(in crate::json_schema) contains: Option<Child>,
}

#[derive(Clone, Hash, Debug, Default)]
pub(in crate::json_schema) struct ObjectRules {
    pub(in crate::json_schema) properties: BTreeMap<String, Child>,
    pub(in crate::json_schema) required: BTreeSet<String>,
    pub(in crate::json_schema) min_properties: Option<Decimal>,
    pub(in crate::json_schema) max_properties: Option<Decimal>,
    /// Whether further properties are forbidden.
    pub(in crate::json_schema) is_closed: bool,
    pub(in crate::json_schema) additional: Option<Child>,
    pub(in crate::json_schema) unevaluated: Option<Child>,
    pub(in crate::json_schema) patterns: Vec<(String, Child)>,
    pub(in crate::json_schema) property_dependencies: BTreeMap<String, BTreeSet<String>>,
    pub(in crate::json_schema) schema_dependencies: BTreeMap<String, Child>,
    pub(in crate::json_schema) names: Option<Child>,
}
