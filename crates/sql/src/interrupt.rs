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
use factum_base::tasks::Stop;

/// Tells a query that nobody waits for it any more.
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

    fn asking(&self, condition: Expr) -> Expr {
        let signature = Signature::any(1, Volatility::Volatile);
        ScalarUDF::new_from_impl(Asking { interrupt: self.clone(), signature }).call(vec![condition])
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
        if self.interrupt.0.is_requested() {
            return Err(DataFusionError::Execution("the query was ended".to_owned()));
        }
        match arguments.args.pop() {
            Some(condition) => Ok(condition),
            None => internal_err!("{} takes one condition", self.name()),
        }
    }
}
