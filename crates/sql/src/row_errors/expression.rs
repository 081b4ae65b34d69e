//! An expression that is null in the rows that it cannot be computed for.
//!
//! It is computed for a whole batch. If that fails, for one half after the other, down to the single rows that fail:
//! a few rows that fail cost little, and all of them about twice as many calls as there are rows.
//!
//! To the optimiser it is a function of the columns that the expression reads and of the key, so that no part of the
//! expression is moved out of it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use super::{RowErrors, is_of_values, reason, row};
use crate::limited_functions::{LARGEST_RESULT, too_much};

/// What is told of a row that has no value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ErrorTarget {
    /// What has no value.
    pub(super) column: String,
    /// What becomes of the row, if more than a null.
    pub(super) consequence: &'static str,
    /// The names of the key.
    pub(super) key: Vec<String>,
    pub(super) errors: RowErrors,
}

impl ErrorTarget {
    /// Tells that the row at `place` of the key's columns has no value.
    pub(super) fn tell(&self, key: &[ArrayRef], place: usize, reason: &str) {
        if !self.errors.is_full() {
            let reason = format!("{reason}{}", self.consequence);
            self.errors.tell(row(self.key.iter(), key, place), &self.column, reason);
        }
    }
}

/// `expr`, or null; `schema` has the columns that it reads, and `key` those that its rows go by, if that is known.
///
/// # Errors
/// If `expr` cannot be compiled.
pub(super) fn or_null(
    expr: Expr,
    schema: &DFSchema,
    key: Option<Vec<Column>>,
    mut told: ErrorTarget,
) -> Result<Expr> {
    let mut columns: Vec<Column> = expr.column_refs().into_iter().cloned().collect();
    columns.sort_unstable();
    let fields = columns.iter().map(|column| {
        let (table, field) = schema.qualified_field_from_column(column)?;
        // Nulls of other values that cannot be computed may stand in any column.
        Ok((table.cloned(), Arc::new(field.as_ref().clone().with_nullable(true))))
    });
    let read = DFSchema::new_with_metadata(fields.collect::<Result<_>>()?, schema.metadata().clone())?;
    let (_, result) = expr.to_field(&read)?;
    let read = Arc::new(read);
    // Some functions have no form of their own that can be computed (`coalesce` is a CASE).
    let simplify = SimplifyContext::builder().with_schema(Arc::clone(&read)).build();
    let expr = ExprSimplifier::new(simplify).simplify(expr)?;
    let planning = PhysicalPlanningContext::default();
    let key = key.unwrap_or_else(|| columns.clone());
    told.key = key.iter().map(|column| column.name.clone()).collect();
    let compiled = create_physical_expr(&expr, &read, &ExecutionProps::new(), &planning)?;
    // Each column once: the optimiser writes out columns that are computed below, again and again in a chain of them.
    let mut arguments = columns;
    let mut place = |column: Column| match arguments.iter().position(|argument| *argument == column) {
        Some(place) => place,
        None => {
            arguments.push(column);
            arguments.len() - 1
        }
    };
    let key = key.into_iter().map(&mut place).collect();
    let function = OrNull {
        expr,
        compiled,
        columns: Arc::new(Schema::clone(read.as_arrow())),
        key,
        result: Arc::new(result.as_ref().clone().with_nullable(true)),
        told,
        signature: Signature::variadic_any(Volatility::Immutable),
    };
    let arguments = arguments.into_iter().map(Expr::Column).collect();
    Ok(ScalarUDF::new_from_impl(function).call(arguments))
}

#[derive(Debug)]
struct OrNull {
    expr: Expr,
    compiled: Arc<dyn PhysicalExpr>,
    /// What it reads; the first of its arguments.
    columns: SchemaRef,
    /// The places of the key among its arguments.
    key: Vec<usize>,
    result: FieldRef,
    told: ErrorTarget,
    signature: Signature,
}

impl PartialEq for OrNull {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
            && self.columns == other.columns
            && self.key == other.key
            && self.told == other.told
    }
}

impl Eq for OrNull {}

impl Hash for OrNull {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
        self.told.hash(state);
    }
}

impl ScalarUDFImpl for OrNull {
    fn name(&self) -> &'static str {
        "or_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.result))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = arguments.args.into_iter().map(|argument| argument.into_array(rows));
        let mut columns: Vec<_> = columns.collect::<Result<_>>()?;
        let key = self.key.iter().map(|place| Arc::clone(&columns[*place])).collect();
        columns.truncate(self.columns.fields().len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.columns), columns, &options)?;
        let mut pieces = Pieces { function: self, key, values: Vec::new(), bytes: 0 };
        pieces.compute(&batch, 0)?;
        if let [values] = &pieces.values[..] {
            return Ok(ColumnarValue::Array(Arc::clone(values)));
        }
        let values: Vec<_> = pieces.values.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&values)?))
    }
}

/// The values of a batch, as they are computed.
struct Pieces<'a> {
    function: &'a OrNull,
    key: Vec<ArrayRef>,
    values: Vec<ArrayRef>,
    bytes: usize,
}

impl Pieces<'_> {
    /// Computes the rows of `batch`, which begins at row `from`.
    fn compute(&mut self, batch: &RecordBatch, from: usize) -> Result<()> {
        let rows = batch.num_rows();
        let computed = self.function.compiled.evaluate(batch).and_then(|values| values.into_array(rows));
        match computed {
            Ok(values) => {
                self.bytes += values.get_array_memory_size();
                // Piece by piece more comes together than functions give at once.
                if !self.values.is_empty() && self.bytes as u64 > LARGEST_RESULT {
                    return Err(too_much(&self.function.told.column));
                }
                self.values.push(values);
            }
            Err(error) if rows == 0 || !is_of_values(&error) => return Err(error),
            Err(error) if rows == 1 => {
                self.function.told.tell(&self.key, from, &reason(&error));
                self.values.push(new_null_array(self.function.result.data_type(), 1));
            }
            Err(_) => {
                let half = rows / 2;
                self.compute(&batch.slice(0, half), from)?;
                self.compute(&batch.slice(half, rows - half), from + half)?;
            }
        }
        Ok(())
    }
}
