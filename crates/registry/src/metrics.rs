//! Metrics of the registry.

use std::sync::Once;

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::SchemaType;

const SUBJECTS: &str = "factum_registry_subjects";
const SCHEMAS: &str = "factum_registry_schemas";
const REGISTRATIONS: &str = "factum_registry_registrations_total";

/// Names, once.
fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        describe_gauge!(SUBJECTS, "Subjects of the registry, deleted ones too");
        describe_gauge!(SCHEMAS, "Schemas of the registry, by their ids");
        describe_counter!(REGISTRATIONS, "Schemas that were to be registered, by format and outcome");
    });
}

/// How many there are.
pub(crate) fn counts(subjects: usize, schemas: usize) {
    describe();
    gauge!(SUBJECTS).set(subjects as f64);
    gauge!(SCHEMAS).set(schemas as f64);
}

/// What became of a schema that was to be registered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Registered,
    /// It was there.
    Known,
    Incompatible,
    /// For any other reason.
    Refused,
}

/// A schema was to be registered.
pub(crate) fn observe_registration(format: SchemaType, outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Registered => "registered",
        Outcome::Known => "known",
        Outcome::Incompatible => "incompatible",
        Outcome::Refused => "refused",
    };
    counter!(REGISTRATIONS, "format" => format.as_str().to_lowercase(), "outcome" => outcome).increment(1);
}
