//! Topics: list, create, get, alter, delete.

mod sample;
mod settings;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use factum_api::topics::{
    AlterTopic, CreateTopic, PartitionView, TopicLine, TopicList, TopicSettingsPatch, TopicView,
};
use factum_eventlog::{AdminError, NewTopic, PartitionBounds, Topic, TopicConfig};
use factum_types::{Action, Resource, TopicName};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, Params, TopicPath};
use crate::http::held_back;
use crate::http::json::Json;
use crate::http::lookup;
use crate::http::parameter::Flag;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Also list the topics that Factum keeps for itself.
    #[serde(default)]
    internal: Flag,
}

use settings::SettingsChange;

/// The routes of topics.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_topics, create_topic))
        .routes(routes!(get_topic, alter_topic, delete_topic))
        .merge(sample::routes())
}

/// List topics
#[utoipa::path(get, path = "/api/v1/topics", tag = "topics", 
    params(("internal" = Option<bool>, Query, description = "Also list the topics that Factum keeps for itself")),
    responses((status = 200, body = TopicList, example = json!({"topics": [{"name": "store.orders", "partitions": 4,
        "records": "1200", "bytes": 65536, "internal": false, "team": "store",
        "summary": "A customer paid for an order."}]}))))]
async fn list_topics(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let list = move |api: Arc<Api>| async move {
        let topics = api.log().topics().await?;
        let wanted = topics.iter().filter(|topic| query.internal.0 || !topic.name.is_internal());
        Ok(TopicList { topics: wanted.map(|topic| topic_line(&api, topic)).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Create a topic
///
/// It exists on disk when this answers.
#[utoipa::path(post, path = "/api/v1/topics", tag = "topics",
    request_body(content = CreateTopic, example = json!({"name": "store.orders", "partitions": 4,
        "config": {"retention": "30d"}})),
    responses(
        (status = 201, body = TopicView),
        (status = 409, body = Problem, description = "It exists already"),
        (status = 422, body = Problem, description = "A setting is out of bounds"),
    ))]
async fn create_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    // Before it is known which.
    caller.may_create(Resource::AnyTopic)?;
    let (head, body) = request.into_parts();
    let wish: CreateTopic = api.bodies.read_json(&head, body).await?;
    let name = TopicName::new(wish.name)?;
    caller.may_create(Resource::Topic(&name))?;
    lookup::refuse_internal(&name)?;
    let config = SettingsChange::read(wish.config)?.over(TopicConfig::default(), &TopicConfig::default());
    let new = NewTopic { name, partitions: wish.partitions, config };
    let topic = api.log().create_topic(new).await?;
    let location = format!("/api/v1/topics/{}", topic.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(topic_view(&api, topic))))
}

/// Get a topic
#[utoipa::path(get, path = "/api/v1/topics/{topic}", tag = "topics",
    params(("topic" = String, Path, example = "store.orders")),
    responses((status = 200, body = TopicView), (status = 404, body = Problem)))]
async fn get_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(name): TopicPath,
) -> Result<Json<TopicView>, Problem> {
    caller.may(Action::Describe, Resource::Topic(&name))?;
    let topic = lookup::topic(&api, &caller, &name).await?;
    let held = api.state.transactions.held_back().await;
    let is_visible = caller.visibility();
    let mut view = topic_view(&api, topic);
    for held in held.iter().filter(|held| held.partition.topic == name) {
        let partition = view.partitions.iter_mut().find(|each| each.partition == held.partition.partition);
        if let Some(partition) = partition {
            partition.held_back = Some(held_back::shown(held, &*is_visible));
        }
    }
    Ok(Json(view))
}

/// Change a topic's settings, and create partitions
///
/// The number of partitions can only grow. Where both are asked for, settings change first.
#[utoipa::path(patch, path = "/api/v1/topics/{topic}", tag = "topics",
    params(("topic" = String, Path, example = "store.orders")),
    request_body(content = AlterTopic, example = json!({"partitions": 8, "config": {"retention": "30d", "retention_bytes": null}})),
    responses((status = 200, body = TopicView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn alter_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(name): TopicPath,
    request: Request,
) -> Result<Json<TopicView>, Problem> {
    let may_set = caller.may(Action::AlterConfigs, Resource::Topic(&name));
    let may_grow = caller.may(Action::Alter, Resource::Topic(&name));
    may_set.clone().or_else(|refused| may_grow.clone().map_err(|_| refused))?;
    lookup::refuse_internal(&name)?;
    let (head, body) = request.into_parts();
    let wish: AlterTopic = api.bodies.read_json(&head, body).await?;
    if wish.partitions.is_some() {
        may_grow?;
    }
    if wish.partitions.is_none() || wish.config != TopicSettingsPatch::default() {
        may_set?;
    }
    let change = SettingsChange::read(wish.config)?;
    // What the project declares is set again whenever it is applied: it is the topic's default.
    let declared = api.state.catalogue.event(&name).map(|event| event.settings.config()).unwrap_or_default();
    let altered = match wish.partitions {
        // Refused before anything changes.
        Some(count) => check_growth(&api, &name, count).await,
        None => Ok(()),
    };
    let altered = match altered {
        Ok(()) => api.log().edit_topic(&name, Box::new(move |config| change.over(config, &declared))).await,
        Err(error) => Err(error),
    };
    let altered = match (altered, wish.partitions) {
        (Ok(topic), Some(count)) if usize::try_from(count) != Ok(topic.partitions.len()) => {
            api.log().create_partitions(&name, count).await
        }
        (altered, _) => altered,
    };
    match altered {
        Ok(topic) => Ok(Json(topic_view(&api, topic))),
        Err(error @ AdminError::UnknownTopic { .. }) => {
            Err(lookup::unknown_topic(&api, &caller, &name, error.into()).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses to take partitions away.
async fn check_growth(api: &Api, name: &TopicName, count: i32) -> Result<(), AdminError> {
    let has = api.log().topic(name).await?.partitions.len();
    match usize::try_from(count).unwrap_or(0) < has {
        true => {
            let reason = format!("topic {name} has {has} partitions, and their number can only grow");
            Err(AdminError::Invalid { reason })
        }
        false => Ok(()),
    }
}

/// Delete a topic with all its records
#[utoipa::path(delete, path = "/api/v1/topics/{topic}", tag = "topics",
    params(("topic" = String, Path, example = "store.orders")),
    responses((status = 204), (status = 404, body = Problem)))]
async fn delete_topic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(name): TopicPath,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Delete, Resource::Topic(&name))?;
    lookup::refuse_internal(&name)?;
    let found = lookup::topic(&api, &caller, &name).await;
    if let Err(error) = api.log().delete_topic(&name).await {
        // It also gives up a topic whose directory was removed, which is not found.
        found?;
        return Err(error.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

fn topic_line(api: &Api, topic: &Topic) -> TopicLine {
    let definition = api.state.catalogue.event(&topic.name);
    let records: i64 = topic.partitions.iter().map(|p| p.high_watermark.since(p.log_start)).sum();
    TopicLine {
        name: topic.name.to_string(),
        partitions: topic.partitions.len(),
        records: records.into(),
        bytes: topic.partitions.iter().map(|partition| partition.bytes).sum(),
        internal: topic.name.is_internal(),
        team: definition.as_ref().map(|definition| definition.team.to_string()),
        summary: definition.and_then(|definition| definition.summary.clone()),
    }
}

fn topic_view(api: &Api, topic: Topic) -> TopicView {
    let definition = api.state.catalogue.event(&topic.name);
    TopicView {
        name: topic.name.to_string(),
        id: topic.id.to_string(),
        internal: topic.name.is_internal(),
        team: definition.as_ref().map(|definition| definition.team.to_string()),
        summary: definition.and_then(|definition| definition.summary.clone()),
        partitions: topic.partitions.iter().map(partition_view).collect(),
        config: settings::shown(topic.config),
    }
}

fn partition_view(bounds: &PartitionBounds) -> PartitionView {
    PartitionView {
        partition: bounds.partition,
        log_start: bounds.log_start.get().into(),
        high_watermark: bounds.high_watermark.get().into(),
        bytes: bounds.bytes,
        is_writable: bounds.is_writable,
        held_back: None,
    }
}
