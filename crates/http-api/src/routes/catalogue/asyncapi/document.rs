//! The document's parts.

use std::sync::Arc;

use factum_api::catalogue::EventSchema;
use factum_governance::{EventDefinition, Format, TeamDefinition};
use factum_types::TeamName;
use serde_json::{Map, Value, json};

use super::payload;

/// The version of the bindings for Kafka.
const KAFKA_BINDING: &str = "0.5.0";

/// What a document is made of.
pub(super) struct Part {
    pub(super) project: Option<String>,
    /// The team whose part it is; `None` for the whole.
    pub(super) team: Option<TeamName>,
    pub(super) teams: Vec<Arc<TeamDefinition>>,
    pub(super) addresses: ServerAddresses,
    pub(super) events: Vec<DescribedEvent>,
}

/// An event in the document.
pub(super) struct DescribedEvent {
    pub(super) event: Arc<EventDefinition>,
    /// Whether it is an event of those whose document it is.
    pub(super) is_sent: bool,
    /// Whether they read it.
    pub(super) is_received: bool,
    /// Partitions of its topic, if that exists.
    pub(super) partitions: Option<usize>,
    /// The latest version of its subject.
    pub(super) version: Option<i32>,
    pub(super) schema: Option<EventSchema>,
    pub(super) example: Option<Value>,
}

/// Where clients connect: hosts with ports.
pub(super) struct ServerAddresses {
    pub(super) kafka: String,
    pub(super) is_kafka_encrypted: bool,
    pub(super) http: String,
    pub(super) is_http_encrypted: bool,
}

/// The document of a part of the catalogue.
pub(super) fn of(part: &Part) -> Value {
    let (mut channels, mut operations) = (Map::new(), Map::new());
    let (mut messages, mut schemas) = (Map::new(), Map::new());
    for described in &part.events {
        let name = described.event.topic.to_string();
        channels.insert(name.clone(), channel(described));
        if described.is_sent {
            operations.insert(format!("send.{name}"), operation(described, "send"));
        }
        if described.is_received {
            operations.insert(format!("receive.{name}"), operation(described, "receive"));
        }
        messages.insert(name.clone(), message(described));
        if let Some(schema) = described.schema.as_ref().and_then(|schema| payload::of(&name, schema)) {
            schemas.insert(name, schema);
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": info(part),
        "defaultContentType": "application/json",
        "servers": servers(&part.addresses),
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    })
}

fn info(part: &Part) -> Value {
    let project = part.project.as_deref().unwrap_or("Factum");
    let team = |team: &TeamName| part.teams.iter().find(|known| known.name == *team);
    let (title, description) = match &part.team {
        Some(owner) => {
            let summary = team(owner).and_then(|team| team.summary.clone());
            (format!("{project} {owner}"), summary.unwrap_or_else(|| format!("Events of team {owner}.")))
        }
        None => (project.to_owned(), "The events of all teams.".to_owned()),
    };
    let mut owners: Vec<&TeamName> = part.events.iter().map(|described| &described.event.team).collect();
    owners.sort_unstable();
    owners.dedup();
    let tags: Vec<_> = owners
        .into_iter()
        .map(|owner| with(tag(owner), "description", team(owner).and_then(|team| team.summary.clone())))
        .collect();
    json!({"title": title, "version": "1.0.0", "description": description, "tags": tags})
}

fn servers(addresses: &ServerAddresses) -> Value {
    let scheme = if addresses.is_http_encrypted { "https" } else { "http" };
    json!({
        "kafka": {
            "host": addresses.kafka,
            "protocol": if addresses.is_kafka_encrypted { "kafka-secure" } else { "kafka" },
            "bindings": {"kafka": {
                "schemaRegistryUrl": format!("{scheme}://{}", addresses.http),
                "schemaRegistryVendor": "confluent",
                "bindingVersion": KAFKA_BINDING,
            }},
        },
        "http": {"host": addresses.http, "protocol": scheme, "pathname": "/events"},
    })
}

fn channel(described: &DescribedEvent) -> Value {
    let topic = described.event.topic.as_str();
    let kafka =
        with(json!({"topic": topic, "bindingVersion": KAFKA_BINDING}), "partitions", described.partitions);
    let channel = json!({
        "address": topic,
        "messages": {topic: {"$ref": format!("#/components/messages/{topic}")}},
        "tags": [tag(&described.event.team)],
        "bindings": {"kafka": kafka},
    });
    with(channel, "description", described.event.summary.clone())
}

fn operation(described: &DescribedEvent, action: &str) -> Value {
    let topic = described.event.topic.as_str();
    json!({
        "action": action,
        "channel": {"$ref": format!("#/channels/{topic}")},
        "messages": [{"$ref": format!("#/channels/{topic}/messages/{topic}")}],
        "tags": [tag(&described.event.team)],
    })
}

fn message(described: &DescribedEvent) -> Value {
    let event = &described.event;
    let topic = event.topic.as_str();
    // EventCatalog's words: a provider owns the message, a client knows it.
    let role = if described.is_sent { "provider" } else { "client" };
    let message = json!({
        "name": event.event_type,
        "title": topic,
        "contentType": content_type(event.format),
        "headers": headers(event),
        "tags": [tag(&event.team)],
        "bindings": {"kafka": kafka_binding(described)},
        "x-eventcatalog-message-type": "event",
        "x-eventcatalog-role": role,
    });
    let message = with(message, "summary", event.summary.clone());
    let message =
        with(message, "x-eventcatalog-message-version", described.version.map(|n| format!("{n}.0.0")));
    let has_schema = described.schema.as_ref().is_some_and(|schema| payload::of(topic, schema).is_some());
    let payload = has_schema.then(|| json!({"$ref": format!("#/components/schemas/{topic}")}));
    let message = with(message, "payload", payload);
    with(message, "examples", described.example.as_ref().map(|example| json!([{"payload": example}])))
}

/// The attributes of CloudEvents, as headers of records.
fn headers(event: &EventDefinition) -> Value {
    let text = |words: &str| json!({"type": "string", "description": words});
    json!({
        "type": "object",
        "description": "CloudEvents 1.0 in the Kafka binary binding; what is missing is filled in of events sent over HTTP.",
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": text("Unique within the source"),
            "ce_source": {"type": "string", "default": event.source},
            "ce_type": {"type": "string", "default": event.event_type},
            "ce_time": {"type": "string", "format": "date-time"},
        },
    })
}

fn kafka_binding(described: &DescribedEvent) -> Value {
    let event = &described.event;
    let key =
        event.key.as_ref().map(|key| json!({"type": "string", "description": format!("The field {key}")}));
    let binding = with(json!({"bindingVersion": KAFKA_BINDING}), "key", key);
    let is_framed = event.format != Format::Json && described.schema.is_some();
    let binding = with(binding, "schemaIdLocation", is_framed.then_some("payload"));
    let binding = with(binding, "schemaIdPayloadEncoding", is_framed.then_some("confluent"));
    with(binding, "schemaLookupStrategy", is_framed.then_some("TopicNameStrategy"))
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Avro => "application/avro",
        Format::Protobuf => "application/protobuf",
    }
}

fn tag(team: &TeamName) -> Value {
    json!({"name": team.as_str()})
}

/// The object with one more member, if there is a value for it.
fn with(mut object: Value, name: &str, value: Option<impl Into<Value>>) -> Value {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value.into());
    }
    object
}
