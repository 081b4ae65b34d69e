//! Equality of types as Java Avro sees it: documentation, aliases and the default of an enum do not count.

use std::collections::HashSet;

use super::types::{Kind, TypeId, Types};

/// Whether two types of one schema are the same.
pub(crate) fn is_same(types: &Types, first: TypeId, second: TypeId) -> bool {
    let mut pairs = vec![(first, second)];
    let mut compared = HashSet::new();
    while let Some((a, b)) = pairs.pop() {
        if a == b || !compared.insert((a, b)) {
            continue;
        }
        if !is_alike(types, a, b, &mut pairs) {
            return false;
        }
    }
    true
}

/// Compares two types and leaves their parts for later.
fn is_alike(types: &Types, a: TypeId, b: TypeId, parts: &mut Vec<(TypeId, TypeId)>) -> bool {
    let (first, second) = (types.get(a), types.get(b));
    if !has_same_properties(&first.properties, &second.properties) {
        return false;
    }
    match (&first.kind, &second.kind) {
        (Kind::Array(a), Kind::Array(b)) | (Kind::Map(a), Kind::Map(b)) => {
            parts.push((*a, *b));
            true
        }
        (Kind::Union(a), Kind::Union(b)) => {
            parts.extend(a.iter().copied().zip(b.iter().copied()));
            a.len() == b.len()
        }
        (Kind::Enum(a), Kind::Enum(b)) => a.naming.name == b.naming.name && a.symbols == b.symbols,
        (Kind::Fixed(a), Kind::Fixed(b)) => a.naming.name == b.naming.name && a.size == b.size,
        (Kind::Record(a), Kind::Record(b)) => {
            parts.extend(a.fields.iter().map(|field| field.of).zip(b.fields.iter().map(|field| field.of)));
            let has_same_fields = || {
                a.fields.iter().zip(&b.fields).all(|(a, b)| {
                    a.name == b.name
                        && a.default == b.default
                        && a.order == b.order
                        && has_same_properties(&a.properties, &b.properties)
                })
            };
            a.naming.name == b.naming.name && a.fields.len() == b.fields.len() && has_same_fields()
        }
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// In any order.
fn has_same_properties<V: PartialEq>(a: &[(String, V)], b: &[(String, V)]) -> bool {
    let mut first: Vec<_> = a.iter().collect();
    let mut second: Vec<_> = b.iter().collect();
    first.sort_by(|a, b| a.0.cmp(&b.0));
    second.sort_by(|a, b| a.0.cmp(&b.0));
    first == second
}
