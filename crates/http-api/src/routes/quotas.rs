//! Client quotas: list, change, delete.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use factum_access::{
    QuotaChange, QuotaEntity, QuotaError, QuotaFilter, QuotaKey, QuotaLimits, QuotaMatch, QuotaPart,
};
use factum_api::quotas::{QuotaList, QuotaPartView, QuotaQuery, QuotaView};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, Params};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of quotas.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_quotas, change_quotas, delete_quota))
}

/// List the quotas of Kafka clients
///
/// A parameter leaves those whose entity has this part.
#[utoipa::path(get, path = "/api/v1/quotas", tag = "access",
    params(("user" = Option<String>, Query, example = "alice"), ("client_id" = Option<String>, Query, example = "billing"),
        ("ip" = Option<String>, Query, example = "10.0.0.7"),
        ("default" = Option<String>, Query, description = "types of which the default is meant", example = "client-id")),
    responses((status = 200, body = QuotaList), (status = 400, body = Problem, description = "No such entity")))]
async fn list_quotas(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<QuotaQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::DescribeConfigs, Resource::Cluster)?;
    let filter = filter(&query)?;
    let list = move |api: Arc<Api>| {
        let filter = filter.clone();
        async move {
            let found = api.state.access.quotas().list(&filter);
            Ok(QuotaList { quotas: found.iter().map(|(entity, limits)| view(entity, *limits)).collect() })
        }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Change quotas, all or none
///
/// Limits that are not named stay, and `null` takes one away. In effect once it is answered.
#[utoipa::path(post, path = "/api/v1/quotas", tag = "access",
    request_body(content = QuotaList, example = json!({"quotas": [{"entity": [{"type": "user", "name": "alice"}],
        "limits": {"producer_byte_rate": 1_048_576, "request_percentage": null}}]})),
    responses((status = 200, body = QuotaList, description = "The entities as they are now"),
        (status = 422, body = Problem, description = "A quota that cannot be, or too many")))]
async fn change_quotas(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Json<QuotaList>, Problem> {
    caller.may(Action::AlterConfigs, Resource::Cluster)?;
    let (head, body) = request.into_parts();
    let wish: QuotaList = api.bodies.read_json(&head, body).await?;
    let read = |(index, view)| change(view).map_err(|error| Problem::refused(error).with("index", index));
    let changes: Vec<QuotaChange> = wish.quotas.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let entities: Vec<QuotaEntity> = changes.iter().map(|change| change.entity.clone()).collect();
    let access = &api.state.access;
    access.change_quotas(caller.principal(), changes).await?;
    let quotas = entities.iter().map(|entity| view(entity, access.quotas().get(entity)));
    Ok(Json(QuotaList { quotas: quotas.collect() }))
}

/// Delete the quota of an entity
///
/// The parameters say which, as for the list; it may have no other part.
#[utoipa::path(delete, path = "/api/v1/quotas", tag = "access",
    params(("user" = Option<String>, Query, example = "alice"), ("client_id" = Option<String>, Query, example = "billing"),
        ("ip" = Option<String>, Query, example = "10.0.0.7"), ("default" = Option<String>, Query, example = "client-id")),
    responses((status = 200, body = QuotaList, description = "What is gone"), (status = 404, body = Problem)))]
async fn delete_quota(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<QuotaQuery>,
) -> Result<Json<QuotaList>, Problem> {
    caller.may(Action::AlterConfigs, Resource::Cluster)?;
    let access = &api.state.access;
    let filter = QuotaFilter { is_strict: true, ..filter(&query)? };
    let found = access.quotas().list(&filter);
    if found.is_empty() {
        return Err(Problem::not_found("there is no such quota"));
    }
    let gone = |(entity, limits): &(QuotaEntity, QuotaLimits)| QuotaChange {
        entity: entity.clone(),
        limits: limits.iter().map(|(key, _)| (key, None)).collect(),
    };
    access.change_quotas(caller.principal(), found.iter().map(gone).collect()).await?;
    Ok(Json(QuotaList { quotas: found.iter().map(|(entity, limits)| view(entity, *limits)).collect() }))
}

fn change(view: &QuotaView) -> Result<QuotaChange, QuotaError> {
    let parts = view.entity.iter().map(|part| (part.kind.as_str(), part.name.as_deref()));
    let entity = QuotaEntity::from_parts(parts)?;
    let limit = |(key, value): (&String, &Option<f64>)| match QuotaKey::from_name(key) {
        Some(known) => Ok((known, *value)),
        None => Err(QuotaError::Key { key: key.chars().take(100).collect() }),
    };
    let limits = view.limits.iter().map(limit).collect::<Result<_, _>>()?;
    let change = QuotaChange { entity, limits };
    change.check()?;
    Ok(change)
}

fn view(entity: &QuotaEntity, limits: QuotaLimits) -> QuotaView {
    let parts = entity.parts().into_iter();
    QuotaView {
        entity: parts.map(|(part, name)| QuotaPartView { kind: part.name().to_owned(), name }).collect(),
        limits: limits.iter().map(|(key, value)| (key.name().to_owned(), Some(value))).collect(),
    }
}

/// What the parameters mean; they name an entity that could be, or nothing.
fn filter(query: &QuotaQuery) -> Result<QuotaFilter, Problem> {
    let named =
        [(QuotaPart::User, &query.user), (QuotaPart::ClientId, &query.client_id), (QuotaPart::Ip, &query.ip)];
    let mut parts: Vec<(&str, Option<&str>)> =
        named.iter().filter_map(|(part, name)| Some((part.name(), Some(name.as_deref()?)))).collect();
    parts.extend(query.default.iter().flat_map(|types| types.split(',')).map(|kind| (kind.trim(), None)));
    if parts.is_empty() {
        return Ok(QuotaFilter::default());
    }
    let entity = QuotaEntity::from_parts(parts);
    let entity = entity.map_err(|error| Problem::malformed(error).with("in", "query"))?;
    let wanted = |(part, name): (QuotaPart, Option<String>)| {
        (part, name.map_or(QuotaMatch::Default, QuotaMatch::Name))
    };
    Ok(QuotaFilter { parts: entity.parts().into_iter().map(wanted).collect(), is_strict: false })
}
