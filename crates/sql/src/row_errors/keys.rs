//! Key columns of a plan: those that tell one row from another.

use std::collections::HashMap;
use std::ops::Range;

use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

/// The places of the columns that the groups of kept tables go by.
pub(crate) type KeyColumns = HashMap<TableReference, Range<usize>>;

/// The columns that rows of `plan` go by; `None` if that is not known, or not all of them are there.
pub(super) fn of(plan: &LogicalPlan, tables: &KeyColumns) -> Option<Vec<Column>> {
    let at = |place: usize| Column::from(plan.schema().qualified_field(place));
    match plan {
        LogicalPlan::TableScan(scan) => Some(tables.get(&scan.table_name)?.clone().map(at).collect()),
        LogicalPlan::Projection(projection) => {
            let keys = of(&projection.input, tables)?;
            let place = |key: &Column| {
                projection.expr.iter().position(
                    |expr| matches!(expr.clone().unalias_nested().data, Expr::Column(column) if column == *key),
                )
            };
            keys.iter().map(|key| place(key).map(at)).collect()
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let keys = of(&alias.input, tables)?;
            let place = |key: &Column| alias.input.schema().maybe_index_of_column(key);
            keys.iter().map(|key| place(key).map(at)).collect()
        }
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Window(_) => {
            of(plan.inputs()[0], tables)
        }
        LogicalPlan::Distinct(Distinct::All(input)) => of(input, tables),
        LogicalPlan::Aggregate(aggregate) => {
            let keys = plan.schema().fields().len() - aggregate.aggr_expr.len();
            Some((0..keys).map(at).collect())
        }
        LogicalPlan::Join(join) => {
            let keys = [of(&join.left, tables), of(&join.right, tables)].into_iter().flatten().flatten();
            let keys: Vec<_> = keys.filter(|key| plan.schema().has_column(key)).collect();
            (!keys.is_empty()).then_some(keys)
        }
        _ => None,
    }
}
