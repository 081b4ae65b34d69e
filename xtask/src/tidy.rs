//! `cargo xtask tidy`: every rule of the house over the whole workspace.

mod codes;
mod disk;
mod layers;
mod leftovers;
mod licences;
mod sizes;
mod structure;
mod type_names;
mod words;

use std::path::Path;

use anyhow::Result;

use crate::finding::Finding;
use crate::workspace::Workspace;

/// Runs every rule below `root`.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let workspace = Workspace::load(root)?;
    let rules = [
        layers::check,
        codes::check,
        disk::check,
        sizes::check,
        structure::check,
        leftovers::check,
        licences::check,
        words::check,
        type_names::check,
    ];
    Ok(rules.iter().flat_map(|rule| rule(&workspace)).collect())
}
