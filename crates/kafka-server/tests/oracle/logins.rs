//! Samples of SaslHandshake and SaslAuthenticate.

use factum_kafka_server::messages::sasl_authenticate::*;
use factum_kafka_server::messages::sasl_handshake::*;
use kafka_protocol::messages as theirs;

use crate::exchange::{maybe, request, response, text};
use crate::source::Source;

pub(crate) fn sasl_handshake(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = SaslHandshakeResponse { error_code: s.error(), mechanisms: s.list(Source::text) };
    let mut expected = theirs::SaslHandshakeResponse::default();
    expected.error_code = ours.error_code.code();
    expected.mechanisms = ours.mechanisms.iter().map(|mechanism| text(mechanism)).collect();
    response(v, (expected, ours));

    let ours = SaslHandshakeRequest { mechanism: s.text() };
    let mut sent = theirs::SaslHandshakeRequest::default();
    sent.mechanism = text(&ours.mechanism);
    request(v, (sent, ours))
}

pub(crate) fn sasl_authenticate(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = SaslAuthenticateResponse {
        error_code: s.error(),
        error_message: s.maybe_text(),
        auth_bytes: s.bytes().to_vec(),
        session_lifetime_ms: s.i64(),
    };
    let mut expected = theirs::SaslAuthenticateResponse::default();
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.auth_bytes = ours.auth_bytes.clone().into();
    if v >= 1 {
        expected.session_lifetime_ms = ours.session_lifetime_ms;
    }
    response(v, (expected, ours));

    let ours = SaslAuthenticateRequest { auth_bytes: s.bytes().to_vec() };
    let mut sent = theirs::SaslAuthenticateRequest::default();
    sent.auth_bytes = ours.auth_bytes.clone().into();
    if v >= 2 {
        sent.unknown_tagged_fields.insert(5, s.bytes());
    }
    request(v, (sent, ours))
}
