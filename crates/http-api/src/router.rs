//! The router: all routes, and what every request goes through before them.
//!
//! Invariants: a route that the OpenAPI document does not have does not exist, but for the reference's two scripts and the
//! console's files and pages, which hold no data.

use std::sync::{Arc, LazyLock};

use axum::middleware;
use axum::{Extension, Router};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::http::{host_check, measure, responses};
use crate::openapi::{self, Description, DocumentText};
use crate::routes;

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| document().to_json().expect("a description made of text and numbers serialises") + "\n");

/// The OpenAPI document of every route.
pub fn document() -> OpenApiDocument {
    let (_, mut document) = documented_routes().split_for_parts();
    openapi::complete(&mut document);
    document
}

/// Every route over `api`.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let (router, _) = documented_routes().split_for_parts();
    router
        .fallback(routes::console::other)
        .method_not_allowed_fallback(routes::pages::wrong_method)
        .layer(Extension(DocumentText(&DOCUMENT)))
        .layer(middleware::from_fn_with_state(Arc::clone(&api.responses), responses::count))
        .layer(middleware::from_fn_with_state(Arc::clone(&api.host_check), host_check::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), measure::measure))
        .with_state(api)
}

fn documented_routes() -> OpenApiRouter<Arc<Api>> {
    let routes = [
        routes::events::routes(),
        routes::topics::routes(),
        routes::records::routes(),
        routes::tail::routes(),
        routes::groups::routes(),
        routes::transactions::routes(),
        routes::views::routes(),
        routes::sql::routes(),
        routes::tables::routes(),
        routes::pipelines::routes(),
        routes::dashboards::routes(),
        routes::catalogue::routes(),
        routes::registry::routes(),
        routes::schema_groups::routes(),
        routes::project::routes(),
        routes::users::routes(),
        routes::acls::routes(),
        routes::quotas::routes(),
        routes::overview::routes(),
        routes::health::routes(),
        routes::pages::routes(),
        routes::console::routes(),
    ];
    let described = OpenApiRouter::with_openapi(Description::openapi());
    routes.into_iter().fold(described, OpenApiRouter::merge)
}
