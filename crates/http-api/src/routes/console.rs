//! The console: files that were built beside the binary and are carried in it.
//!
//! ```text
//!   /                    for browsers the console, for everyone else where things are
//!   /topics/store.orders the same page; its script reads the address
//!   /assets/x-1a2b3c.js  files whose names hold what is in them: kept by browsers without an end
//! ```
//!
//! Invariants: nothing here is asked of another server, and the policy says so to the browser; a page works at any
//! path that a proxy puts before it, as far as its own references are relative; a build without the console says how
//! to get it.

mod assets;

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::OnceCell;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::http::problem::Problem;
use assets::{Asset, Assets};

/// Places that the console has pages for, besides `/`.
const PLACES: [&str; 9] = [
    "/topics",
    "/catalogue",
    "/groups",
    "/registry",
    "/views",
    "/sql",
    "/pipelines",
    "/dashboards",
    "/access",
];

const PLACEHOLDER: &str = include_str!("../../assets/placeholder.html");
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
/// References that are relative to the root, as the build writes them.
const RELATIVE: &str = "=\"./";

/// The console's pages and files, of which the OpenAPI document says nothing.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    let files = OpenApiRouter::new().route("/assets/{*name}", get(hashed));
    PLACES.into_iter().fold(files, |router, place| {
        router.route(place, get(page)).route(&format!("{place}/{{*rest}}"), get(page))
    })
}

/// Compressing takes a moment, so it is done once and not at the start.
static ASSETS: OnceCell<Assets> = OnceCell::const_new();

async fn embedded() -> &'static Assets {
    let load =
        || async { tokio::task::spawn_blocking(Assets::embedded).await.expect("compressing does not panic") };
    ASSETS.get_or_init(load).await
}

/// Whether a browser asks for a page, and not a program for data.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|accept| accept.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

/// A page of the console.
pub(crate) async fn page(uri: Uri, headers: HeaderMap) -> Response {
    match is_browser(&headers) {
        true => page_response(embedded().await, uri.path(), &headers),
        false => Problem::no_page(&uri).into_response(),
    }
}

/// A file whose name holds what is in it.
pub(crate) async fn hashed(
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match embedded().await.get(&format!("assets/{name}")) {
        Some(asset) => Ok(asset_response(asset, FOR_EVER, &headers)),
        None => Err(Problem::no_page(&uri)),
    }
}

/// A file beside the page, such as an icon; whatever else there is not.
pub(crate) async fn other(method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let name = uri.path().trim_start_matches('/');
    let is_read = method == Method::GET || method == Method::HEAD;
    // The page itself is given at its places alone, with its policy.
    match embedded().await.get(name).filter(|_| is_read && name != assets::PAGE) {
        Some(asset) => Ok(asset_response(asset, ASK_AGAIN, &headers)),
        None => Err(Problem::no_page(&uri)),
    }
}

/// The page for `path`, whose references lead up from there.
fn page_response(assets: &Assets, path: &str, headers: &HeaderMap) -> Response {
    let html = assets.get(assets::PAGE).and_then(|page| std::str::from_utf8(&page.bytes).ok());
    let depth = path.matches('/').count().saturating_sub(1);
    let up = match depth {
        0 => "./".to_owned(),
        depth => "../".repeat(depth),
    };
    let html = html.unwrap_or(PLACEHOLDER).replace(RELATIVE, &format!("=\"{up}"));
    let mut response = asset_response(&Asset::page(html), ASK_AGAIN, headers);
    let (policy, vary) = (HeaderValue::from_static(POLICY), HeaderValue::from_static("accept"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    // The same address gives programs something else.
    response.headers_mut().append(header::VARY, vary);
    response
}

fn asset_response(asset: &Asset, caching: &'static str, headers: &HeaderMap) -> Response {
    let common: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, caching),
        (header::ETAG, &asset.etag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == asset.etag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, asset.media_type)];
    match &asset.gzip {
        Some(gzip) if takes_gzip(headers) => {
            let encoding = [(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")];
            (common, kind, encoding, gzip.clone()).into_response()
        }
        Some(_) => (common, kind, [(header::VARY, "accept-encoding")], asset.bytes.clone()).into_response(),
        None => (common, kind, asset.bytes.clone()).into_response(),
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let refused = |coding: &str| coding.replace(' ', "").ends_with(";q=0");
    let is_gzip = |coding: &str| coding.trim().split(';').next().is_some_and(|name| name.trim() == "gzip");
    accept.flat_map(|accept| accept.split(',')).any(|coding| is_gzip(coding) && !refused(coding))
}

#[cfg(test)]
mod tests;
