//! Schemas in the form in which Confluent's registry compares them.
//!
//! Confluent compares the classes of the Java library that its registry reads schemas with: a schema is of one kind
//! (object, string, …), and what is more than one kind at once is combined of several. Schemas of the drafts from 2019-09
//! are translated into the same kinds, in a way of their own.
//!
//! Invariants: each schema of the texts is one node, however often it is referred to.

mod build;
mod kind;
mod modern;
mod previous;

pub(super) use build::Model;
pub(super) use kind::{ArrayRules, Child, Criterion, Kind, NumberRules, ObjectRules, Schema, StringRules};
