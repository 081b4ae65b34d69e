use std::sync::Arc;

use factum_base::clock::SystemClock;
use factum_testkit::{Authority, HeldClock};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::duplex;
use tokio_rustls::TlsConnector;

use super::*;

fn connector(authority: &Authority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM"))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    TlsConnector::from(Arc::new(
        config.expect("versions").with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// Whether a client that trusts `authority` and the server shake hands.
async fn shake(server: &TlsServer, authority: &Authority) -> bool {
    let (ours, theirs) = duplex(64 << 10);
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = connector(authority);
    let client = connector.connect(name, theirs);
    let (server, client) = tokio::join!(server.accept(ours, ClientAddress::UNKNOWN), client);
    server.is_ok() && client.is_ok()
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (Authority::new(), Authority::new());
    let files = one.issue(folder.path(), "server", 2090);
    let options = Options::new(&files.certificate, &files.key);
    let server = TlsServer::open("test", options, &[], Arc::new(SystemClock)).expect("opened");
    assert!(shake(&server, &one).await);
    assert!(!shake(&server, &other).await);

    std::fs::write(&files.certificate, "no certificate").expect("written");
    server.reload();
    assert!(shake(&server, &one).await, "the last good one serves");
    let problems = server.problems();
    assert!(problems.len() == 1 && problems[0].contains("has no certificate in PEM"), "{problems:?}");

    let elsewhere = other.issue(folder.path(), "other", 2090);
    std::fs::copy(&elsewhere.certificate, &files.certificate).expect("copied");
    server.reload();
    assert!(server.problems()[0].contains("cannot be used together"), "{:?}", server.problems());
    assert!(shake(&server, &one).await, "a certificate without its key does not serve");

    std::fs::copy(&elsewhere.key, &files.key).expect("copied");
    server.reload();
    assert_eq!(server.problems(), Vec::<String>::new());
    assert!(shake(&server, &other).await && !shake(&server, &one).await);
}

#[tokio::test]
async fn the_end_of_a_certificate_is_a_problem_before_and_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Authority::new().issue(folder.path(), "server", 2030);
    let end = 1_924_905_600_000;
    for (days, expected) in [(20, None), (2, Some("expires in 48 h")), (-1, Some("has expired"))] {
        let clock = HeldClock::at(factum_types::Timestamp::from_millis(end - days * 86_400_000));
        let options = Options::new(&files.certificate, &files.key);
        let server = TlsServer::open("test", options, &[], Arc::new(clock)).expect("opened");
        let problems = server.problems();
        assert_eq!(problems.len(), usize::from(expected.is_some()), "{problems:?}");
        assert!(
            problems.first().is_none_or(|problem| problem.contains(expected.unwrap_or_default())),
            "{problems:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Authority::new().issue(folder.path(), "server", 2090);
    let options = Options::new(&files.certificate, &files.key);
    let server = TlsServer::open("test", options, &[], Arc::new(SystemClock)).expect("opened");
    let (ours, _theirs) = duplex(1024);
    let refused = server.accept(ours, ClientAddress::UNKNOWN).await.expect_err("given up");
    assert_eq!(refused.to_string(), "the TLS handshake took longer than 10s");
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    let (files, ca) = (authority.issue(folder.path(), "server", 2090), authority.write(folder.path()));
    let open = |change: fn(&mut Options), ca: Option<&std::path::PathBuf>| {
        let mut options = Options::new(&files.certificate, &files.key);
        options.client_ca = ca.cloned();
        change(&mut options);
        TlsServer::open("test", options, &[], Arc::new(SystemClock))
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert!(open(|_| {}, Some(&ca)).unwrap_err().contains("client_ca has no effect"));
    assert!(
        open(|options| options.client_auth = ClientAuth::Required, None).unwrap_err().contains("client_ca")
    );
    assert_eq!(open(|options| options.client_auth = ClientAuth::Requested, Some(&ca)), Ok(()));
    assert!(
        open(|options| options.key = "/nowhere".into(), None).unwrap_err().contains("cannot read /nowhere")
    );
    assert!(
        open(|options| options.key = options.certificate.clone(), None).unwrap_err().contains("private key")
    );
}

#[tokio::test]
async fn an_expired_certificate_does_not_replace_one_that_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    let files = authority.issue(folder.path(), "server", 2090);
    let clock = HeldClock::at(factum_types::Timestamp::from_millis(2_000_000_000_000));
    let options = Options::new(&files.certificate, &files.key);
    let server = TlsServer::open("test", options, &[], Arc::new(clock)).expect("opened");
    let end = server.0.current.read().not_after;
    let old = authority.issue(folder.path(), "old", 2030);
    std::fs::copy(&old.certificate, &files.certificate).expect("copied");
    std::fs::copy(&old.key, &files.key).expect("copied");
    server.reload();
    assert_eq!(server.0.current.read().not_after, end, "the one that holds serves");
    assert!(server.problems()[0].contains("has expired"), "{:?}", server.problems());
    let new = authority.issue(folder.path(), "new", 2080);
    std::fs::copy(&new.certificate, &files.certificate).expect("copied");
    std::fs::copy(&new.key, &files.key).expect("copied");
    server.reload();
    assert_eq!(server.problems(), Vec::<String>::new());
}
