//! The budget for trying the calls of one file. What is beyond it is not tried, and told by its rows.
//!
//! It is counted and not timed, so that a file is refused by every machine or by none.

use datafusion::logical_expr::Expr;

use crate::patterns;

/// Some 25,000 calls of a usual kind, or fifty of the largest regular expressions, each of which takes a hundredth of a
/// second or two to compile.
const OF_A_FILE: u64 = 2_500_000;
/// The cost of a call, beside that of its regular expression.
const OF_A_CALL: u64 = 100;

/// What is left for the statements of a file.
#[derive(Debug)]
pub(in crate::plan) struct TrialBudget(u64);

impl Default for TrialBudget {
    fn default() -> Self {
        Self(OF_A_FILE)
    }
}

impl TrialBudget {
    /// Whether `call` may be tried; then it is paid for.
    pub(super) fn pay(&mut self, call: &Expr) -> bool {
        let cost = OF_A_CALL + patterns::weight_of(call);
        let left = self.0.checked_sub(cost);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions::regex::regexp_like;
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn tried(pattern: &str) -> usize {
        let call = regexp_like().call(vec![col("k"), lit(pattern)]);
        let mut budget = TrialBudget::default();
        std::iter::repeat_with(|| budget.pay(&call)).take_while(|may| *may).count()
    }

    #[test]
    fn large_patterns_are_tried_less_often() {
        assert_eq!(tried("a"), 24_752);
        assert_eq!(tried("(a{245}){204}"), 49);
    }
}
