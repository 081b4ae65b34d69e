//! The entity of a quota: a user, a client id, both, or an address.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::QuotaError;

/// Bytes of the name of a user or of a client id that has a quota.
pub const MAX_QUOTA_NAME_BYTES: usize = 255;

/// A part of an entity, as Kafka's types of entities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QuotaPart {
    /// A user: the name of its principal.
    User,
    /// The client's name for itself.
    ClientId,
    /// The address of the client.
    Ip,
}

impl QuotaPart {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::User, Self::ClientId, Self::Ip];

    /// Its name, as Kafka's.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ClientId => "client-id",
            Self::Ip => "ip",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl fmt::Display for QuotaPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whom a quota is about. Where there is no name, it is about each that no quota names: the default.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QuotaEntity {
    /// A user, by whatever client id.
    User(Option<Arc<str>>),
    /// A user by a client id.
    UserAndClientId(Option<Arc<str>>, Option<Arc<str>>),
    /// A client id, of whatever user.
    ClientId(Option<Arc<str>>),
    /// An address, as it is seen here.
    Ip(Option<IpAddr>),
}

impl QuotaEntity {
    /// Of its parts: the types of Kafka, and the names, of which none is the default.
    ///
    /// # Errors
    /// [`QuotaError`] for what is no entity.
    pub fn from_parts<'a>(
        parts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Result<Self, QuotaError> {
        let mut names: [Option<Option<&str>>; QuotaPart::ALL.len()] = Default::default();
        for (kind, name) in parts {
            let part = QuotaPart::from_name(kind)
                .ok_or_else(|| QuotaError::EntityType { kind: kind.chars().take(40).collect() })?;
            check_name(part, name)?;
            if names[part as usize].replace(name).is_some() {
                return Err(QuotaError::PartTwice { part });
            }
        }
        let named = |name: Option<&str>| name.map(Arc::from);
        match names {
            [Some(user), Some(client_id), None] => Ok(Self::UserAndClientId(named(user), named(client_id))),
            [Some(user), None, None] => Ok(Self::User(named(user))),
            [None, Some(client_id), None] => Ok(Self::ClientId(named(client_id))),
            [None, None, Some(ip)] => Ok(Self::Ip(ip.map(address).transpose()?)),
            [None, None, None] => Err(QuotaError::NoEntity),
            [_, _, Some(_)] => Err(QuotaError::Mixed),
        }
    }

    /// Its parts: what [`QuotaEntity::from_parts`] makes the same of.
    pub fn parts(&self) -> Vec<(QuotaPart, Option<String>)> {
        let text = |name: &Option<Arc<str>>| name.as_deref().map(str::to_owned);
        match self {
            Self::User(user) => vec![(QuotaPart::User, text(user))],
            Self::UserAndClientId(user, client_id) => {
                vec![(QuotaPart::User, text(user)), (QuotaPart::ClientId, text(client_id))]
            }
            Self::ClientId(client_id) => vec![(QuotaPart::ClientId, text(client_id))],
            Self::Ip(ip) => vec![(QuotaPart::Ip, ip.map(|ip| ip.to_string()))],
        }
    }
}

impl fmt::Display for QuotaEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (part, name)) in self.parts().into_iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            match name {
                Some(name) => write!(f, "{separator}{part} {name:?}")?,
                None => write!(f, "{separator}default {part}")?,
            }
        }
        Ok(())
    }
}

/// An address as it is compared: that of an IPv4 client by an IPv6 socket is its IPv4 address.
pub(super) fn address(text: &str) -> Result<IpAddr, QuotaError> {
    let address = text.parse::<IpAddr>().map(|address| address.to_canonical());
    address.map_err(|_| QuotaError::Address { text: text.chars().take(100).collect() })
}

fn check_name(part: QuotaPart, name: Option<&str>) -> Result<(), QuotaError> {
    match name.map(str::len) {
        Some(0) => Err(QuotaError::EmptyName { part }),
        Some(length) if length > MAX_QUOTA_NAME_BYTES => Err(QuotaError::LongName { part, length }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[(&str, Option<&str>)]) -> Result<String, String> {
        let entity = QuotaEntity::from_parts(parts.iter().copied()).map_err(|error| error.to_string())?;
        let again = entity.parts();
        let again = again.iter().map(|(part, name)| (part.name(), name.as_deref()));
        assert_eq!(QuotaEntity::from_parts(again), Ok(entity.clone()));
        Ok(entity.to_string())
    }

    #[test]
    fn entities_are_made_of_their_parts() {
        let long = "n".repeat(256);
        for (parts, expected) in [
            (&[("user", Some("ann"))][..], Ok("user \"ann\"")),
            (&[("client-id", None), ("user", Some("ann"))], Ok("user \"ann\", default client-id")),
            (&[("client-id", Some("a\nb"))], Ok("client-id \"a\\nb\"")),
            (&[("ip", None)], Ok("default ip")),
            (&[("ip", Some("::ffff:10.0.0.1"))], Ok("ip \"10.0.0.1\"")),
            (&[], Err("the quota is about no one: a user, a client id, both, or an ip")),
            (&[("user", Some(""))], Err("the user has no name")),
            (&[("user", Some(&long))], Err("the user has 256 bytes: at most 255")),
            (&[("user", None), ("user", None)], Err("the entity has user twice")),
            (&[("host", None)], Err("unknown entity type \"host\": user, client-id and ip are known")),
            (&[("ip", None), ("user", None)], Err("a quota of an ip is about nothing else")),
            (&[("ip", Some("db.example"))], Err("\"db.example\" is no IP address")),
        ] {
            assert_eq!(read(parts), expected.map(str::to_owned).map_err(str::to_owned), "{parts:?}");
        }
    }
}
