//! Tests of Avro, by what goes in and what comes out.

mod hostile;
mod judging;
mod schemas;
mod values;
mod verdicts;

use super::Schema;

fn parse(text: &str) -> Schema {
    Schema::parse(text, &[]).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn refusal(text: &str) -> String {
    Schema::parse(text, &[]).map_or_else(|error| error.to_string(), |schema| panic!("{schema:?} of {text}"))
}
