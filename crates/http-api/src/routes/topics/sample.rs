//! A sample of a topic's event, for a command to copy.

use std::sync::Arc;

use axum::extract::State;
use factum_types::{Action, Resource};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::{Caller, TopicPath};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::routes::catalogue;

/// Data that the topic accepts.
#[derive(Serialize, ToSchema)]
pub(crate) struct SampleView {
    /// Made from the event's contract, its key and its time, else from the latest schema of the topic's values in the registry;
    /// null where there is neither.
    #[schema(value_type = Option<Object>, example = json!({"order_id": "text", "email": "ada@example.com"}))]
    data: Option<Value>,
}

/// The route of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(get_sample))
}

/// Get a sample event
#[utoipa::path(get, path = "/api/v1/topics/{topic}/sample", tag = "topics", params(("topic" = String, Path)),
    responses((status = 200, body = SampleView)))]
pub(super) async fn get_sample(
    State(api): State<Arc<Api>>,
    caller: Caller,
    TopicPath(name): TopicPath,
) -> Result<Json<SampleView>, Problem> {
    caller.may(Action::Describe, Resource::Topic(&name))?;
    let event = api.state.catalogue.event(&name);
    let (registry, now) = (api.state.registry.clone(), api.state.clock.now());
    let may_see_schema = caller.sees(Resource::subject(name.as_str()));
    let make = move || match may_see_schema || event.is_some() {
        true => catalogue::example(&registry, &name, event.as_deref(), now),
        false => None,
    };
    Ok(Json(SampleView { data: api.schema_work.run(caller.client(), make).await }))
}
