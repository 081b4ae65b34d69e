//! Defaults in the project's own file for definitions that say nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an event gets when its own file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Partitions of a new topic.
    pub partitions: Option<i32>,
    /// How long records are kept.
    pub retention: Option<Duration>,
    /// How late a record may be.
    pub lateness: Option<Duration>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
}

/// Who may see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Its own team, and whom it grants access.
    Private,
    /// Every team of the project.
    #[default]
    Company,
}

impl Visibility {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("private", Self::Private), ("company", Self::Company)];
}
