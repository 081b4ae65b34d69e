//! Access of a caller to relations: which of them a statement may name.
//!
//! **Invariants:** what the caller may neither describe nor do what it asks is not there: it is neither found nor suggested.
//! Of a view its own rule counts, and none of what it reads.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, visit_relations};
use factum_types::{AccessDeniedError, Action, Resource};

use crate::definitions::RelationName;
use crate::names::Failure;
use crate::plan::relations::{Kind, Relation, Relations};
use crate::statement::identifiers;

/// Whether a caller may do something. It is asked for every relation that a statement names, so it must be quick.
pub type AccessCheck = Arc<dyn Fn(Action, Resource<'_>) -> Result<(), AccessDeniedError> + Send + Sync>;

/// Which relations a statement may name.
#[derive(Clone, Copy)]
pub(crate) enum RelationAccess<'a> {
    /// All: it is Factum's own, or a project's.
    All,
    /// This one.
    One(&'a RelationName),
    /// Those with which the caller may do something.
    Asked(Action, &'a AccessCheck),
}

impl RelationAccess<'_> {
    /// Whether there is a relation for the caller.
    pub(crate) fn sees(self, name: &RelationName, relation: &Relation) -> bool {
        match self {
            Self::All => true,
            Self::One(only) => name == only,
            Self::Asked(action, check) => {
                ask(check, action, name, relation).is_ok()
                    || ask(check, Action::Describe, name, relation).is_ok()
            }
        }
    }

    /// Refuses a relation that the caller sees and may not use.
    pub(crate) fn check(self, name: &RelationName, relation: &Relation) -> Result<(), Failure> {
        match self {
            Self::Asked(action, check) => ask(check, action, name, relation).map_err(Failure::Denied),
            Self::All | Self::One(_) => Ok(()),
        }
    }

    /// The first name in a resolved query that stands for a relation which it may not name: wherever a query can stand, the
    /// planner looks names up.
    pub(crate) fn first_hidden(self, query: &Query, relations: &Relations) -> Option<ObjectName> {
        if matches!(self, Self::All) {
            return None;
        }
        let looked = visit_relations(query, |written| {
            let path = identifiers(written).unwrap_or_default();
            let [.., team, name] = &path[..] else { return ControlFlow::Continue(()) };
            let name = RelationName::new(team.value.as_str(), name.value.as_str());
            match relations.get(&name) {
                Some(relation) if !self.sees(&name, relation) || self.check(&name, relation).is_err() => {
                    ControlFlow::Break(written.clone())
                }
                _ => ControlFlow::Continue(()),
            }
        });
        looked.break_value()
    }
}

fn ask(
    check: &AccessCheck,
    action: Action,
    name: &RelationName,
    relation: &Relation,
) -> Result<(), AccessDeniedError> {
    let full = name.to_string();
    match &relation.kind {
        Kind::Stream { topic, .. } => check(action, Resource::Topic(topic)),
        // What waits for a topic may be the topic itself, or a view of it.
        Kind::Awaited { topic } if topic.split() == Some((&*name.team, &*name.name)) => {
            check(action, Resource::Topic(topic))
        }
        Kind::Table => check(action, Resource::table(&full)),
        Kind::View | Kind::Inlined | Kind::Awaited { .. } | Kind::Unplanned => {
            check(action, Resource::view(&full))
        }
    }
}
