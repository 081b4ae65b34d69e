//! Logging in, on a listener that is not encrypted.

use std::time::Duration;

use bytes::BufMut;
use factum_access::sasl::Mechanism;
use factum_kafka_server::{ListenerOptions, Options, SaslOptions, SecurityProtocol};
use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest, SaslHandshakeRequest};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::{add_user, authenticate, handshake, list_topics, log_in, prove, start, with_logins};
use crate::client::{Client, frame, name_of, text};
use crate::server::PATIENCE;

fn every_mechanism() -> SaslOptions {
    let mechanisms = vec![Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];
    SaslOptions { mechanisms, ..SaslOptions::default() }
}

#[tokio::test]
async fn clients_are_who_they_log_in_as() {
    let (server, principals) = start(with_logins(every_mechanism())).await;
    let mut plain = server.client().await;
    assert_eq!(log_in(&mut plain, "ann", "secret").await, "NONE");
    list_topics(&mut plain).await;
    assert_eq!(principals.take(), ["User:ann"]);
    let mut scram = server.client().await;
    let done = prove(&mut scram, "bob", "secret").await;
    assert_eq!((name_of(done.error_code), done.session_lifetime_ms), ("NONE", 0));
    assert!(done.auth_bytes.starts_with(b"v="));
    list_topics(&mut scram).await;
    assert_eq!(principals.take(), ["User:bob"]);
    let mut again = scram;
    assert_eq!(
        handshake(&mut again, "SCRAM-SHA-256").await,
        "ILLEGAL_SASL_STATE",
        "sessions have no end here"
    );
    again.closed("a further login").await;
}

#[tokio::test]
async fn refused_clients_learn_no_reason() {
    let (server, principals) = start(with_logins(every_mechanism())).await;
    for (user, password) in [("ann", "Secret"), ("unknown", "secret")] {
        let mut client = server.client().await;
        assert_eq!(handshake(&mut client, "PLAIN").await, "NONE");
        let answer = authenticate(&mut client, format!("\0{user}\0{password}").as_bytes()).await;
        assert_eq!(name_of(answer.error_code), "SASL_AUTHENTICATION_FAILED");
        assert_eq!(answer.error_message.as_deref(), Some("authentication failed"));
        client.closed("a refusal").await;
        let mut client = server.client().await;
        let answer = prove(&mut client, user, password).await;
        assert_eq!(name_of(answer.error_code), "SASL_AUTHENTICATION_FAILED");
        client.closed("a refusal").await;
    }
    assert_eq!(principals.take(), Vec::<String>::new());
}

#[tokio::test]
async fn before_a_login_hardly_a_request_is_answered() {
    let (server, principals) = start(with_logins(every_mechanism())).await;
    let mut client = server.client().await;
    assert_eq!(client.ask(&ApiVersionsRequest::default(), 0).await.error_code, 0);
    client.send(&MetadataRequest::default(), 9).await;
    client.closed("a request before the login").await;

    let mut client = server.client().await;
    assert_eq!(handshake(&mut client, "SCRAM-SHA-256").await, "NONE");
    client.send(&MetadataRequest::default(), 9).await;
    client.closed("a request within the login").await;

    let mut client = server.client().await;
    assert_eq!(name_of(authenticate(&mut client, b"\0ann\0secret").await.error_code), "ILLEGAL_SASL_STATE");
    client.closed("a message before the handshake").await;

    let mut client = server.client().await;
    let request = SaslHandshakeRequest::default().with_mechanism(text("GSSAPI"));
    let answer = client.ask(&request, 1).await;
    assert_eq!(name_of(answer.error_code), "UNSUPPORTED_SASL_MECHANISM");
    let offered: Vec<_> = answer.mechanisms.iter().map(ToString::to_string).collect();
    assert_eq!(offered, ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
    client.closed("an unknown mechanism").await;

    // What is sent behind a refusal is not looked at.
    let mut client = server.client().await;
    let bytes = [
        frame(&SaslHandshakeRequest::default().with_mechanism(text("GSSAPI")), 1, 1),
        frame(&MetadataRequest::default().with_topics(None), 9, 2),
    ];
    client.send_raw(&bytes.concat()).await;
    assert!(client.receive_frame().await.is_some());
    client.closed("a refusal").await;
    assert_eq!(principals.take(), Vec::<String>::new());
}

#[tokio::test]
async fn clients_that_have_not_logged_in_hold_little_and_not_for_long() {
    let stall_timeout = Duration::from_millis(300);
    let (server, _) = start(Options { stall_timeout, ..with_logins(every_mechanism()) }).await;
    let mut silent = server.client().await;
    silent.ask(&ApiVersionsRequest::default(), 0).await;
    silent.closed("silence").await;
    let mut large = server.client().await;
    large.stream.write_i32(200_000).await.expect("sent");
    large.closed("a large request").await;
    let mut known = server.client().await;
    assert_eq!(log_in(&mut known, "ann", "secret").await, "NONE");
    let topics = (0..20_000).map(|n| {
        let name = kafka_protocol::messages::TopicName(text(&format!("topic-{n:06}")));
        kafka_protocol::messages::metadata_request::MetadataRequestTopic::default().with_name(Some(name))
    });
    known
        .ask(
            &MetadataRequest::default()
                .with_topics(Some(topics.collect()))
                .with_allow_auto_topic_creation(false),
            9,
        )
        .await;
}

#[tokio::test]
async fn sessions_end_unless_the_client_logs_in_again() {
    let sasl = SaslOptions { reauthenticate_after: Some(Duration::from_secs(2)), ..every_mechanism() };
    let (server, principals) = start(with_logins(sasl)).await;
    let mut faithful = server.client().await;
    assert_eq!(prove(&mut faithful, "ann", "secret").await.session_lifetime_ms, 2_000);
    assert_eq!(
        handshake(&mut faithful, "PLAIN").await,
        "UNSUPPORTED_SASL_MECHANISM",
        "another than at first"
    );
    let mut traitor = server.client().await;
    prove(&mut traitor, "ann", "secret").await;
    let answer = prove(&mut traitor, "bob", "secret").await;
    assert_eq!(name_of(answer.error_code), "SASL_AUTHENTICATION_FAILED", "another user than at first");
    traitor.closed("a change of users").await;

    let (mut again, mut once) = (server.client().await, server.client().await);
    for client in [&mut again, &mut once] {
        prove(client, "ann", "secret").await;
    }
    list_topics(&mut once).await;
    // Until the session of the one has ended, the other goes on by logging in.
    loop {
        assert_eq!(name_of(prove(&mut again, "ann", "secret").await.error_code), "NONE");
        list_topics(&mut again).await;
        once.send(&MetadataRequest::default().with_topics(None), 9).await;
        if timeout(PATIENCE, once.receive_frame()).await.expect("an answer or the end").is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    list_topics(&mut again).await;
    assert_eq!(principals.take(), ["User:ann"]);
}

#[tokio::test]
async fn messages_may_come_bare_behind_a_handshake_of_version_0() {
    let (server, principals) = start(with_logins(every_mechanism())).await;
    let bare = async |client: &mut Client, message: &[u8]| {
        let request = SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
        assert_eq!(client.ask(&request, 0).await.error_code, 0);
        let mut bytes = Vec::new();
        bytes.put_i32(i32::try_from(message.len()).expect("short"));
        bytes.put_slice(message);
        client.send_raw(&bytes).await;
    };
    let mut client = server.client().await;
    bare(&mut client, b"\0ann\0secret").await;
    let answer = timeout(PATIENCE, client.receive_frame()).await.expect("an answer in time");
    assert_eq!(answer.as_deref(), Some(&b""[..]));
    list_topics(&mut client).await;
    assert_eq!(principals.take(), ["User:ann"]);
    let mut client = server.client().await;
    bare(&mut client, b"\0ann\0wrong").await;
    client.closed("a wrong password").await;
}

#[tokio::test]
async fn each_listener_has_rules_of_its_own() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let open = ListenerOptions {
        name: "open".to_owned(),
        listen: any,
        advertised: Some("open.example:1".parse().expect("an endpoint")),
        security: SecurityProtocol::Plaintext,
    };
    let (server, principals) =
        start(Options { listeners: vec![open], ..with_logins(every_mechanism()) }).await;
    let [(first, _), (second, address)] = &server.handle.listeners[..] else { panic!("two listeners") };
    assert_eq!((first.as_str(), second.as_str()), ("kafka", "open"));
    let mut client = Client::connect(*address).await;
    let answer = client.ask(&MetadataRequest::default().with_topics(None), 9).await;
    assert_eq!(answer.brokers[0].host.as_str(), "open.example");
    assert_eq!(principals.take(), ["User:ANONYMOUS"]);
    assert_eq!(handshake(&mut client, "PLAIN").await, "ILLEGAL_SASL_STATE");
    list_topics(&mut client).await;
}

/// A thousand wrong passwords at once, while someone else of the same address logs in and works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_in_no_ones_way() {
    let (server, _) = start(with_logins(every_mechanism())).await;
    add_user(&server, "eve", "right");
    let mut worker = server.client().await;
    assert_eq!(log_in(&mut worker, "ann", "secret").await, "NONE");
    let mut attackers = Vec::new();
    for _ in 0..1_000 {
        let mut client = server.client().await;
        handshake(&mut client, "PLAIN").await;
        let request = kafka_protocol::messages::SaslAuthenticateRequest::default()
            .with_auth_bytes(b"\0eve\0wrong".to_vec().into());
        let id = client.send(&request, 2).await;
        attackers.push((client, id));
    }
    // Requests of who is there already, and proofs, which are cheap to check, pass by those that wait.
    for _ in 0..20 {
        timeout(Duration::from_secs(2), list_topics(&mut worker)).await.expect("served meanwhile");
    }
    let mut other = server.client().await;
    let done =
        timeout(Duration::from_secs(2), prove(&mut other, "bob", "secret")).await.expect("checked meanwhile");
    assert_eq!(name_of(done.error_code), "NONE");
    let mut refused = 0;
    for (mut client, id) in attackers {
        let response = timeout(
            Duration::from_secs(60),
            client.receive::<kafka_protocol::messages::SaslAuthenticateRequest>(2, id),
        );
        let code = name_of(response.await.expect("answered").error_code);
        assert!(["SASL_AUTHENTICATION_FAILED", "REQUEST_TIMED_OUT"].contains(&code), "{code}");
        refused += 1;
    }
    assert_eq!(refused, 1_000);
}
