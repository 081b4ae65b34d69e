//! Keywords that have schemas in them, and to which part of a value those apply.

use super::document::{Json, NodeId};
use super::draft::Draft;

/// The part of a value that a subschema applies to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part<'a> {
    /// The value itself.
    Whole,
    /// The member of this name.
    Member(&'a str),
    /// Members that only the value can tell.
    Members,
    /// The item at this index.
    Item(usize),
    /// Items that only the value can tell.
    Items,
    /// Nothing: it is there to be referred to.
    Nothing,
}

/// How a keyword holds its schemas.
enum Shape {
    One(Part<'static>),
    Each(Part<'static>),
    ByName(Part<'static>),
    Properties,
    /// One, or one for each item.
    Items,
    Prefix,
}

/// The keywords of all drafts in one table. A keyword that is none in a draft is taken as one all the same: what it says
/// there is ignored by the validator, and what is more than needed costs little here.
fn shape(keyword: &str) -> Option<Shape> {
    Some(match keyword {
        "not" | "if" | "then" | "else" => Shape::One(Part::Whole),
        "allOf" | "anyOf" | "oneOf" => Shape::Each(Part::Whole),
        "dependentSchemas" | "dependencies" => Shape::ByName(Part::Whole),
        "properties" => Shape::Properties,
        "patternProperties" => Shape::ByName(Part::Members),
        "additionalProperties" | "unevaluatedProperties" => Shape::One(Part::Members),
        "propertyNames" | "contentSchema" => Shape::One(Part::Nothing),
        "items" => Shape::Items,
        "prefixItems" => Shape::Prefix,
        "additionalItems" | "unevaluatedItems" | "contains" => Shape::One(Part::Items),
        "definitions" | "$defs" => Shape::ByName(Part::Nothing),
        _ => return None,
    })
}

/// Whether a keyword's value is data or text, in which nothing is a schema.
pub(super) fn is_data(keyword: &str) -> bool {
    matches!(keyword, "enum" | "const" | "default" | "example" | "examples")
}

/// The schemas within the keywords of the schema `id`, with the part of a value that each applies to. What has another
/// shape than the keyword asks for is passed over.
pub(super) fn subschemas(json: &Json, id: NodeId) -> Vec<(Part<'_>, NodeId)> {
    let mut found = Vec::new();
    let Some(members) = json.members(id) else { return found };
    for (keyword, value) in members.iter() {
        match shape(keyword) {
            Some(Shape::One(part)) => found.push((part, value)),
            Some(Shape::Each(part)) => {
                found.extend(json.items(value).unwrap_or_default().iter().map(|item| (part, *item)));
            }
            Some(Shape::ByName(part)) => {
                found.extend(
                    json.members(value)
                        .into_iter()
                        .flat_map(|members| members.iter())
                        .map(|(_, item)| (part, item)),
                );
            }
            Some(Shape::Properties) => {
                let properties = json.members(value).into_iter().flat_map(|members| members.iter());
                found.extend(properties.map(|(name, item)| (Part::Member(name), item)));
            }
            Some(Shape::Items) => match json.items(value) {
                Some(items) => {
                    found.extend(items.iter().enumerate().map(|(index, item)| (Part::Item(index), *item)));
                }
                None => found.push((Part::Items, value)),
            },
            Some(Shape::Prefix) => {
                let items = json.items(value).unwrap_or_default();
                found.extend(items.iter().enumerate().map(|(index, item)| (Part::Item(index), *item)));
            }
            None => {}
        }
    }
    found.retain(|(_, item)| json.members(*item).is_some());
    found
}

/// The keyword that refers to another schema, with its value: `$ref`, and those that choose by the way they were come to,
/// which are taken for what they refer to at first.
pub(super) fn reference(json: &Json, id: NodeId, draft: Draft) -> Option<(&'static str, &str)> {
    let members = json.members(id)?;
    let keywords: &[&str] =
        if draft.is_modern() { &["$ref", "$dynamicRef", "$recursiveRef"] } else { &["$ref"] };
    ["$ref", "$dynamicRef", "$recursiveRef"]
        .into_iter()
        .filter(|keyword| keywords.contains(keyword))
        .find_map(|keyword| {
            let value = json.text(members.get(keyword)?)?;
            Some((keyword, value))
        })
}
