//! Rows as others read them: JSON objects, CSV, Arrow IPC.
//!
//! Invariants: no digit is lost. Decimals, and whole numbers that a browser cannot hold (beyond 2^53), are
//! strings; trailing zeros of a decimal, which only its column's type brought, are not shown.
//!
//! Many rows are written a piece at a time, so that their sender holds a piece and not all of their text.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Number, Value};

/// Bytes made ready for one row of CSV; a longer one takes more.
const CSV_BUFFER: usize = 256;
/// The greatest whole number that every browser holds exactly.
const SAFE: u64 = 1 << 53;

/// The rows as JSON objects, a name given twice keeping its last value.
pub fn json(batches: &[RecordBatch]) -> Vec<Map<String, Value>> {
    let rows = |batch| (0..RecordBatch::num_rows(batch)).map(move |row| json_row(batch, row));
    batches.iter().flat_map(rows).collect()
}

/// One row of a batch as a JSON object, a name given twice keeping its last value.
pub fn json_row(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    columns.map(|(field, column)| (field.name().clone(), value(column, row))).collect()
}

/// Writes the rows of a batch as JSON objects behind `text`, with commas between them.
pub fn append_json(text: &mut Vec<u8>, batch: &RecordBatch) {
    for row in 0..batch.num_rows() {
        if row > 0 {
            text.push(b',');
        }
        let row = json_row(batch, row);
        serde_json::to_writer(&mut *text, &row).expect("JSON values serialise");
    }
}

/// One value as JSON.
pub fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        // Such a column has no mask that says so.
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Int8 => Value::from(column.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => Value::from(column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => Value::from(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => whole(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Value::from(column.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => Value::from(column.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => Value::from(column.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => unsigned(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => float(f64::from(column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            Value::String(decimal(column.as_primitive::<Decimal128Type>().value(row), *scale))
        }
        DataType::Utf8 => Value::from(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::from(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Value::from(column.as_string_view().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Value::String(instant(column.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::Date32 => Value::String(date(column.as_primitive::<Date32Type>().value(row))),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row)),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(column.as_struct().columns());
            Value::Object(columns.map(|(field, each)| (field.name().clone(), value(each, row))).collect())
        }
        _ => Value::String(shown(column, row)),
    }
}

fn list(items: &ArrayRef) -> Value {
    Value::Array((0..items.len()).map(|item| value(items, item)).collect())
}

fn whole(value: i64) -> Value {
    if value.unsigned_abs() > SAFE { Value::String(value.to_string()) } else { Value::from(value) }
}

fn unsigned(value: u64) -> Value {
    if value > SAFE { Value::String(value.to_string()) } else { Value::from(value) }
}

/// JSON has no infinity and no NaN; they are strings.
fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number)
}

/// A decimal without the zeros that only its scale brought.
fn decimal(value: i128, scale: i8) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs().to_string());
    let scale = match usize::try_from(scale) {
        Ok(scale) if scale > 0 => scale,
        _ => return format!("{sign}{digits}{}", "0".repeat(usize::from(scale.unsigned_abs()))),
    };
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

fn instant(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}

fn date(days: i32) -> String {
    let date =
        jiff::civil::date(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(i64::from(days) * 24));
    date.map_or_else(|_| days.to_string(), |date| date.to_string())
}

/// A value of another type; of a time that no calendar has, the number that it is kept as.
fn shown(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::new().with_display_error(false);
    let formatter = ArrayFormatter::try_new(column, &options);
    let text = formatter.and_then(|formatter| formatter.value(row).try_to_string());
    text.or_else(|error| {
        let number = cast(&column.slice(row, 1), &DataType::Int64).map_err(|_| error)?;
        Ok::<_, ArrowError>(number.as_primitive::<Int64Type>().value(0).to_string())
    })
    .unwrap_or_else(|error| error.to_string())
}

/// The header of rows as CSV (RFC 4180).
///
/// # Errors
/// None that memory does not give.
pub fn csv_header(schema: &SchemaRef) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv_writer();
    writer.write_record(schema.fields().iter().map(|field| field.name()))?;
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

/// One row of a batch as CSV; nested values as JSON.
///
/// # Errors
/// None that memory does not give.
pub fn csv_row(batch: &RecordBatch, row: usize) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv_writer();
    writer.write_record(batch.columns().iter().map(|column| cell(value(column, row))))?;
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

fn csv_writer() -> csv::Writer<Vec<u8>> {
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(csv::Terminator::CRLF).buffer_capacity(CSV_BUFFER).from_writer(Vec::new())
}

fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Rows as an Arrow IPC stream, of which what was written so far can be taken at any time.
pub struct ArrowStream(StreamWriter<Vec<u8>>);

impl ArrowStream {
    /// A stream of rows with these columns.
    ///
    /// # Errors
    /// If a type cannot be written; the same of the other methods.
    pub fn begin(schema: &SchemaRef) -> Result<Self, ArrowError> {
        Ok(Self(StreamWriter::try_new(Vec::new(), schema)?))
    }

    /// Writes `count` rows of `batch` from `row` on.
    ///
    /// # Errors
    /// [`ArrowError`].
    pub fn write(&mut self, batch: &RecordBatch, row: usize, count: usize) -> Result<(), ArrowError> {
        self.0.write(&batch.slice(row, count))
    }

    /// Writes the end of the stream.
    ///
    /// # Errors
    /// [`ArrowError`], also if it was written already.
    pub fn finish(&mut self) -> Result<(), ArrowError> {
        self.0.finish()
    }

    /// What was written since it was asked for last.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.0.get_mut())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use expect_test::expect;

    use super::*;

    fn batch() -> RecordBatch {
        let prices = Decimal128Array::from(vec![Some(1_094_000), Some(-5), None]);
        let prices = prices.with_precision_and_scale(38, 6).expect("fits");
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![1, (1 << 53) + 1, -3])) as ArrayRef),
            ("price", Arc::new(prices) as ArrayRef),
            ("name", Arc::new(StringArray::from(vec!["a, \"b\"", "", "c"])) as ArrayRef),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000, -1])) as ArrayRef),
        ])
        .expect("a batch")
    }

    #[test]
    fn json_loses_no_digit() {
        let rows: Vec<_> = json(&[batch()]).into_iter().map(|row| Value::Object(row).to_string()).collect();
        expect![[r#"
            {"id":1,"price":"1.094","name":"a, \"b\"","at":"1970-01-01T00:00:00Z"}
            {"id":"9007199254740993","price":"-0.000005","name":"","at":"1970-01-01T00:00:01.5Z"}
            {"id":-3,"price":null,"name":"c","at":"1969-12-31T23:59:59.999999Z"}"#]]
        .assert_eq(&rows.join("\n"));
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let rows = (0..3).map(|row| csv_row(&batch(), row));
        let lines = std::iter::once(csv_header(&batch().schema())).chain(rows);
        let text: Vec<u8> = lines.flat_map(|line| line.expect("written")).collect();
        let text = String::from_utf8(text).expect("text");
        expect![[r#"
            id,price,name,at
            1,1.094,"a, ""b""",1970-01-01T00:00:00Z
            9007199254740993,-0.000005,,1970-01-01T00:00:01.5Z
            -3,,c,1969-12-31T23:59:59.999999Z
        "#]]
        .assert_eq(&text.replace('\r', ""));
    }

    #[test]
    fn decimals_of_any_scale() {
        assert_eq!(decimal(1500, 2), "15");
        assert_eq!(decimal(5, 2), "0.05");
        assert_eq!(decimal(15, -2), "1500");
        assert_eq!(decimal(0, 6), "0");
    }
}
