//! The host of a rule.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{AclError, cut};

/// Where a client is for a rule to apply.
///
/// Kafka compares text, so that a name of a machine can be written and never matches. Here it is an address or none at all:
/// a rule that denies must not have no effect because of how its host is spelt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Host {
    /// Anywhere, also within the server's own process.
    Any,
    /// At this address. An IPv4 address in IPv6's form is the IPv4 address.
    Address(IpAddr),
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

impl FromStr for Host {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let address: Result<IpAddr, _> = text.parse();
        address.map(Self::from).map_err(|_| AclError::Host { text: cut(text) })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
        }
    }
}
