//! Access rules: list, create, delete.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factum_access::{Acl, AclError, AclFilter, PatternFilter, ResourcePattern};
use factum_api::access::{AclList, AclQuery, AclView};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, Params};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The routes of access rules.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_acls, create_acls, delete_acls))
}

/// List access rules
#[utoipa::path(get, path = "/api/v1/acls", tag = "access",
    params(("resource_type" = Option<String>, Query, example = "topic"), ("name" = Option<String>, Query, example = "store.orders"),
        ("pattern_type" = Option<String>, Query, description = "`match`: the rules that apply to the resource of that name", example = "match"),
        ("principal" = Option<String>, Query, example = "User:alice"), ("host" = Option<String>, Query, example = "*"),
        ("operation" = Option<String>, Query, example = "read"), ("permission" = Option<String>, Query, example = "allow")),
    responses((status = 200, body = AclList), (status = 409, body = Problem, description = "No listener goes by rules")))]
async fn list_acls(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<AclQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::AccessRules)?;
    check_enforced(&api)?;
    let filter = filter(&query)?;
    let list = move |api: Arc<Api>| {
        let filter = filter.clone();
        async move { Ok(AclList { acls: api.state.access.acls().list(&filter).iter().map(view).collect() }) }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Create access rules, all or none
///
/// A rule that is there already stays.
#[utoipa::path(post, path = "/api/v1/acls", tag = "access",
    request_body(content = AclList, example = json!({"acls": [{"resource_type": "topic", "name": "store.",
        "pattern_type": "prefixed", "principal": "User:alice", "operation": "read"}]})),
    responses((status = 201, body = AclList), (status = 409, body = Problem, description = "No listener goes by rules"),
        (status = 422, body = Problem, description = "A rule that cannot be, or too many")))]
async fn create_acls(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Alter, Resource::AccessRules)?;
    check_enforced(&api)?;
    let (head, body) = request.into_parts();
    let wish: AclList = api.bodies.read_json(&head, body).await?;
    let read = |(index, view)| acl(view).map_err(|error| Problem::refused(error).in_rule(index));
    let acls: Vec<Acl> = wish.acls.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let created = AclList { acls: acls.iter().map(view).collect() };
    api.state.access.add_acls(caller.principal(), acls).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// Delete the access rules that a query means
///
/// At least one parameter says which.
#[utoipa::path(delete, path = "/api/v1/acls", tag = "access",
    params(("resource_type" = Option<String>, Query, example = "topic"), ("name" = Option<String>, Query, example = "store.orders"),
        ("pattern_type" = Option<String>, Query, example = "literal"),
        ("principal" = Option<String>, Query, example = "User:alice"), ("host" = Option<String>, Query, example = "*"),
        ("operation" = Option<String>, Query, example = "read"), ("permission" = Option<String>, Query, example = "allow")),
    responses((status = 200, body = AclList, description = "Those that are gone"),
        (status = 409, body = Problem, description = "No listener goes by rules")))]
async fn delete_acls(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<AclQuery>,
) -> Result<Json<AclList>, Problem> {
    caller.may(Action::Alter, Resource::AccessRules)?;
    check_enforced(&api)?;
    if query == AclQuery::default() {
        return Err(Problem::malformed("which rules? principal=, resource_type=, name=, … say it"));
    }
    let found = api.state.access.acls().list(&filter(&query)?);
    let gone = AclList { acls: found.iter().map(view).collect() };
    api.state.access.remove_acls(caller.principal(), found).await?;
    Ok(Json(gone))
}

/// Refuses rules where no listener goes by them: they would look as if they protected something.
fn check_enforced(api: &Api) -> Result<(), Problem> {
    match api.state.access.is_enforced() {
        true => Ok(()),
        false => {
            let help = "access = \"acl\" in the configuration has listeners go by them";
            Err(Problem::conflict("no listener goes by access rules").helped(Some(help)))
        }
    }
}

fn acl(view: AclView) -> Result<Acl, AclError> {
    let resource = ResourcePattern {
        resource_type: view.resource_type.parse()?,
        pattern_type: view.pattern_type.parse()?,
        name: view.name.into(),
    };
    let acl = Acl {
        resource,
        principal: view.principal.into(),
        host: view.host.parse()?,
        operation: view.operation.parse()?,
        permission: view.permission.parse()?,
    };
    acl.check()?;
    Ok(acl)
}

fn view(acl: &Acl) -> AclView {
    AclView {
        resource_type: acl.resource.resource_type.to_string(),
        name: acl.resource.name.to_string(),
        pattern_type: acl.resource.pattern_type.to_string(),
        principal: acl.principal.to_string(),
        host: acl.host.to_string(),
        operation: acl.operation.to_string(),
        permission: acl.permission.to_string(),
    }
}

fn filter(query: &AclQuery) -> Result<AclFilter, Problem> {
    fn word<T: std::str::FromStr<Err = AclError>>(text: Option<&String>) -> Result<Option<T>, Problem> {
        text.map(|text| text.parse())
            .transpose()
            .map_err(|error| Problem::malformed(error).with("in", "query"))
    }
    let pattern = match query.pattern_type.as_deref() {
        None | Some("any") => PatternFilter::Any,
        Some("match") => PatternFilter::Match,
        Some(_) => word(query.pattern_type.as_ref())?.map_or(PatternFilter::Any, PatternFilter::Only),
    };
    Ok(AclFilter {
        resource_type: word(query.resource_type.as_ref())?,
        name: query.name.clone(),
        pattern,
        principal: query.principal.clone(),
        host: query.host.clone(),
        operation: word(query.operation.as_ref())?,
        permission: word(query.permission.as_ref())?,
    })
}
