//! TLS, with a client that is told which certificates to trust and to show.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use factum_access::tls::ClientAuth;
use factum_kafka_server::{Options, SaslOptions, SecurityProtocol};
use factum_testkit::{Authority, CertificateFiles};
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, ProduceRequest};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{encrypted, list_topics, log_in, prove, start};
use crate::client::{Client, batch, frame, name_of, parse, values};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::PATIENCE;

fn config(authority: &Authority, shown: Option<&CertificateFiles>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM");
    roots.add(root).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_root_certificates(roots);
    match shown {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let certificate = CertificateDer::from_pem_file(&files.certificate).expect("PEM");
            let key = PrivateKeyDer::from_pem_file(&files.key).expect("PEM");
            builder.with_client_auth_cert(vec![certificate], key).expect("they fit")
        }
    }
}

async fn connect(
    address: SocketAddr,
    authority: &Authority,
    shown: Option<&CertificateFiles>,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let connector = TlsConnector::from(Arc::new(config(authority, shown)));
    let stream = TcpStream::connect(address).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    connector.connect(name, stream).await.map(Client::over)
}

#[tokio::test]
async fn large_fetches_and_half_closed_connections_pass_through_tls() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let tls = Some(encrypted(&authority, folder.path()));
    let (server, principals) =
        start(Options { security: SecurityProtocol::Ssl, tls, ..Options::default() }).await;
    let mut client = connect(server.address, &authority, None).await.expect("trusted");
    let large = "x".repeat(700_000);
    for _ in 0..6 {
        let response = client.ask(&produce("orders", 0, -1, Some(batch(&[&large]))), 9).await;
        assert_eq!(outcome(&response).error_code, 0);
    }
    // Begun, and answered behind the end of the client's side.
    let mut fetch = fetch("orders", 0, Duration::ZERO);
    fetch.topics[0].partitions[0].partition_max_bytes = 8 << 20;
    client.stream.write_all(&frame(&fetch, 12, 7)).await.expect("sent");
    client.stream.shutdown().await.expect("ended");
    // Taken slowly at first: what the server has encrypted waits with it.
    let mut first = [0; 1];
    client.stream.read_exact(&mut first).await.expect("begins");
    tokio::task::yield_now().await;
    let mut rest = vec![first[0]];
    timeout(PATIENCE, client.stream.read_to_end(&mut rest))
        .await
        .expect("in time")
        .expect("ended by close_notify");
    let (_, response) = parse::<FetchRequest>(bytes::Bytes::from(rest.split_off(4)), 12);
    let records = response.responses[0].partitions[0].records.clone().expect("records");
    assert!(values(records) == vec![large; 6], "all records, byte for byte");
    assert_eq!(principals.take(), ["User:ANONYMOUS"]);
}

#[tokio::test]
async fn clients_are_who_their_certificate_says() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let mut tls = encrypted(&authority, folder.path());
    tls.client_ca = Some(authority.write(folder.path()));
    tls.client_auth = ClientAuth::Requested;
    let reader = authority.issue(folder.path(), "reader", 2090);
    let stranger = Authority::new().issue(folder.path(), "stranger", 2090);
    let options = Options { security: SecurityProtocol::Ssl, tls: Some(tls.clone()), ..Options::default() };
    let (server, principals) = start(options.clone()).await;
    list_topics(&mut connect(server.address, &authority, Some(&reader)).await.expect("trusted")).await;
    list_topics(&mut connect(server.address, &authority, None).await.expect("trusted")).await;
    assert_eq!(principals.take(), ["User:CN=reader,O=Factum,C=DE", "User:ANONYMOUS"]);

    tls.client_auth = ClientAuth::Required;
    let (server, principals) = start(Options { tls: Some(tls), ..options }).await;
    for shown in [None, Some(&stranger)] {
        // In TLS 1.3 the client learns of it when it reads.
        if let Ok(mut client) = connect(server.address, &authority, shown).await {
            client.stream.write_all(&frame(&ApiVersionsRequest::default(), 0, 1)).await.ok();
            client.closed("a certificate that is missing or strange").await;
        }
    }
    list_topics(&mut connect(server.address, &authority, Some(&reader)).await.expect("trusted")).await;
    assert_eq!(principals.take(), ["User:CN=reader,O=Factum,C=DE"]);
}

#[tokio::test]
async fn clients_log_in_over_tls() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let mechanisms = vec!["PLAIN", "SCRAM-SHA-256"];
    let mechanisms = mechanisms.into_iter().filter_map(factum_access::sasl::Mechanism::from_name).collect();
    let (server, principals) = start(Options {
        security: SecurityProtocol::SaslSsl,
        tls: Some(encrypted(&authority, folder.path())),
        sasl: Some(SaslOptions { mechanisms, ..SaslOptions::default() }),
        ..Options::default()
    })
    .await;
    let mut client = connect(server.address, &authority, None).await.expect("trusted");
    assert_eq!(log_in(&mut client, "ann", "secret").await, "NONE");
    list_topics(&mut client).await;
    let mut client = connect(server.address, &authority, None).await.expect("trusted");
    assert_eq!(name_of(prove(&mut client, "bob", "wrong").await.error_code), "SASL_AUTHENTICATION_FAILED");
    client.closed("a refusal").await;
    assert_eq!(principals.take(), ["User:ann"]);
}

#[tokio::test]
async fn slow_and_foreign_clients_hold_up_no_handshake() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let mut tls = encrypted(&authority, folder.path());
    tls.handshake_timeout = Duration::from_secs(2);
    let (server, _) =
        start(Options { security: SecurityProtocol::Ssl, tls: Some(tls), ..Options::default() }).await;
    let mut foreign = server.client().await;
    foreign.send(&ApiVersionsRequest::default(), 0).await;
    // An alert, which is no frame, or the end alone.
    let mut said = Vec::new();
    timeout(PATIENCE, foreign.stream.read_to_end(&mut said)).await.expect("ended").ok();
    assert!(said.len() < 10, "{said:?}");

    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        stream.write_all(&[0x16, 3, 1]).await.expect("sent");
        silent.push(stream);
    }
    let mut client = timeout(Duration::from_secs(1), connect(server.address, &authority, None))
        .await
        .expect("beside those that are slow")
        .expect("trusted");
    let id = client.send(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    assert_eq!(outcome(&client.receive::<ProduceRequest>(9, id).await).error_code, 0);
    for mut stream in silent {
        let mut said = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("given up").ok();
    }
}
