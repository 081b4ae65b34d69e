//! The catalogue as an AsyncAPI document: topics as channels, events as messages with their schemas, teams as tags.
//!
//! Invariants: it has events that the caller may describe and no others, [`MOST_EVENTS`] at most; every reference in it leads to a
//! place in it.
//!
//! Not here: YAML, which the command line writes; a JSON document is a YAML document too.

mod document;
mod payload;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use factum_governance::{EventDefinition, TeamDefinition};
use factum_types::suggest::nearest;
use factum_types::{Action, Resource, TeamName};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::document::{DescribedEvent, Part, ServerAddresses};
use super::events::{schema_of, versions, visible_events};
use super::example::example;
use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, Params};
use crate::http::lookup::with_nearest;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// Events in one document, at most.
const MOST_EVENTS: usize = 1000;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// The team whose part of the catalogue is wanted.
    team: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(get_asyncapi))
}

/// Get the catalogue as an AsyncAPI document
///
/// AsyncAPI 3.0.0. Of the whole catalogue, or of a team: the events that it owns, and those that its views read. At most 1000
/// events whose topics the caller may describe.
#[utoipa::path(get, path = "/api/v1/asyncapi", tag = "catalogue",
    params(("team" = Option<String>, Query, description = "The team whose part of the catalogue is wanted", example = "store")),
    responses((status = 200, body = Object, example = json!({"asyncapi": "3.0.0", "info": {"title": "contoso",
        "version": "1.0.0"}, "channels": {"store.orders": {"address": "store.orders"}}})),
        (status = 404, body = Problem, description = "No such team"),
        (status = 422, body = Problem, description = "Too many events for one document")))]
async fn get_asyncapi(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    Params(query): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let team = query.team.map(|team| team_of(&api, &caller, &team)).transpose()?;
    let events = described(&api, &caller, team.as_ref()).await?;
    let addresses = addresses(&api, &headers);
    let project = api.state.catalogue.project().name;
    let teams: Vec<Arc<TeamDefinition>> = api.state.catalogue.of();
    let examples = with_examples(&api, &caller, events).await;
    let part = Part { project, team, teams, addresses, events: examples };
    let text = Arc::new(document::of(&part));
    let show = move |_: Arc<Api>| {
        let text = Arc::clone(&text);
        async move { Ok(text) }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

/// The team of this name, if it owns an event that the caller may see.
fn team_of(api: &Api, caller: &Caller, asked: &str) -> Result<TeamName, Problem> {
    let events = visible_events(api, caller);
    let found = events.iter().map(|event| &event.team).find(|team| team.as_str() == asked);
    if let Some(team) = found {
        return Ok(team.clone());
    }
    caller.may(Action::Describe, Resource::Cluster)?;
    let teams: Vec<Arc<TeamDefinition>> = api.state.catalogue.of();
    if let Some(team) = teams.iter().find(|team| team.name.as_str() == asked) {
        return Ok(team.name.clone());
    }
    let near = nearest(asked, teams.iter().map(|team| team.name.as_str()));
    Err(with_nearest(Problem::not_found(format_args!("there is no team {asked}")), near))
}

/// The events of the whole or of a team, without their examples.
async fn described(
    api: &Api,
    caller: &Caller,
    team: Option<&TeamName>,
) -> Result<Vec<DescribedEvent>, Problem> {
    let mut events = visible_events(api, caller);
    let is_read = |event: &EventDefinition| {
        let readers = api.state.engine.readers(&event.topic).into_iter();
        let mut names = readers.map(|reader| (reader.view.team.clone(), reader.view.to_string()));
        names.any(|(owner, view)| {
            team.is_some_and(|team| *owner == *team.as_str()) && caller.sees(Resource::view(&view))
        })
    };
    events.retain(|event| team.is_none_or(|team| event.team == *team) || is_read(event));
    if events.len() > MOST_EVENTS {
        let detail = format!(
            "too many events for one document: {}, at most {MOST_EVENTS}; ask for those of one team (team)",
            events.len()
        );
        return Err(Problem::refused(detail).with("limit", MOST_EVENTS));
    }
    let mut described = Vec::with_capacity(events.len());
    for event in events {
        let versions = versions(api, caller, &event.topic);
        let topic = api.log().topic(&event.topic).await.ok();
        described.push(DescribedEvent {
            is_sent: team.is_none_or(|team| event.team == *team),
            is_received: team.is_some() && is_read(&event),
            partitions: topic.map(|topic| topic.partitions.len()),
            version: versions.last().map(|latest| latest.version),
            schema: schema_of(&event, versions.last()),
            example: None,
            event,
        });
    }
    Ok(described)
}

/// The same with their examples, made on a thread for blocking work.
async fn with_examples(api: &Api, caller: &Caller, mut events: Vec<DescribedEvent>) -> Vec<DescribedEvent> {
    let (registry, now) = (api.state.registry.clone(), api.state.clock.now());
    let make = move || {
        for described in &mut events {
            let event: &EventDefinition = &described.event;
            described.example = example(&registry, &event.topic, Some(event), now).filter(Value::is_object);
        }
        events
    };
    api.schema_work.run(caller.client(), make).await
}

/// Where clients reach this server: by the name that the request was sent to, unless another one is set.
fn addresses(api: &Api, headers: &HeaderMap) -> ServerAddresses {
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let http = asked.map_or_else(|| api.options.listen.to_string(), str::to_owned);
    let name = http.rsplit_once(':').map_or(http.as_str(), |(name, _)| name);
    let kafka = &api.state.kafka;
    let host = kafka.host.as_deref().unwrap_or(name);
    let listeners = (api.state.health)().listeners;
    let security = listeners.into_iter().find(|listener| listener.name == "kafka").map(|each| each.security);
    ServerAddresses {
        kafka: format!("{host}:{}", kafka.port),
        is_kafka_encrypted: security.is_some_and(|security| security.contains("SSL")),
        is_http_encrypted: api.options.tls.is_some(),
        http,
    }
}
