//! Statistics of doubles by exact totals, in the place of DataFusion's, which correct their result with each value and
//! so depend on the order of rows.
//!
//! Names, types and signatures are DataFusion's. `regr_count` counts and is left to it.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::{correlation, covariance, regr, stddev, variance};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::aggregates::{self, FloatAggregate, FloatGroups};
use super::statistics::Statistic;

/// All of them.
pub(crate) fn statistics() -> Vec<AggregateUDF> {
    let functions = [
        (variance::var_samp_udaf(), Statistic::VarianceSample),
        (variance::var_pop_udaf(), Statistic::VariancePopulation),
        (stddev::stddev_udaf(), Statistic::DeviationSample),
        (stddev::stddev_pop_udaf(), Statistic::DeviationPopulation),
        (covariance::covar_samp_udaf(), Statistic::CovarianceSample),
        (covariance::covar_pop_udaf(), Statistic::CovariancePopulation),
        (correlation::corr_udaf(), Statistic::Correlation),
        (regr::regr_slope_udaf(), Statistic::Slope),
        (regr::regr_intercept_udaf(), Statistic::Intercept),
        (regr::regr_r2_udaf(), Statistic::R2),
        (regr::regr_avgx_udaf(), Statistic::AverageX),
        (regr::regr_avgy_udaf(), Statistic::AverageY),
        (regr::regr_sxx_udaf(), Statistic::Sxx),
        (regr::regr_syy_udaf(), Statistic::Syy),
        (regr::regr_sxy_udaf(), Statistic::Sxy),
    ];
    let exact = functions.map(|(function, statistic)| ExactStatistic { function, statistic });
    exact.into_iter().map(AggregateUDF::new_from_impl).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactStatistic {
    /// DataFusion's.
    function: Arc<AggregateUDF>,
    statistic: Statistic,
}

impl AggregateUDFImpl for ExactStatistic {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Ok(aggregates::of_distinct(self.function.accumulator(args)?, self.statistic));
        }
        Ok(Box::new(FloatAggregate::new(self.statistic)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if args.is_distinct {
            self.function.state_fields(args)
        } else {
            Ok(aggregates::state_fields(args.name))
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(FloatGroups::new(self.statistic)))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
