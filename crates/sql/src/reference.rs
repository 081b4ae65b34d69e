//! Reference tables: rows that a project ships as CSV.
//!
//! Columns are typed by what they hold: whole numbers, decimals (never floats), dates, times, booleans, else
//! text. The key column keeps its text unless all of it are whole numbers, and no two rows have one key.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema};

use crate::decode::{decimal, envelope, instant};
use crate::definitions::{Place, Problem, RelationName, TableDefinition};
use crate::schema::squashed;

/// Most columns of a table, as of the relations of one FROM: each takes some kilobytes, however few rows there are.
const MOST_COLUMNS: usize = 4_000;

/// A reference table in memory.
#[derive(Debug, Clone)]
pub(crate) struct ReferenceTable {
    /// Its name.
    pub(crate) name: RelationName,
    /// All rows.
    pub(crate) batch: RecordBatch,
}

impl ReferenceTable {
    /// Reads the CSV of a definition.
    ///
    /// # Errors
    /// [`Problem`] with the line: a missing header or key column, a column twice, a row of another width, a key twice.
    pub(crate) fn read(definition: &TableDefinition) -> Result<Self, Box<Problem>> {
        let file = Csv { definition, text: text(definition)? };
        let mut lines = file.records();
        let Some((start, header)) = lines.next().transpose()? else {
            return Err(file.problem(0, "the file is empty", "begin it with a line of column names"));
        };
        if header.len() > MOST_COLUMNS {
            let message = format!("{} columns; a table has at most {MOST_COLUMNS}", header.len());
            return Err(file.problem(start, message, "leave out those that no query reads"));
        }
        if let Some((first, second)) = repeated(&header) {
            let message =
                format!("columns {} and {} are both named {:?}", first + 1, second + 1, header[first]);
            return Err(file.problem(start, message, "rename one of them, or leave it out"));
        }
        let key = header.iter().position(|name| squashed(name) == squashed(&definition.key));
        let key = key.ok_or_else(|| {
            let message = format!("there is no column {}, which the table names as its key", definition.key);
            file.problem(start, message, format!("the columns are {}", header.join(", ")))
        })?;
        let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
        let mut keys: HashMap<String, usize> = HashMap::new();
        for (row, line) in lines.enumerate() {
            let (start, values) = line?;
            if values.len() != header.len() {
                let message = format!("{} values where the header has {}", values.len(), header.len());
                return Err(file.problem(start, message, "quote values that hold a comma"));
            }
            if let Some(first) = keys.insert(values[key].clone(), row) {
                let message = format!("the key {} stands in row {} already", values[key], first + 2);
                return Err(file.problem(start, message, "keep one row for each key"));
            }
            for (column, value) in columns.iter_mut().zip(values) {
                column.push((!value.is_empty()).then_some(value));
            }
        }
        let (fields, arrays): (Vec<_>, Vec<_>) =
            header.into_iter().zip(columns).map(|(name, values)| typed(name, &values)).unzip();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .expect("every column has a value or null for each row");
        Ok(Self { name: definition.name.clone(), batch })
    }
}

/// Two columns of one name, as SQL cannot tell them apart. `id` and `ID` it can.
fn repeated(header: &[String]) -> Option<(usize, usize)> {
    let mut seen = HashMap::new();
    header.iter().enumerate().find_map(|(at, name)| Some((seen.insert(name, at)?, at)))
}

fn text(definition: &TableDefinition) -> Result<Arc<str>, Box<Problem>> {
    let text = std::str::from_utf8(&definition.csv).map_err(|error| {
        Box::new(Problem {
            place: Place::File(definition.origin.clone()),
            text: Arc::from(""),
            span: 0..0,
            message: format!("byte {} is no UTF-8", error.valid_up_to()),
            help: Some("save the file as UTF-8".to_owned()),
        })
    })?;
    Ok(Arc::from(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// A CSV file (RFC 4180) under reading.
struct Csv<'a> {
    definition: &'a TableDefinition,
    text: Arc<str>,
}

impl Csv<'_> {
    fn problem(&self, at: usize, message: impl Into<String>, help: impl Into<String>) -> Box<Problem> {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        Box::new(Problem {
            place: Place::File(self.definition.origin.clone()),
            text: Arc::clone(&self.text),
            span: at..end,
            message: message.into(),
            help: Some(help.into()),
        })
    }

    /// Each record with the byte where it begins; blank lines are passed over.
    fn records(&self) -> impl Iterator<Item = Result<(usize, Vec<String>), Box<Problem>>> + '_ {
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(self.text.as_bytes());
        reader.into_records().map(|record| {
            let place = |position: Option<&csv::Position>| {
                position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0)
            };
            match record {
                Ok(record) => Ok((place(record.position()), record.iter().map(str::to_owned).collect())),
                Err(error) => {
                    Err(self.problem(place(error.position()), error.to_string(), "see RFC 4180 for the form"))
                }
            }
        })
    }
}

/// Digits behind the point of the finest value.
fn finest(values: &[Option<String>]) -> i8 {
    let digits = |value: &String| value.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    i8::try_from(values.iter().flatten().map(digits).max().unwrap_or(0)).unwrap_or(i8::MAX)
}

/// A column of the narrowest type that all its values have.
fn typed(name: String, values: &[Option<String>]) -> (Field, ArrayRef) {
    let column = integers(values)
        .or_else(|| decimals(values))
        .or_else(|| dates(values))
        .or_else(|| instants(values))
        .or_else(|| booleans(values))
        .unwrap_or_else(|| texts(values));
    (Field::new(name, column.data_type().clone(), true), column)
}

/// Collects parsed values; `None` if one does not parse or none is there.
fn all<T>(values: &[Option<String>], parse: impl Fn(&str) -> Option<T>) -> Option<Vec<Option<T>>> {
    if values.iter().all(Option::is_none) {
        return None;
    }
    values.iter().map(|value| value.as_deref().map_or(Some(None), |text| parse(text).map(Some))).collect()
}

/// `007` is a code and no number.
fn is_code(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}

fn integers(values: &[Option<String>]) -> Option<ArrayRef> {
    let parsed = all(values, |text| (!is_code(text)).then(|| text.parse::<i64>().ok()).flatten())?;
    let mut column = Int64Builder::new();
    parsed.into_iter().for_each(|value| column.append_option(value));
    Some(Arc::new(column.finish()))
}

fn decimals(values: &[Option<String>]) -> Option<ArrayRef> {
    let scale = finest(values);
    if scale > 18 {
        return None;
    }
    let parsed = all(values, |text| (!is_code(text)).then(|| decimal::parse(text, scale).ok()).flatten())?;
    let mut column = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, scale));
    parsed.into_iter().for_each(|value| column.append_option(value));
    Some(Arc::new(column.finish()))
}

fn dates(values: &[Option<String>]) -> Option<ArrayRef> {
    let parsed = all(values, instant::days)?;
    let mut column = Date32Builder::new();
    parsed.into_iter().for_each(|value| column.append_option(value));
    Some(Arc::new(column.finish()))
}

fn instants(values: &[Option<String>]) -> Option<ArrayRef> {
    let parsed = all(values, instant::micros)?;
    let mut column = TimestampMicrosecondBuilder::new().with_data_type(envelope::instant_type());
    parsed.into_iter().for_each(|value| column.append_option(value));
    Some(Arc::new(column.finish()))
}

fn booleans(values: &[Option<String>]) -> Option<ArrayRef> {
    let parsed = all(values, |text| text.to_ascii_lowercase().parse::<bool>().ok())?;
    let mut column = BooleanBuilder::new();
    parsed.into_iter().for_each(|value| column.append_option(value));
    Some(Arc::new(column.finish()))
}

fn texts(values: &[Option<String>]) -> ArrayRef {
    let mut column = StringBuilder::new();
    values.iter().for_each(|value| column.append_option(value.as_deref()));
    Arc::new(column.finish())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use expect_test::{Expect, expect};

    use super::*;

    fn check(csv: &'static str, expected: &Expect) {
        let definition = TableDefinition {
            name: RelationName::new("store", "products"),
            key: "item_id".to_owned(),
            origin: "products.csv".into(),
            csv: Bytes::from_static(csv.as_bytes()),
        };
        let shown = match ReferenceTable::read(&definition) {
            Ok(table) => {
                let schema = table.batch.schema();
                let fields = schema.fields().iter().map(|f| format!("{}: {}\n", f.name(), f.data_type()));
                let rows = table.batch.num_rows();
                fields.collect::<String>() + &format!("{rows} rows")
            }
            Err(problem) => format!("{problem}\n  {:?}", &problem.text[problem.span.clone()]),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn columns_are_typed_by_what_they_hold() {
        check(
            "ItemId,Name,Price,Released,Code,Rare\r\n1,\"Alien, the \"\"first\"\"\",14.5,1979-05-25,007,\r\n2,Up,9,2009-05-29,012,true\r\n\r\n",
            &expect![[r"
                ItemId: Int64
                Name: Utf8
                Price: Decimal128(38, 1)
                Released: Date32
                Code: Utf8
                Rare: Boolean
                2 rows"]],
        );
    }

    #[test]
    fn errors_in_rows_have_their_line() {
        check(
            "",
            &expect![[r#"
            products.csv: the file is empty
              """#]],
        );
        check(
            "Id,Name\n",
            &expect![[r#"
            products.csv: there is no column item_id, which the table names as its key
              "Id,Name""#]],
        );
        check(
            "item_id,ID,item_id\n1,2,3\n",
            &expect![[r#"
            products.csv: columns 1 and 3 are both named "item_id"
              "item_id,ID,item_id""#]],
        );
        let wide: Vec<_> = (0..4_001).map(|column| format!("c{column}")).collect();
        let csv = format!("{}\n", wide.join(","));
        let definition = TableDefinition {
            name: RelationName::new("store", "products"),
            key: "c0".to_owned(),
            origin: "products.csv".into(),
            csv: csv.into_bytes().into(),
        };
        let problem = ReferenceTable::read(&definition).expect_err("too many columns");
        expect!["4001 columns; a table has at most 4000"].assert_eq(&problem.message);
        check(
            "ItemId,Name\n1,a,b\n",
            &expect![[r#"
            products.csv: 3 values where the header has 2
              "1,a,b""#]],
        );
        check(
            "ItemId,Name\n1,a\n1,b\n",
            &expect![[r#"
            products.csv: the key 1 stands in row 2 already
              "1,b""#]],
        );
    }
}
