//! HTTPS, with a client that is told which certificates to trust.

use std::sync::Arc;
use std::time::Duration;

use factum_access::tls;
use factum_testkit::Authority;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Server, Setup};

const PATIENCE: Duration = Duration::from_secs(30);

async fn connect(server: &Server, authority: &Authority) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM"))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn ask(stream: &mut TlsStream<TcpStream>, request: &str, body: &str) -> String {
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut response = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut response))
        .await
        .expect("in time")
        .expect("ended by close_notify");
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn requests_are_served_over_tls_and_in_plain_text_not() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let files = authority.issue(folder.path(), "server", 2090);
    let mut setup = Setup::default();
    setup.options.tls = Some(tls::Options::new(files.certificate, files.key));
    let server = Server::start_with(setup).await;
    let mut silent = TcpStream::connect(server.address).await.expect("connected");
    silent.write_all(&[0x16]).await.expect("sent");
    let event = "x".repeat(500_000);
    let mut stream = connect(&server, &authority).await.expect("trusted");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let said = ask(&mut stream, "POST /events/store.orders", &format!("{{\"value\":\"{event}\"}}")).await;
    assert!(said.starts_with("HTTP/1.1 202"), "{said}");
    let mut stream = connect(&server, &authority).await.expect("trusted");
    let said = ask(&mut stream, "GET /docs", "").await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let mut stream = connect(&server, &authority).await.expect("trusted");
    let said = ask(&mut stream, "GET /openapi.json", "").await;
    assert!(said.len() > 50_000, "a large response comes whole: {} bytes", said.len());
    assert!(connect(&server, &Authority::new()).await.is_err());
    let mut plain = TcpStream::connect(server.address).await.expect("connected");
    plain.write_all(b"GET /docs HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
    let mut said = Vec::new();
    timeout(PATIENCE, plain.read_to_end(&mut said)).await.expect("ended").ok();
    assert!(!said.starts_with(b"HTTP"), "plain text is not served");
}
