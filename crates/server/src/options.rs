//! Options of a server.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use factum_governance::watch;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::access::ADMIN;
use crate::machine;

/// A server's settings, one section a component.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where it keeps everything; see [`DataDir`].
    pub data_dir: DataDir,
    /// A project folder to apply at the start and to watch.
    pub project: Option<PathBuf>,
    /// Who may use it: a word, or a table.
    pub access: AccessOptions,
    /// The schema registry.
    pub registry: RegistryOptions,
    /// The embedded log. Its `data_dir` is set from [`Options::data_dir`].
    pub log: factum_broker::Options,
    /// The Kafka API.
    pub kafka: factum_kafka_server::Options,
    /// The HTTP API.
    pub http: factum_http_api::Options,
    /// Where views keep their state.
    pub state: factum_state::Options,
    /// The SQL engine.
    pub sql: factum_sql::Options,
    /// What becomes of the feeds that the project declares.
    pub feeds: factum_feeds::Options,
    /// When the disk of the data directory counts as full.
    pub disk: machine::Options,
    /// How the project folder is watched.
    pub watch: watch::Options,
}

/// The schema registry: table `[registry]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistryOptions {
    /// Whether to do without what is lost of schemas, from then on.
    pub accept_damage: bool,
}

/// Where a server keeps everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<PathBuf>")]
pub enum DataDir {
    /// In a new directory that is removed at the end.
    #[default]
    Temporary,
    /// Here, for good.
    Kept(PathBuf),
}

impl From<Option<PathBuf>> for DataDir {
    fn from(path: Option<PathBuf>) -> Self {
        path.map_or(Self::Temporary, Self::Kept)
    }
}

/// Who may use a server: `access = "acl"`, or a table `[access]` with `mode = "acl"` and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessOptions {
    /// What decides.
    pub mode: Access,
    /// Principals that may do everything, where rules decide. User `admin` unless told otherwise.
    pub super_users: Vec<String>,
    /// Whether everyone may use what no rule is about, where rules decide; as in Kafka, not by default.
    pub allow_everyone_if_no_acl_found: bool,
    /// Whether to go by what is left of users and rules where a part of them is lost, and to do without that from then on.
    pub accept_damage: bool,
}

/// What decides who may use a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Anyone who reaches a loopback listener; no one through another one.
    #[default]
    OpenOnLoopback,
    /// Anyone who reaches any listener: for a network that is trusted as a whole.
    Open,
    /// No one.
    Closed,
    /// Users and rules, on every listener.
    Acl,
}

impl Access {
    /// Whether a listener on `address` lets anyone in.
    pub fn is_open_at(self, address: SocketAddr) -> bool {
        match self {
            Self::OpenOnLoopback => address.ip().is_loopback(),
            Self::Open => true,
            Self::Closed | Self::Acl => false,
        }
    }
}

impl AccessOptions {
    /// Whether rules decide, and everyone may use what none is about.
    pub fn opens_unruled(&self) -> bool {
        self.mode == Access::Acl && self.allow_everyone_if_no_acl_found
    }
}

impl From<Access> for AccessOptions {
    fn from(mode: Access) -> Self {
        let super_users = vec![format!("User:{ADMIN}")];
        Self { mode, super_users, allow_everyone_if_no_acl_found: false, accept_damage: false }
    }
}

impl Default for AccessOptions {
    fn default() -> Self {
        Access::default().into()
    }
}

/// The table, with its defaults.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AccessTable {
    mode: Access,
    super_users: Vec<String>,
    allow_everyone_if_no_acl_found: bool,
    accept_damage: bool,
}

impl Default for AccessTable {
    fn default() -> Self {
        let AccessOptions { mode, super_users, allow_everyone_if_no_acl_found, accept_damage } =
            AccessOptions::default();
        Self { mode, super_users, allow_everyone_if_no_acl_found, accept_damage }
    }
}

impl<'de> Deserialize<'de> for AccessOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AccessVisitor)
    }
}

/// Reads the word or the table, so that an error is about the one that was written.
struct AccessVisitor;

impl<'de> Visitor<'de> for AccessVisitor {
    type Value = AccessOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("open-on-loopback, open, closed, acl, or a table [access]")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<AccessOptions, E> {
        Access::deserialize(word.into_deserializer()).map(AccessOptions::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AccessOptions, A::Error> {
        let table = AccessTable::deserialize(MapAccessDeserializer::new(map))?;
        for principal in &table.super_users {
            factum_access::check_principal(principal).map_err(serde::de::Error::custom)?;
        }
        let AccessTable { mode, super_users, allow_everyone_if_no_acl_found, accept_damage } = table;
        Ok(AccessOptions { mode, super_users, allow_everyone_if_no_acl_found, accept_damage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_beyond_loopback_is_closed_unless_told_otherwise() {
        let (inside, outside) = ("127.0.0.1:1".parse(), "0.0.0.0:1".parse());
        let (inside, outside) = (inside.expect("an address"), outside.expect("an address"));
        assert!(Access::default().is_open_at(inside));
        assert!(!Access::default().is_open_at(outside));
        assert!(Access::Open.is_open_at(outside));
        assert!(!Access::Closed.is_open_at(inside));
    }

    #[test]
    fn access_is_a_word_or_a_table() {
        let read =
            |json: &str| serde_json::from_str::<AccessOptions>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#""open""#), Ok(Access::Open.into()));
        let acl = read(r#"{"mode": "acl", "super_users": ["User:CN=a"]}"#).expect("a table");
        assert_eq!((acl.mode, acl.super_users), (Access::Acl, vec!["User:CN=a".to_owned()]));
        assert_eq!(read("{}"), Ok(AccessOptions::default()));
        for wrong in
            [r#""half""#, r#"{"mode": "half"}"#, r#"{"modus": "acl"}"#, r#"{"super_users": ["ann"]}"#, "1"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
