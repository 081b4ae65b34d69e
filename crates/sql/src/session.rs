//! The DataFusion session that pipelines are planned in.
//!
//! What differs from an ordinary session is what would be wrong or wasteful for a plan that runs again and again
//! on a few thousand rows; each setting says why.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

/// Physical rules that merge, reorder or specialise aggregates, or push filters that are not reset between
/// runs: the aggregate must stay the plain two-step one that the direct step takes apart.
const UNSUITABLE_RULES: &[&str] = &[
    "aggregate_statistics",
    "CombinePartialFinalAggregate",
    "LimitedDistinctAggregation",
    "LimitAggregation",
    "FilterPushdown",
    "FilterPushdown(Post)",
];

/// A session for the part of a plan below the cut.
pub(crate) fn streaming() -> SessionContext {
    let mut config = SessionConfig::new()
        // One task is one thread; partitions of the source are tasks of their own.
        .with_target_partitions(1)
        // An epoch goes through in one piece.
        .with_batch_size(1 << 17)
        .with_information_schema(false);
    let options = config.options_mut();
    // Dynamic filters keep state between runs that a reset does not clear.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.execution.collect_statistics = false;
    // Above 1 a partial aggregate never gives up grouping, so that no group comes out twice.
    options.execution.skip_partial_aggregation_probe_ratio_threshold = 2.0;
    options.sql_parser.enable_ident_normalization = false;
    let rules = PhysicalOptimizer::new().rules;
    let rules = rules.into_iter().filter(|rule| !UNSUITABLE_RULES.contains(&rule.name())).collect();
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(Arc::default())
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .build();
    let context = SessionContext::new_with_state(state);
    // count(DISTINCT x) must stay one aggregate with one state per group.
    context.remove_optimizer_rule("single_distinct_aggregation_to_group_by");
    context
}

/// A session for batch work: the part of a view above the cut.
pub(crate) fn batch() -> SessionContext {
    SessionContext::new_with_config(batch_config())
}

/// A session for an ad-hoc query with so many bytes of memory and no disk: a query that needs more fails. How many
/// there are at once is bounded by the pool that runs them.
pub(crate) fn query(memory: usize) -> SessionContext {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(memory, 1.0).with_disk_manager_builder(no_disk);
    let runtime = runtime.build_arc().expect("a runtime without a disk opens nothing");
    SessionContext::new_with_config_rt(batch_config(), runtime)
}

fn batch_config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    config
}
