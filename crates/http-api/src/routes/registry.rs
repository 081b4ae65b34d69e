//! The schema registry, by the REST API of Confluent's; and by that of Azure's, over the same store (`azure`).
//!
//! ```text
//!   /subjects /schemas /compatibility /config /mode /contexts
//!        │ Accept ─▶ media type    path, query, body ─▶ Registry ─▶ its shapes, or {"error_code", "message"}
//! ```
//!
//! Invariants: a path, its parameters and its error codes are Confluent's, so that its clients work unchanged. Who may see a topic
//! may see its subjects (`<topic>-key`, `<topic>-value`), and who may write it may register their schemas
//! ([`crate::http::subject_access`]). Schemas are read and
//! compared on threads for blocking work, few at a time, of which one client address has half.
//!
//! `/api/v1/subjects` is Factum's own: what tools for people show, in one request.
//!
//! Not here: associations, data encryption keys and clusters of registries: those paths do not exist.

pub(crate) mod azure;
mod compatibility;
mod config;
mod contexts;
mod error;
mod extract;
mod impact;
mod media_type;
mod mode;
mod registration;
mod reply;
mod schemas;
mod subject_views;
mod subjects;
mod versions;

use std::sync::Arc;

use axum::middleware;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;

/// The tag of these routes in the OpenAPI document; its errors have a shape of their own.
pub(crate) const TAG: &str = "schema registry";

/// The routes of the registry.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    let routes = [
        subjects::routes(),
        versions::routes(),
        schemas::routes(),
        compatibility::routes(),
        config::routes(),
        mode::routes(),
        contexts::routes(),
    ];
    let merged = routes.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    merged
        .layer(middleware::from_fn(media_type::negotiate))
        .merge(subject_views::routes())
        .merge(impact::routes())
        .merge(azure::routes())
}
