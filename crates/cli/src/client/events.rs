//! Server-sent events (WHATWG HTML §9.2), as far as a tail needs them.
//!
//! Invariants: memory is bounded by [`MAX_EVENT_BYTES`], whatever the server sends.

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};

/// Larger than any record that a topic takes, encoded as JSON.
const MAX_EVENT_BYTES: usize = 256 * 1024 * 1024;

/// One event, or only where to resume: an id without data moves the position of a client (§9.2.6).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServerEvent {
    /// Its kind; empty if the server names none.
    pub(crate) kind: String,
    /// Where to resume after it.
    pub(crate) id: Option<String>,
    /// What it carries.
    pub(crate) data: String,
}

/// Events out of a body.
pub(crate) struct EventStream<S> {
    body: S,
    parser: Parser,
}

impl<S, E> EventStream<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Reads events from `body`.
    pub(crate) fn new(body: S) -> Self {
        Self { body, parser: Parser::default() }
    }

    /// The next event; `None` at the end of the body. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<ServerEvent, E>> {
        loop {
            if let Some(event) = self.parser.next() {
                return Some(Ok(event));
            }
            match self.body.next().await? {
                Ok(bytes) => self.parser.push(&bytes)?,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[derive(Debug, Default)]
struct Parser {
    buffer: BytesMut,
    pending: ServerEvent,
    has_data: bool,
}

impl Parser {
    /// Takes bytes; `None` if an event grows without end.
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        self.buffer.extend_from_slice(bytes);
        (self.buffer.len() + self.pending.data.len() <= MAX_EVENT_BYTES).then_some(())
    }

    fn next(&mut self) -> Option<ServerEvent> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end);
            self.buffer.advance(1);
            let line = String::from_utf8_lossy(&line);
            if let Some(event) = self.line(line.trim_end_matches('\r')) {
                return Some(event);
            }
        }
        None
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.pending);
            let has_data = std::mem::take(&mut self.has_data);
            return (has_data || event.id.is_some()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.pending.kind),
            "id" => self.pending.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.pending.data.push('\n');
                }
                self.pending.data.push_str(value);
                self.has_data = true;
            }
            // A comment (keep-alive), `retry`, or a field of the future.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_wherever_the_body_is_cut() {
        let body = b": hello\r\n\r\nevent: record\r\nid: 0:7\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata\n\nid: 9\n\ndata: cut";
        let whole = read(&[body]);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole[0].kind, "record");
        assert_eq!(whole[0].id.as_deref(), Some("0:7"));
        assert_eq!(whole[0].data, "{\"a\":\n1}");
        assert_eq!(whole[2], ServerEvent { id: Some("9".to_owned()), ..ServerEvent::default() });
        for cut in 0..body.len() {
            assert_eq!(read(&[&body[..cut], &body[cut..]]), whole, "cut at {cut}");
        }
    }

    fn read(parts: &[&[u8]]) -> Vec<ServerEvent> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for part in parts {
            parser.push(part).expect("small");
            events.extend(std::iter::from_fn(|| parser.next()));
        }
        events
    }
}
