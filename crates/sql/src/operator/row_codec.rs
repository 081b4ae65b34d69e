//! Columns to bytes and back, a row at a time (arrow's row format).
//!
//! Invariants: equal rows have equal bytes, and bytes sort as rows do; so keys can be compared encoded.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use std::sync::Arc;

/// Encodes rows of fixed columns.
#[derive(Debug)]
pub(crate) struct RowCodec {
    converter: RowConverter,
    columns: usize,
}

impl RowCodec {
    pub(crate) fn new(fields: &[FieldRef]) -> Result<Self, ArrowError> {
        let mut sorts: Vec<_> =
            fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        // A converter of no columns gives no rows; a global aggregate has one group all the same.
        if sorts.is_empty() {
            sorts.push(SortField::new(DataType::Boolean));
        }
        Ok(Self { converter: RowConverter::new(sorts)?, columns: fields.len() })
    }

    /// Encodes `rows` rows.
    pub(crate) fn encode(&self, columns: &[ArrayRef], rows: usize) -> Result<Rows, ArrowError> {
        if self.columns == 0 {
            return self.converter.convert_columns(&[Arc::new(BooleanArray::from(vec![true; rows]))]);
        }
        self.converter.convert_columns(columns)
    }

    /// Decodes rows that [`RowCodec::encode`] made.
    pub(crate) fn decode<'a>(
        &self,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        let parser = self.converter.parser();
        let mut columns = self.converter.convert_rows(rows.map(|row| parser.parse(row)))?;
        columns.truncate(self.columns);
        Ok(columns)
    }
}
