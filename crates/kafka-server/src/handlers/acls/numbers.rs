//! The numbers that Kafka's protocol has for the words of rules.

use factum_access::{
    Acl, AclFilter, Operation, PatternFilter, PatternType, Permission, ResourcePattern, ResourceType,
};

use super::Refusal;
use crate::messages::create_acls::AclFields;
use crate::messages::describe_acls::AclFilterFields;

/// Stands for any, in filters.
const ANY: i8 = 1;
/// The first number of a resource type and of an operation, and of a permission.
const FIRST: i8 = 2;
/// Patterns that apply to a name, in filters.
const MATCH: i8 = 2;
const LITERAL: i8 = 3;
const PREFIXED: i8 = 4;

/// The value at the place of `number` in Kafka's order.
fn at<T: Copy>(all: &[T], number: i8) -> Option<T> {
    let index = usize::try_from(number.checked_sub(FIRST)?).ok()?;
    all.get(index).copied()
}

/// The number of `value` in Kafka's order.
fn number<T: PartialEq>(all: &[T], value: &T) -> i8 {
    let index = all.iter().position(|each| each == value).and_then(|index| i8::try_from(index).ok());
    index.map_or(0, |index| index + FIRST)
}

fn known<T>(value: Option<T>, noun: &str, number: i8) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::invalid(format!("invalid {noun} {number}")))
}

/// The value of a filter's number, `None` for any.
fn filtered<T: Copy>(all: &[T], noun: &str, number: i8) -> Result<Option<T>, Refusal> {
    match number {
        ANY => Ok(None),
        _ => known(at(all, number), noun, number).map(Some),
    }
}

/// The rule in words.
pub(super) fn acl(fields: AclFields) -> Result<Acl, Refusal> {
    let pattern_type = match fields.pattern_type {
        LITERAL => Some(PatternType::Literal),
        PREFIXED => Some(PatternType::Prefixed),
        _ => None,
    };
    let resource_type = at(ResourceType::ALL, fields.resource_type);
    let permission = at(Permission::ALL, fields.permission_type);
    let acl = Acl {
        resource: ResourcePattern {
            resource_type: known(resource_type, "resource type", fields.resource_type)?,
            pattern_type: known(pattern_type, "pattern type", fields.pattern_type)?,
            name: fields.resource_name.into(),
        },
        principal: fields.principal.into(),
        host: fields
            .host
            .parse()
            .map_err(|error: factum_access::AclError| Refusal::invalid(error.to_string()))?,
        operation: known(at(Operation::ALL, fields.operation), "operation", fields.operation)?,
        permission: known(permission, "permission type", fields.permission_type)?,
    };
    acl.check().map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(acl)
}

/// The rule in numbers.
pub(super) fn fields(acl: &Acl) -> AclFields {
    AclFields {
        resource_type: number(ResourceType::ALL, &acl.resource.resource_type),
        resource_name: acl.resource.name.to_string(),
        pattern_type: match acl.resource.pattern_type {
            PatternType::Literal => LITERAL,
            PatternType::Prefixed => PREFIXED,
        },
        principal: acl.principal.to_string(),
        host: acl.host.to_string(),
        operation: number(Operation::ALL, &acl.operation),
        permission_type: number(Permission::ALL, &acl.permission),
    }
}

/// The filter in words.
pub(super) fn filter(fields: AclFilterFields) -> Result<AclFilter, Refusal> {
    let pattern = match fields.pattern_type {
        ANY => Some(PatternFilter::Any),
        MATCH => Some(PatternFilter::Match),
        LITERAL => Some(PatternFilter::Only(PatternType::Literal)),
        PREFIXED => Some(PatternFilter::Only(PatternType::Prefixed)),
        _ => None,
    };
    Ok(AclFilter {
        resource_type: filtered(ResourceType::ALL, "resource type", fields.resource_type)?,
        name: fields.resource_name,
        pattern: known(pattern, "pattern type", fields.pattern_type)?,
        principal: fields.principal,
        host: fields.host,
        operation: filtered(Operation::ALL, "operation", fields.operation)?,
        permission: filtered(Permission::ALL, "permission type", fields.permission_type)?,
    })
}
