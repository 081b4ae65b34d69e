//! `factum dev --tls`: listeners with a certificate of the local authority.

use std::path::PathBuf;

use factum_base::clock::{Clock as _, SystemClock};
use factum_server::{LocalAuthority, LocalAuthorityError, Options, SecurityProtocol};
use miette::{Diagnostic, Report};

use crate::client::trust::local_authority_folder;

/// The authority that signed what listeners show.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    /// The file that clients trust.
    pub(super) certificate: PathBuf,
    /// Whether it was made just now.
    pub(super) is_new: bool,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    /// The user has no folder.
    #[error("there is no place for the certificate of --tls")]
    #[diagnostic(help("set XDG_DATA_HOME, or HOME, to a folder that is yours"))]
    NoFolder,
    /// It cannot be made or read.
    #[error("the certificate of --tls cannot be made")]
    #[diagnostic(help("it is kept in {}; without that folder, another is made", .folder.display()))]
    Authority {
        folder: PathBuf,
        #[source]
        source: LocalAuthorityError,
    },
}

/// Has the listeners of `options` speak TLS.
pub(super) fn encrypt(options: &mut Options) -> Result<Authority, Report> {
    let folder = local_authority_folder().ok_or(Error::NoFolder)?;
    let opened = LocalAuthority::open(&folder, SystemClock.now());
    let LocalAuthority { certificate, listener, is_new } =
        opened.map_err(|source| Error::Authority { folder, source })?;
    options.http.tls = Some(listener.clone());
    options.kafka.tls = Some(listener);
    options.kafka.security = SecurityProtocol::Ssl;
    Ok(Authority { certificate, is_new })
}
