//! Rules of a schema, which clients carry out when they write and read; the registry keeps and returns them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The rules of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSet {
    /// Rules between versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_rules: Option<Vec<Rule>>,
    /// Rules on values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_rules: Option<Vec<Rule>>,
    /// Rules on encoded values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_rules: Option<Vec<Rule>>,
    /// Where they are carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_at: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its name, unique among the rules of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// `TRANSFORM` or `CONDITION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RuleKind>,
    /// When it is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RuleMode>,
    /// Its language: `CEL`, `JSONATA`, `ENCRYPT` …
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub rule_type: Option<String>,
    /// The tags that it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<BTreeMap<String, String>>,
    /// Its expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// The action after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// The action after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// Whether it is passed over.
    #[serde(default)]
    pub disabled: bool,
}

/// Whether a rule changes a value or judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleKind {
    /// It gives another value.
    Transform,
    /// It says yes or no.
    Condition,
}

/// When a rule is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleMode {
    /// From an older version to a newer one.
    Upgrade,
    /// From a newer version to an older one.
    Downgrade,
    /// Both of them.
    UpDown,
    /// When a value is written.
    Write,
    /// When a value is read.
    Read,
    /// Both of them.
    WriteRead,
}

impl RuleKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Transform => "TRANSFORM",
            Self::Condition => "CONDITION",
        }
    }
}

impl RuleMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upgrade => "UPGRADE",
            Self::Downgrade => "DOWNGRADE",
            Self::UpDown => "UPDOWN",
            Self::Write => "WRITE",
            Self::Read => "READ",
            Self::WriteRead => "WRITEREAD",
        }
    }
}

impl RuleSet {
    /// Gives `hash` its parts, in the order of Confluent's fingerprint.
    pub(crate) fn hash_into(&self, hash: &mut dyn FnMut(&[u8])) {
        for rules in [&self.migration_rules, &self.domain_rules, &self.encoding_rules] {
            rules.iter().flatten().for_each(|rule| rule.hash_into(hash));
        }
        self.enable_at.iter().for_each(|place| hash(place.as_bytes()));
    }

    /// `base` with the rules of `over` added, in place of those that have their name; `None` where neither has any.
    pub(crate) fn merge(base: Option<&Self>, over: Option<&Self>) -> Option<Self> {
        let (base, over) = match (base, over) {
            (Some(base), Some(over)) => (base, over),
            (one, None) | (None, one) => return one.cloned(),
        };
        Some(Self {
            migration_rules: merge(base.migration_rules.as_deref(), over.migration_rules.as_deref()),
            domain_rules: merge(base.domain_rules.as_deref(), over.domain_rules.as_deref()),
            encoding_rules: merge(base.encoding_rules.as_deref(), over.encoding_rules.as_deref()),
            enable_at: over.enable_at.clone().or_else(|| base.enable_at.clone()),
        })
    }
}

fn merge(base: Option<&[Rule]>, over: Option<&[Rule]>) -> Option<Vec<Rule>> {
    let (Some(base), Some(over)) = (base, over) else {
        return base.or(over).map(<[Rule]>::to_vec);
    };
    let kept = base.iter().filter(|rule| !over.iter().any(|other| other.name == rule.name));
    Some(kept.chain(over).cloned().collect())
}

impl Rule {
    fn hash_into(&self, hash: &mut dyn FnMut(&[u8])) {
        let words = [
            self.name.as_deref(),
            self.doc.as_deref(),
            self.kind.map(RuleKind::as_str),
            self.mode.map(RuleMode::as_str),
            self.rule_type.as_deref(),
        ];
        words.into_iter().flatten().for_each(|word| hash(word.as_bytes()));
        self.tags.iter().flatten().for_each(|tag| hash(tag.as_bytes()));
        for (name, value) in self.params.iter().flatten() {
            hash(name.as_bytes());
            hash(value.as_bytes());
        }
        let actions = [&self.expr, &self.on_success, &self.on_failure];
        actions.into_iter().flatten().for_each(|text| hash(text.as_bytes()));
        if self.disabled {
            hash(&[1]);
        }
    }
}
