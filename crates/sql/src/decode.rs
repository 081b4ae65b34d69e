//! Records to columns: JSON values are read straight into Arrow, only the fields that a plan needs.
//!
//! Always holds: a record is in the batch or among the poisoned, never in both; those in the batch keep their
//! order. Call it with one or two thousand records at a time: more do not fit a cache and run slower.

mod column;
pub(crate) mod decimal;
pub(crate) mod envelope;
pub(crate) mod instant;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Fields, SchemaRef};
use factum_types::{PartitionId, Record};
use serde::de::DeserializeSeed;

use crate::schema::EventSchema;
use column::StructColumn;

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
pub(crate) struct Decoded {
    pub(crate) batch: RecordBatch,
    pub(crate) poisoned: Vec<Poison>,
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
        Self {
            schema: Arc::new(all.project(projection).expect("a projection of this schema")),
            data: StructColumn::new(&Fields::from(fields)).expect("types that JSON is read into"),
            sources,
        }
    }

    /// Decodes `records` of `partition`.
    pub(crate) fn decode(&mut self, partition: PartitionId, records: &[Record]) -> Decoded {
        let mut poisoned = Vec::new();
        for (index, record) in records.iter().enumerate() {
            if let Err(reason) = self.read(record) {
                self.data.settle(index + 1);
                poisoned.push(Poison { index, reason });
            }
        }
        let data = self.data.finish();
        let kept: Vec<usize> = match poisoned.is_empty() {
            true => (0..records.len()).collect(),
            false => {
                let mut bad = poisoned.iter().map(|poison| poison.index).peekable();
                (0..records.len()).filter(|index| bad.next_if_eq(index).is_none()).collect()
            }
        };
        let columns = self.columns(&data, &kept, partition, records);
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .expect("columns are built after the schema");
        Decoded { batch, poisoned }
    }

    fn read(&mut self, record: &Record) -> Result<(), String> {
        let Some(value) = &record.value else { return Err("the record has no value".to_owned()) };
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
