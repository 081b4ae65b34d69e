//! A client that says exactly what it is told to, through another implementation of the protocol.

use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use factum_types::{BatchBuilder, Timestamp};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::PATIENCE;

pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    next: i32,
    /// Its name for itself.
    id: &'static str,
}

/// What clients call themselves.
pub(crate) const CLIENT_ID: &str = "listener-test";

/// Text as the other implementation keeps it.
pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// A request frame with its length in front.
pub(crate) fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> Bytes {
    frame_of(request, version, correlation_id, CLIENT_ID)
}

fn frame_of<R: Request>(request: &R, version: i16, correlation_id: i32, client_id: &str) -> Bytes {
    let mut body = BytesMut::new();
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(text(client_id)));
    header.encode(&mut body, R::header_version(version)).expect("a header");
    request.encode(&mut body, version).expect("a body");
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(body.len()).expect("a short frame"));
    frame.put(body);
    frame.freeze()
}

/// Reads a response frame, without its length.
pub(crate) fn parse<R: Request>(mut frame: Bytes, version: i16) -> (i32, R::Response) {
    let header_version = <R::Response as kafka_protocol::protocol::HeaderVersion>::header_version(version);
    let header = ResponseHeader::decode(&mut frame, header_version).expect("a response header");
    let response = R::Response::decode(&mut frame, version).expect("a response body");
    assert!(frame.is_empty(), "the response ends where its length says");
    (header.correlation_id, response)
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        Self::from_stream(stream)
    }

    pub(crate) fn from_stream(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("set");
        Self { stream, next: 1, id: CLIENT_ID }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Over a stream that is connected already.
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, next: 1, id: CLIENT_ID }
    }

    /// The same client under another name.
    pub(crate) fn named(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    /// Sends a request and gives its correlation id.
    pub(crate) async fn send<R: Request>(&mut self, request: &R, version: i16) -> i32 {
        self.next += 1;
        self.send_raw(&frame_of(request, version, self.next, self.id)).await;
        self.next
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
    }

    /// The next response, which must be the one to `id`.
    pub(crate) async fn receive<R: Request>(&mut self, version: i16, id: i32) -> R::Response {
        let frame = timeout(PATIENCE, self.receive_frame()).await.expect("an answer in time");
        let (correlation_id, response) = parse::<R>(frame.expect("an answer"), version);
        assert_eq!(correlation_id, id, "answers come in the order of the requests");
        response
    }

    /// Asks and waits.
    pub(crate) async fn ask<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        let id = self.send(request, version).await;
        self.receive::<R>(version, id).await
    }

    /// The next frame without its length, or nothing if the server closed the connection before its end.
    pub(crate) async fn receive_frame(&mut self) -> Option<Bytes> {
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.ok()?;
        let mut frame = vec![0; (&prefix[..]).get_u32() as usize];
        self.stream.read_exact(&mut frame).await.ok()?;
        Some(frame.into())
    }

    /// Waits for the server to close the connection; it must not say anything before.
    pub(crate) async fn closed(&mut self, case: &str) {
        let frame = timeout(PATIENCE, self.receive_frame()).await;
        assert_eq!(frame, Ok(None), "{case} ends the connection");
    }
}

/// One batch of records with these values.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(Timestamp::from_millis(1_700_000_000_000), None, Some(value.as_bytes()), &[]);
    }
    builder.build().freeze()
}

/// The values of the records in `batches`.
pub(crate) fn values(mut batches: Bytes) -> Vec<String> {
    let mut values = Vec::new();
    while !batches.is_empty() {
        let header = factum_types::BatchHeader::check(&batches).expect("a whole batch");
        let batch = batches.split_to(header.encoded_len());
        let records = factum_types::record::decode(&batch, 1 << 20).expect("records");
        let texts = records.into_iter().map(|record| record.value.expect("a value"));
        values.extend(texts.map(|value| String::from_utf8(value.to_vec()).expect("text")));
    }
    values
}

/// The name of an error code.
pub(crate) fn name_of(code: i16) -> &'static str {
    let known = factum_kafka_server::ErrorCode::ALL.iter().find(|known| known.code() == code);
    known.map_or("an unknown code", |code| code.name())
}
