//! Pages and documents that are the same for everyone: the first page, the API reference, the metrics.
//!
//! Invariants: a page asks nothing of any other server, and its content security policy says so to the
//! browser. The reference is Scalar (MIT, `assets/scalar`), carried in the binary.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use factum_types::{Action, Resource};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::group_metrics;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
use crate::openapi::DocumentText;
use crate::routes::console;

const INDEX: &str = include_str!("../../assets/index.html");
const DOCS: &str = include_str!("../../assets/docs.html");
const DOCS_SCRIPT: &str = include_str!("../../assets/docs.js");
/// Scalar's own bundle, compressed when it was taken in.
const SCALAR: &[u8] = include_bytes!("../../assets/scalar/standalone.js.gz");

const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    font-src 'self' data:; object-src 'none'; frame-ancestors 'none'";

type Headers<const N: usize> = [(HeaderName, &'static str); N];

/// The routes of pages.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(metrics))
        .routes(routes!(index, post_index))
        .routes(routes!(docs))
        .routes(routes!(openapi))
        .route("/docs/start.js", get(docs_script))
        .route("/docs/scalar.js", get(docs_scalar))
}

/// The console
///
/// For browsers; clients of the schema registry, which ask for JSON, get an empty object to see that it is there, and everyone else is
/// told where things are.
#[utoipa::path(get, path = "/", tag = "pages", responses((status = 200, content_type = "text/html", body = String)))]
async fn index(uri: Uri, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let takes_json = accept.flat_map(|accept| accept.split(',')).any(|kind| kind.contains("json"));
    match console::is_browser(&headers) {
        true => console::page(uri, headers).await,
        false if takes_json => ([(header::VARY, "accept")], Json(json!({}))).into_response(),
        false => ([(header::VARY, "accept")], page(INDEX)).into_response(),
    }
}

/// The root of the schema registry
///
/// Does nothing, as in Confluent's registry.
#[utoipa::path(post, path = "/", tag = "pages", responses((status = 200, body = Object, example = json!({}))))]
async fn post_index() -> Json<Value> {
    Json(json!({}))
}

/// API reference, to read and to try
#[utoipa::path(get, path = "/docs", tag = "pages", responses((status = 200, content_type = "text/html", body = String)))]
async fn docs() -> impl IntoResponse {
    page(DOCS)
}

/// OpenAPI document
#[utoipa::path(get, path = "/openapi.json", tag = "pages", responses((status = 200, body = Object)))]
async fn openapi(Extension(document): Extension<DocumentText>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.0.as_str())
}

/// Metrics
///
/// In Prometheus' text exposition format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content_type = "text/plain; version=0.0.4", body = String,
        example = "# TYPE factum_http_requests_total counter\nfactum_http_requests_total{route=\"/events/{topic}\",status=\"202\"} 7\n")))]
async fn metrics(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let shown = Arc::clone(&api);
    let render = move || {
        let api = Arc::clone(&shown);
        async move {
            let mut text = api.state.metrics.render();
            // The other metrics are told whatever is wrong with the groups.
            if let Ok(groups) = api.log().groups().await {
                let now = api.state.clock.monotonic();
                text.push_str(&group_metrics::render(&groups, &api.partition_ends, now));
            }
            let transactions = &api.state.transactions;
            let (open, held) = (transactions.transactions().await, transactions.held_back().await);
            text.push_str(&group_metrics::render_transactions(&open, &held));
            Ok(text.into_bytes())
        }
    };
    api.responses
        .document(caller.client(), DocumentKind::List, "text/plain; version=0.0.4; charset=utf-8", render)
        .await
}

/// The script that starts the reference.
async fn docs_script() -> impl IntoResponse {
    let headers: Headers<2> =
        [(header::CONTENT_TYPE, "text/javascript"), (header::CACHE_CONTROL, "no-cache")];
    (headers, DOCS_SCRIPT)
}

/// The reference's own code. Every browser takes gzip; nothing else asks for it.
async fn docs_scalar() -> impl IntoResponse {
    let headers: Headers<3> = [
        (header::CONTENT_TYPE, "text/javascript"),
        (header::CONTENT_ENCODING, "gzip"),
        (header::CACHE_CONTROL, "max-age=86400"),
    ];
    (headers, SCALAR)
}

/// A path that exists, asked for in a way that it does not have.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        // No `Access-Control-` header: a page of another origin may not use this API, and its browser tells it so.
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{} does not take {method}; /docs lists what it takes", uri.path());
    Problem::wrong_method(detail).into_response()
}

fn page(html: &'static str) -> impl IntoResponse {
    let headers: Headers<3> = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, html)
}
