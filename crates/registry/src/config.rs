//! Settings of a subject, a context, or all of them: compatibility, an alias, metadata and rules that schemas are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Metadata, RuleSet};

/// Settings; what is absent is as the wider scope says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Another subject that this one stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Whether schemas are brought into their normal form before they are compared with those that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// Whether names of fields that are reserved are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_fields: Option<bool>,
    /// Whether rule sets are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_rules: Option<bool>,
    /// What a new version must be able to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_level: Option<CompatibilityLevel>,
    /// How strictly JSON Schemas are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_policy: Option<CompatibilityPolicy>,
    /// A property of metadata: versions are compared with those that have the same value of it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_group: Option<String>,
    /// Metadata of schemas that do not say else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_metadata: Option<Metadata>,
    /// Metadata of all schemas, whatever they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_metadata: Option<Metadata>,
    /// Rules of schemas that do not say else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_rule_set: Option<RuleSet>,
    /// Rules of all schemas, whatever they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_rule_set: Option<RuleSet>,
}

/// What a new version must be able to do with the versions before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CompatibilityLevel {
    /// Nothing.
    None,
    /// Read what the latest version wrote.
    #[default]
    Backward,
    /// Read what any version wrote.
    BackwardTransitive,
    /// Be read by the latest version.
    Forward,
    /// Be read by all versions.
    ForwardTransitive,
    /// Read and be read by the latest version.
    Full,
    /// Read and be read by all versions.
    FullTransitive,
}

/// How strictly JSON Schemas are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CompatibilityPolicy {
    /// What an open content model could have held counts.
    #[default]
    Strict,
    /// It does not.
    Lenient,
}

/// A word that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive"
)]
pub struct InvalidCompatibilityLevel;

impl CompatibilityLevel {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether a new version must read what earlier ones wrote.
    pub fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether earlier versions must read what a new one writes.
    pub fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether all earlier versions count, and not the latest alone.
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

impl fmt::Display for CompatibilityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CompatibilityLevel {
    type Err = InvalidCompatibilityLevel;

    fn from_str(word: &str) -> Result<Self, InvalidCompatibilityLevel> {
        let found = Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word));
        found.ok_or(InvalidCompatibilityLevel)
    }
}

impl Config {
    /// What holds where `narrow` is set within `wide`: each setting of the narrower scope, else of the wider one.
    pub(crate) fn within(narrow: &Self, wide: &Self) -> Self {
        Self {
            // An alias is one subject's.
            alias: narrow.alias.clone(),
            normalize: narrow.normalize.or(wide.normalize),
            validate_fields: narrow.validate_fields.or(wide.validate_fields),
            validate_rules: narrow.validate_rules.or(wide.validate_rules),
            compatibility_level: narrow.compatibility_level.or(wide.compatibility_level),
            compatibility_policy: narrow.compatibility_policy.or(wide.compatibility_policy),
            compatibility_group: narrow
                .compatibility_group
                .clone()
                .or_else(|| wide.compatibility_group.clone()),
            default_metadata: Metadata::merge(
                wide.default_metadata.as_ref(),
                narrow.default_metadata.as_ref(),
            ),
            override_metadata: Metadata::merge(
                wide.override_metadata.as_ref(),
                narrow.override_metadata.as_ref(),
            ),
            default_rule_set: RuleSet::merge(
                wide.default_rule_set.as_ref(),
                narrow.default_rule_set.as_ref(),
            ),
            override_rule_set: RuleSet::merge(
                wide.override_rule_set.as_ref(),
                narrow.override_rule_set.as_ref(),
            ),
        }
    }

    /// The level in effect.
    pub fn level(&self) -> CompatibilityLevel {
        self.compatibility_level.unwrap_or_default()
    }
}
