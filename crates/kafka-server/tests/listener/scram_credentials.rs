//! Users that log in by SCRAM: created, listed and deleted by clients.

use bytes::Bytes;
use factum_access::ScramMechanism;
use factum_kafka_server::messages::ApiKey;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};

use crate::client::{Client, name_of, text};
use crate::server::Server;

const SHA_256: i8 = 1;
const SHA_512: i8 = 2;

/// As Kafka's clients make it of a password.
fn upsertion(name: &str, mechanism: i8, password: &str) -> ScramCredentialUpsertion {
    let of = if mechanism == SHA_512 { ScramMechanism::Sha512 } else { ScramMechanism::Sha256 };
    let salted = of.salted_password(password.as_bytes(), b"salt", factum_access::ITERATIONS);
    ScramCredentialUpsertion::default()
        .with_name(text(name))
        .with_mechanism(mechanism)
        .with_iterations(4096)
        .with_salt(Bytes::from_static(b"salt"))
        .with_salted_password(salted.into())
}

fn deletion(name: &str, mechanism: i8) -> ScramCredentialDeletion {
    ScramCredentialDeletion::default().with_name(text(name)).with_mechanism(mechanism)
}

async fn alter(
    client: &mut Client,
    deletions: Vec<ScramCredentialDeletion>,
    upsertions: Vec<ScramCredentialUpsertion>,
) -> Vec<(String, &'static str)> {
    let request =
        AlterUserScramCredentialsRequest::default().with_deletions(deletions).with_upsertions(upsertions);
    let results = client.ask(&request, 0).await.results;
    results.iter().map(|each| (each.user.to_string(), name_of(each.error_code))).collect()
}

/// Asks `api` about user `ann`; gives the codes in the answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    if api == ApiKey::DescribeUserScramCredentials {
        let request = DescribeUserScramCredentialsRequest::default().with_users(None);
        return vec![client.ask(&request, 0).await.error_code];
    }
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(vec![upsertion(
        "ann",
        SHA_256,
        "ann's secret",
    )]);
    client.ask(&request, 0).await.results.iter().map(|each| each.error_code).collect()
}

async fn users(client: &mut Client, asked: Option<Vec<&str>>) -> Vec<String> {
    let asked =
        asked.map(|names| names.into_iter().map(|name| UserName::default().with_name(text(name))).collect());
    let request = DescribeUserScramCredentialsRequest::default().with_users(asked);
    let response = client.ask(&request, 0).await;
    assert_eq!(response.error_code, 0);
    let line = |each: &kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult| {
        let infos = each.credential_infos.iter().map(|info| format!(" {}:{}", info.mechanism, info.iterations));
        format!("{} {}{}", &*each.user, name_of(each.error_code), infos.collect::<String>())
    };
    response.results.iter().map(line).collect()
}

#[tokio::test]
async fn users_are_altered_and_described_as_in_kafka() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let named = |name: &str, code| (name.to_owned(), code);
    let weak = upsertion("weak", SHA_256, "pw").with_iterations(4095);
    let strong = upsertion("strong", SHA_256, "pw").with_iterations(16_385);
    let outcome = alter(
        &mut client,
        vec![deletion("gone", SHA_256), deletion("odd", 9)],
        vec![
            upsertion("ann", SHA_256, "ann's secret"),
            upsertion("twice", SHA_256, "pw"),
            upsertion("twice", SHA_512, "pw"),
            weak,
            strong,
            upsertion("", SHA_256, "pw"),
            upsertion("*", SHA_256, "pw"),
            upsertion("what", 0, "pw"),
        ],
    )
    .await;
    assert_eq!(
        outcome,
        [
            named("gone", "RESOURCE_NOT_FOUND"),
            named("odd", "UNSUPPORTED_SASL_MECHANISM"),
            named("ann", "NONE"),
            named("twice", "DUPLICATE_RESOURCE"),
            named("weak", "UNACCEPTABLE_CREDENTIAL"),
            named("strong", "UNACCEPTABLE_CREDENTIAL"),
            named("", "UNACCEPTABLE_CREDENTIAL"),
            named("*", "UNACCEPTABLE_CREDENTIAL"),
            named("what", "UNSUPPORTED_SASL_MECHANISM"),
        ]
    );
    let more = vec![upsertion("ann", SHA_512, "ann's secret"), upsertion("bob", SHA_256, "pw")];
    alter(&mut client, vec![], more).await;
    assert_eq!(users(&mut client, None).await, ["ann NONE 1:4096 2:4096", "bob NONE 1:4096"]);
    assert_eq!(
        users(&mut client, Some(vec!["bob", "cid", "bob", "ann"])).await,
        ["bob DUPLICATE_RESOURCE", "cid RESOURCE_NOT_FOUND", "ann NONE 1:4096 2:4096"]
    );
    for mechanism in ScramMechanism::ALL {
        let kept = server.access.users().credential("ann", mechanism).expect("ann has it");
        assert!(kept.accepts("ann's secret") && !kept.accepts("pw"));
    }
    let outcome = alter(&mut client, vec![deletion("ann", SHA_256), deletion("bob", SHA_256)], vec![]).await;
    assert_eq!(outcome, [named("ann", "NONE"), named("bob", "NONE")]);
    assert_eq!(users(&mut client, Some(vec![])).await, ["ann NONE 2:4096"]);

    let server = server.restarted_over(|_| ()).await;
    assert!(server.access.read().await.expect("readable").is_empty());
    let kept = server.access.users().credential("ann", ScramMechanism::Sha512).expect("ann is kept");
    assert!(kept.accepts("ann's secret"));
    assert_eq!(server.access.users().len(), 1);
}
