//! Errors of starting a server.

use std::io;
use std::path::PathBuf;

use factum_access::MAX_PASSWORD_BYTES;

use crate::access::{ADMIN, MIN_PASSWORD_BYTES};

/// Why a server did not start. Nothing of it is left running. A project is never the reason: what is wrong with it is a
/// problem in the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No temporary directory could be made.
    #[error("cannot make a temporary data directory")]
    Temporary(#[source] io::Error),
    /// The log does not open.
    #[error(transparent)]
    Log(#[from] factum_broker::OpenError),
    /// The state of views does not open.
    #[error(transparent)]
    State(#[from] factum_state::OpenError),
    /// The users and access rules cannot be read or written.
    #[error("cannot say who may use this server")]
    Access(#[source] factum_access::ChangeError),
    /// The first user cannot have the password that the environment has for it.
    #[error(
        "FACTUM_ADMIN_PASSWORD has {length} bytes: a password has {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES}, and user \
         {ADMIN} is to be created with it"
    )]
    AdminPassword {
        /// Its bytes.
        length: usize,
    },
    /// The Kafka port is taken or not ours.
    #[error(transparent)]
    Kafka(#[from] factum_kafka_server::BindError),
    /// The HTTP port is taken or not ours.
    #[error(transparent)]
    Http(#[from] factum_http_api::BindError),
    /// The server's secret cannot be kept.
    #[error("cannot keep the server's secret in {path}", path = path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Metrics cannot be collected.
    #[error("cannot collect metrics: {reason}")]
    Metrics {
        /// Why.
        reason: String,
    },
}

impl StartError {
    /// Whether a setting, or a file that one names, cannot be used: another port would not help.
    pub fn is_misconfiguration(&self) -> bool {
        use factum_http_api::BindError as Http;
        use factum_kafka_server::BindError as Kafka;
        matches!(
            self,
            Self::AdminPassword { .. }
                | Self::Kafka(Kafka::Options(_) | Kafka::Certificate(_) | Kafka::TokenKeys(_))
                | Self::Http(Http::Certificate(_))
        )
    }
}
