//! Contracts: what a topic asks of every record, whichever API brings it.
//!
//! ```text
//!   Kafka API ── batch, walked ── decoded ─┐
//!                                          ├──▶ Contract::check ──▶ appended, or refused with the reason
//!   HTTP API, generators ── NewRecord ─────┘
//! ```
//!
//! Invariants: no record reaches a topic with a contract unless its contract accepts it, and nothing of a request's
//! batch is appended unless all of it is accepted; the server's own records in reserved topics have no contract.
//!
//! Not here: any contract. What a topic asks for is decided by the [`RecordValidator`] that the server is wired with.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use factum_base::steps::Steps;
use factum_types::record::RecordReader;
use factum_types::{Header, RecordBatch, TopicName};

use crate::partition::ProduceError;

/// Steps that judging the records of one request may take.
pub(crate) const MAX_STEPS: usize = 32 << 20;
/// What is said of records that take more.
pub(crate) const TOO_MUCH_WORK: &str =
    "the records take too much work to check: send fewer of them at once, or values with fewer parts";

/// Records of one batch that are named as violations at most; a client that sends the rest again learns of more.
const MAX_VIOLATIONS: usize = 100;

/// Knows the contracts of topics. Asked for each batch, so it must be quick and must not block.
pub trait RecordValidator: Send + Sync + 'static {
    /// The contract of `topic` now; `None` where every record is accepted.
    fn contract(&self, topic: &TopicName) -> Option<Arc<dyn Contract>>;
}

/// What one topic asks of its records.
pub trait Contract: Send + Sync {
    /// Judges one record. It takes a step of `steps` for each part that it looks at (or for 16 bytes), and must not
    /// block. Where steps are spent it ends, and what it says means nothing.
    ///
    /// # Errors
    /// [`Violation`], if the record may not be appended.
    fn check(&self, record: ProducedRecord<'_>, steps: &mut Steps) -> Result<(), Violation>;
}

/// A record that is about to be appended.
#[derive(Debug, Clone, Copy)]
pub struct ProducedRecord<'a> {
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; absent in a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its header `__value_schema_id`, which names the schema of its value.
    pub schema_header: Option<&'a [u8]>,
}

impl<'a> ProducedRecord<'a> {
    /// Of a record's parts.
    pub(crate) fn new(key: Option<&'a [u8]>, value: Option<&'a [u8]>, headers: &'a [Header]) -> Self {
        // The last one counts, as in Kafka's clients.
        let header = headers.iter().rfind(|header| header.key == SCHEMA_HEADER);
        Self { key, value, schema_header: header.and_then(|header| header.value.as_deref()) }
    }
}

/// The header that names the schema of a record's value, as Confluent's serialisers write it.
const SCHEMA_HEADER: &str = "__value_schema_id";

/// Why a contract refuses a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// The rule that the record breaks, for its sender.
    pub reason: String,
}

/// A record of a batch that its topic's contract refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecord {
    /// Its place in the batch, from 0.
    pub index: i32,
    /// The rule that it breaks.
    pub reason: String,
}

/// The validator, once there is one.
#[derive(Default)]
pub(crate) struct Contracts(OnceLock<Box<dyn RecordValidator>>);

impl Contracts {
    /// Has `validator` asked from now on; the first one given stays.
    pub(crate) fn ask(&self, validator: Box<dyn RecordValidator>) {
        self.0.get_or_init(|| validator);
    }

    pub(crate) fn of(&self, topic: &TopicName) -> Option<Arc<dyn Contract>> {
        self.0.get()?.contract(topic)
    }
}

/// Judges the records of a batch whose records were walked before. `None` where `steps` were not enough.
pub(crate) fn check_batch(
    contract: &dyn Contract,
    batch: &RecordBatch,
    steps: &mut Steps,
) -> Result<Option<()>, ProduceError> {
    // A copy costs a tenth of what reading JSON does, and lets records be slices of it.
    let mut records = RecordReader::new(&Bytes::copy_from_slice(batch.as_bytes()))?;
    let mut violations = Vec::new();
    let mut index = 0;
    while let Some(record) = records.next_record()? {
        let produced = ProducedRecord::new(record.key.as_deref(), record.value.as_deref(), &record.headers);
        let checked = contract.check(produced, steps);
        if steps.are_spent() {
            return Ok(None);
        }
        if let Err(Violation { reason }) = checked {
            violations.push(InvalidRecord { index, reason });
            if violations.len() == MAX_VIOLATIONS {
                break;
            }
        }
        index += 1;
    }
    if violations.is_empty() { Ok(Some(())) } else { Err(ProduceError::Contract { violations }) }
}
