//! In which form a request brings its events (CloudEvents HTTP protocol binding 1.0.2, and two of our own).

use axum::http::HeaderMap;
use bytes::Bytes;
use factum_eventlog::NewRecord;
use factum_types::Event;
use factum_types::event::{self, BATCH_JSON, STRUCTURED_JSON, is_json};

use super::headers;
use super::intake::Intake;
use crate::http::problem::Problem;

/// The media types under which lines of JSON go.
const NDJSON: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// How the events lie in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One event: attributes in headers, the body is its data.
    Binary,
    /// One event as JSON.
    Structured,
    /// An array of events as JSON.
    Batch,
    /// One JSON document that is to become an event's data.
    Plain,
    /// The same, one document a line.
    Lines,
}

impl Form {
    /// Reads the form off the head of the request.
    ///
    /// A body whose type a web page could send without asking first (`text/plain`, a form, none at all) is
    /// refused, so that no page can write to a Factum on its reader's own machine.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let media_type = headers::content_type(headers)?.unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is(STRUCTURED_JSON) {
            Ok(Self::Structured)
        } else if is(BATCH_JSON) {
            Ok(Self::Batch)
        } else if essence.to_ascii_lowercase().starts_with("application/cloudevents") {
            Err(unsupported(media_type, "only the JSON event format is spoken"))
        } else if headers.contains_key("ce-specversion") {
            Ok(Self::Binary)
        } else if NDJSON.into_iter().any(is) {
            Ok(Self::Lines)
        } else if is_json(essence) {
            Ok(Self::Plain)
        } else {
            Err(unsupported(media_type, "send application/json, a CloudEvents media type, or ce-* headers"))
        }
    }

    /// Whether the body is JSON, or lines of it.
    pub(super) fn is_json(self, headers: &HeaderMap) -> bool {
        let media_type = || headers::content_type(headers).ok().flatten();
        self != Self::Binary || media_type().is_some_and(is_json)
    }

    /// Makes the records that `body` brings, all of them or none.
    pub(super) fn records(
        self,
        headers: &HeaderMap,
        body: &Bytes,
        intake: &Intake,
    ) -> Result<Vec<NewRecord>, Problem> {
        self.read(headers, body, intake).map_err(|problem| match problem.is_not_json() {
            true => problem.also(self.expected()),
            false => problem,
        })
    }

    /// What a body in this form is.
    fn expected(self) -> &'static str {
        match self {
            Self::Binary => "the body is the event's data and, as its content-type says, JSON",
            Self::Structured => {
                "the body is one CloudEvent, for example \
                 {\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/shop\", \"type\": \"order.paid\", \"data\": {\"order\": 1}}"
            }
            Self::Batch => {
                "the body is an array of CloudEvents, for example \
                 [{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/shop\", \"type\": \"order.paid\", \"data\": {\"order\": 1}}]"
            }
            Self::Plain => "the body is the event's data as JSON, for example {\"order\": 1}",
            Self::Lines => "each line is the data of one event as JSON, for example {\"order\": 1}",
        }
    }

    fn read(self, headers: &HeaderMap, body: &Bytes, intake: &Intake) -> Result<Vec<NewRecord>, Problem> {
        match self {
            Self::Binary => {
                let data = (!body.is_empty()).then(|| body.clone());
                Ok(vec![intake.take(headers::attributes(headers, data)?)?])
            }
            Self::Structured => {
                let event = Event::from_structured_json(body)?;
                event::check_unique_members(body)?;
                Ok(vec![intake.take(event)?])
            }
            Self::Batch => batch(body, intake),
            Self::Plain => {
                let given = headers::attributes(headers, Some(body.clone()))?;
                Ok(vec![intake.wrap(given)?])
            }
            Self::Lines => lines(headers, body, intake),
        }
    }
}

fn batch(body: &Bytes, intake: &Intake) -> Result<Vec<NewRecord>, Problem> {
    let events = Event::from_batch_json(body, intake.max_events())?;
    event::check_unique_members(body)?;
    let taken = events.into_iter().enumerate();
    taken.map(|(index, event)| intake.take(event).map_err(|problem| problem.in_event(index))).collect()
}

fn lines(headers: &HeaderMap, body: &Bytes, intake: &Intake) -> Result<Vec<NewRecord>, Problem> {
    if headers.keys().any(|name| name.as_str() == "ce-id") {
        return Err(Problem::malformed("ce-id would give every line the same id").with("attribute", "id"));
    }
    let mut shared = headers::attributes(headers, None)?;
    shared.data_content_type = Some("application/json".to_owned());
    let mut records = Vec::new();
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if records.len() == intake.max_events() {
            let limit = intake.max_events();
            return Err(Problem::too_large(format_args!("the body has more than {limit} lines"), limit));
        }
        let event = Event { data: Some(body.slice_ref(line)), ..shared.clone() };
        records.push(intake.wrap(event).map_err(|problem| problem.on_line(number + 1))?);
    }
    Ok(records)
}

fn unsupported(media_type: &str, advice: &str) -> Problem {
    match media_type {
        "" => Problem::unsupported(format_args!("there is no content-type; {advice}")),
        _ => Problem::unsupported(format_args!("content-type is {media_type}; {advice}")),
    }
}
