//! Values that cannot be computed for one group, while the others can.
//!
//! A total that its type cannot hold fails a whole batch of SQL, as it should where one query is asked. In a view it
//! would take all other rows with it: there the value is null, and the reason is told beside the rows.
//!
//! ```text
//!   accumulator ─ or_null(group) ─► collect ─ tell(key, column) ─► of_rows ─► Rows::errors
//! ```
//!
//! Invariant: a value is made null only where somebody tells the reader why.

use std::cell::RefCell;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::render;

/// More are counted by nobody: whoever has mended so many asks again.
const MOST: usize = 100;

/// A value of a view that is null because it cannot be computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowError {
    /// The view whose group it is.
    pub view: String,
    /// What the group goes by, as JSON.
    pub key: Map<String, Value>,
    /// The aggregate that has no value.
    pub column: String,
    /// Why.
    pub reason: String,
}

/// The group that has no value, and why.
pub(crate) type GroupError = (usize, String);

thread_local! {
    static NOTED: RefCell<Option<Vec<GroupError>>> = const { RefCell::new(None) };
}

tokio::task_local! {
    static TOLD: RefCell<Vec<RowError>>;
}

/// Runs the reading of one view; its rows may have nulls for the reasons that come with them.
pub(crate) async fn of_rows<T>(reading: impl Future<Output = T>) -> (T, Vec<RowError>) {
    let mut told = Vec::new();
    let done = TOLD
        .scope(RefCell::default(), async {
            let done = reading.await;
            told = TOLD.with(RefCell::take);
            done
        })
        .await;
    (done, told)
}

/// Runs `work` on this thread and gives what went wrong for single groups meanwhile. Where nobody reads a view, it
/// fails instead.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<GroupError>) {
    let is_told = TOLD.try_with(|_| ()).is_ok();
    let around = NOTED.replace(is_told.then(Vec::new));
    let done = work();
    (done, NOTED.replace(around).unwrap_or_default())
}

/// The value of a group, or null if the error is noted by somebody.
pub(crate) fn or_null<T>(group: usize, value: Result<Option<T>>) -> Result<Option<T>> {
    value.or_else(|error| {
        NOTED.with_borrow_mut(|noted| match noted {
            Some(noted) => {
                noted.push((group, error.find_root().message().into_owned()));
                Ok(None)
            }
            None => Err(error),
        })
    })
}

/// Tells the reader of a view of groups without a value: `keys` are the columns that groups go by, one row a group.
pub(crate) fn tell(column: &str, names: &SchemaRef, keys: &[ArrayRef], errors: Vec<GroupError>) {
    for (group, reason) in errors {
        let key = names
            .fields()
            .iter()
            .zip(keys)
            .map(|(name, values)| (name.name().clone(), render::value(values, group)));
        let error = RowError { view: String::new(), key: key.collect(), column: column.to_owned(), reason };
        // Nothing is noted unless it is told.
        TOLD.try_with(|told| {
            let mut told = told.borrow_mut();
            if told.len() < MOST {
                told.push(error);
            }
        })
        .ok();
    }
}
