//! Certificates that commands trust: those of the machine, the local authority of `factum dev --tls`, or what the user names.
//!
//! Invariants: the local authority is trusted for servers on this machine alone. Plain HTTP reads no certificates.

use std::path::{Path, PathBuf};

use factum_server::LocalAuthority;
use reqwest::{Certificate, ClientBuilder};

use super::Error;

/// The largest file of certificates that is read.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Where `factum dev --tls` keeps its authority: `factum/tls` below the user's data directory; `None` if that is not known.
pub(crate) fn local_authority_folder() -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = path("XDG_DATA_HOME").or_else(|| Some(path("HOME")?.join(".local/share")));
    Some(data?.join("factum/tls"))
}

/// A client of `builder` that trusts the right certificates.
///
/// # Errors
/// [`Error::Certificates`] for a file that has none; [`Error::Address`] where the library makes no client.
pub(super) fn build(
    builder: impl Fn() -> ClientBuilder,
    address: &str,
    is_https: bool,
    is_local: bool,
    authorities: Option<&Path>,
) -> Result<reqwest::Client, Error> {
    // The library asks for one also where nothing is encrypted. Fails if there is one already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let bad = |error: &reqwest::Error| Error::Address {
        address: address.to_owned(),
        reason: super::innermost(error),
    };
    if !is_https {
        return builder().tls_certs_only([]).build().map_err(|error| bad(&error));
    }
    if let Some(file) = authorities {
        return builder().tls_certs_only(certificates(file)?).build().map_err(|error| bad(&error));
    }
    // One that cannot be read is no reason not to ask a server with another certificate.
    let local =
        local_authority_folder().filter(|_| is_local).map(|folder| LocalAuthority::certificate_in(&folder));
    let local = local.and_then(|file| certificates(&file).ok()).unwrap_or_default();
    match builder().tls_certs_merge(local.clone()).build() {
        // A machine without certificates of its own, such as a small container.
        Err(_) if !local.is_empty() => builder().tls_certs_only(local).build().map_err(|error| bad(&error)),
        built => built.map_err(|error| bad(&error)),
    }
}

/// The certificates in a PEM file.
fn certificates(file: &Path) -> Result<Vec<Certificate>, Error> {
    let bad = |reason: String| Error::Certificates { file: file.display().to_string(), reason };
    let read = || -> std::io::Result<Vec<u8>> {
        let found = std::fs::metadata(file)?;
        match found.is_file() && found.len() <= MAX_FILE_BYTES {
            true => std::fs::read(file),
            false => Err(std::io::Error::other("it is not a file of certificates")),
        }
    };
    let pem = read().map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(super::innermost(&error)))?;
    match found.is_empty() {
        true => Err(bad("it has no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned())),
        false => Ok(found),
    }
}
