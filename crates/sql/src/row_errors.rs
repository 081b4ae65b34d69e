//! Values that cannot be computed for one group, while the others can.
//!
//! A total that its type cannot hold, or a division by zero, fails a whole batch of SQL, as it should where one query is
//! asked. In a view it would take all other rows with it: there the value is null, and the reason is told beside the
//! rows.
//!
//! ```text
//!   at the cut   accumulator ─ or_null(group) ─► collect ─ tell(key, column) ─┐
//!   above it     plan ─ row_by_row ─► or_null(expression), value(aggregate) ──┴─► RowErrors ─► Rows::errors
//! ```
//!
//! Invariants: a value is made null only where the reader is told why.

mod aggregate;
mod expression;
mod keys;
mod plan;

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result};
use factum_types::TopicName;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::spelling::OtherSpelling;
use crate::render;
use crate::wording;

pub(crate) use aggregate::GroupAccumulator;
pub(crate) use keys::KeyColumns;
pub(crate) use plan::row_by_row;

/// Further ones are left out: a reader who has mended so many reads again.
const MOST: usize = 100;

/// A value of a view that is null because it cannot be computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowError {
    /// The view, or topic, whose row it is.
    pub view: String,
    /// What its group goes by, as JSON; where that is not known, the columns that the value is computed from; empty for a
    /// field of events that spell it otherwise.
    pub key: Map<String, Value>,
    /// The column, aggregate or condition that has no value.
    pub column: String,
    /// Why.
    pub reason: String,
}

impl RowError {
    /// Of a column that is null in the events that spell its field otherwise.
    pub(crate) fn of_spelling(view: &str, topic: &TopicName, spelling: &OtherSpelling) -> Self {
        let (view, column) = (view.to_owned(), spelling.field.clone());
        Self { view, key: Map::new(), column, reason: spelling.reason(topic) }
    }
}

/// The group that has no value, and why.
pub(crate) type GroupError = (usize, String);

/// What one reading of a view has to tell its reader; [`MOST`] errors, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowErrors(Arc<Mutex<Vec<RowError>>>);

impl RowErrors {
    fn tell(&self, key: Map<String, Value>, column: &str, reason: String) {
        let error = RowError { view: String::new(), key, column: column.to_owned(), reason };
        let mut told = self.0.lock();
        if told.len() < MOST && !told.contains(&error) {
            told.push(error);
        }
    }

    fn is_full(&self) -> bool {
        self.0.lock().len() >= MOST
    }
}

impl PartialEq for RowErrors {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for RowErrors {}

impl Hash for RowErrors {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

thread_local! {
    static NOTED: RefCell<Option<Vec<GroupError>>> = const { RefCell::new(None) };
}

tokio::task_local! {
    static TOLD: RowErrors;
}

/// Runs the reading of one view; its rows may have nulls for the reasons that come with them.
pub(crate) async fn of_rows<T>(reading: impl Future<Output = T>) -> (T, Vec<RowError>) {
    let told = RowErrors::default();
    let done = TOLD.scope(told.clone(), reading).await;
    let errors = std::mem::take(&mut *told.0.lock());
    (done, errors)
}

/// What the reading under way tells its reader; `None` outside of one.
pub(crate) fn of_reading() -> Option<RowErrors> {
    TOLD.try_with(Clone::clone).ok()
}

/// Runs `work` on this thread and gives what went wrong for single groups meanwhile. Outside of a reading it
/// fails instead.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<GroupError>) {
    noting(of_reading().is_some(), work)
}

fn noting<T>(is_noted: bool, work: impl FnOnce() -> T) -> (T, Vec<GroupError>) {
    let around = NOTED.replace(is_noted.then(Vec::new));
    let done = work();
    (done, NOTED.replace(around).unwrap_or_default())
}

/// The value of a group, or null if its error is noted.
pub(crate) fn or_null<T>(group: usize, value: Result<Option<T>>) -> Result<Option<T>> {
    value.or_else(|error| {
        NOTED.with_borrow_mut(|noted| match noted {
            Some(noted) if is_of_values(&error) => {
                noted.push((group, reason(&error)));
                Ok(None)
            }
            _ => Err(error),
        })
    })
}

/// Whether an error is one of the values that were computed with, and not of the plan or the server.
fn is_of_values(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::Execution(_)
        | DataFusionError::External(_)
        | DataFusionError::ResourcesExhausted(_) => true,
        DataFusionError::ArrowError(error, _) => !matches!(
            **error,
            ArrowError::NotYetImplemented(_) | ArrowError::SchemaError(_) | ArrowError::MemoryError(_)
        ),
        _ => false,
    }
}

fn reason(error: &DataFusionError) -> String {
    wording::reason(error)
}

/// One row of some columns, as JSON.
fn row<'a>(names: impl Iterator<Item = &'a String>, columns: &[ArrayRef], row: usize) -> Map<String, Value> {
    names.zip(columns).map(|(name, values)| (name.clone(), render::value(values, row))).collect()
}

/// Tells the reader of a view of groups without a value: `keys` are the columns that groups go by, one row a group.
pub(crate) fn tell(column: &str, names: &SchemaRef, keys: &[ArrayRef], errors: Vec<GroupError>) {
    // Nothing is noted unless it is told.
    let Some(told) = of_reading() else { return };
    for (group, reason) in errors {
        if told.is_full() {
            return;
        }
        told.tell(row(names.fields().iter().map(|field| field.name()), keys, group), column, reason);
    }
}
