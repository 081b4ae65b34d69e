//! Builders of columns that a JSON value is read into directly: one pass, no tree, unknown fields skipped.
//!
//! Invariants: after a row was read or refused, [`StructColumn::settle`] gives every column the same length;
//! a refused row leaves something in them that the decoder filters out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, ListArray, NullBufferBuilder,
    StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::spelling::{OtherSpelling, Spellings};
use super::{decimal, instant};

/// One column being built.
#[derive(Debug)]
pub(crate) enum Column {
    Integer(Int64Builder),
    Decimal { values: Decimal128Builder, scale: i8 },
    Text(StringBuilder),
    Truth(BooleanBuilder),
    Instant(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    List { items: Box<Column>, ends: Vec<i32>, validity: NullBufferBuilder, item: FieldRef },
    Struct(StructColumn),
}

impl Column {
    /// A column of `kind`; `None` if JSON is not read into that type.
    pub(crate) fn new(kind: &DataType) -> Option<Self> {
        Some(match kind {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Decimal128(_, scale) => {
                Self::Decimal { values: Decimal128Builder::new().with_data_type(kind.clone()), scale: *scale }
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Boolean => Self::Truth(BooleanBuilder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Instant(TimestampMicrosecondBuilder::new().with_data_type(kind.clone()))
            }
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::List(item) => Self::List {
                items: Box::new(Self::new(item.data_type())?),
                ends: vec![0],
                validity: NullBufferBuilder::new(0),
                item: Arc::clone(item),
            },
            DataType::Struct(fields) => Self::Struct(StructColumn::new(fields, fields)?),
            _ => return None,
        })
    }

    pub(crate) fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Integer(values) => values.len(),
            Self::Decimal { values, .. } => values.len(),
            Self::Text(values) => values.len(),
            Self::Truth(values) => values.len(),
            Self::Instant(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::List { ends, .. } => ends.len() - 1,
            Self::Struct(column) => column.len,
        }
    }

    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Integer(values) => values.append_null(),
            Self::Decimal { values, .. } => values.append_null(),
            Self::Text(values) => values.append_null(),
            Self::Truth(values) => values.append_null(),
            Self::Instant(values) => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::List { items, ends, validity, .. } => {
                ends.push(end_of(items));
                validity.append_null();
            }
            Self::Struct(column) => {
                column.columns.iter_mut().for_each(Self::push_null);
                column.len += 1;
                column.validity.append_null();
            }
        }
    }

    /// Brings a column that a refused row left in the middle of a value to `length` rows.
    fn settle(&mut self, length: usize) {
        match self {
            Self::Struct(column) => column.settle(length),
            Self::List { items, .. } => items.seal(),
            _ => {}
        }
        while self.len() < length {
            self.push_null();
        }
    }

    /// Ends a value that was left in the middle, so that none of it goes to the value that comes next.
    fn seal(&mut self) {
        match self {
            Self::Struct(column) => column.seal(),
            Self::List { items, .. } => {
                items.seal();
                if self.has_loose_items() {
                    self.push_null();
                }
            }
            _ => {}
        }
    }

    /// Whether a list has items that no row owns yet.
    fn has_loose_items(&self) -> bool {
        matches!(self, Self::List { items, ends, .. } if ends.last() != Some(&end_of(items)))
    }

    /// See [`StructColumn::take_spellings`].
    fn take_spellings(&mut self, path: &str, taken: &mut Vec<OtherSpelling>) {
        match self {
            Self::Struct(column) => column.take_spellings(path, taken),
            Self::List { items, .. } => items.take_spellings(path, taken),
            _ => {}
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Decimal { values, .. } => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Truth(values) => Arc::new(values.finish()),
            Self::Instant(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::List { items, ends, validity, item } => {
                let ends = OffsetBuffer::new(std::mem::replace(ends, vec![0]).into());
                // A refused row may have left items that no row owns.
                let owned = usize::try_from(*ends.last().expect("an end for each row")).unwrap_or(0);
                let items = items.finish().slice(0, owned);
                Arc::new(ListArray::new(Arc::clone(item), ends, items, validity.finish()))
            }
            Self::Struct(column) => Arc::new(column.finish()),
        }
    }
}

fn end_of(items: &Column) -> i32 {
    i32::try_from(items.len()).expect("a chunk has fewer than 2^31 items")
}

/// An object's fields, each a column.
#[derive(Debug)]
pub(crate) struct StructColumn {
    fields: Fields,
    columns: Vec<Column>,
    /// The row in which each field was last seen: the first of two equal names counts.
    seen: Vec<usize>,
    len: usize,
    validity: NullBufferBuilder,
    /// Where the next field is looked for first: events of one kind have their fields in one order.
    next: usize,
    spellings: Spellings,
}

impl StructColumn {
    /// The columns `fields` of objects whose members are `known`.
    pub(crate) fn new(fields: &Fields, known: &Fields) -> Option<Self> {
        Some(Self {
            spellings: Spellings::new(fields, known),
            columns: fields.iter().map(|field| Column::new(field.data_type())).collect::<Option<_>>()?,
            seen: vec![0; fields.len()],
            fields: fields.clone(),
            len: 0,
            validity: NullBufferBuilder::new(0),
            next: 0,
        })
    }

    /// Gives every column `length` rows.
    pub(crate) fn settle(&mut self, length: usize) {
        // What a refused object had is not what the next one has, though it may stand in the same row.
        self.seen.fill(0);
        self.columns.iter_mut().for_each(|column| column.settle(length));
        while self.len < length {
            self.len += 1;
            self.validity.append_non_null();
        }
    }

    /// See [`Column::seal`].
    fn seal(&mut self) {
        self.columns.iter_mut().for_each(Column::seal);
        let longest = self.columns.iter().map(Column::len).max().unwrap_or(0).max(self.len);
        self.settle(longest);
    }

    pub(crate) fn finish(&mut self) -> StructArray {
        let length = std::mem::take(&mut self.len);
        self.seen.fill(0);
        let columns: Vec<_> = self.columns.iter_mut().map(Column::finish).collect();
        let validity = self.validity.finish();
        if columns.is_empty() {
            return StructArray::new_empty_fields(length, validity);
        }
        StructArray::new(self.fields.clone(), columns, validity)
    }

    /// The fields that were found in another spelling since this was last asked, each once, below `path`.
    pub(crate) fn take_spellings(&mut self, path: &str, taken: &mut Vec<OtherSpelling>) {
        for (place, field) in self.fields.iter().enumerate() {
            let field = format!("{path}{}", field.name());
            if let Some(found) = self.spellings.take(place) {
                taken.push(OtherSpelling { field: field.clone(), found });
            }
            self.columns[place].take_spellings(&(field + "."), taken);
        }
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        let count = self.fields.len();
        let place =
            (0..count).map(|step| (self.next + step) % count).find(|i| self.fields[*i].name() == name)?;
        self.next = place + 1;
        Some(place)
    }
}

/// A field's name, looked up without keeping it.
struct Name<'a>(&'a mut StructColumn);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let found = self.0.find(name);
        if found.is_none() {
            self.0.spellings.see(name, &self.0.fields);
        }
        Ok(found)
    }
}

impl<'de> DeserializeSeed<'de> for &mut StructColumn {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut StructColumn {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let row = self.len + 1;
        self.next = 0;
        self.spellings.begin();
        while let Some(found) = map.next_key_seed(Name(self))? {
            match found {
                Some(place) if self.seen[place] != row => {
                    self.seen[place] = row;
                    let read = map.next_value_seed(&mut self.columns[place]);
                    read.map_err(|error| within(&self.fields[place], &error))?;
                }
                // Other readers take the last of them: neither is the fact.
                Some(place) => {
                    let twice = A::Error::custom("the member is given twice");
                    return Err(within(&self.fields[place], &twice));
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.len = row;
        self.validity.append_non_null();
        self.spellings.end(|place| self.seen[place] != row);
        for column in &mut self.columns {
            if column.len() < row {
                column.push_null();
            }
        }
        Ok(())
    }
}

/// Adds the field's name to what is wrong with its value.
fn within<E: Error>(field: &FieldRef, error: &E) -> E {
    E::custom(format_args!("{}: {error}", field.name()))
}

impl<'de> DeserializeSeed<'de> for &mut Column {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // Money is read from the digits as they stand.
        if let Column::Decimal { values, scale } = self {
            let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
            let value = decimal_value(raw.get(), *scale).map_err(D::Error::custom)?;
            values.append_option(value);
            return Ok(());
        }
        // So is what a text column makes of a number.
        if let Column::Text(values) = self {
            let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
            values.append_option(text_value(raw.get()).map_err(D::Error::custom)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

/// The decimal in a JSON value: a number, a string that holds one, or null.
fn decimal_value(json: &str, scale: i8) -> Result<Option<i128>, String> {
    if json == "null" {
        return Ok(None);
    }
    let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(json);
    decimal::parse(text, scale).map(Some).map_err(|why| match why {
        decimal::NotDecimal::NotANumber => format!("{} is not a number", shortened(json)),
        decimal::NotDecimal::TooFine => {
            format!("{} has more than {scale} digits behind the point", shortened(text))
        }
        decimal::NotDecimal::TooLarge => format!("{} has more than 38 digits", shortened(text)),
    })
}

/// The text of a JSON value: a string's, a number or a truth as it is written, or none for null.
fn text_value(json: &str) -> Result<Option<Cow<'_, str>>, String> {
    match json.as_bytes() {
        b"null" => Ok(None),
        [b'"', .., b'"'] if !json.contains('\\') => Ok(Some(Cow::Borrowed(&json[1..json.len() - 1]))),
        [b'"', ..] => serde_json::from_str(json).map(Some).map_err(|error| error.to_string()),
        [b'{', ..] => Err("an object is not a string".to_owned()),
        [b'[', ..] => Err("an array is not a string".to_owned()),
        _ => Ok(Some(Cow::Borrowed(json))),
    }
}

/// The whole number in a string.
fn whole_number(text: &str) -> Option<i64> {
    decimal::parse(text, 0).ok().and_then(|value| i64::try_from(value).ok())
}

impl Column {
    fn mismatch<E: Error>(&self, found: &dyn fmt::Display) -> E {
        let expected = match self {
            Self::Integer(_) => "a whole number",
            Self::Decimal { .. } => "a number",
            Self::Text(_) => "a string",
            Self::Truth(_) => "true or false",
            Self::Instant(_) => "a time such as 2026-01-31T12:00:00Z",
            Self::Date(_) => "a date such as 2026-01-31",
            Self::List { .. } => "an array",
            Self::Struct(_) => "an object",
        };
        E::custom(format_args!("{found} is not {expected}"))
    }
}

impl<'de> Visitor<'de> for &mut Column {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push_null();
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self {
            Column::Truth(values) => values.append_value(value),
            other => return Err(other.mismatch(&value)),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self {
            Column::Integer(values) => values.append_value(value),
            other => return Err(other.mismatch(&value)),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(self.mismatch(&value)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // 3.0 is the whole number 3, as JSON Schema has it; beyond 2^53 a float does not say which.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Column::Integer(values) if value.fract() == 0.0 && value.abs() < EXACT => {
                values.append_value(value as i64);
                Ok(())
            }
            other => Err(other.mismatch(&value)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        // What a value of the column's type looks like in JSON may stand in a string as well, as for decimals.
        let parsed = match self {
            Column::Integer(values) => whole_number(text).map(|value| values.append_value(value)),
            Column::Truth(values) => text.parse().ok().map(|value| values.append_value(value)),
            Column::Instant(values) => instant::micros(text).map(|value| values.append_value(value)),
            Column::Date(values) => instant::days(text).map(|value| values.append_value(value)),
            _ => None,
        };
        parsed.ok_or_else(|| self.mismatch(&format_args!("{:?}", shortened(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let Column::List { items, ends, validity, .. } = self else {
            return Err(self.mismatch(&"an array"));
        };
        while sequence.next_element_seed(items.as_mut())?.is_some() {}
        ends.push(end_of(items));
        validity.append_non_null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self {
            Column::Struct(column) => column.visit_map(map),
            other => Err(other.mismatch(&"an object")),
        }
    }
}

/// The beginning of a long text, for a message.
fn shortened(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
