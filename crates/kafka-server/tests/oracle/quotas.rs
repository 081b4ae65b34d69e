//! Samples of DescribeClientQuotas and AlterClientQuotas.

use factum_kafka_server::messages::alter_client_quotas::*;
use factum_kafka_server::messages::describe_client_quotas::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    alter_client_quotas_request as their_alter, alter_client_quotas_response as their_altered,
    describe_client_quotas_request as their_ask, describe_client_quotas_response as their_described,
};

use crate::exchange::{maybe, request, response, text};
use crate::source::Source;

fn part(s: &mut Source<'_>) -> QuotaEntityFields {
    QuotaEntityFields { entity_type: s.text(), entity_name: s.maybe_text() }
}

pub(crate) fn describe_client_quotas(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let listed = s.option(|s| {
        s.pairs(|s| {
            let (their_entity, entity) = s.pairs(|s| {
                let ours = part(s);
                let mut expected = their_described::EntityData::default();
                expected.entity_type = text(&ours.entity_type);
                expected.entity_name = maybe(ours.entity_name.as_ref());
                (expected, ours)
            });
            let (their_values, values) = s.pairs(|s| {
                let ours = QuotaValue { key: s.text(), value: s.f64() };
                let mut expected = their_described::ValueData::default();
                (expected.key, expected.value) = (text(&ours.key), ours.value);
                (expected, ours)
            });
            let mut expected = their_described::EntryData::default();
            (expected.entity, expected.values) = (their_entity, their_values);
            (expected, QuotaEntry { entity, values })
        })
    });
    let (their_entries, entries) = listed.unzip();
    let ours = DescribeClientQuotasResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        entries,
    };
    let mut expected = theirs::DescribeClientQuotasResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.entries = their_entries;
    response(v, (expected, ours));

    let (their_components, components) = s.pairs(|s| {
        let ours = QuotaComponent { entity_type: s.text(), match_type: s.i8(), match_name: s.maybe_text() };
        let mut sent = their_ask::ComponentData::default();
        (sent.entity_type, sent.match_type) = (text(&ours.entity_type), ours.match_type);
        sent._match = maybe(ours.match_name.as_ref());
        (sent, ours)
    });
    let ours = DescribeClientQuotasRequest { components, strict: s.bool() };
    let mut sent = theirs::DescribeClientQuotasRequest::default();
    (sent.components, sent.strict) = (their_components, ours.strict);
    request(v, (sent, ours))
}

pub(crate) fn alter_client_quotas(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_entries, entries) = s.pairs(|s| {
        let (their_entity, entity) = s.pairs(|s| {
            let ours = part(s);
            let mut expected = their_altered::EntityData::default();
            expected.entity_type = text(&ours.entity_type);
            expected.entity_name = maybe(ours.entity_name.as_ref());
            (expected, ours)
        });
        let ours = AlteredQuota { error_code: s.error(), error_message: s.maybe_text(), entity };
        let mut expected = their_altered::EntryData::default();
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.entity = their_entity;
        (expected, ours)
    });
    let ours = AlterClientQuotasResponse { throttle_time_ms: s.i32(), entries };
    let mut expected = theirs::AlterClientQuotasResponse::default();
    (expected.throttle_time_ms, expected.entries) = (ours.throttle_time_ms, their_entries);
    response(v, (expected, ours));

    let (their_entries, entries) = s.pairs(|s| {
        let (their_entity, entity) = s.pairs(|s| {
            let ours = part(s);
            let mut sent = their_alter::EntityData::default();
            sent.entity_type = text(&ours.entity_type);
            sent.entity_name = maybe(ours.entity_name.as_ref());
            (sent, ours)
        });
        let (their_ops, ops) = s.pairs(|s| {
            let ours = QuotaOperation { key: s.text(), value: s.f64(), remove: s.bool() };
            let mut sent = their_alter::OpData::default();
            (sent.key, sent.value, sent.remove) = (text(&ours.key), ours.value, ours.remove);
            (sent, ours)
        });
        let mut sent = their_alter::EntryData::default();
        (sent.entity, sent.ops) = (their_entity, their_ops);
        (sent, QuotaAlteration { entity, ops })
    });
    let ours = AlterClientQuotasRequest { entries, validate_only: s.bool() };
    let mut sent = theirs::AlterClientQuotasRequest::default();
    (sent.entries, sent.validate_only) = (their_entries, ours.validate_only);
    request(v, (sent, ours))
}
