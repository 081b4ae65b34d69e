//! Ending a query inside an operator.
//!
//! DataFusion pauses between batches (`tokio::coop`), but a join whose filter is never true, or one batch against a
//! large side of a join, computes for minutes without a pause. All of these evaluate an expression for each batch of
//! pairs, so the conditions of joins and filters ask there whether anybody still wants the rows.
//!
//! Invariant: a condition computes what it did, or the query fails.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use factum_base::tasks::Stop;

/// Tells a query that no one waits for it any more.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<Stop>);

impl Interrupt {
    /// An interrupt that is requested together with `stop`.
    pub(crate) fn new(stop: Stop) -> Self {
        Self(Arc::new(stop))
    }

    pub(crate) fn request(&self) {
        self.0.request();
    }

    /// Fails once it is requested.
    pub(crate) fn ask(&self) -> Result<()> {
        match self.0.is_requested() {
            true => Err(DataFusionError::Execution("the query was ended".to_owned())),
            false => Ok(()),
        }
    }

    pub(crate) async fn requested(&self) {
        self.0.requested().await;
    }

    /// Puts the question into every condition of an optimised plan.
    ///
    /// # Errors
    /// If the plan cannot be walked.
    pub(crate) fn within(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let asking = plan.transform_up_with_subqueries(|node| {
            Ok(match node {
                LogicalPlan::Join(mut join) => {
                    join.filter = join.filter.map(|condition| self.asking(condition));
                    Transformed::yes(LogicalPlan::Join(join))
                }
                LogicalPlan::Filter(mut filter) => {
                    filter.predicate = self.asking(filter.predicate);
                    Transformed::yes(LogicalPlan::Filter(filter))
                }
                node => Transformed::no(node),
            })
        })?;
        Ok(asking.data)
    }

    /// The rules of an optimiser with the question before each, so that planning ends with its client as well.
    pub(crate) fn between(&self, rules: &[Rule]) -> Vec<Rule> {
        let asking: Rule = Arc::new(AskBetweenRules(self.clone()));
        rules.iter().flat_map(|rule| [Arc::clone(&asking), Arc::clone(rule)]).collect()
    }

    fn asking(&self, condition: Expr) -> Expr {
        let signature = Signature::any(1, Volatility::Volatile);
        ScalarUDF::new_from_impl(Asking { interrupt: self.clone(), signature }).call(vec![condition])
    }
}

/// A rule of an optimiser.
type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// A rule that changes nothing, and fails once the query is interrupted.
#[derive(Debug)]
struct AskBetweenRules(Interrupt);

impl OptimizerRule for AskBetweenRules {
    fn name(&self) -> &'static str {
        "unless_interrupted"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        self.0.ask()?;
        Ok(Transformed::no(plan))
    }
}

impl PartialEq for Interrupt {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Interrupt {}

impl Hash for Interrupt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// A condition that fails once the query is interrupted.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Asking {
    interrupt: Interrupt,
    signature: Signature,
}

impl ScalarUDFImpl for Asking {
    fn name(&self) -> &'static str {
        "unless_interrupted"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [condition] => Ok(condition.clone()),
            _ => internal_err!("{} takes one condition", self.name()),
        }
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.interrupt.ask()?;
        match arguments.args.pop() {
            Some(condition) => Ok(condition),
            None => internal_err!("{} takes one condition", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::LogicalPlanBuilder;
    use datafusion::optimizer::{Optimizer, OptimizerContext};
    use factum_base::tasks::TaskTree;

    use super::*;

    #[test]
    fn optimising_ends_once_it_is_interrupted() {
        let interrupt = Interrupt::new(TaskTree::new().child("test").stop().child());
        let optimizer = Optimizer::with_rules(interrupt.between(&Optimizer::new().rules));
        let optimise = || {
            let plan = LogicalPlanBuilder::empty(true).build().expect("a plan");
            optimizer.optimize(plan, &OptimizerContext::new(), |_, _| {})
        };
        optimise().expect("no one has asked for an end");
        interrupt.request();
        let error = optimise().expect_err("it is interrupted").to_string();
        assert!(error.contains("the query was ended"), "{error}");
    }
}
