//! Filter of quotas, as in DescribeClientQuotas (KIP-546).

use super::entity::{QuotaEntity, QuotaPart, address};

/// What a part of an entity has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuotaMatch {
    /// The one of this name.
    Name(String),
    /// The default.
    Default,
    /// Any, also the default.
    Any,
}

impl QuotaMatch {
    fn fits(&self, part: QuotaPart, name: Option<&str>) -> bool {
        match self {
            // However an address is written.
            Self::Name(wanted) if part == QuotaPart::Ip => {
                address(wanted).is_ok_and(|wanted| Some(wanted.to_string().as_str()) == name)
            }
            Self::Name(wanted) => name == Some(wanted),
            Self::Default => name.is_none(),
            Self::Any => true,
        }
    }
}

/// Which entities are meant: those that have each of these parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuotaFilter {
    /// The parts, each once.
    pub parts: Vec<(QuotaPart, QuotaMatch)>,
    /// They may have no other.
    pub is_strict: bool,
}

impl QuotaFilter {
    /// Whether `entity` is meant.
    pub fn matches(&self, entity: &QuotaEntity) -> bool {
        let found = entity.parts();
        let has = |(part, wanted): &(QuotaPart, QuotaMatch)| {
            found.iter().any(|(has, name)| has == part && wanted.fits(*part, name.as_deref()))
        };
        self.parts.iter().all(has) && (!self.is_strict || self.parts.len() == found.len())
    }
}
