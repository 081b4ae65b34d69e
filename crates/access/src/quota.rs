//! A client quota, as Kafka has them (KIP-13, KIP-124, KIP-546, KIP-599, KIP-612): whom it is about, and how much that may use.
//!
//! **Not here:** which quota goes for a client (see [`crate::Quotas`]), and how much it has used (see [`crate::QuotaMeters`]).

mod entity;
mod filter;

pub use entity::{MAX_QUOTA_NAME_BYTES, QuotaEntity, QuotaPart};
pub use filter::{QuotaFilter, QuotaMatch};

/// How many keys there are.
pub(crate) const KEYS: usize = QuotaKey::ALL.len();
/// As in Kafka: how far a value that is to be whole may be from it.
const EPSILON: f64 = 1e-6;
/// A client that gets more in a second meets no limit.
const MAX_VALUE: f64 = i64::MAX as f64;

/// What a quota limits, on average over ten seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QuotaKey {
    /// Bytes of produce requests in a second.
    ProducerByteRate,
    /// Bytes of fetched records in a second.
    ConsumerByteRate,
    /// The time of a processor that requests take: 100 is all of one.
    RequestPercentage,
    /// Partitions created and deleted in a second.
    ControllerMutationRate,
    /// Connections opened in a second.
    ConnectionCreationRate,
}

impl QuotaKey {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::ProducerByteRate,
        Self::ConsumerByteRate,
        Self::RequestPercentage,
        Self::ControllerMutationRate,
        Self::ConnectionCreationRate,
    ];

    /// Its name, as Kafka's.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProducerByteRate => "producer_byte_rate",
            Self::ConsumerByteRate => "consumer_byte_rate",
            Self::RequestPercentage => "request_percentage",
            Self::ControllerMutationRate => "controller_mutation_rate",
            Self::ConnectionCreationRate => "connection_creation_rate",
        }
    }

    /// The key of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Whether its values are whole numbers.
    fn is_whole(self) -> bool {
        !matches!(self, Self::RequestPercentage | Self::ControllerMutationRate)
    }

    /// Checks that `entity` may have a limit of `value`.
    ///
    /// # Errors
    /// [`QuotaError`] for a key of other entities, and a value that is no limit.
    pub fn check(self, entity: &QuotaEntity, value: f64) -> Result<(), QuotaError> {
        self.check_entity(entity)?;
        // Not a number is in no range.
        if !(f64::MIN_POSITIVE..=MAX_VALUE).contains(&value) {
            return Err(QuotaError::Value { key: self, value });
        }
        match self.is_whole() && ((value + EPSILON).floor() - value).abs() > EPSILON {
            true => Err(QuotaError::Fraction { key: self, value }),
            false => Ok(()),
        }
    }

    /// Checks that the key is one of `entity`.
    ///
    /// # Errors
    /// [`QuotaError::Key`].
    pub fn check_entity(self, entity: &QuotaEntity) -> Result<(), QuotaError> {
        let is_of_address = matches!(entity, QuotaEntity::Ip(_));
        match is_of_address == (self == Self::ConnectionCreationRate) {
            true => Ok(()),
            false => Err(QuotaError::Key { key: self.name().to_owned() }),
        }
    }
}

/// How much an entity may use of what is limited.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct QuotaLimits([Option<f64>; KEYS]);

impl QuotaLimits {
    /// The limit for `key`.
    pub fn get(&self, key: QuotaKey) -> Option<f64> {
        self.0[key.index()]
    }

    /// Sets the limit for `key`, or takes it away.
    pub fn set(&mut self, key: QuotaKey, value: Option<f64>) {
        self.0[key.index()] = value;
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = (QuotaKey, f64)> {
        QuotaKey::ALL.into_iter().filter_map(|key| Some((key, self.get(key)?)))
    }
}

/// What is to become of the limits of an entity; those that are not named stay.
#[derive(Clone, PartialEq, Debug)]
pub struct QuotaChange {
    /// Whose.
    pub entity: QuotaEntity,
    /// The new limits; `None` takes one away.
    pub limits: Vec<(QuotaKey, Option<f64>)>,
}

impl QuotaChange {
    /// Checks that it may be.
    ///
    /// # Errors
    /// [`QuotaError`]. A limit that is taken away need not be there.
    pub fn check(&self) -> Result<(), QuotaError> {
        let mut seen = [false; KEYS];
        for (key, value) in &self.limits {
            if std::mem::replace(&mut seen[key.index()], true) {
                return Err(QuotaError::KeyTwice { key: *key });
            }
            match value {
                Some(value) => key.check(&self.entity, *value)?,
                None => key.check_entity(&self.entity)?,
            }
        }
        Ok(())
    }
}

/// Why a quota cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuotaError {
    /// Of no entity.
    #[error("the quota is about no one: a user, a client id, both, or an ip")]
    NoEntity,
    /// An entity of a type that there is not.
    #[error("unknown entity type {kind:?}: user, client-id and ip are known")]
    EntityType {
        /// The type.
        kind: String,
    },
    /// An entity that has a part twice.
    #[error("the entity has {part} twice")]
    PartTwice {
        /// The part.
        part: QuotaPart,
    },
    /// An address together with something else.
    #[error("a quota of an ip is about nothing else")]
    Mixed,
    /// A part without a name that is not the default.
    #[error("the {part} has no name")]
    EmptyName {
        /// The part.
        part: QuotaPart,
    },
    /// A name over the limit.
    #[error("the {part} has {length} bytes: at most {MAX_QUOTA_NAME_BYTES}")]
    LongName {
        /// The part.
        part: QuotaPart,
        /// Its bytes.
        length: usize,
    },
    /// Text that is no address.
    #[error("{text:?} is no IP address")]
    Address {
        /// The text.
        text: String,
    },
    /// A key that there is not, or not for such an entity.
    #[error("such an entity has no quota {key:?}")]
    Key {
        /// The key.
        key: String,
    },
    /// A key that is named twice.
    #[error("{} is named twice", key.name())]
    KeyTwice {
        /// The key.
        key: QuotaKey,
    },
    /// A value that is no limit.
    #[error("{} of {value}: a limit is above 0", key.name())]
    Value {
        /// The key.
        key: QuotaKey,
        /// The value.
        value: f64,
    },
    /// A value that is not whole where it has to be.
    #[error("{} of {value}: it is a whole number", key.name())]
    Fraction {
        /// The key.
        key: QuotaKey,
        /// The value.
        value: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(entity: &QuotaEntity, key: QuotaKey, value: f64) -> Option<String> {
        key.check(entity, value).err().map(|error| error.to_string())
    }

    #[test]
    fn values_are_limits_of_keys_that_the_entity_has() {
        let (user, ip) = (QuotaEntity::User(None), QuotaEntity::Ip(None));
        for key in QuotaKey::ALL {
            assert_eq!(QuotaKey::from_name(key.name()), Some(key));
            let is_of_address = key == QuotaKey::ConnectionCreationRate;
            assert_eq!(verdict(&user, key, 1.0).is_none(), !is_of_address);
            assert_eq!(verdict(&ip, key, 1.0).is_none(), is_of_address);
        }
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e19] {
            assert!(verdict(&user, QuotaKey::ProducerByteRate, wrong).is_some(), "{wrong}");
            assert!(verdict(&user, QuotaKey::RequestPercentage, wrong).is_some(), "{wrong}");
        }
        assert!(verdict(&user, QuotaKey::ProducerByteRate, 1.5).is_some());
        assert_eq!(verdict(&user, QuotaKey::ProducerByteRate, 1_024.000_000_1), None);
        assert_eq!(verdict(&user, QuotaKey::RequestPercentage, 0.5), None);
    }
}
