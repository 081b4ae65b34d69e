//! Forms of union values in JSON: the value alone where its form tells the branch, `{"branch": value}` otherwise.

use super::json::Json;
use super::logical::LogicalType;
use super::types::{Kind, Type, TypeId, Types};

/// Forms of JSON, as bits.
const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const NUMBER: u8 = 4;
const STRING: u8 = 8;
const ARRAY: u8 = 16;
const OBJECT: u8 = 32;

/// The form of a type's values.
fn form(of: &Type) -> u8 {
    let is_text = of.logical.is_some_and(|logical| logical != LogicalType::Uuid);
    match &of.kind {
        Kind::Null => NULL,
        Kind::Boolean => BOOLEAN,
        Kind::Int | Kind::Long if is_text => STRING,
        Kind::Int | Kind::Long | Kind::Float | Kind::Double => NUMBER,
        Kind::Bytes | Kind::String | Kind::Enum(_) | Kind::Fixed(_) => STRING,
        Kind::Array(_) => ARRAY,
        Kind::Map(_) | Kind::Record(_) => OBJECT,
        // No union has one.
        Kind::Union(_) => 0,
    }
}

/// The form of the few values that have another: what is no number, and times that RFC 3339 cannot write.
fn rare_form(of: &Type) -> u8 {
    match &of.kind {
        Kind::Float | Kind::Double => STRING,
        Kind::Int | Kind::Long if form(of) == STRING => NUMBER,
        _ => 0,
    }
}

/// Whether values stand without their branch's name.
fn is_plain(types: &Types, branches: &[TypeId]) -> bool {
    let (mut forms, mut rare) = (0, 0);
    for branch in branches {
        let of = types.get(*branch);
        if forms & form(of) != 0 {
            return false;
        }
        forms |= form(of);
        rare |= rare_form(of);
    }
    // A rare value then has its branch's name, which must not look like another object.
    forms & rare == 0 || forms & OBJECT == 0
}

/// Whether a value of `branch` is written with its name.
pub(crate) fn is_wrapped(types: &Types, branches: &[TypeId], branch: TypeId, is_rare: bool) -> bool {
    if matches!(types.kind(branch), Kind::Null) {
        return false;
    }
    let rare = if is_rare { rare_form(types.get(branch)) } else { 0 };
    !is_plain(types, branches) || branches.iter().any(|other| rare & form(types.get(*other)) != 0)
}

/// The branch that a value is of, by its place, and the value without its branch's name.
///
/// # Errors
///
/// A sentence that says what is expected.
pub(crate) fn select<'v>(
    types: &Types,
    branches: &[TypeId],
    value: &'v Json,
) -> Result<(usize, &'v Json), String> {
    let is_plain = is_plain(types, branches);
    let object = if let Json::Object(object) = value { Some(object) } else { None };
    if let Some((name, inner)) =
        object.filter(|object| object.len() == 1).and_then(|object| object.iter().next())
    {
        let may_be_field = branches.iter().any(|branch| match types.kind(*branch) {
            Kind::Map(_) => true,
            Kind::Record(record) => record.by_name.contains_key(name),
            _ => false,
        });
        let named = branches.iter().position(|branch| types.kind(*branch).full_name() == name);
        if let Some(at) = named.filter(|_| !is_plain || !may_be_field) {
            return Ok((at, inner));
        }
    }
    let wanted = match value {
        Json::Null => NULL,
        Json::Bool(_) => BOOLEAN,
        Json::Int(_) | Json::BigInt(_) | Json::Double(_) => NUMBER,
        Json::String(_) => STRING,
        Json::Array(_) => ARRAY,
        Json::Object(_) => OBJECT,
    };
    let with = |form: fn(&Type) -> u8| {
        let mut found = branches.iter().enumerate().filter(|(_, branch)| form(types.get(**branch)) == wanted);
        let first = found.next().map(|(at, _)| at);
        // Of two the one that is meant is not known.
        (first, found.next().is_some())
    };
    match (with(form), with(rare_form)) {
        ((Some(at), false), _) | ((None, _), (Some(at), false)) => return Ok((at, value)),
        _ => {}
    }
    let names: Vec<&str> = branches.iter().map(|branch| types.kind(*branch).full_name()).take(8).collect();
    let names = names.join(", ");
    Err(if is_plain {
        format!("expected a value of {names}, found {}", value.kind())
    } else {
        format!("expected {{\"TYPE\": value}} with a TYPE of {names}, found {}", value.kind())
    })
}
