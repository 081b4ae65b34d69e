//! Settings of who may come and how: security protocols, logins, further listeners; and which of them do not go together.

use std::net::SocketAddr;
use std::time::Duration;

use factum_access::sasl::{Mechanism, OAuthBearerOptions};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Options};

/// How a listener is spoken to, under Kafka's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecurityProtocol {
    /// Not encrypted, and everyone is `User:ANONYMOUS`.
    #[default]
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
    /// TLS; clients are who their certificate says, if they have one.
    #[serde(rename = "SSL")]
    Ssl,
    /// Not encrypted, and clients log in.
    #[serde(rename = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// TLS, and clients log in.
    #[serde(rename = "SASL_SSL")]
    SaslSsl,
}

/// How clients log in, on all listeners with SASL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaslOptions {
    /// The mechanisms that are offered.
    pub mechanisms: Vec<Mechanism>,
    /// After what time a client has to log in again (KIP-368); never without it.
    #[serde(with = "factum_types::units::duration::option")]
    pub reauthenticate_after: Option<Duration>,
    /// Whether passwords and tokens may cross a network that is not encrypted: `PLAIN` or `OAUTHBEARER` over `SASL_PLAINTEXT` on an address
    /// other than loopback.
    pub plain_without_tls: bool,
    /// The tokens of `OAUTHBEARER`.
    pub oauthbearer: Option<OAuthBearerOptions>,
}

/// A listener beside the first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerOptions {
    /// Its name in log lines.
    pub name: String,
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What its clients are told to connect to. Without it, each client is told the address that it reached.
    #[serde(default)]
    pub advertised: Option<Endpoint>,
    /// How it is spoken to.
    #[serde(default)]
    pub security: SecurityProtocol,
}

/// Settings that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// There is no certificate.
    #[error("listener {listener} has security {protocol}: name certificate and key below [kafka.tls]")]
    NoCertificate {
        /// The listener.
        listener: String,
        /// Its protocol.
        protocol: &'static str,
    },
    /// A certificate, and no listener that shows it.
    #[error("[kafka.tls] has no effect: set security = \"SSL\" or \"SASL_SSL\" for a listener")]
    UnusedCertificate,
    /// Logins, and no listener that asks for one.
    #[error("[kafka.sasl] has no effect: set security = \"SASL_SSL\" or \"SASL_PLAINTEXT\" for a listener")]
    UnusedLogins,
    /// No way to log in.
    #[error(
        "[kafka.sasl] mechanisms is empty: name one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"
    )]
    NoMechanism,
    /// Passwords would cross a network as they are.
    #[error(
        "listener {listener} would take passwords or tokens by {mechanism} over a network that is not encrypted: set security = \
         \"SASL_SSL\", leave {mechanism} out of [kafka.sasl] mechanisms, or set plain_without_tls = true there"
    )]
    PlainWithoutTls {
        /// The listener.
        listener: String,
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// Tokens cannot be checked.
    #[error("OAUTHBEARER needs jwks, issuer and audience below [kafka.sasl.oauthbearer]")]
    NoTokenKeys,
    /// Two listeners of one name.
    #[error("two Kafka listeners are called {name}: the first one is called {FIRST}")]
    SameName {
        /// The name.
        name: String,
    },
}

/// The name of the listener that `[kafka] listen` opens.
pub(crate) const FIRST: &str = "kafka";

impl SecurityProtocol {
    /// Whether it is TLS.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether clients log in.
    pub fn has_logins(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }
}

impl Default for SaslOptions {
    fn default() -> Self {
        Self {
            mechanisms: vec![Mechanism::ScramSha512, Mechanism::ScramSha256],
            reauthenticate_after: None,
            plain_without_tls: false,
            oauthbearer: None,
        }
    }
}

impl Options {
    /// Every listener, the first one first.
    pub fn all_listeners(&self) -> Vec<ListenerOptions> {
        let first = ListenerOptions {
            name: FIRST.to_owned(),
            listen: self.listen,
            advertised: self.advertised.clone(),
            security: self.security,
        };
        std::iter::once(first).chain(self.listeners.iter().cloned()).collect()
    }

    /// Whether settings go together.
    ///
    /// # Errors
    /// [`OptionsError`], which says what to do.
    pub fn check(&self) -> Result<(), OptionsError> {
        let listeners = self.all_listeners();
        for (at, listener) in listeners.iter().enumerate() {
            let (name, protocol) = (&listener.name, listener.security.name());
            if listeners[..at].iter().any(|other| other.name == *name) {
                return Err(OptionsError::SameName { name: name.clone() });
            }
            if listener.security.is_encrypted() && self.tls.is_none() {
                return Err(OptionsError::NoCertificate { listener: name.clone(), protocol });
            }
            if listener.security.has_logins() {
                self.check_logins(listener)?;
            }
        }
        if self.tls.is_some() && !listeners.iter().any(|listener| listener.security.is_encrypted()) {
            return Err(OptionsError::UnusedCertificate);
        }
        if self.sasl.is_some() && !listeners.iter().any(|listener| listener.security.has_logins()) {
            return Err(OptionsError::UnusedLogins);
        }
        Ok(())
    }

    fn check_logins(&self, listener: &ListenerOptions) -> Result<(), OptionsError> {
        let sasl = self.sasl.clone().unwrap_or_default();
        if sasl.mechanisms.is_empty() {
            return Err(OptionsError::NoMechanism);
        }
        if sasl.mechanisms.contains(&Mechanism::OAuthBearer) && sasl.oauthbearer.is_none() {
            return Err(OptionsError::NoTokenKeys);
        }
        let is_safe = listener.security.is_encrypted() || listener.listen.ip().is_loopback();
        let exposed = sasl.mechanisms.iter().copied().find(|mechanism| mechanism.is_secret_on_the_wire());
        match exposed {
            Some(mechanism) if !is_safe && !sasl.plain_without_tls => {
                Err(OptionsError::PlainWithoutTls { listener: listener.name.clone(), mechanism })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use factum_access::tls;

    use super::*;

    fn options(listen: &str, security: SecurityProtocol) -> Options {
        Options { listen: listen.parse().expect("an address"), security, ..Options::default() }
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let refused = |options: &Options| options.check().expect_err("refused").to_string();
        let plain = Some(SaslOptions { mechanisms: vec![Mechanism::Plain], ..SaslOptions::default() });
        let certificate = Some(tls::Options::new("server.pem", "server.key"));
        let mut outside = options("0.0.0.0:9092", SecurityProtocol::SaslPlaintext);
        assert_eq!(outside.check(), Ok(()), "SCRAM shows no password");
        outside.sasl = plain.clone();
        assert!(refused(&outside).contains("plain_without_tls"), "{}", refused(&outside));
        outside.security = SecurityProtocol::SaslSsl;
        assert!(refused(&outside).contains("[kafka.tls]"));
        outside.tls = certificate.clone();
        assert_eq!(outside.check(), Ok(()));
        outside.security = SecurityProtocol::Ssl;
        assert_eq!(outside.check(), Err(OptionsError::UnusedLogins));

        let mut inside = options("127.0.0.1:0", SecurityProtocol::SaslPlaintext);
        inside.sasl = plain;
        assert_eq!(inside.check(), Ok(()), "loopback is no network");
        inside.tls = certificate;
        assert_eq!(inside.check(), Err(OptionsError::UnusedCertificate));
        inside.tls = None;
        inside.sasl =
            Some(SaslOptions { mechanisms: vec![Mechanism::OAuthBearer], ..SaslOptions::default() });
        assert_eq!(inside.check(), Err(OptionsError::NoTokenKeys));
        let twin = ListenerOptions {
            name: FIRST.to_owned(),
            listen: inside.listen,
            advertised: None,
            security: SecurityProtocol::Plaintext,
        };
        inside.sasl = None;
        inside.listeners = vec![twin];
        assert_eq!(inside.check(), Err(OptionsError::SameName { name: FIRST.to_owned() }));
    }
}
