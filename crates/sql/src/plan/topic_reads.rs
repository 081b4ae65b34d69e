//! Topics and views that a plain view reads, with the columns of events that it needs.
//!
//! A view that is kept up to date says the same by its cuts.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use factum_types::TopicName;

use super::relations::{Kind, Relations};
use super::slot_scan::pruned;
use crate::definitions::RelationName;

/// What a plain view reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueryReads {
    /// Topics, with the places of the columns that it needs of their events.
    pub(crate) topics: BTreeMap<TopicName, BTreeSet<usize>>,
    /// Views that are kept up to date.
    pub(crate) views: BTreeSet<RelationName>,
}

impl QueryReads {
    /// Of a plan in which plain views are written out.
    pub(super) fn of(plan: &LogicalPlan, relations: &Relations) -> Self {
        // Of a plan that cannot be pruned, every column is taken to be needed.
        let pruned = pruned(plan.clone(), relations).unwrap_or_else(|_| plan.clone());
        let mut reads = Self::default();
        let looked = pruned.apply_with_subqueries(|node| {
            let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
            let Some((name, relation)) = relations.of_scan(&scan.table_name) else {
                return Ok(TreeNodeRecursion::Continue);
            };
            match &relation.kind {
                Kind::Stream { topic, .. } => {
                    let all = || (0..relation.schema.fields().len()).collect();
                    let columns = scan.projection.clone().unwrap_or_else(all);
                    reads.topics.entry(topic.clone()).or_default().extend(columns);
                }
                Kind::View => {
                    reads.views.insert(name.clone());
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        looked.expect("looking never fails");
        reads
    }
}
