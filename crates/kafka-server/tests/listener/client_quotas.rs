//! Quotas, altered and described by clients.

use factum_kafka_server::messages::ApiKey;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};

use crate::client::{Client, name_of, text};
use crate::server::Server;

type Parts<'a> = &'a [(&'a str, Option<&'a str>)];

/// What becomes of an entity; `None` takes a limit away.
pub(crate) fn entry(entity: Parts<'_>, limits: &[(&str, Option<f64>)]) -> EntryData {
    let part = |(kind, name): &(&str, Option<&str>)| {
        EntityData::default().with_entity_type(text(kind)).with_entity_name(name.map(text))
    };
    let operation = |(key, value): &(&str, Option<f64>)| {
        let operation = OpData::default().with_key(text(key)).with_remove(value.is_none());
        operation.with_value(value.unwrap_or_default())
    };
    EntryData::default()
        .with_entity(entity.iter().map(part).collect())
        .with_ops(limits.iter().map(operation).collect())
}

pub(crate) async fn alter(client: &mut Client, entries: Vec<EntryData>) -> Vec<&'static str> {
    let response = client.ask(&AlterClientQuotasRequest::default().with_entries(entries), 1).await;
    response.entries.iter().map(|entry| name_of(entry.error_code)).collect()
}

async fn describe(client: &mut Client, parts: &[(&str, i8, Option<&str>)], strict: bool) -> Vec<String> {
    let component = |(kind, how, name): &(&str, i8, Option<&str>)| {
        let component = ComponentData::default().with_entity_type(text(kind)).with_match_type(*how);
        component.with_match(name.map(text))
    };
    let request = DescribeClientQuotasRequest::default()
        .with_components(parts.iter().map(component).collect())
        .with_strict(strict);
    let response = client.ask(&request, 1).await;
    if response.error_code != 0 {
        assert_eq!(response.entries, None);
        return vec![name_of(response.error_code).to_owned()];
    }
    let entries = response.entries.expect("entries").into_iter().map(|entry| {
        let parts = entry.entity.iter().map(|part| match &part.entity_name {
            Some(name) => format!("{}={}", &*part.entity_type, &**name),
            None => part.entity_type.to_string(),
        });
        let values = entry.values.iter().map(|value| format!("{}={}", &*value.key, value.value));
        parts.chain(values).collect::<Vec<_>>().join(" ")
    });
    entries.collect()
}

/// Asks `api`; gives the codes in the answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    if api == ApiKey::DescribeClientQuotas {
        return vec![client.ask(&DescribeClientQuotasRequest::default(), 0).await.error_code];
    }
    let entry = entry(&[("user", Some("ann"))], &[("producer_byte_rate", Some(1e9))]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    client.ask(&request, 0).await.entries.iter().map(|entry| entry.error_code).collect()
}

#[tokio::test]
async fn quotas_are_altered_and_described_as_in_kafka() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let ann: Parts<'_> = &[("user", Some("ann"))];
    let pair: Parts<'_> = &[("client-id", Some("app")), ("user", Some("ann"))];
    let rate = |value| [("producer_byte_rate", Some(value))];
    let outcome = alter(
        &mut client,
        vec![
            entry(ann, &[("producer_byte_rate", Some(1e9)), ("request_percentage", Some(200.5))]),
            entry(pair, &rate(1e9)),
            entry(&[("user", None), ("client-id", None)], &rate(2e9)),
            entry(&[("ip", Some("::ffff:10.0.0.1"))], &[("connection_creation_rate", Some(1000.0))]),
            entry(&[("user", Some("twice"))], &rate(1e9)),
            entry(&[("user", Some("twice"))], &rate(2e9)),
            entry(&[], &rate(1e9)),
            entry(&[("user", Some(""))], &rate(1e9)),
            entry(&[("host", Some("a"))], &rate(1e9)),
            entry(&[("ip", Some("10.0.0.1")), ("user", None)], &[("connection_creation_rate", Some(1.0))]),
            entry(&[("ip", Some("db.example"))], &[("connection_creation_rate", Some(1.0))]),
            entry(&[("ip", None)], &rate(1e9)),
            entry(&[("user", None)], &[("producer_bytes", Some(1e9))]),
            entry(&[("user", None)], &rate(0.0)),
            entry(&[("client-id", Some("x"))], &rate(f64::NAN)),
            entry(&[("client-id", Some("y"))], &rate(0.5)),
        ],
    )
    .await;
    assert_eq!(outcome[..4], ["NONE"; 4]);
    assert_eq!(outcome[4..], ["INVALID_REQUEST"; 12]);
    let request = AlterClientQuotasRequest::default()
        .with_entries(vec![entry(ann, &rate(5e9)), entry(ann, &[("x", None)])])
        .with_validate_only(true);
    let rehearsed = client.ask(&request, 0).await.entries;
    assert_eq!(rehearsed.iter().map(|entry| entry.error_code).collect::<Vec<_>>(), [0, 42]);

    let all = [
        "user client-id producer_byte_rate=2000000000",
        "user=ann client-id=app producer_byte_rate=1000000000",
        "user=ann producer_byte_rate=1000000000 request_percentage=200.5",
        "ip=10.0.0.1 connection_creation_rate=1000",
    ];
    let mut found = describe(&mut client, &[], false).await;
    found.sort_unstable();
    let mut expected = all;
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(describe(&mut client, &[], true).await.is_empty());
    assert_eq!(describe(&mut client, &[("user", 0, Some("ann"))], true).await, [all[2]]);
    assert_eq!(describe(&mut client, &[("user", 0, Some("ann"))], false).await.len(), 2);
    assert_eq!(describe(&mut client, &[("client-id", 1, None)], false).await, [all[0]]);
    assert_eq!(describe(&mut client, &[("client-id", 2, None)], false).await.len(), 2);
    let gone = alter(
        &mut client,
        vec![entry(ann, &[("request_percentage", None)]), entry(pair, &[("producer_byte_rate", None)])],
    );
    assert_eq!(gone.await, ["NONE"; 2]);
    let server = server.restarted_over(|_| ()).await;
    assert!(server.access.read().await.expect("readable").is_empty());
    let mut client = server.client().await;
    let kept = describe(&mut client, &[("user", 2, None)], false).await;
    assert_eq!(kept, ["user=ann producer_byte_rate=1000000000", all[0]][..], "{kept:?}");
}

#[tokio::test]
async fn filters_that_mean_no_entity_are_refused() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (parts, code) in [
        (&[("", 2, None)][..], "INVALID_REQUEST"),
        (&[("host", 2, None)], "UNSUPPORTED_VERSION"),
        (&[("user", 2, None), ("user", 1, None)], "INVALID_REQUEST"),
        (&[("user", 0, None)], "INVALID_REQUEST"),
        (&[("user", 1, Some("ann"))], "INVALID_REQUEST"),
        (&[("user", 3, None)], "INVALID_REQUEST"),
        (&[("user", 2, None), ("ip", 2, None)], "INVALID_REQUEST"),
    ] {
        assert_eq!(describe(&mut client, parts, false).await, [code], "{parts:?}");
    }
}
