//! The end and the memory of one query, as its functions heed them.
//!
//! Invariant: what the functions of a query made, and something still uses, exceeds its memory by one result at
//! most. DataFusion counts what its operators keep, and a projection keeps nothing: a hundred columns of texts that
//! functions made would be counted by no one.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow::array::{Array, ArrayData};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;

use crate::interrupt::Interrupt;

/// Results below this are not counted.
const SMALL_BYTES: usize = 64 << 10;
/// A constant is copied with the plan that it stands in.
const COPIES_OF_A_CONSTANT: usize = 4;

/// What the functions of one query share.
#[derive(Debug, Clone)]
pub(crate) struct FunctionsOfQuery {
    interrupt: Interrupt,
    memory: usize,
    results: Arc<Mutex<Results>>,
}

#[derive(Debug, Default)]
struct Results {
    constants: usize,
    arrays: Vec<(Weak<dyn Array>, usize)>,
}

impl FunctionsOfQuery {
    /// They end with `interrupt`, and hold `memory` bytes at most.
    pub(crate) fn new(interrupt: Interrupt, memory: usize) -> Self {
        Self { interrupt, memory, results: Arc::default() }
    }

    /// Fails once the query is to end.
    pub(super) fn ask(&self) -> Result<()> {
        self.interrupt.ask()
    }

    /// Counts what a function made of `arguments`, until it is dropped.
    ///
    /// # Errors
    /// If the functions of the query then hold too much.
    pub(super) fn hold(&self, made: &ColumnarValue, arguments: &[ColumnarValue]) -> Result<()> {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        match made {
            ColumnarValue::Scalar(scalar) if scalar.size() > SMALL_BYTES => {
                results.constants += scalar.size() * COPIES_OF_A_CONSTANT;
            }
            ColumnarValue::Array(array) if array.get_buffer_memory_size() > SMALL_BYTES => {
                results.arrays.push((Arc::downgrade(array), own_bytes(array, arguments)));
            }
            _ => return Ok(()),
        }
        results.arrays.retain(|(array, _)| array.strong_count() > 0);
        let held = results.constants + results.arrays.iter().map(|(_, bytes)| bytes).sum::<usize>();
        if held <= self.memory {
            return Ok(());
        }
        let most = self.memory >> 20;
        let reason =
            format!("the functions of the query make more than {most} MiB at once (sql.query_memory)");
        Err(DataFusionError::ResourcesExhausted(reason))
    }
}

/// What `array` holds that its arguments do not.
fn own_bytes(array: &dyn Array, arguments: &[ColumnarValue]) -> usize {
    let mut known = HashSet::new();
    for argument in arguments {
        if let ColumnarValue::Array(argument) = argument {
            new_bytes(&argument.to_data(), &mut known);
        }
    }
    new_bytes(&array.to_data(), &mut known)
}

/// The bytes of the buffers that are not in `known`, which they are put into.
fn new_bytes(data: &ArrayData, known: &mut HashSet<usize>) -> usize {
    let mut bytes = 0;
    for buffer in data.buffers() {
        if known.insert(buffer.data_ptr().as_ptr() as usize) {
            bytes += buffer.capacity();
        }
    }
    bytes + data.child_data().iter().map(|child| new_bytes(child, known)).sum::<usize>()
}

impl PartialEq for FunctionsOfQuery {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.results, &other.results)
    }
}

impl Eq for FunctionsOfQuery {}

impl Hash for FunctionsOfQuery {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.results).hash(state);
    }
}
