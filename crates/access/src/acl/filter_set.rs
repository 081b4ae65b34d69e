//! Many filters at once: which of them is the first to mean a rule.
//!
//! Every filter is written out as the rules that it means: a value, or any, for each of a rule's fields. Those of the same
//! fields are in one map, so that a rule is looked up once for each choice of fields in use and not compared with each filter.
//!
//! **Invariants:** the same as trying [`AclFilter::matches`] one by one; a look-up does not grow with the number of filters.

use std::collections::{BTreeSet, HashMap};

use super::{
    ANY_NAME, Acl, AclFilter, Host, Operation, PatternFilter, PatternType, Permission, ResourceType,
};

/// Filters, by what they mean.
#[derive(Debug)]
pub struct AclFilterSet<'a> {
    /// The fields that any of them has.
    shapes: BTreeSet<Shape>,
    first: HashMap<Fields<'a>, usize>,
}

/// The fields of a rule; `None` is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Fields<'a> {
    resource_type: Option<ResourceType>,
    pattern_type: Option<PatternType>,
    name: Option<&'a str>,
    principal: Option<&'a str>,
    host: Option<Host>,
    operation: Option<Operation>,
    permission: Option<Permission>,
}

/// Which fields are there.
type Shape = [bool; 7];

impl<'a> AclFilterSet<'a> {
    /// Of these, in this order.
    pub fn new(filters: impl IntoIterator<Item = &'a AclFilter>) -> Self {
        let mut set = Self { shapes: BTreeSet::new(), first: HashMap::new() };
        for (at, filter) in filters.into_iter().enumerate() {
            // Text that is no host is no rule's.
            let Ok(host) = filter.host.as_ref().map(|host| host.parse::<Host>()).transpose() else {
                continue;
            };
            let fields = Fields {
                resource_type: filter.resource_type,
                principal: filter.principal.as_deref(),
                host,
                operation: filter.operation,
                permission: filter.permission,
                ..Fields::default()
            };
            set.add_names(filter, fields, at);
        }
        set
    }

    fn add_names(&mut self, filter: &'a AclFilter, fields: Fields<'a>, at: usize) {
        let name = filter.name.as_deref();
        let (PatternFilter::Match, Some(wanted)) = (filter.pattern, name) else {
            let pattern_type = match filter.pattern {
                PatternFilter::Only(pattern) => Some(pattern),
                PatternFilter::Any | PatternFilter::Match => None,
            };
            return self.add(Fields { pattern_type, name, ..fields }, at);
        };
        let literal = Fields { pattern_type: Some(PatternType::Literal), ..fields };
        self.add(Fields { name: Some(wanted), ..literal }, at);
        self.add(Fields { name: Some(ANY_NAME), ..literal }, at);
        let prefixed = Fields { pattern_type: Some(PatternType::Prefixed), ..fields };
        let ends = wanted.char_indices().map(|(end, _)| end).chain([wanted.len()]);
        ends.for_each(|end| self.add(Fields { name: Some(&wanted[..end]), ..prefixed }, at));
    }

    fn add(&mut self, fields: Fields<'a>, at: usize) {
        self.shapes.insert(fields.shape());
        self.first.entry(fields).or_insert(at);
    }

    /// The place of the first filter that means `acl`.
    pub fn first(&self, acl: &'a Acl) -> Option<usize> {
        let all = Fields {
            resource_type: Some(acl.resource.resource_type),
            pattern_type: Some(acl.resource.pattern_type),
            name: Some(&acl.resource.name),
            principal: Some(&acl.principal),
            host: Some(acl.host),
            operation: Some(acl.operation),
            permission: Some(acl.permission),
        };
        self.shapes.iter().filter_map(|shape| self.first.get(&all.only(*shape)).copied()).min()
    }
}

impl Fields<'_> {
    fn shape(&self) -> Shape {
        [
            self.resource_type.is_some(),
            self.pattern_type.is_some(),
            self.name.is_some(),
            self.principal.is_some(),
            self.host.is_some(),
            self.operation.is_some(),
            self.permission.is_some(),
        ]
    }

    fn only(self, shape: Shape) -> Self {
        Self {
            resource_type: self.resource_type.filter(|_| shape[0]),
            pattern_type: self.pattern_type.filter(|_| shape[1]),
            name: self.name.filter(|_| shape[2]),
            principal: self.principal.filter(|_| shape[3]),
            host: self.host.filter(|_| shape[4]),
            operation: self.operation.filter(|_| shape[5]),
            permission: self.permission.filter(|_| shape[6]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ResourcePattern;
    use super::*;

    #[test]
    fn filters_together_mean_the_same_as_one_by_one() {
        let names = ["a", "ab", "ä", "*", "b"];
        let hosts = ["*", "10.0.0.1", "no host"];
        let mut acls = Vec::new();
        let mut filters = Vec::new();
        for name in names {
            for (host, principal) in hosts.into_iter().zip(["User:a", "User:*", "User:b"]) {
                for pattern_type in [PatternType::Literal, PatternType::Prefixed] {
                    for permission in [Permission::Allow, Permission::Deny] {
                        let resource_type = ResourceType::Topic;
                        let resource = ResourcePattern { resource_type, pattern_type, name: name.into() };
                        acls.push(Acl {
                            resource,
                            principal: principal.into(),
                            host: host.parse().unwrap_or(Host::Any),
                            operation: Operation::Read,
                            permission,
                        });
                    }
                }
                for pattern in
                    [PatternFilter::Match, PatternFilter::Any, PatternFilter::Only(PatternType::Prefixed)]
                {
                    for (has_name, has_host) in [(true, false), (true, true), (false, true)] {
                        filters.push(AclFilter {
                            name: has_name.then(|| name.to_owned()),
                            pattern,
                            host: has_host.then(|| host.to_owned()),
                            principal: has_host.then(|| principal.to_owned()),
                            permission: (name == "ab").then_some(Permission::Deny),
                            ..AclFilter::default()
                        });
                    }
                }
            }
        }
        for skipped in 0..filters.len() {
            let filters = &filters[skipped..];
            let set = AclFilterSet::new(filters);
            for acl in &acls {
                let expected = filters.iter().position(|filter| filter.matches(acl));
                assert_eq!(set.first(acl), expected, "{acl:?} after {skipped}");
            }
        }
    }
}
