//! The schema registry, by the REST API of Azure Schema Registry (2021-10, 2022-10, 2023-07-01).
//!
//! ```text
//!   /$schemaGroups/orders/schemas/example.User     group `orders`, schema `example.User`
//!        │                                          = subject `:.orders:example.User` of Confluent's API
//!        └─▶ Registry ─▶ 204 with headers, or the definition byte for byte, or {"error":{"code","message"}}
//! ```
//!
//! Invariants: the store, who may do what, and the limits are those of Confluent's API. A definition is given back as it came.
//!
//! Not here: groups that are created and deleted, which are resources of Azure's manager (`schema_groups`); schemas of type `Custom`.

mod ask;
mod definition;
mod error;
mod groups;
mod headers;
mod schemas;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;

/// The tag of these routes in the OpenAPI document; its errors have a shape of their own.
pub(crate) const TAG: &str = "azure schema registry";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    groups::routes().merge(schemas::routes())
}
