//! Effects: what puts definitions into effect.
//!
//! ```text
//!   Definitions ──► Effects ─┬─ SQL          tables, files of SQL
//!                            ├─ feeds        need tables and events
//!                            └─ dashboards   need the views of SQL
//! ```
//!
//! Governance knows no effect by name: the server gives them ([`Effects`]); `()` has none.

use std::sync::Arc;

use async_trait::async_trait;

use crate::definitions::Definitions;
use crate::kind::Fault;
use crate::problem::Problem;
use crate::resource_id::{ResourceId, ResourceKind};

/// Puts definitions of some kinds into effect.
#[async_trait]
pub trait Effect: Send + Sync + 'static {
    /// The kinds that it puts into effect.
    fn kinds(&self) -> Vec<ResourceKind>;

    /// Kinds that must be in effect before: those that its own refer to.
    fn needs(&self) -> Vec<ResourceKind>;

    /// Looks for what would be wrong with `wanted`; topics of new events need not exist yet. Changes nothing.
    ///
    /// # Errors
    /// [`EffectError`], with every problem at its place in the file.
    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError>;

    /// Puts `applied` into effect: what is unchanged goes on, what changed is built beside the old, what is gone ends.
    /// Where the definitions are not complete, nothing ends.
    ///
    /// # Errors
    /// [`EffectError`]; what was in effect stays so.
    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError>;

    /// What of `declared` shows nothing although it is in effect. Asked after [`Effect::apply`].
    fn faults(&self, _declared: &Definitions) -> Vec<(ResourceId, Fault)> {
        Vec::new()
    }
}

/// Why definitions were not put into effect.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// They are wrong.
    #[error("the definitions cannot be put into effect as they are")]
    Refused(Vec<Problem>),
    /// The log or the state does not answer now.
    #[error("the definitions cannot be put into effect now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl EffectError {
    /// Whether the same definitions may be put into effect later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// What is wrong with the definitions, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(problems) => problems,
            Self::Unavailable { .. } => &[],
        }
    }
}

/// Effects in the order in which they come: each behind those that it needs.
#[derive(Clone, Default)]
pub struct Effects(Vec<Arc<dyn Effect>>);

impl Effects {
    /// Puts effects in order; those that need nothing of each other stay in the order given.
    ///
    /// # Panics
    /// If two need each other: that is a mistake of the program, and seen at every start.
    pub fn new(mut effects: Vec<Arc<dyn Effect>>) -> Self {
        let mut ordered = Vec::with_capacity(effects.len());
        while !effects.is_empty() {
            let is_ready = |effect: &Arc<dyn Effect>| {
                let needs = effect.needs();
                let others = effects.iter().filter(|other| !Arc::ptr_eq(other, effect));
                !others.flat_map(|other| other.kinds()).any(|kind| needs.contains(&kind))
            };
            let next = effects.iter().position(is_ready).expect("no two effects need each other");
            ordered.push(effects.remove(next));
        }
        Self(ordered)
    }
}

#[async_trait]
impl Effect for Effects {
    fn kinds(&self) -> Vec<ResourceKind> {
        self.0.iter().flat_map(|effect| effect.kinds()).collect()
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    /// Gives what is wrong for all of them.
    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        let mut problems = Vec::new();
        for effect in &self.0 {
            match effect.check(wanted).await {
                Ok(()) => {}
                Err(EffectError::Refused(refused)) => problems.extend(refused),
                Err(error) => return Err(error),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(EffectError::Refused(problems)) }
    }

    /// Stops at the first that fails, since others need it.
    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        for effect in &self.0 {
            effect.apply(applied).await?;
        }
        Ok(())
    }

    fn faults(&self, declared: &Definitions) -> Vec<(ResourceId, Fault)> {
        self.0.iter().flat_map(|effect| effect.faults(declared)).collect()
    }
}

/// No effect: definitions are recorded and shown, and nothing is wrong with them.
#[async_trait]
impl Effect for () {
    fn kinds(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    async fn check(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }

    async fn apply(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{DashboardDefinition, FeedDefinition, PipelineDefinition, TableDefinition};

    struct OrderedEffect(ResourceKind, Vec<ResourceKind>);

    #[async_trait]
    impl Effect for OrderedEffect {
        fn kinds(&self) -> Vec<ResourceKind> {
            vec![self.0]
        }

        fn needs(&self) -> Vec<ResourceKind> {
            self.1.clone()
        }

        async fn check(&self, _: &Definitions) -> Result<(), EffectError> {
            Ok(())
        }

        async fn apply(&self, _: &Definitions) -> Result<(), EffectError> {
            Ok(())
        }
    }

    #[test]
    fn an_effect_comes_behind_those_that_it_needs() {
        let (table, sql) = (ResourceKind::of::<TableDefinition>(), ResourceKind::of::<PipelineDefinition>());
        let (feed, page) = (ResourceKind::of::<FeedDefinition>(), ResourceKind::of::<DashboardDefinition>());
        let named = |kind, needs: &[ResourceKind]| -> Arc<dyn Effect> {
            Arc::new(OrderedEffect(kind, needs.to_vec()))
        };
        let effects = Effects::new(vec![
            named(page, &[sql, feed]),
            named(feed, &[table]),
            named(sql, &[table]),
            named(table, &[]),
        ]);
        assert_eq!(effects.kinds(), [table, feed, sql, page]);
    }
}
