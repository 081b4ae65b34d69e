//! The columns that come from the record around an event: its CloudEvents attributes and its place.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use factum_types::{PartitionId, Record};

use super::instant;

/// Names begin with an underscore, so that they stay apart from the data's own.
const COLUMNS: &[(&str, Kind)] = &[
    ("_id", Kind::Attribute("ce_id")),
    ("_type", Kind::Attribute("ce_type")),
    ("_source", Kind::Attribute("ce_source")),
    ("_subject", Kind::Attribute("ce_subject")),
    ("_time", Kind::Time),
    ("_key", Kind::Key),
    ("_partition", Kind::Partition),
    ("_offset", Kind::Offset),
    ("_timestamp", Kind::Timestamp),
    ("_headers", Kind::Headers),
];

/// The place of `_time` among them: the event's own time, or the record's where the event has none.
pub(crate) const TIME: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Attribute(&'static str),
    Time,
    Key,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

/// A column of microseconds in UTC.
pub(crate) fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The envelope's columns, in order.
pub(crate) fn fields() -> Vec<Field> {
    COLUMNS.iter().map(|(name, kind)| Field::new(*name, kind.data_type(), true)).collect()
}

/// Where each of them comes from, in order.
pub(crate) fn origins() -> impl Iterator<Item = String> {
    COLUMNS.iter().map(|(_, kind)| kind.origin())
}

impl Kind {
    fn origin(self) -> String {
        let of_record = |what: &str| format!("{what} of the record");
        match self {
            Self::Attribute(header) => {
                format!("CloudEvents attribute {}", header.trim_start_matches("ce_"))
            }
            Self::Time => "CloudEvents attribute time, else the timestamp of the record".to_owned(),
            Self::Key => of_record("key"),
            Self::Partition => of_record("partition"),
            Self::Offset => of_record("offset"),
            Self::Timestamp => of_record("timestamp"),
            Self::Headers => of_record("headers"),
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Attribute(_) | Self::Key => DataType::Utf8,
            Self::Time | Self::Timestamp => instant_type(),
            Self::Partition => DataType::Int32,
            Self::Offset => DataType::Int64,
            Self::Headers => {
                DataType::List(Arc::new(Field::new("item", DataType::Struct(header_fields()), true)))
            }
        }
    }
}

fn header_fields() -> Fields {
    Fields::from(vec![Field::new("name", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)])
}

/// Builds the envelope column at `index` for `records` of `partition`.
pub(crate) fn column(index: usize, partition: PartitionId, records: &[&Record]) -> ArrayRef {
    match COLUMNS[index].1 {
        Kind::Attribute(header) => texts(records, |record| attribute(record, header)),
        Kind::Key => texts(records, |record| std::str::from_utf8(record.key.as_ref()?).ok()),
        Kind::Time => instants(records, |record| {
            attribute(record, "ce_time").and_then(instant::micros).or_else(|| timestamp(record))
        }),
        Kind::Timestamp => instants(records, timestamp),
        Kind::Partition => {
            let mut values = Int32Builder::with_capacity(records.len());
            values.append_value_n(partition, records.len());
            Arc::new(values.finish())
        }
        Kind::Offset => {
            let mut values = Int64Builder::with_capacity(records.len());
            records.iter().for_each(|record| values.append_value(record.offset.get()));
            Arc::new(values.finish())
        }
        Kind::Headers => headers(records),
    }
}

fn timestamp(record: &Record) -> Option<i64> {
    let millis = record.timestamp.as_millis();
    (millis >= 0).then(|| millis.checked_mul(1000)).flatten()
}

fn attribute<'a>(record: &'a Record, header: &str) -> Option<&'a str> {
    let found = record.headers.iter().find(|found| found.key == header)?;
    std::str::from_utf8(found.value.as_ref()?).ok()
}

fn texts<'a>(records: &[&'a Record], text: impl Fn(&'a Record) -> Option<&'a str>) -> ArrayRef {
    let mut values = StringBuilder::new();
    records.iter().for_each(|record| values.append_option(text(record)));
    Arc::new(values.finish())
}

fn instants(records: &[&Record], micros: impl Fn(&Record) -> Option<i64>) -> ArrayRef {
    let mut values = TimestampMicrosecondBuilder::new().with_data_type(instant_type());
    records.iter().for_each(|record| values.append_option(micros(record)));
    Arc::new(values.finish())
}

fn headers(records: &[&Record]) -> ArrayRef {
    let mut values = ListBuilder::new(StructBuilder::from_fields(header_fields(), 0));
    for record in records {
        for header in &record.headers {
            let each = values.values();
            let value = header.value.as_ref().and_then(|value| std::str::from_utf8(value).ok());
            let name = each.field_builder::<StringBuilder>(0).expect("the first field is the name");
            name.append_value(&header.key);
            let text = each.field_builder::<StringBuilder>(1).expect("the second field is the value");
            text.append_option(value);
            each.append(true);
        }
        values.append(true);
    }
    Arc::new(values.finish())
}
