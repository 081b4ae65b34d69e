//! A choice among rules, as Kafka's `AclBindingFilter`.

use super::{ANY_NAME, Acl, Host, Operation, PatternType, Permission, ResourcePattern, ResourceType};

/// How a filter's name is compared with a rule's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum PatternFilter {
    /// The names are equal, of whichever pattern.
    #[default]
    Any,
    /// The rule applies to the resource of that name.
    Match,
    /// The names are equal, of this pattern.
    Only(PatternType),
}

/// Which rules are meant; `None` is any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclFilter {
    /// The type of resource.
    pub resource_type: Option<ResourceType>,
    /// The resource's name.
    pub name: Option<String>,
    /// How the name is meant.
    pub pattern: PatternFilter,
    /// The principal, as it is written in the rule.
    pub principal: Option<String>,
    /// The host, as it is written in the rule; text that is no host is no rule's.
    pub host: Option<String>,
    /// The operation.
    pub operation: Option<Operation>,
    /// Whether it allows or denies.
    pub permission: Option<Permission>,
}

impl AclFilter {
    /// Whether it means `acl`.
    pub fn matches(&self, acl: &Acl) -> bool {
        self.resource_type.is_none_or(|wanted| wanted == acl.resource.resource_type)
            && self.matches_name(&acl.resource)
            && self.principal.as_ref().is_none_or(|wanted| **wanted == *acl.principal)
            && self.host.as_ref().is_none_or(|wanted| wanted.parse::<Host>() == Ok(acl.host))
            && self.operation.is_none_or(|wanted| wanted == acl.operation)
            && self.permission.is_none_or(|wanted| wanted == acl.permission)
    }

    fn matches_name(&self, resource: &ResourcePattern) -> bool {
        if let PatternFilter::Only(wanted) = self.pattern
            && wanted != resource.pattern_type
        {
            return false;
        }
        let Some(wanted) = &self.name else { return true };
        match (self.pattern, resource.pattern_type) {
            (PatternFilter::Match, PatternType::Literal) => {
                **wanted == *resource.name || &*resource.name == ANY_NAME
            }
            (PatternFilter::Match, PatternType::Prefixed) => wanted.starts_with(&*resource.name),
            (PatternFilter::Any | PatternFilter::Only(_), _) => **wanted == *resource.name,
        }
    }
}
