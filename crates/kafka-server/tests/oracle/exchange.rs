//! One request and one response, across both implementations.

use std::cell::RefCell;
use std::fmt::Debug;

use bytes::{Buf, Bytes, BytesMut};
use factum_kafka_server::messages::{ApiKey, Request, RequestHeader, Response};
use factum_kafka_server::wire::{Reader, Rope};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

thread_local! {
    /// What went between the two, while it is recorded.
    static HEARD: RefCell<Option<Vec<Body>>> = const { RefCell::new(None) };
}

/// The body of a request or of a response, as the side that sends it wrote it.
pub(crate) struct Body {
    pub(crate) kind: Kind,
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Request,
    Response,
}

/// Every body that goes between the two while `work` runs.
pub(crate) fn listen(work: impl FnOnce()) -> Vec<Body> {
    HEARD.set(Some(Vec::new()));
    work();
    HEARD.take().expect("set just above")
}

/// Says that a body goes from one side to the other.
pub(crate) fn overhear(kind: Kind, api: ApiKey, version: i16, bytes: &[u8]) {
    HEARD.with_borrow_mut(|heard| {
        if let Some(heard) = heard {
            heard.push(Body { kind, api, version, bytes: bytes.to_vec() });
        }
    });
}

/// The body of a response, without its header.
pub(crate) fn response_body<S: Response>(response: &S, version: i16) -> Body {
    let frame = flatten(&response.frame(version, CORRELATION_ID));
    let header = if S::API.response_header_version(version) > 0 { 9 } else { 8 };
    Body { kind: Kind::Response, api: S::API, version, bytes: frame[header..].to_vec() }
}

const CORRELATION_ID: i32 = 0x0102_0304;

/// Text as the other implementation keeps it.
pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// Text or null as the other implementation keeps it.
pub(crate) fn maybe(value: Option<&String>) -> Option<StrBytes> {
    value.map(|value| text(value))
}

/// A topic's name as the other implementation keeps it.
pub(crate) fn topic(value: &str) -> theirs::TopicName {
    text(value).into()
}

/// A request frame, encoded by the other implementation, without its length.
pub(crate) fn frame<T: Encodable + HeaderVersion>(api: ApiKey, version: i16, request: &T) -> Vec<u8> {
    let mut frame = BytesMut::new();
    let mut header = theirs::RequestHeader::default();
    header.request_api_key = api.code();
    header.request_api_version = version;
    header.correlation_id = CORRELATION_ID;
    header.client_id = Some(text("client"));
    header.encode(&mut frame, T::header_version(version)).expect("header");
    request.encode(&mut frame, version).unwrap_or_else(|error| panic!("{api} {version}: {error}"));
    frame.to_vec()
}

/// Reads a header and checks it.
pub(crate) fn header(api: ApiKey, version: i16, r: &mut Reader<'_>) {
    let expected =
        RequestHeader { api, version, correlation_id: CORRELATION_ID, client_id: Some("client".to_owned()) };
    assert_eq!(RequestHeader::decode(r), Ok(expected));
}

/// Has the other implementation encode a request, and ours decode it.
pub(crate) fn request<Q, T>(version: i16, (sent, expected): (T, Q)) -> Vec<u8>
where
    Q: Request + PartialEq + Debug,
    T: Encodable + HeaderVersion,
{
    let frame = frame(Q::API, version, &sent);
    let mut r = Reader::new(&frame);
    header(Q::API, version, &mut r);
    overhear(Kind::Request, Q::API, version, &frame[r.position()..]);
    let decoded = Q::decode(&mut r, version).unwrap_or_else(|error| panic!("{} {version}: {error}", Q::API));
    assert_eq!(decoded, expected, "{} {version}", Q::API);
    assert_eq!(r.remaining(), 0, "{} {version} is read to its end", Q::API);
    frame
}

/// Has ours encode a response, and the other implementation decode it.
pub(crate) fn response<S, T>(version: i16, (expected, sent): (T, S))
where
    S: Response,
    T: Decodable + HeaderVersion + PartialEq + Debug,
{
    let frame = sent.frame(version, CORRELATION_ID);
    let mut bytes = flatten(&frame);
    assert_eq!(bytes.get_i32() as usize, bytes.len(), "{} {version} has its length in front", S::API);
    let header = theirs::ResponseHeader::decode(&mut bytes, T::header_version(version)).expect("header");
    assert_eq!(header.correlation_id, CORRELATION_ID);
    overhear(Kind::Response, S::API, version, &bytes);
    let decoded =
        T::decode(&mut bytes, version).unwrap_or_else(|error| panic!("{} {version}: {error}", S::API));
    assert_eq!(decoded, expected, "{} {version}", S::API);
    assert!(bytes.is_empty(), "{} {version} ends where its length says", S::API);
}

fn flatten(frame: &Rope) -> Bytes {
    let whole: Vec<u8> = frame.pieces().flat_map(|piece| piece.to_vec()).collect();
    assert_eq!(whole.len(), frame.len());
    whole.into()
}
