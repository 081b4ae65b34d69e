//! The rules in memory, and what they say of a request.
//!
//! ```text
//!   type of resource ─▶ principal ─▶ pattern ─▶ host ─▶ operations that are allowed, operations that are denied
//! ```
//!
//! **Invariants:** a rule that denies wins over all that allow; what no rule allows is not allowed. A lookup does not grow
//! with the number of rules about other principals, names and hosts, and waits at most for one rule to be put in place.

use std::collections::HashMap;
use std::sync::Arc;

use factum_types::auth::Client;
use parking_lot::RwLock;

use crate::acl::{
    ANY_PRINCIPAL, Acl, AclFilter, Host, Operation, PatternType, Permission, ResourcePattern, ResourceType,
};
use crate::patterns::Patterns;

/// The rules; a cheap handle, the same for all who hold it.
#[derive(Clone, Debug, Default)]
pub struct Acls(Arc<RwLock<Index>>);

/// What the rules say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// One allows it and none denies it.
    Allowed,
    /// One denies it.
    Denied,
    /// None says anything of this client; whether there is one about the resource at all.
    Silent {
        /// Whether any rule is about the resource, for whomever.
        is_ruled: bool,
    },
}

#[derive(Debug, Default)]
struct Index {
    types: HashMap<ResourceType, OfType>,
    count: usize,
}

#[derive(Debug, Default)]
struct OfType {
    principals: HashMap<Arc<str>, Patterns<Hosts>>,
    /// How many rules each pattern has, of all principals.
    counts: Patterns<usize>,
}

/// Of one type, principal and pattern.
#[derive(Debug, Default)]
struct Hosts(HashMap<Host, Operations>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Operations {
    allowed: OperationSet,
    denied: OperationSet,
}

/// A set of operations, a bit for each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct OperationSet(u16);

impl OperationSet {
    fn of(operations: &[Operation]) -> Self {
        Self(operations.iter().fold(0, |bits, operation| bits | 1 << *operation as u16))
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.iter().copied().filter(move |operation| self.meets(Self::of(&[*operation])))
    }
}

/// What is looked for in rules, of one operation.
#[derive(Clone, Copy)]
struct Question {
    allowing: OperationSet,
    denying: OperationSet,
    host: Option<Host>,
}

impl Question {
    fn new(client: Client<'_>, operation: Operation) -> Self {
        Self {
            allowing: OperationSet::of(operation.allowed_by()),
            denying: OperationSet::of(&[operation, Operation::All]),
            host: client.address.map(Host::from),
        }
    }
}

impl Acls {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.read().count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is this one.
    pub fn contains(&self, acl: &Acl) -> bool {
        self.0.read().contains(acl)
    }

    /// Puts a rule in place; whether it is new.
    pub fn insert(&self, acl: &Acl) -> bool {
        self.0.write().insert(acl)
    }

    /// Takes a rule away; whether there was one.
    pub fn remove(&self, acl: &Acl) -> bool {
        self.0.write().remove(acl)
    }

    /// Puts rules in place (`true`) or takes them away, in this order; every question meets all of them or none.
    pub fn change<'a>(&self, changes: impl Iterator<Item = (&'a Acl, bool)>) {
        let mut index = self.0.write();
        for (acl, is_set) in changes {
            match is_set {
                true => index.insert(acl),
                false => index.remove(acl),
            };
        }
    }

    /// Those that `filter` means, in order. Walks over all rules that the filter's type and principal leave, which takes
    /// long where they are many; the rules of one principal at a time, so that no change, and no one who asks behind it, waits
    /// for all of the walk.
    pub fn list(&self, filter: &AclFilter) -> Vec<Acl> {
        let mut found = Vec::new();
        let principals = self.0.read().principals(filter);
        for (resource_type, principal) in principals {
            self.0.read().collect(filter, resource_type, &principal, &mut found);
        }
        found.sort_unstable();
        found
    }

    /// What is said of `operation` by `client` with the resource `name`.
    pub fn decide(
        &self,
        client: Client<'_>,
        operation: Operation,
        resource_type: ResourceType,
        name: &str,
    ) -> Verdict {
        self.0.read().decide(client, operation, resource_type, name)
    }

    /// Whether there may be a resource of the type with which `client` may do `operation` (KIP-679).
    pub fn allows_with_some(
        &self,
        client: Client<'_>,
        operation: Operation,
        resource_type: ResourceType,
    ) -> bool {
        self.0.read().allows_with_some(client, operation, resource_type)
    }
}

impl Index {
    fn contains(&self, acl: &Acl) -> bool {
        let Acl { resource, principal, host, operation, permission } = acl;
        let patterns = self.types.get(&resource.resource_type).and_then(|of| of.principals.get(&**principal));
        let hosts = patterns.and_then(|patterns| patterns.get(resource.pattern_type, &resource.name));
        hosts
            .and_then(|hosts| hosts.0.get(host))
            .is_some_and(|found| found.of(*permission).meets(OperationSet::of(&[*operation])))
    }

    fn insert(&mut self, acl: &Acl) -> bool {
        if self.contains(acl) {
            return false;
        }
        let Acl { resource, principal, host, operation, permission } = acl;
        let of_type = self.types.entry(resource.resource_type).or_default();
        let patterns = of_type.principals.entry(Arc::clone(principal)).or_default();
        let hosts = patterns.entry(resource.pattern_type, &resource.name);
        let operations = hosts.0.entry(*host).or_default();
        operations.of_mut(*permission).0 |= OperationSet::of(&[*operation]).0;
        *of_type.counts.entry(resource.pattern_type, &resource.name) += 1;
        self.count += 1;
        true
    }

    fn remove(&mut self, acl: &Acl) -> bool {
        if !self.contains(acl) {
            return false;
        }
        let Acl { resource, principal, host, operation, permission } = acl;
        let ResourcePattern { resource_type, pattern_type, name } = resource;
        let of_type = self.types.entry(*resource_type).or_default();
        let patterns = of_type.principals.entry(Arc::clone(principal)).or_default();
        let hosts = patterns.entry(*pattern_type, name);
        let operations = hosts.0.entry(*host).or_default();
        operations.of_mut(*permission).0 &= !OperationSet::of(&[*operation]).0;
        if *operations == Operations::default() {
            hosts.0.remove(host);
        }
        if hosts.0.is_empty() {
            patterns.remove(*pattern_type, name);
        }
        if patterns.is_empty() {
            of_type.principals.remove(principal);
        }
        let count = of_type.counts.entry(*pattern_type, name);
        *count -= 1;
        if *count == 0 {
            of_type.counts.remove(*pattern_type, name);
        }
        self.count -= 1;
        true
    }

    /// The types and principals with rules that `filter` may mean.
    fn principals(&self, filter: &AclFilter) -> Vec<(ResourceType, Arc<str>)> {
        let types =
            self.types.iter().filter(|(each, _)| filter.resource_type.is_none_or(|wanted| wanted == **each));
        let principals = types.flat_map(|(resource_type, of_type)| {
            let principals: Vec<Arc<str>> = match &filter.principal {
                Some(wanted) => of_type
                    .principals
                    .get_key_value(&**wanted)
                    .map(|(name, _)| Arc::clone(name))
                    .into_iter()
                    .collect(),
                None => of_type.principals.keys().cloned().collect(),
            };
            principals.into_iter().map(|principal| (*resource_type, principal))
        });
        principals.collect()
    }

    /// Puts the rules of one type and principal that `filter` means behind `found`.
    fn collect(
        &self,
        filter: &AclFilter,
        resource_type: ResourceType,
        principal: &Arc<str>,
        found: &mut Vec<Acl>,
    ) {
        if let Some(patterns) = self.types.get(&resource_type).and_then(|of| of.principals.get(principal)) {
            collect(filter, resource_type, principal, patterns, found);
        }
    }

    fn decide(
        &self,
        client: Client<'_>,
        operation: Operation,
        resource_type: ResourceType,
        name: &str,
    ) -> Verdict {
        let Some(of_type) = self.types.get(&resource_type) else {
            return Verdict::Silent { is_ruled: false };
        };
        let asked = Question::new(client, operation);
        let mut is_allowed = false;
        for hosts in of_type.of_client(client).flat_map(|patterns| patterns.applying(name)) {
            if hosts.denies(asked) {
                return Verdict::Denied;
            }
            is_allowed |= hosts.allows(asked);
        }
        match is_allowed {
            true => Verdict::Allowed,
            false => Verdict::Silent { is_ruled: of_type.counts.applying(name).next().is_some() },
        }
    }

    fn allows_with_some(
        &self,
        client: Client<'_>,
        operation: Operation,
        resource_type: ResourceType,
    ) -> bool {
        let Some(of_type) = self.types.get(&resource_type) else { return false };
        let asked = Question::new(client, operation);
        let allowing = of_type.of_client(client).flat_map(Patterns::iter);
        let mut allowing = allowing.filter(|(_, _, hosts)| hosts.allows(asked));
        allowing.any(|(pattern, name, _)| {
            let mut all = of_type.of_client(client);
            match pattern {
                PatternType::Literal => !all.any(|of| of.applying(name).any(|hosts| hosts.denies(asked))),
                PatternType::Prefixed => !all.any(|of| of.covering(name).any(|hosts| hosts.denies(asked))),
            }
        })
    }
}

impl OfType {
    /// The rules about the client's principal, and those about everyone.
    fn of_client(&self, client: Client<'_>) -> impl Iterator<Item = &Patterns<Hosts>> {
        let own = client.principal.as_str();
        let everyone = if own == ANY_PRINCIPAL { None } else { self.principals.get(ANY_PRINCIPAL) };
        self.principals.get(own).into_iter().chain(everyone)
    }
}

impl Hosts {
    /// What is said of clients at the question's host.
    fn at(&self, asked: Question) -> impl Iterator<Item = Operations> {
        let own = asked.host.and_then(|host| self.0.get(&host));
        own.into_iter().chain(self.0.get(&Host::Any)).copied()
    }

    fn denies(&self, asked: Question) -> bool {
        self.at(asked).any(|found| found.denied.meets(asked.denying))
    }

    fn allows(&self, asked: Question) -> bool {
        self.at(asked).any(|found| found.allowed.meets(asked.allowing))
    }
}

impl Operations {
    fn of(&self, permission: Permission) -> OperationSet {
        match permission {
            Permission::Allow => self.allowed,
            Permission::Deny => self.denied,
        }
    }

    fn of_mut(&mut self, permission: Permission) -> &mut OperationSet {
        match permission {
            Permission::Allow => &mut self.allowed,
            Permission::Deny => &mut self.denied,
        }
    }
}

/// Puts the rules of one type and principal that `filter` means behind `found`.
fn collect(
    filter: &AclFilter,
    resource_type: ResourceType,
    principal: &Arc<str>,
    patterns: &Patterns<Hosts>,
    found: &mut Vec<Acl>,
) {
    for (pattern_type, name, hosts) in patterns.iter() {
        let resource = ResourcePattern { resource_type, pattern_type, name: Arc::clone(name) };
        for (host, operations) in &hosts.0 {
            for permission in Permission::ALL {
                for operation in operations.of(*permission).iter() {
                    let acl = Acl {
                        resource: resource.clone(),
                        principal: Arc::clone(principal),
                        host: *host,
                        operation,
                        permission: *permission,
                    };
                    if filter.matches(&acl) {
                        found.push(acl);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
