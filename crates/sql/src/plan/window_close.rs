//! `EMIT ON WINDOW CLOSE`: rows that are shown once, when their window is over.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use super::cut::Kept;
use super::relations::{Kind, Relations};
use crate::definitions::Problem;
use crate::statement::SourceText;
use crate::tumble::{Tumble, WINDOW_END, WINDOW_START};

/// How windows are told.
#[derive(Debug, Clone)]
pub(crate) struct WindowClose {
    /// The end of the window of a kept row, over the columns of `__kept_0`.
    pub(crate) end: Expr,
    /// The end of the window that an event belongs to, over the columns of the event.
    pub(crate) event_end: Expr,
}

/// What a view needs to close windows.
pub(super) struct Closing<'a> {
    pub(super) source: &'a SourceText,
    pub(super) relations: &'a Relations,
    pub(super) tumbles: &'a [Tumble],
    pub(super) kept: &'a [Kept],
    /// Where `EMIT` stands.
    pub(super) place: Range<usize>,
}

impl Closing<'_> {
    /// Finds the windows of a view.
    pub(super) fn windows(&self) -> Result<WindowClose, Box<Problem>> {
        let ([tumble], [kept]) = (self.tumbles, self.kept) else {
            return self.refuse("EMIT ON WINDOW CLOSE needs one aggregate over one TUMBLE of a topic");
        };
        let event_end = self.event_end(tumble)?;
        let LogicalPlan::Aggregate(aggregate) = &kept.plan else {
            return self.refuse("EMIT ON WINDOW CLOSE needs GROUP BY window_start or window_end");
        };
        let keys = aggregate.group_expr.iter().enumerate();
        let of_name = |name: &str| {
            keys.clone().find(|(_, key)| matches!(key, Expr::Column(column) if column.name == name))
        };
        let kept_column = |place: usize| Expr::Column(Column::new_unqualified(format!("k{place}")));
        let end = match (of_name(WINDOW_END), of_name(WINDOW_START)) {
            (Some((end, _)), _) => kept_column(end),
            (None, Some((start, _))) => plus(kept_column(start), tumble),
            (None, None) => return self.refuse("EMIT ON WINDOW CLOSE needs GROUP BY window_start or window_end"),
        };
        Ok(WindowClose { end, event_end })
    }

    fn event_end(&self, tumble: &Tumble) -> Result<Expr, Box<Problem>> {
        let relation = tumble.relation.as_ref().and_then(|name| self.relations.get(name));
        let of_stream = relation.and_then(|relation| match relation.kind {
            Kind::Stream { time, .. } => Some(relation.schema.field(time).name()),
            _ => None,
        });
        let Some(time) = of_stream else {
            return self.refuse("EMIT ON WINDOW CLOSE needs a TUMBLE of a topic itself");
        };
        if *time != tumble.column {
            let message = format!(
                "windows close by the event time, which is `{time}`: `{}` is another column",
                tumble.column
            );
            return Err(Box::new(self.source.problem(tumble.place.clone(), message)));
        }
        let functions = self.relations.state().scalar_functions();
        let date_bin = functions.get("date_bin").expect("DataFusion has date_bin");
        let time = Expr::Column(Column::new_unqualified(time.clone()));
        let start = ScalarFunction::new_udf(Arc::clone(date_bin), vec![tumble.size.literal(), time]);
        Ok(plus(Expr::ScalarFunction(start), tumble))
    }

    fn refuse<T>(&self, message: &str) -> Result<T, Box<Problem>> {
        Err(Box::new(self.source.problem(self.place.clone(), message)))
    }
}

fn plus(start: Expr, tumble: &Tumble) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(start), Operator::Plus, Box::new(tumble.size.literal())))
}
