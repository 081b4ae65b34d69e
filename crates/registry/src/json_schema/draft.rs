//! The drafts of JSON Schema, and which one a text is written in.

use super::document::{Json, NodeId};

/// A published version of JSON Schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    Of201909,
    Of202012,
}

impl Draft {
    /// The draft that `$schema` of `root` names; `default` where it names none, or one that is unknown.
    pub(super) fn of(json: &Json, root: NodeId, default: Self) -> Self {
        let named = json.member(root, "$schema").and_then(|uri| json.text(uri)).and_then(Self::by_uri);
        named.unwrap_or(default)
    }

    /// The draft of a metaschema's URI; `http` and `https` are the same, as is an empty fragment.
    pub(super) fn by_uri(uri: &str) -> Option<Self> {
        let uri = uri.strip_suffix('#').unwrap_or(uri);
        let uri = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
        match uri.strip_prefix("json-schema.org/")? {
            "draft-04/schema" | "schema" => Some(Self::Four),
            "draft-06/schema" => Some(Self::Six),
            "draft-07/schema" => Some(Self::Seven),
            "draft/2019-09/schema" => Some(Self::Of201909),
            "draft/2020-12/schema" => Some(Self::Of202012),
            _ => None,
        }
    }

    /// The URI of the draft's metaschema.
    pub(super) fn uri(self) -> &'static str {
        match self {
            Self::Four => "http://json-schema.org/draft-04/schema#",
            Self::Six => "http://json-schema.org/draft-06/schema#",
            Self::Seven => "http://json-schema.org/draft-07/schema#",
            Self::Of201909 => "https://json-schema.org/draft/2019-09/schema",
            Self::Of202012 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// The keyword that names a schema.
    pub(super) fn id_keyword(self) -> &'static str {
        if self == Self::Four { "id" } else { "$id" }
    }

    /// Whether it is 2019-09 or later: `$ref` has siblings, `$anchor` and `$defs` are keywords.
    pub(super) fn is_modern(self) -> bool {
        self >= Self::Of201909
    }

    /// The same for the validator.
    pub(super) fn for_validator(self) -> jsonschema::Draft {
        match self {
            Self::Four => jsonschema::Draft::Draft4,
            Self::Six => jsonschema::Draft::Draft6,
            Self::Seven => jsonschema::Draft::Draft7,
            Self::Of201909 => jsonschema::Draft::Draft201909,
            Self::Of202012 => jsonschema::Draft::Draft202012,
        }
    }
}
