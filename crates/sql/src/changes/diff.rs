//! Difference of two sets of rows: those that went and those that came.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

/// The rows of a view as a multiset, by their encoding.
pub(super) struct RowSet {
    schema: SchemaRef,
    converter: RowConverter,
    rows: HashMap<Box<[u8]>, usize>,
}

impl RowSet {
    /// The rows of `batches`; `None` for columns of a type that cannot be compared.
    pub(super) fn new(schema: &SchemaRef, batches: &[RecordBatch]) -> Option<Self> {
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect()).ok()?;
        let mut set = Self { schema: schema.clone(), converter, rows: HashMap::new() };
        set.replace(batches)?;
        Some(set)
    }

    /// Whether the rows have these columns.
    pub(super) fn is_of(&self, schema: &SchemaRef) -> bool {
        self.schema == *schema
    }

    /// Replaces the rows; gives those that went, in an order of their own, and those that came, in theirs.
    pub(super) fn replace(&mut self, batches: &[RecordBatch]) -> Option<(RecordBatch, RecordBatch)> {
        let mut old = std::mem::take(&mut self.rows);
        let mut added: Vec<Box<[u8]>> = Vec::new();
        for batch in batches {
            let rows = self.converter.convert_columns(batch.columns()).ok()?;
            for row in &rows {
                match old.get_mut(row.data()).filter(|count| **count > 0) {
                    Some(count) => *count -= 1,
                    None => added.push(row.data().into()),
                }
                match self.rows.get_mut(row.data()) {
                    Some(count) => *count += 1,
                    None => drop(self.rows.insert(row.data().into(), 1)),
                }
            }
        }
        let mut removed: Vec<&[u8]> = Vec::new();
        for (row, count) in &old {
            removed.extend(std::iter::repeat_n(&**row, *count));
        }
        removed.sort_unstable();
        let removed = self.batch(removed.into_iter())?;
        let added = self.batch(added.iter().map(|row| &**row))?;
        Some((removed, added))
    }

    fn batch<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Option<RecordBatch> {
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows(rows.map(|row| parser.parse(row))).ok()?;
        RecordBatch::try_new(self.schema.clone(), columns).ok()
    }
}
