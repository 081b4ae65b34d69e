//! Limits on what scalar functions make.
//!
//! ```text
//!   repeat(x, 1000000000)   would ask for its memory at once: where there is none the process ends, and a view
//!                           over such an event would end it again at each start
//!        │ planned
//!   limited(repeat)(x, …)   how much would it make? ──▶ computes, a part of the rows at a time, or fails
//! ```
//!
//! Invariants:
//! - Every function of a plan has a limit, also one that the planner put there; those of [`UNLIMITED`] give what they
//!   are given.
//! - Within the limit a function is DataFusion's own: its name, type and result stay, but for nulls that are given without a
//!   word ([`nulls`]).
//! - A function of an ad-hoc query ends with its query, and counts in the memory of it.

mod errors;
mod growth;
mod nulls;
mod position;
mod query;

pub(crate) use query::FunctionsOfQuery;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExpressionPlacement, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};
use datafusion::optimizer::AnalyzerRule;

use self::errors::Call;
use self::growth::Growth;
use crate::rewrite;

/// Most bytes that one call makes, for a batch of rows.
pub(crate) const LARGEST_RESULT: u64 = 256 << 20;
/// Most bytes of one value that is the same for all rows: plans are copied with their constants.
const LARGEST_CONSTANT: u64 = 16 << 20;

/// Most steps of work for one row: bytes or items of the one argument times those of the other.
const LARGEST_WORK: u64 = 16 << 20;
/// Most values that `range` makes of one event of a view, and most rows that a step of a view makes: of one event, or of
/// several, which are then computed a few at a time.
pub(crate) const MOST_OF_AN_EVENT: usize = 1_000_000;
/// Most bytes of the values that `range` makes of a batch of events.
const LARGEST_RANGES: u64 = 32 << 20;

/// Functions that choose or wrap what they are given, and those of our own that plans are searched for.
const UNLIMITED: [&str; 24] = [
    "arrow_cast",
    "arrow_field",
    "arrow_metadata",
    "arrow_try_cast",
    "arrow_typeof",
    "cast_to_type",
    "checked_add",
    "checked_divide",
    "checked_multiply",
    "checked_negate",
    "checked_subtract",
    "coalesce",
    "current_date",
    "get_field",
    "greatest",
    "least",
    "named_struct",
    "now",
    "nullif",
    "nvl",
    "nvl2",
    "struct",
    "try_cast_to_type",
    "with_metadata",
];

/// The rule that puts the limits into a plan; it comes last, when every function is known.
#[derive(Debug)]
pub(crate) struct LimitedFunctions;

impl AnalyzerRule for LimitedFunctions {
    fn name(&self) -> &'static str {
        "limited_functions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, |part, _| Ok(limited(part, None)))
    }
}

/// The plan of an ad-hoc query with functions that heed its end and its memory.
///
/// # Errors
/// If the plan cannot be walked.
pub(crate) fn of_query(plan: LogicalPlan, query: &FunctionsOfQuery) -> Result<LogicalPlan> {
    rewrite::expressions(plan, |part, _| Ok(limited(part, Some(query))))
}

/// The plan of what a view makes of each event, with functions that make fewer rows of one than a query may.
///
/// # Errors
/// If the plan cannot be walked.
pub(crate) fn of_events(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::expressions(plan, |part, _| {
        let Expr::ScalarFunction(call) = &part else { return Ok(Transformed::no(part)) };
        Ok(match call.func.inner().downcast_ref::<LimitedFunction>() {
            Some(known) if known.growth == Growth::Counted => {
                let function = Arc::clone(&known.function);
                let of_event = LimitedFunction { function, growth: Growth::CountedOfEvent, query: None };
                let (func, args) = (Arc::new(ScalarUDF::from(of_event)), call.args.clone());
                Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
            }
            _ => Transformed::no(part),
        })
    })
}

/// The function itself, of one that has a limit.
pub(crate) fn plain(function: &ScalarUDF) -> &ScalarUDF {
    function.inner().downcast_ref::<LimitedFunction>().map_or(function, |limited| &limited.function)
}

/// The error of a function whose result would be too large.
pub(crate) fn too_much(name: &str) -> DataFusionError {
    let most = LARGEST_RESULT >> 20;
    DataFusionError::ResourcesExhausted(format!("{name} would make more than {most} MiB at once"))
}

fn limited(part: Expr, query: Option<&FunctionsOfQuery>) -> Transformed<Expr> {
    let Expr::ScalarFunction(call) = part else { return Transformed::no(part) };
    let known = call.func.inner().downcast_ref::<LimitedFunction>();
    let is_done = known.is_some_and(|known| query.is_none() || known.query.is_some());
    if is_done || UNLIMITED.contains(&call.func.name()) || call.func.name().starts_with("tumble") {
        return Transformed::no(Expr::ScalarFunction(call));
    }
    let function = known.map_or(&call.func, |known| &known.function);
    let growth = Growth::of(function.name());
    let limited = LimitedFunction { function: Arc::clone(function), growth, query: query.cloned() };
    let func = Arc::new(ScalarUDF::from(limited));
    Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args: call.args }))
}

/// A function with a limit.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LimitedFunction {
    function: Arc<ScalarUDF>,
    growth: Growth,
    query: Option<FunctionsOfQuery>,
}

impl LimitedFunction {
    /// The result, or an error if it would be too large.
    fn compute(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Some(query) = &self.query {
            query.ask()?;
        }
        if !self.growth.is_work() && has_fixed_size(arguments.return_field.data_type()) {
            return self.invoke(arguments);
        }
        let is_constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let is_constant = arguments.args.iter().all(is_constant);
        let (rows, most) =
            if is_constant { (1, LARGEST_CONSTANT) } else { (arguments.number_rows, LARGEST_RESULT) };
        let most = match self.growth {
            growth if growth.is_work() => LARGEST_WORK,
            Growth::CountedOfEvent => {
                self.check_values(&arguments, rows)?;
                LARGEST_RANGES
            }
            _ => most,
        };
        if self.growth.of_rows(&arguments.args, rows, most.into())? <= u128::from(most) {
            return self.compute_at_once(arguments);
        }
        // How much comes out is known only by computing it: fewer rows at a time, each of which is within the limit.
        if self.growth.is_estimate() && rows > 1 {
            return self.compute_in_halves(&arguments, rows);
        }
        Err(self.too_much(is_constant))
    }

    /// Fails if an event asks for more values than a view makes of one.
    fn check_values(&self, arguments: &ScalarFunctionArgs, rows: usize) -> Result<()> {
        let values = growth::most_values(&arguments.args, rows)?;
        match values > MOST_OF_AN_EVENT as u128 {
            true => Err(DataFusionError::ResourcesExhausted(format!(
                "{} would make {values} values of one event: the limit is {MOST_OF_AN_EVENT}",
                self.name()
            ))),
            false => Ok(()),
        }
    }

    fn compute_at_once(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(query) = &self.query else { return self.invoke(arguments) };
        let given = arguments.args.clone();
        let result = self.invoke(arguments)?;
        query.hold(&result, &given)?;
        Ok(result)
    }

    /// Theirs, whose panics over strange values are errors: one event must not end the task of a view.
    fn invoke(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.growth == Growth::Padded
            && let Some(characters) = arguments.args.get_mut(1)
        {
            *characters = growth::not_negative(characters);
        }
        if let Some(result) = nulls::map_of_null(self.name(), &arguments) {
            return result;
        }
        if position::is_searched(self.name(), &arguments) {
            return position::of_texts(&arguments);
        }
        let given = nulls::is_silent(self.name()).then(|| arguments.args.clone());
        let call = Call::new(self.name(), &arguments);
        let computed = catch_unwind(AssertUnwindSafe(|| self.function.invoke_with_args(arguments)));
        let computed = computed.unwrap_or_else(|_| exec_err!("{} cannot be computed of this", self.name()));
        let result = computed.map_err(|error| call.explained(self.name(), error))?;
        match given {
            Some(given) => nulls::refused(self.name(), &given, result),
            None => Ok(result),
        }
    }

    fn compute_in_halves(&self, arguments: &ScalarFunctionArgs, rows: usize) -> Result<ColumnarValue> {
        let mut pieces = Vec::new();
        let mut bytes = 0;
        for (from, rows) in [(0, rows / 2), (rows / 2, rows - rows / 2)] {
            let part = |value: &ColumnarValue| match value {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, rows)),
                scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
            };
            let args = arguments.args.iter().map(part).collect();
            let piece = ScalarFunctionArgs { args, number_rows: rows, ..arguments.clone() };
            let piece = self.compute(piece)?.into_array(rows)?;
            bytes += piece.get_array_memory_size() as u64;
            if bytes > LARGEST_RESULT {
                return Err(self.too_much(false));
            }
            pieces.push(piece);
        }
        let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&pieces)?))
    }

    fn too_much(&self, is_constant: bool) -> DataFusionError {
        let name = match self.name() {
            "checked_concat" => "||",
            name => name,
        };
        if self.growth.is_work() {
            let reason = format!("{name} would compare too much: shorten what it is given");
            return DataFusionError::ResourcesExhausted(reason);
        }
        if is_constant {
            let most = LARGEST_CONSTANT >> 20;
            let reason = format!("{name} would make a constant of more than {most} MiB");
            return DataFusionError::ResourcesExhausted(reason);
        }
        too_much(name)
    }
}

/// Whether every value of a type takes as much room as another.
fn has_fixed_size(kind: &DataType) -> bool {
    kind.primitive_width().is_some() || matches!(kind, DataType::Boolean | DataType::Null)
}

/// All but the computing is the function's own.
impl ScalarUDFImpl for LimitedFunction {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        self.function.schema_name(arguments)
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(arguments)
    }

    fn is_strict(&self) -> bool {
        self.function.inner().is_strict()
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let function = Arc::new(self.function.inner().with_updated_config(config)?);
        Some(ScalarUDF::from(Self { function, growth: self.growth, query: self.query.clone() }))
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match self.growth {
            // Theirs joins constants at once, without a limit.
            Growth::Joined | Growth::Separated => Ok(ExprSimplifyResult::Original(arguments)),
            _ => self.function.simplify(arguments, context),
        }
    }

    fn preimage(
        &self,
        arguments: &[Expr],
        literal: &Expr,
        context: &SimplifyContext,
    ) -> Result<PreimageResult> {
        self.function.inner().preimage(arguments, literal, context)
    }

    fn short_circuits(&self) -> bool {
        self.function.short_circuits()
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.function.conditional_arguments(arguments)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.function.evaluate_bounds(inputs)
    }

    fn propagate_constraints(
        &self,
        interval: &Interval,
        inputs: &[&Interval],
    ) -> Result<Option<Vec<Interval>>> {
        self.function.propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.function.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.function.preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.function.inner().strictly_order_preserving(inputs)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.function.inner().struct_field_mapping(literals)
    }

    fn placement(&self, arguments: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.function.inner().placement(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.compute(arguments)
    }
}
