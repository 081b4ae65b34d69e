//! Requests of HTTP, as far as they are decoded without a server.

use factum_http_api::decoders;

/// Most bytes that a body unpacks to here.
const UNPACKED: usize = 1 << 20;

/// Lines of `header: value`, an empty line, and the body of `POST /events/{topic}`.
pub(crate) fn events(bytes: &[u8]) {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (&b""[..], bytes),
    };
    let header = |line: &'_ [u8]| line.iter().position(|byte| *byte == b':');
    let headers: Vec<_> = head
        .split(|byte| *byte == b'\n')
        .filter_map(|line| header(line).map(|at| (line[..at].trim_ascii(), line[at + 1..].trim_ascii())))
        .collect();
    decoders::events(&headers, body, UNPACKED);
}

/// The header `Last-Event-ID`.
pub(crate) fn last_event_id(bytes: &[u8]) {
    decoders::last_event_id(bytes);
}
