//! Routes, and the document that describes them.
//!
//! Always holds: a route that the document does not have does not exist, but for the reference's two scripts and the
//! console's files and pages, which hold no data.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use factum_base::clients::ClientAddress;
use tracing::warn;
use utoipa::OpenApi;
use utoipa::openapi::{Content, ContentBuilder, OpenApi as OpenApiDocument, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{MEDIA_TYPE, Problem, Report};
use crate::record_view::RecordView;
use crate::state::Api;
use crate::{
    answers, catalogue, console, dashboards, groups, health, ingest, metrics, names, overview, pages,
    pipelines, project, records, sql, tables, tail, topics, views,
};

/// Paths that anyone may ask for.
const PUBLIC: [&str; 5] = ["/", "/docs", "/openapi.json", "/health/live", "/health/ready"];

const JSON: &str = "application/json";

#[derive(OpenApi)]
#[openapi(
    info(title = "Factum", description = "Events in, events out. Errors are `application/problem+json` (RFC 9457); \
        64-bit numbers are text where they can pass 2^53.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(Problem, RecordView)),
    tags(
        (name = "events", description = "Putting events in"),
        (name = "topics", description = "Topics and what they hold"),
        (name = "groups", description = "Consumer groups"),
        (name = "views", description = "Views, SQL, reference tables, and the pipelines that keep views true"),
        (name = "dashboards", description = "Pages of panels that show views"),
        (name = "catalogue", description = "Teams and the events that they own"),
        (name = "health", description = "Liveness, readiness, measures"),
        (name = "pages", description = "Pages for people"),
    ),
)]
struct Description;

static OPENAPI: LazyLock<String> =
    LazyLock::new(|| openapi().to_json().expect("a description made of text and numbers serialises") + "\n");

/// The OpenAPI document of every route.
pub fn openapi() -> OpenApiDocument {
    let (_, mut document) = described().split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            if !PUBLIC.contains(&path.as_str()) {
                let denied = ResponseBuilder::new().description("You may not do this");
                let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
                responses.insert("403".to_owned(), denied.content(JSON, problem).build().into());
            }
            responses
                .iter_mut()
                .filter(|(status, _)| status.as_str() >= "400")
                .for_each(|(_, found)| name_media_type(found));
        }
    }
    document
}

/// Errors have a media type of their own; `body = Problem` knows only the usual one.
fn name_media_type(response: &mut RefOr<utoipa::openapi::Response>) {
    let RefOr::T(response) = response else { return };
    let is_problem = |content: &RefOr<Content>| match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(found)), .. }) => found.ref_location.ends_with("/Problem"),
        _ => false,
    };
    if response.content.get(JSON).is_some_and(is_problem) {
        let content = response.content.swap_remove(JSON).expect("it was found just now");
        response.content.insert(MEDIA_TYPE.to_owned(), content);
    }
}

/// The same as text.
pub(crate) fn openapi_json() -> &'static str {
    &OPENAPI
}

/// Every route over `api`.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let (mut router, _) = described().split_for_parts();
    for place in console::PLACES {
        router =
            router.route(place, get(console::page)).route(&format!("{place}/{{*rest}}"), get(console::page));
    }
    router
        .route("/docs/start.js", get(pages::docs_script))
        .route("/docs/scalar.js", get(pages::docs_scalar))
        .route("/assets/{*name}", get(console::hashed))
        .fallback(console::other)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), answers::count))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), names::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), measure))
        .with_state(api)
}

fn described() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(ingest::post_events))
        .routes(routes!(topics::list_topics, topics::create_topic))
        .routes(routes!(topics::get_topic, topics::alter_topic, topics::delete_topic))
        .routes(routes!(topics::get_sample))
        .routes(routes!(records::list_records))
        .routes(routes!(tail::tail_topic))
        .routes(routes!(groups::list_groups))
        .routes(routes!(groups::get_group, groups::delete_group))
        .routes(routes!(groups::reset_offsets))
        .routes(routes!(views::list_views))
        .routes(routes!(views::get_view))
        .routes(routes!(views::follow_view))
        .routes(routes!(views::follow_views))
        .routes(routes!(sql::post_sql))
        .routes(routes!(sql::explain_sql))
        .routes(routes!(tables::get_row))
        .routes(routes!(pipelines::list_pipelines))
        .routes(routes!(pipelines::get_pipeline))
        .routes(routes!(dashboards::list_dashboards))
        .routes(routes!(dashboards::get_dashboard))
        .routes(routes!(catalogue::list_teams))
        .routes(routes!(catalogue::get_catalogue))
        .routes(routes!(project::get_project))
        .routes(routes!(overview::get_overview))
        .routes(routes!(overview::follow_overview))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(pages::metrics))
        .routes(routes!(pages::index))
        .routes(routes!(pages::docs))
        .routes(routes!(pages::openapi))
}

async fn measure(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = api.state.clock.monotonic();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let client = request.extensions().get().copied().unwrap_or(ClientAddress::UNKNOWN);
    let response = next.run(request).await;
    if let Some(Report { what, subject, reason }) = response.extensions().get()
        && let Some(left_out) = api.may_log(client)
    {
        warn!(%client, subject, reason, left_out, "{what}");
    }
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let elapsed = api.state.clock.monotonic().saturating_duration_since(started);
    metrics::observe_request(route, response.status().as_u16(), elapsed);
    response
}
