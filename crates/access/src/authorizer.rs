//! The authoriser that goes by the rules.
//!
//! **Invariants:** Factum itself and super users may do everything; of everyone else a rule that denies is final, and what no
//! rule allows is denied, unless the operator chose that what no rule is about is open. Even then, who changes the cluster,
//! users or rules is named by a rule.

use std::collections::HashSet;

use factum_types::auth::{AccessDeniedError, Client};
use factum_types::{Action, Authorizer, Principal, Resource};

use crate::acl::{ANY_NAME, CLUSTER};
use crate::{Acls, Operation, ResourceType, Verdict};

/// Decides by [`Acls`].
#[derive(Debug, Clone)]
pub struct AclAuthorizer {
    acls: Acls,
    super_users: HashSet<String>,
    allows_unruled: bool,
    system: Principal,
}

impl AclAuthorizer {
    /// By `acls`; `super_users` may do everything. `allows_unruled` is Kafka's `allow.everyone.if.no.acl.found`: what no
    /// rule is about, for whomever, is open to all; of the cluster only what changes nothing of it.
    pub fn new(acls: Acls, super_users: impl IntoIterator<Item = String>, allows_unruled: bool) -> Self {
        let super_users = super_users.into_iter().collect();
        Self { acls, super_users, allows_unruled, system: Principal::system() }
    }

    fn allows(&self, client: Client<'_>, action: Action, resource: Resource<'_>) -> bool {
        if *client.principal == self.system || self.super_users.contains(client.principal.as_str()) {
            return true;
        }
        let (resource_type, name) = match resource {
            Resource::Cluster | Resource::AccessRules => (ResourceType::Cluster, CLUSTER),
            // Where no rule is about every topic, there may be one that no rule is about.
            Resource::AnyTopic => {
                match self.acls.allows_with_some(client, action.into(), ResourceType::Topic) {
                    true => return true,
                    false => (ResourceType::Topic, ANY_NAME),
                }
            }
            Resource::Topic(name) => (ResourceType::Topic, name.as_str()),
            Resource::Group(id) => (ResourceType::Group, id.as_str()),
            Resource::TransactionalId(id) => (ResourceType::TransactionalId, id.as_str()),
            // Views, tables and dashboards share `<team>.<name>` with topics, so one rule opens a team's whole.
            Resource::Definition { name, .. } => (ResourceType::Topic, name),
        };
        match self.acls.decide(client, action.into(), resource_type, name) {
            Verdict::Allowed => true,
            Verdict::Silent { is_ruled: false } if self.allows_unruled && may_be_open(action, resource) => {
                true
            }
            // A client that may write to any topic may have a producer id for it (KIP-679).
            Verdict::Denied | Verdict::Silent { .. } => {
                action == Action::IdempotentWrite
                    && self.acls.allows_with_some(client, Operation::Write, ResourceType::Topic)
            }
        }
    }
}

/// Whether everyone may do it where no rule is about the resource, if the operator chose that. Of the cluster that is to see
/// it, to create topics and to have producer ids: never what could open more.
fn may_be_open(action: Action, resource: Resource<'_>) -> bool {
    match resource {
        Resource::AccessRules => false,
        Resource::Cluster => matches!(action, Action::Describe | Action::Create | Action::IdempotentWrite),
        Resource::AnyTopic
        | Resource::Topic(_)
        | Resource::Group(_)
        | Resource::TransactionalId(_)
        | Resource::Definition { .. } => true,
    }
}

impl Authorizer for AclAuthorizer {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        match self.allows(client, action, resource) {
            true => Ok(()),
            false => Err(AccessDeniedError::new(client, action, resource)),
        }
    }
}
