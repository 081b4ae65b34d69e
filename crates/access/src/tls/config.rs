//! Certificate, key and authorities: from files to what the TLS library takes.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::{ClientAuth, Options, certificate};

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Why a listener has no certificate to serve with. No variant shows anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is larger than any certificate.
    #[error("{path} is larger than 4 MiB", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file is no PEM file of what it should have.
    #[error("{path} has no {wanted} in PEM (-----BEGIN …-----)", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What it should have.
        wanted: &'static str,
    },
    /// A certificate has expired, and the one in use has not.
    #[error("{path} has expired", path = path.display())]
    Expired {
        /// The file.
        path: PathBuf,
    },
    /// A certificate is malformed.
    #[error("{path}: malformed certificate", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key are not used: they do not belong together, or are of an unknown kind.
    #[error("{certificate} and {key} cannot be used together: {reason}", certificate = certificate.display(), key = key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why, in the words of the TLS library.
        reason: String,
    },
    /// Clients are to show certificates, of any authority.
    #[error("client_auth asks clients for certificates: name the file of their authorities as client_ca")]
    NoAuthorities,
    /// Authorities are named, and no client is asked for a certificate.
    #[error("client_ca has no effect: set client_auth = \"required\" or \"requested\" with it")]
    UnusedAuthorities,
    /// The authorities are of no use.
    #[error("{path}: unusable authorities: {reason}", path = path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why, in the words of the TLS library.
        reason: String,
    },
}

/// The bytes of the files.
pub(super) struct Material {
    certificate: (PathBuf, Vec<u8>),
    key: (PathBuf, Vec<u8>),
    client_ca: Option<(PathBuf, Vec<u8>)>,
}

/// Of the bytes of the files; says nothing of a key.
#[derive(PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<u8>);

impl Material {
    pub(super) fn read(options: &Options) -> Result<Self, LoadError> {
        match (options.client_auth, &options.client_ca) {
            (ClientAuth::None, Some(_)) => return Err(LoadError::UnusedAuthorities),
            (ClientAuth::Requested | ClientAuth::Required, None) => return Err(LoadError::NoAuthorities),
            (ClientAuth::None, None) | (_, Some(_)) => {}
        }
        let client_ca = options.client_ca.as_deref().map(read).transpose()?;
        Ok(Self { certificate: read(&options.certificate)?, key: read(&options.key)?, client_ca })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut context = digest::Context::new(&digest::SHA256);
        for (_, bytes) in [&self.certificate, &self.key].into_iter().chain(&self.client_ca) {
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        }
        Fingerprint(context.finish().as_ref().to_vec())
    }

    /// The end of the server certificate's validity, in seconds since 1970.
    pub(super) fn not_after(&self) -> Result<i64, LoadError> {
        let malformed = || LoadError::Malformed { path: self.certificate.0.clone() };
        let first = certificates(&self.certificate)?.into_iter().next().ok_or_else(malformed)?;
        certificate::not_after(&first).ok_or_else(malformed)
    }

    pub(super) fn server_config(
        &self,
        options: &Options,
        protocols: &[Vec<u8>],
    ) -> Result<ServerConfig, LoadError> {
        let provider = Arc::new(default_provider());
        let unusable = |error: rustls::Error| LoadError::Unusable {
            certificate: self.certificate.0.clone(),
            key: self.key.0.clone(),
            reason: error.to_string(),
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let failed = |reason: String| LoadError::Authorities { path: file.0.clone(), reason };
                let mut roots = RootCertStore::empty();
                for authority in certificates(file)? {
                    roots.add(authority).map_err(|error| failed(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match options.client_auth {
                    ClientAuth::Required => verifier,
                    ClientAuth::Requested | ClientAuth::None => verifier.allow_unauthenticated(),
                };
                let verifier = verifier.build().map_err(|error| failed(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let (path, pem) = &self.key;
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| LoadError::Missing { path: path.clone(), wanted: "private key" })?;
        let mut config = builder.with_single_cert(certificates(&self.certificate)?, key).map_err(unusable)?;
        config.alpn_protocols = protocols.to_vec();
        Ok(config)
    }
}

pub(super) fn read(path: &Path) -> Result<(PathBuf, Vec<u8>), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = crate::regular_file::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    Ok((path.to_owned(), bytes))
}

/// All certificates of a file, at least one.
pub(super) fn certificates(
    (path, pem): &(PathBuf, Vec<u8>),
) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let missing = || LoadError::Missing { path: path.clone(), wanted: "certificate" };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(missing)
}
