//! Records to columns: JSON values are read straight into Arrow, only the fields that a plan needs.
//!
//! Invariants: a record is a row of the batch, poisoned, or a tombstone, which is passed over; rows keep the order of their
//! records. Call it with one or two thousand records at a time: more do not fit a cache and run slower.

mod column;
pub(crate) mod decimal;
pub(crate) mod envelope;
pub(crate) mod instant;
pub(crate) mod spelling;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Fields, SchemaRef};
use factum_types::{PartitionId, Record};
use serde::de::DeserializeSeed;

use crate::schema::EventSchema;
use column::StructColumn;
use spelling::OtherSpelling;

/// A record that is no event of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poison {
    /// Its place among the records given.
    pub(crate) index: usize,
    /// What is wrong, with the field.
    pub(crate) reason: String,
}

/// What came of a chunk of records.
#[derive(Debug)]
pub(crate) struct DecodedChunk {
    pub(crate) batch: RecordBatch,
    /// For each row of the batch, the place of its record.
    pub(crate) rows: Vec<usize>,
    pub(crate) poisoned: Vec<Poison>,
    /// Fields that these are the first records to spell otherwise.
    pub(crate) spellings: Vec<OtherSpelling>,
}

/// Decodes the events of one topic, projected.
#[derive(Debug)]
pub(crate) struct Decoder {
    schema: SchemaRef,
    data: StructColumn,
    sources: Vec<Source>,
}

/// Where a column of the batch comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A field of the data, by its place among the projected ones.
    Data(usize),
    /// A column of the envelope.
    Envelope(usize),
}

impl Decoder {
    /// A decoder of the columns `projection` of `schema`, in that order.
    ///
    /// # Panics
    /// If the schema has a column of a type that its own constructors do not make.
    pub(crate) fn new(schema: &EventSchema, projection: &[usize]) -> Self {
        let all = &schema.schema;
        let mut fields = Vec::new();
        let sources = projection
            .iter()
            .map(|column| match column.checked_sub(schema.data_columns()) {
                Some(envelope) => Source::Envelope(envelope),
                None => {
                    fields.push(Arc::clone(&all.fields()[*column]));
                    Source::Data(fields.len() - 1)
                }
            })
            .collect();
        let known = Fields::from(&all.fields()[..schema.data_columns()]);
        let data = StructColumn::new(&Fields::from(fields), &known);
        Self {
            schema: Arc::new(all.project(projection).expect("a projection of this schema")),
            data: data.expect("types that JSON is read into"),
            sources,
        }
    }

    /// Decodes `records` of `partition`.
    pub(crate) fn decode(&mut self, partition: PartitionId, records: &[Record]) -> DecodedChunk {
        let (mut rows, mut poisoned) = (Vec::with_capacity(records.len()), Vec::new());
        for (index, record) in records.iter().enumerate() {
            match self.read(record) {
                Ok(()) => rows.push(index),
                Err(reason) => {
                    self.data.settle(index + 1);
                    poisoned.extend((!is_tombstone(record)).then_some(Poison { index, reason }));
                }
            }
        }
        let data = self.data.finish();
        let columns = self.columns(&data, &rows, partition, records);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .expect("columns are built after the schema");
        let mut spellings = Vec::new();
        self.data.take_spellings("", &mut spellings);
        DecodedChunk { batch, rows, poisoned, spellings }
    }

    fn read(&mut self, record: &Record) -> Result<(), String> {
        let Some(value) = &record.value else {
            return Err("the record has neither key nor value".to_owned());
        };
        let mut json = serde_json::Deserializer::from_slice(value);
        let read = self.data.deserialize(&mut json).and_then(|()| json.end());
        read.map_err(|error| error.to_string())
    }

    fn columns(
        &self,
        data: &arrow::array::StructArray,
        kept: &[usize],
        partition: PartitionId,
        records: &[Record],
    ) -> Vec<ArrayRef> {
        let is_whole = kept.len() == records.len();
        let rows: Vec<&Record> = kept.iter().map(|index| &records[*index]).collect();
        let places = (!is_whole)
            .then(|| arrow::array::UInt64Array::from_iter_values(kept.iter().map(|index| *index as u64)));
        let of = |source: &Source| match source {
            Source::Envelope(index) => envelope::column(*index, partition, &rows),
            Source::Data(place) => match &places {
                None => Arc::clone(data.column(*place)),
                Some(places) => arrow::compute::take(data.column(*place), places, None)
                    .expect("places are within the column"),
            },
        };
        self.sources.iter().map(of).collect()
    }
}

/// Whether a record says that its key is gone: it has a key and no value. It is no event, and nothing is wrong with it.
fn is_tombstone(record: &Record) -> bool {
    record.key.is_some() && record.value.is_none()
}
