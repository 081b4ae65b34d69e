//! Events as they are declared, with their schemas, examples, and who makes and reads them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::catalogue::{EventLine, EventList, EventSchema, EventView};
use factum_api::subjects::VersionLine;
use factum_governance::{EventDefinition, TeamDefinition};
use factum_registry::{SubjectVersion, VersionFilter};
use factum_types::suggest::nearest;
use factum_types::{Action, Resource, TopicName};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::example::{example, schema_type, subject_of};
use super::participants::{self, Participants};
use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath, Params};
use crate::http::lookup::with_nearest;
use crate::http::parameter::Whole;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// Events in one response, at most.
const MOST: i64 = 1000;
const USUAL: usize = 100;
/// Words that are looked for, at most, and their bytes together.
const MOST_WORDS: usize = 16;
const MOST_SEARCH_BYTES: usize = 400;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_events)).routes(routes!(get_event))
}

/// Which events are wanted.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    search: Option<Search>,
    /// The team that owns them.
    team: Option<String>,
    /// How many are passed over.
    offset: Option<Whole<0, { i64::MAX }, 100>>,
    /// The most events, 1 to 1000; 100 by default.
    limit: Option<Whole<1, MOST, 100>>,
}

/// Words, in lower case, that an event has all of.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Search(Vec<String>);

impl TryFrom<String> for Search {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        match text.len() <= MOST_SEARCH_BYTES && words.len() <= MOST_WORDS {
            true => Ok(Self(words)),
            false => Err(format!("too long: at most {MOST_WORDS} words and {MOST_SEARCH_BYTES} bytes")),
        }
    }
}

impl Search {
    /// Whether each word is in the event's names, its summary or its schema.
    fn finds(&self, event: &EventDefinition) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let EventDefinition { topic, team, summary, contract, event_type, format, .. } = event;
        let parts = [topic.as_str(), event_type, team.as_str(), format.as_str()].into_iter();
        let parts = parts.chain(summary.as_deref()).chain(contract.as_deref());
        let parts: Vec<_> = parts.map(str::to_lowercase).collect();
        self.0.iter().all(|word| parts.iter().any(|part| part.contains(word)))
    }
}

impl ListQuery {
    fn admits(&self, event: &EventDefinition) -> bool {
        let is_of_team = self.team.as_ref().is_none_or(|team| event.team.as_str() == team);
        is_of_team && self.search.as_ref().is_none_or(|search| search.finds(event))
    }
}

/// List events
///
/// Those that the project declares and whose topics the caller may describe, by topic.
#[utoipa::path(get, path = "/api/v1/events", tag = "catalogue",
    params(("search" = Option<String>, Query, description = "Words that an event has all of, in any case: in its topic, type, \
            team, summary or schema; at most 16", example = "order email"),
        ("team" = Option<String>, Query, description = "The team that owns them", example = "store"),
        ("offset" = Option<usize>, Query, description = "How many are passed over"),
        ("limit" = Option<usize>, Query, description = "The most events, 1 to 1000; 100 by default")),
    responses((status = 200, body = EventList, example = json!({"events": [{"topic": "store.orders",
        "event_type": "contoso.store.orders", "team": "store", "project": "contoso",
        "summary": "A customer paid for an order.", "format": "avro", "has_schema": true, "versions": 2, "producers": 1,
        "consumers": 3}], "total": 1}))))]
async fn list_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let (asks, query) = (Arc::new(caller.clone()), Arc::new(query));
    let list = move |api: Arc<Api>| {
        let (asks, query) = (Arc::clone(&asks), Arc::clone(&query));
        async move { part(&api, &asks, &query).await }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

async fn part(api: &Api, caller: &Caller, query: &ListQuery) -> Result<EventList, Problem> {
    let mut wanted = visible_events(api, caller);
    wanted.retain(|event| query.admits(event));
    let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let offset = query.offset.map_or(0, |offset| number(offset.get()));
    let limit = query.limit.map_or(USUAL, |limit| number(limit.get()));
    let total = wanted.len();
    let page: Vec<_> = wanted.into_iter().skip(offset).take(limit).collect();
    if page.is_empty() {
        return Ok(EventList { events: Vec::new(), total });
    }
    let sees = |resource: Resource<'_>| caller.sees(resource);
    let known = Participants::known(api, &sees).await?;
    let lines = page.iter().map(|event| {
        let producers = known.producers(&event.topic).len();
        let consumers = known.consumers(api, &event.topic, &sees).len();
        line(event, versions(api, caller, &event.topic).len(), producers, consumers)
    });
    Ok(EventList { events: lines.collect(), total })
}

/// Every declared event whose topic the caller may describe, by topic.
pub(super) fn visible_events(api: &Api, caller: &Caller) -> Vec<Arc<EventDefinition>> {
    let mut events: Vec<Arc<EventDefinition>> = api.state.catalogue.of();
    events.retain(|event| caller.sees(Resource::Topic(&event.topic)));
    events
}

fn line(event: &EventDefinition, versions: usize, producers: usize, consumers: usize) -> EventLine {
    EventLine {
        topic: event.topic.to_string(),
        event_type: event.event_type.clone(),
        team: event.team.to_string(),
        project: event.project.clone(),
        summary: event.summary.clone(),
        format: event.format.as_str().to_owned(),
        has_schema: event.contract.is_some() || versions > 0,
        versions,
        producers,
        consumers,
    }
}

/// The versions of the subject of a topic's values, if the caller may describe it.
pub(super) fn versions(api: &Api, caller: &Caller, topic: &TopicName) -> Vec<SubjectVersion> {
    let subject = subject_of(topic).filter(|_| caller.sees(Resource::subject(topic.as_str())));
    let found = subject.map(|subject| api.state.registry.versions(&subject, VersionFilter::Live));
    let mut versions = found.and_then(Result::ok).unwrap_or_default();
    // Of other contexts nothing was asked.
    versions.retain(|version| version.subject.is_in_default_context());
    versions
}

/// Get an event
///
/// By its topic, or by its CloudEvents type: with its schema, an example, and those who make and read it, of whom the caller
/// may know.
#[utoipa::path(get, path = "/api/v1/events/{event}", tag = "catalogue",
    params(("event" = String, Path, description = "Its topic, or its type", example = "store.orders")),
    responses((status = 200, body = EventView), (status = 404, body = Problem)))]
async fn get_event(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(asked): NamePath,
) -> Result<Response, Problem> {
    let event = find(&api, &caller, &asked)?;
    let data = example_of(&api, &caller, &event).await;
    let asks = Arc::new(caller.clone());
    let show = move |api: Arc<Api>| {
        let (asks, event, data) = (Arc::clone(&asks), Arc::clone(&event), data.clone());
        async move { view(&api, &asks, &event, data).await }
    };
    document(&api, &caller, DocumentKind::Records, show).await
}

/// The event of this topic, or the one of this type that the caller may see.
fn find(api: &Api, caller: &Caller, asked: &str) -> Result<Arc<EventDefinition>, Problem> {
    let topic = TopicName::new(asked).ok();
    if let Some(event) = topic.as_ref().and_then(|topic| api.state.catalogue.event(topic)) {
        caller.may(Action::Describe, Resource::Topic(&event.topic))?;
        return Ok(event);
    }
    let visible = visible_events(api, caller);
    let same: Vec<_> = visible.iter().filter(|event| event.event_type == asked).collect();
    match same.as_slice() {
        [event] => Ok(Arc::clone(event)),
        [] => {
            let asked_for = topic.as_ref().map_or(Resource::Cluster, Resource::Topic);
            caller.may(Action::Describe, asked_for)?;
            let problem = Problem::not_found(format_args!("no event is declared of topic or type {asked}"));
            let names = visible.iter().flat_map(|event| [event.topic.as_str(), &event.event_type]);
            Err(with_nearest(problem, nearest(asked, names)))
        }
        several => {
            let topics: Vec<_> = several.iter().map(|event| event.topic.as_str()).collect();
            let topics = topics.join(", ");
            Err(Problem::malformed(format_args!(
                "several topics have events of type {asked}: {topics}; say which"
            )))
        }
    }
}

/// Example data of an event, made on a thread for blocking work.
pub(super) async fn example_of(api: &Api, caller: &Caller, event: &Arc<EventDefinition>) -> Option<Value> {
    let (registry, now, event) = (api.state.registry.clone(), api.state.clock.now(), Arc::clone(event));
    let make = move || example(&registry, &event.topic, Some(&event), now);
    api.schema_work.run(caller.client(), make).await
}

async fn view(
    api: &Api,
    caller: &Caller,
    event: &EventDefinition,
    example: Option<Value>,
) -> Result<EventView, Problem> {
    let sees = |resource: Resource<'_>| caller.sees(resource);
    let known = Participants::known(api, &sees).await?;
    let topic = api.log().topic(&event.topic).await.ok();
    let mut made_by = known.producers(&event.topic);
    let may_read = caller.may(Action::Read, Resource::Topic(&event.topic)).is_ok();
    if let Some(topic) = topic.as_ref().filter(|_| may_read) {
        made_by.extend(participants::sources(api, topic).await);
    }
    let read_by = known.consumers(api, &event.topic, &sees);
    let versions = versions(api, caller, &event.topic);
    let teams: Vec<Arc<TeamDefinition>> = api.state.catalogue.of();
    let team = teams.into_iter().find(|team| team.name == event.team);
    Ok(EventView {
        event: line(event, versions.len(), made_by.len(), read_by.len()),
        contact: team.and_then(|team| team.contact.clone()),
        source: event.source.clone(),
        key: event.key.clone(),
        time: event.time.clone(),
        schema: schema_of(event, versions.last()),
        subject: format!("{}-value", event.topic),
        subject_versions: versions.iter().map(version_line).collect(),
        example,
        has_topic: topic.is_some(),
        made_by,
        read_by,
    })
}

/// The contract of an event, else the latest version of its subject.
pub(super) fn schema_of(event: &EventDefinition, latest: Option<&SubjectVersion>) -> Option<EventSchema> {
    let contract = event.contract.as_deref().map(|text| EventSchema {
        schema_type: schema_type(event.format).as_str().to_owned(),
        text: text.to_owned(),
        file: event.schema.as_ref().map(|path| path.display().to_string()),
    });
    let registered = || {
        latest.map(|version| EventSchema {
            schema_type: version.schema().schema_type.as_str().to_owned(),
            text: version.definition().to_owned(),
            file: None,
        })
    };
    contract.or_else(registered)
}

fn version_line(found: &SubjectVersion) -> VersionLine {
    VersionLine {
        version: found.version,
        id: found.id(),
        schema_type: found.schema().schema_type.as_str().to_owned(),
    }
}
