//! JSON Schema, drafts 4, 6, 7, 2019-09 and 2020-12.
//!
//! ```text
//!   text + references ──▶ document ──▶ references ──▶ validation   values, by crate jsonschema
//!                                          │
//!                                          ├────────▶ model ──▶ comparison   Confluent's differences
//!                                          └────────▶ example
//! ```
//!
//! Without `$schema`, or with one that is not known, a schema is read as draft 7, as Confluent's registry does.
//!
//! Invariants: nothing is fetched; a `$ref` whose target is not among the texts is an error with its place. Time and memory
//! are bounded by the size of texts and values, whatever refers to what.

mod comparison;
mod document;
mod draft;
mod example;
mod extent;
mod keyword;
mod model;
mod number;
mod references;
#[cfg(test)]
mod tests;
mod text;
mod validation;
mod violation;

use jsonschema::Validator;
use serde_json::Value;

use crate::work::Work;
use crate::{Incompatibility, InvalidSchema, ReferencedSchema, ValueError};
pub use comparison::Policy;
use extent::Extent;
use model::Model;
use references::References;
use text::MemberOrder;

/// Bytes of memory for each value of the text, in its model and in what validates.
const PER_VALUE: usize = 700;

/// A schema that is ready to validate values and to be compared.
#[derive(Debug)]
pub struct Schema {
    references: References,
    extent: Extent,
    validator: Validator,
    model: Model,
}

impl Schema {
    /// Reads a schema with all that it refers to.
    ///
    /// # Errors
    /// [`InvalidSchema`]: with line and column where a text is not JSON, names a member twice or is nested deeper than
    /// [`crate::MAX_DEPTH`]; with the JSON pointer of a keyword that the draft's metaschema does not allow, of a `$ref` whose
    /// target is in none of the texts, of a schema that refers to itself without end; and for texts of more than
    /// [`crate::MAX_SCHEMA_BYTES`], patterns that the linear engine does not know (look-around, back-references), more than
    /// 500 patterns, and more than 50,000 schemas that apply to the same value.
    pub fn parse(text: &str, references: &[ReferencedSchema]) -> Result<Self, InvalidSchema> {
        let references = References::read(text, references)?;
        let extent = Extent::measure(&references)?;
        let validator = validation::build(&references)?;
        let model = Model::build(&references);
        Ok(Self { references, extent, validator, model })
    }

    /// The text without white space, as Confluent's registry keeps it.
    pub fn canonical(&self) -> String {
        text::write(&self.references.json, self.references.root(), MemberOrder::Text)
    }

    /// The same with members in the order of their names: schemas that differ in nothing else are one.
    pub fn normalized(&self) -> String {
        text::write(&self.references.json, self.references.root(), MemberOrder::Name)
    }

    /// About how many bytes of memory it takes: what is counted is small, and many.
    pub(crate) fn weight(&self) -> usize {
        self.references.json.count().saturating_mul(PER_VALUE)
    }

    /// Every reason why `reader` cannot read what `writer` wrote, by [`Policy::Strict`]; at most 100.
    pub fn incompatibilities(reader: &Self, writer: &Self) -> Vec<Incompatibility> {
        Self::incompatibilities_with(reader, writer, Policy::Strict)
    }

    /// The same by a policy.
    pub fn incompatibilities_with(reader: &Self, writer: &Self, policy: Policy) -> Vec<Incompatibility> {
        Self::incompatibilities_within(reader, writer, policy, &Work::default())
    }

    /// The same as a part of `work`; not all of them where that is used up.
    pub(crate) fn incompatibilities_within(
        reader: &Self,
        writer: &Self,
        policy: Policy,
        work: &Work,
    ) -> Vec<Incompatibility> {
        comparison::incompatibilities(&writer.model, &reader.model, policy, work)
    }

    /// Checks that `json` is one JSON document that the schema allows.
    ///
    /// # Errors
    /// [`ValueError`] with the field as its sender would write it. Of several violations it is one; of alternatives that do
    /// not match, one within the alternative that the value is most like.
    pub fn validate(&self, json: &[u8]) -> Result<(), ValueError> {
        validation::validate(&self.validator, &self.references, &self.extent, json)
    }

    /// The schema as JSON.
    pub fn value(&self) -> Value {
        self.references.value()
    }

    /// A plausible value, the same each time; it is valid, except of schemas for which none of a few attempts is.
    pub fn example(&self) -> Value {
        let is_valid =
            |value: &Value| self.extent.allows(&self.references, value, 0) && self.validator.is_valid(value);
        example::example(&self.references, is_valid)
    }

    /// What `text` refers to and does not define itself: names for its references, in their order, without fragments.
    ///
    /// # Errors
    /// [`InvalidSchema`] for text that is no JSON Schema at all, as [`Schema::parse`].
    pub fn references(text: &str) -> Result<Vec<String>, InvalidSchema> {
        References::missing(text)
    }
}
