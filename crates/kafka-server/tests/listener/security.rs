//! Logging in and TLS, as clients meet them.

mod encryption;
mod logins;

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use factum_access::{ITERATIONS, ScramCredential, ScramMechanism, tls};
use factum_kafka_server::{Options, SaslOptions, SecurityProtocol};
use factum_testkit::Authority;
use factum_types::auth::{AccessDeniedError, AllowAll, Authorizer, Client as AskingClient};
use factum_types::{Action, Resource};
use kafka_protocol::messages::{
    MetadataRequest, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::{Client, name_of, text};
use crate::server::Server;

/// Remembers who asked.
#[derive(Default)]
pub(crate) struct Principals(Mutex<Vec<String>>);

impl Authorizer for Principals {
    fn check(
        &self,
        client: AskingClient<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        let mut seen = self.0.lock().expect("not poisoned");
        let who = client.principal.as_str();
        if seen.last().map(String::as_str) != Some(who) {
            seen.push(who.to_owned());
        }
        AllowAll.check(client, action, resource)
    }
}

impl Principals {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

/// Adds a user who may log in by every mechanism.
pub(crate) fn add_user(server: &Server, name: &str, password: &str) {
    for mechanism in ScramMechanism::ALL {
        let salt = name.bytes().cycle().take(16).collect();
        server.users.set(name, ScramCredential::from_password(mechanism, password, salt, ITERATIONS));
    }
}

pub(crate) fn with_logins(sasl: SaslOptions) -> Options {
    Options { security: SecurityProtocol::SaslPlaintext, sasl: Some(sasl), ..Options::default() }
}

/// TLS with a certificate of `authority`.
pub(crate) fn encrypted(authority: &Authority, folder: &Path) -> tls::Options {
    let files = authority.issue(folder, "server", 2090);
    tls::Options::new(files.certificate, files.key)
}

pub(crate) async fn handshake<S>(client: &mut Client<S>, mechanism: &str) -> &'static str
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = SaslHandshakeRequest::default().with_mechanism(text(mechanism));
    name_of(client.ask(&request, 1).await.error_code)
}

pub(crate) async fn authenticate<S>(client: &mut Client<S>, message: &[u8]) -> SaslAuthenticateResponse
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = SaslAuthenticateRequest::default().with_auth_bytes(message.to_vec().into());
    client.ask(&request, 2).await
}

/// Logs in by PLAIN; the name of the code in the answer.
pub(crate) async fn log_in<S>(client: &mut Client<S>, user: &str, password: &str) -> &'static str
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    assert_eq!(handshake(client, "PLAIN").await, "NONE");
    name_of(authenticate(client, format!("\0{user}\0{password}").as_bytes()).await.error_code)
}

/// Logs in by SCRAM-SHA-256; the last answer.
pub(crate) async fn prove<S>(client: &mut Client<S>, user: &str, password: &str) -> SaslAuthenticateResponse
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    assert_eq!(handshake(client, "SCRAM-SHA-256").await, "NONE");
    let bare = format!("n={user},r=abcdefgh");
    let challenge = authenticate(client, format!("n,,{bare}").as_bytes()).await;
    assert_eq!(name_of(challenge.error_code), "NONE");
    let challenge = String::from_utf8(challenge.auth_bytes.to_vec()).expect("text");
    authenticate(client, proof(&bare, &challenge, password).as_bytes()).await
}

fn proof(bare: &str, challenge: &str, password: &str) -> String {
    let mechanism = ScramMechanism::Sha256;
    let mut parts = challenge.split(',');
    let nonce = parts.next().expect("a nonce");
    let salt = STANDARD.decode(&parts.next().expect("a salt")[2..]).expect("base64");
    let salted = mechanism.salted_password(password.as_bytes(), &salt, ITERATIONS);
    let client_key = mechanism.hmac(&salted, b"Client Key");
    let without_proof = format!("c=biws,{nonce}");
    let exchange = format!("{bare},{challenge},{without_proof}");
    let signature = mechanism.hmac(&mechanism.hash(&client_key), exchange.as_bytes());
    let proof: Vec<_> = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
    format!("{without_proof},p={}", STANDARD.encode(proof))
}

/// Asks for all topics, so that the authoriser is asked.
pub(crate) async fn list_topics<S>(client: &mut Client<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    client.ask(&MetadataRequest::default().with_topics(None), 9).await;
}

/// A server that remembers who asked, with one topic.
pub(crate) async fn start(options: Options) -> (Server, Arc<Principals>) {
    let principals = Arc::new(Principals::default());
    let server = Server::start_with(options, principals.clone()).await;
    server.create_topic("orders", 1).await;
    add_user(&server, "ann", "secret");
    add_user(&server, "bob", "secret");
    (server, principals)
}
