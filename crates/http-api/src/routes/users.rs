//! Users: list, get, create, set a password, delete.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factum_access::{
    CredentialChange, ITERATIONS, MAX_PASSWORD_BYTES, ScramCredential, ScramMechanism, User,
    check_new_user_name,
};
use factum_api::access::{NewPassword, NewUser, Password, UserList, UserMechanism, UserView};
use factum_types::{Action, Resource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath};
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;

/// The fewest bytes of a password that a person chooses here.
const MIN_PASSWORD_BYTES: usize = 8;

/// The routes of users.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, delete_user))
        .routes(routes!(set_password))
}

/// List the users that may log in
#[utoipa::path(get, path = "/api/v1/users", tag = "access",
    responses((status = 200, body = UserList, example = json!({"users": [{"name": "alice",
        "mechanisms": [{"mechanism": "SCRAM-SHA-512", "iterations": 4096}]}]}))))]
async fn list_users(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::AccessRules)?;
    let list = |api: Arc<Api>| async move {
        Ok(UserList { users: api.state.access.users().list().into_iter().map(view).collect() })
    };
    document(&api, &caller, DocumentKind::List, list).await
}

/// Create a user
///
/// It may log in by SCRAM-SHA-256 and SCRAM-SHA-512, and may do nothing until a rule allows it.
#[utoipa::path(post, path = "/api/v1/users", tag = "access",
    request_body(content = NewUser, example = json!({"name": "alice", "password": "correct horse"})),
    responses((status = 201, body = UserView), (status = 409, body = Problem, description = "There is one"),
        (status = 422, body = Problem, description = "The name or the password will not do")))]
async fn create_user(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Alter, Resource::AccessRules)?;
    let (head, body) = request.into_parts();
    let new: NewUser = api.bodies.read_json(&head, body).await?;
    check_new_user_name(&new.name).map_err(|error| Problem::refused(error).with("field", "name"))?;
    if api.state.access.users().get(&new.name).is_some() {
        return Err(Problem::conflict(format_args!("there is a user {} already", new.name)));
    }
    let changes = credentials(&api, &caller, new.password).await?;
    api.state.access.create_user(caller.principal(), &new.name, changes).await?;
    Ok((StatusCode::CREATED, Json(view(find(&api, &new.name)?))).into_response())
}

/// Get a user
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "access",
    params(("user" = String, Path, example = "alice")),
    responses((status = 200, body = UserView), (status = 404, body = Problem)))]
async fn get_user(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(name): NamePath,
) -> Result<Json<UserView>, Problem> {
    caller.may(Action::Describe, Resource::AccessRules)?;
    Ok(Json(view(find(&api, &name)?)))
}

/// Set a user's password
///
/// Connections that are open stay; the next log-in needs the new one.
#[utoipa::path(post, path = "/api/v1/users/{user}/password", tag = "access",
    params(("user" = String, Path, example = "alice")),
    request_body(content = NewPassword, example = json!({"password": "correct horse"})),
    responses((status = 204), (status = 404, body = Problem),
        (status = 422, body = Problem, description = "The password will not do")))]
async fn set_password(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(name): NamePath,
    request: Request,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Alter, Resource::AccessRules)?;
    let (head, body) = request.into_parts();
    let new: NewPassword = api.bodies.read_json(&head, body).await?;
    find(&api, &name)?;
    let changes = credentials(&api, &caller, new.password).await?;
    api.state.access.change_known_user(caller.principal(), &name, changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a user
///
/// Its rules stay: a user of the same name would have them.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "access",
    params(("user" = String, Path, example = "alice")),
    responses((status = 204), (status = 404, body = Problem)))]
async fn delete_user(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(name): NamePath,
) -> Result<StatusCode, Problem> {
    caller.may(Action::Alter, Resource::AccessRules)?;
    let user = find(&api, &name)?;
    let all = user.mechanisms.into_iter().map(|(mechanism, _)| CredentialChange::Remove(mechanism));
    api.state.access.change_user(caller.principal(), &name, all.collect()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(api: &Api, name: &str) -> Result<User, Problem> {
    let found = api.state.access.users().get(name);
    found.ok_or_else(|| Problem::not_found(format_args!("there is no user {name}")))
}

/// What is kept of a password, for every mechanism.
async fn credentials(
    api: &Api,
    caller: &Caller,
    password: Password,
) -> Result<Vec<CredentialChange>, Problem> {
    let length = password.as_str().len();
    if !(MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&length) {
        let detail = format!(
            "the password has {length} bytes: {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} are possible"
        );
        return Err(Problem::refused(detail).with("field", "password"));
    }
    // A NUL at its end would make no difference, and no keyboard has the others.
    if password.as_str().contains(char::is_control) {
        let detail = "the password has a control character";
        return Err(Problem::refused(detail).with("field", "password"));
    }
    let random = api.state.random.clone();
    let hash = move || {
        let of = |mechanism| {
            let salt = [random.uuid().into_bytes(), random.uuid().into_bytes()].concat();
            let text = password.as_str();
            CredentialChange::Set(ScramCredential::from_password(mechanism, text, salt, ITERATIONS))
        };
        ScramMechanism::ALL.map(of).to_vec()
    };
    api.logins.hash(caller.client(), hash).await
}

fn view(user: User) -> UserView {
    let mechanisms = user.mechanisms.into_iter().map(|(mechanism, iterations)| UserMechanism {
        mechanism: mechanism.name().to_owned(),
        iterations: iterations.get(),
    });
    UserView { name: user.name, mechanisms: mechanisms.collect() }
}
