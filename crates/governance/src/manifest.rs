//! Reading YAML so that every value knows its place.
//!
//! [`SourceFile`] reads a file within bounds; [`document`] makes a tree of it in which every key and value has
//! its span; [`Fields`] takes the tree apart by name, notes each thing that is wrong, and goes on.

mod document;
mod fields;
mod source;

pub(crate) use fields::Fields;
pub(crate) use source::{SourceFile, explain};
