//! A certificate authority of one's own machine, for development: made at first use, kept, and trusted by those who are told to.
//!
//! ```text
//!   ca.pem         what clients trust       ca.key         0600
//!   localhost.pem  what listeners show      localhost.key  0600
//! ```
//!
//! **Invariants:**
//! - What it signs is good for this machine alone (`localhost`, names below it, 127.0.0.0/8, ::1), and says so itself (name
//!   constraints, RFC 5280 §4.2.1.10): who takes its key can be no one else's server.
//! - A certificate is never shown that the authority beside it did not sign, also after a crash between two files.
//! - Keys are files of the user's alone, in a folder of the user's alone.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use factum_types::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

use super::config::{self, LoadError};
use super::{Options, certificate};

/// Names and addresses of a listener's certificate.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: u64 = 24 * 60 * 60;
/// How long the authority is good for.
const AUTHORITY_DAYS: u64 = 3_650;
/// It is replaced this long before its end, and clients must be told to trust the new one.
const AUTHORITY_RENEWED_DAYS: u64 = 365 + LISTENER_DAYS;
/// How long a listener's certificate is good for: browsers take none that is good for much longer.
const LISTENER_DAYS: u64 = 397;
/// It is replaced at a start this long before its end.
const LISTENER_RENEWED_DAYS: u64 = 30;

/// The authority, and the certificate that it signed for listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAuthority {
    /// The file with the certificate that clients trust.
    pub certificate: PathBuf,
    /// The files that listeners use.
    pub listener: Options,
    /// Whether clients must be told to trust it: it was made just now.
    pub is_new: bool,
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum LocalAuthorityError {
    /// A file or the folder cannot be made or read.
    #[error("{path}: {source}", path = path.display())]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The library made no certificate.
    #[error("no certificate was made: {0}")]
    Certificate(#[from] rcgen::Error),
}

impl LocalAuthority {
    /// The file in `folder` with the certificate of its authority, whether there is one or not.
    pub fn certificate_in(folder: &Path) -> PathBuf {
        folder.join("ca.pem")
    }

    /// The authority in `folder`, and a certificate of it that is good for a while: what is missing, cannot be used or nears its end at
    /// `now` is made. Another process that does the same is waited for. Blocking.
    ///
    /// # Errors
    /// [`LocalAuthorityError`].
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, LocalAuthorityError> {
        let files = Files { folder };
        files.make_folder()?;
        let _lock = files.lock()?;
        let (certificate, key) = (Self::certificate_in(folder), folder.join("ca.key"));
        let options = Options::new(folder.join("localhost.pem"), folder.join("localhost.key"));
        let seconds = u64::try_from(now.as_millis() / 1_000).unwrap_or_default();
        let known = key_in(&key).filter(|_| is_good(&certificate, seconds, AUTHORITY_RENEWED_DAYS));
        let is_new = known.is_none();
        let authority = match known {
            Some(key) => Issuer::new(authority(seconds)?, key),
            None => {
                // A crash leaves no certificate that the new authority did not sign.
                files.remove(&options.certificate)?;
                let pair = KeyPair::generate()?;
                let params = authority(seconds)?;
                files.write(&key, &pair.serialize_pem(), 0o600)?;
                files.write(&certificate, &params.self_signed(&pair)?.pem(), 0o644)?;
                Issuer::new(params, pair)
            }
        };
        let is_listed = key_in(&options.key).is_some();
        if is_new || !is_listed || !is_good(&options.certificate, seconds, LISTENER_RENEWED_DAYS) {
            let pair = KeyPair::generate()?;
            let signed = listener(seconds)?.signed_by(&pair, &authority)?;
            files.remove(&options.certificate)?;
            files.write(&options.key, &pair.serialize_pem(), 0o600)?;
            files.write(&options.certificate, &signed.pem(), 0o644)?;
        }
        Ok(Self { certificate, listener: options, is_new })
    }
}

/// What the authority's certificate says. Its name is always the same, so that a certificate can be signed with the key alone.
fn authority(now: u64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Factum");
    params.distinguished_name.push(DnType::CommonName, "Factum development CA of this machine");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let loopback = CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]);
    let loopback6 = CidrSubnet::V6(std::net::Ipv6Addr::LOCALHOST.octets(), [255; 16]);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(loopback),
            GeneralSubtree::IpAddress(loopback6),
        ],
        excluded_subtrees: Vec::new(),
    });
    set_validity(&mut params, now, AUTHORITY_DAYS);
    Ok(params)
}

fn listener(now: u64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, LISTENER_DAYS);
    Ok(params)
}

/// From a day ago, for clocks that are behind.
fn set_validity(params: &mut CertificateParams, now: u64, days: u64) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(DAY));
    params.not_after = epoch + Duration::from_secs(now + days * DAY);
}

fn key_in(path: &Path) -> Option<KeyPair> {
    let bytes = config::read(path).ok()?.1;
    KeyPair::from_pem(&String::from_utf8(bytes).ok()?).ok()
}

/// Whether the certificate in a file can be read, and is good for so many days more.
fn is_good(path: &Path, now: u64, days: u64) -> bool {
    let not_after = || -> Result<i64, LoadError> {
        let malformed = || LoadError::Malformed { path: path.to_owned() };
        let first = config::certificates(&config::read(path)?)?.into_iter().next().ok_or_else(malformed)?;
        certificate::not_after(&first).ok_or_else(malformed)
    };
    not_after().is_ok_and(|end| u64::try_from(end).is_ok_and(|end| end > now + days * DAY))
}

struct Files<'a> {
    folder: &'a Path,
}

impl Files<'_> {
    fn make_folder(&self) -> Result<(), LocalAuthorityError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(self.folder);
        // One that was there may be open to others.
        let closed = made.and_then(|()| fs::set_permissions(self.folder, Permissions::from_mode(0o700)));
        closed.map_err(failed(self.folder))
    }

    fn lock(&self) -> Result<File, LocalAuthorityError> {
        let path = self.folder.join("lock");
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(failed(&path))
    }

    fn remove(&self, path: &Path) -> Result<(), LocalAuthorityError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
            _ => Ok(()),
        }
    }

    /// Puts a whole file in the place of what is there.
    fn write(&self, path: &Path, text: &str, mode: u32) -> Result<(), LocalAuthorityError> {
        let beside = path.with_extension("new");
        self.remove(&beside)?;
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        };
        write().map_err(failed(path))
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> LocalAuthorityError + use<> {
    let path = path.to_owned();
    move |source| LocalAuthorityError::Files { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);

    fn later(days: u64) -> Timestamp {
        Timestamp::from_millis(NOW.as_millis() + i64::try_from(days * DAY * 1_000).expect("small"))
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("readable")
    }

    #[test]
    fn an_authority_is_made_once_and_its_certificates_are_renewed() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("tls");
        let first = LocalAuthority::open(&folder, NOW).expect("made");
        assert!(first.is_new);
        let (authority, shown) = (text(&first.certificate), text(&first.listener.certificate));
        for (file, mode) in [("ca.key", 0o600), ("localhost.key", 0o600), ("ca.pem", 0o644)] {
            let found = fs::metadata(folder.join(file)).expect("there").permissions().mode();
            assert_eq!(found & 0o777, mode, "{file}");
        }
        assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);

        let again = LocalAuthority::open(&folder, later(300)).expect("there");
        assert!(!again.is_new);
        assert_eq!(
            (text(&again.certificate), text(&again.listener.certificate)),
            (authority.clone(), shown.clone())
        );
        let renewed = LocalAuthority::open(&folder, later(368)).expect("renewed");
        assert!(!renewed.is_new, "clients trust it as before");
        assert_eq!(text(&renewed.certificate), authority);
        assert_ne!(text(&renewed.listener.certificate), shown);
        let old = LocalAuthority::open(&folder, later(AUTHORITY_DAYS - 100)).expect("made again");
        assert!(old.is_new);
        assert_ne!(text(&old.certificate), authority);
    }

    #[test]
    fn files_that_cannot_be_used_are_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        let made = LocalAuthority::open(dir.path(), NOW).expect("made");
        let authority = text(&made.certificate);
        for (file, is_new) in [("localhost.key", false), ("localhost.pem", false), ("ca.key", true)] {
            fs::write(dir.path().join(file), "no PEM").expect("written");
            let again = LocalAuthority::open(dir.path(), NOW).expect("made again");
            assert_eq!(again.is_new, is_new, "{file}");
            assert_eq!(text(&again.certificate) != authority, is_new, "{file}");
        }
    }
}
