//! Settings of TLS.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of a listener that speaks TLS (1.2 and 1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// A PEM file with the server's certificate and, behind it, those that lead to the authority which clients trust.
    pub certificate: PathBuf,
    /// A PEM file with the certificate's private key (PKCS #8, PKCS #1 or SEC 1), not encrypted.
    pub key: PathBuf,
    /// A PEM file with the authorities that clients' certificates may come from.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// How often the files are looked at for a change.
    #[serde(default = "reload_every", with = "factum_types::units::duration::above_zero")]
    pub reload_every: Duration,
    /// How long a client may take for its handshake.
    #[serde(default = "handshake_timeout", with = "factum_types::units::duration::above_zero")]
    pub handshake_timeout: Duration,
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// They are not asked for one.
    #[default]
    None,
    /// They may; one that does not lead to `client_ca` is refused.
    Requested,
    /// They must.
    Required,
}

impl Options {
    /// TLS with these files, and defaults for the rest.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
            client_auth: ClientAuth::None,
            reload_every: reload_every(),
            handshake_timeout: handshake_timeout(),
        }
    }
}

fn reload_every() -> Duration {
    Duration::from_secs(10)
}

fn handshake_timeout() -> Duration {
    Duration::from_secs(10)
}
