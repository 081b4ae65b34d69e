//! The OpenAPI document: what all routes share in it.
//!
//! Invariants: every route but the public ones has a 403, and every error is `application/problem+json`.
//!
//! Not here: what one route says of itself, which stands beside its handler, and the list of routes, which is the router's.

use std::sync::LazyLock;

use utoipa::OpenApi;
use utoipa::openapi::{
    Content, ContentBuilder, OpenApi as OpenApiDocument, Ref, RefOr, Response, ResponseBuilder,
};

use crate::http::problem::{MEDIA_TYPE, Problem};
use crate::http::record_view::RecordView;
use crate::routes::registry;

/// Paths that anyone may ask for.
const PUBLIC: [&str; 5] = ["/", "/docs", "/openapi.json", "/health/live", "/health/ready"];

const JSON: &str = "application/json";

/// What the document says of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Factum", description = "Events in, events out. Errors are `application/problem+json` (RFC 9457); \
        64-bit numbers are text where they can pass 2^53.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(Problem, RecordView)),
    tags(
        (name = "events", description = "Appending events"),
        (name = "topics", description = "Topics and their records"),
        (name = "groups", description = "Consumer groups"),
        (name = "transactions", description = "Transactions of producers, and what they hold back"),
        (name = "views", description = "Views, SQL, reference tables, and the pipelines that keep views up to date"),
        (name = "dashboards", description = "Pages of panels that show views"),
        (name = "schema registry", description = "Schemas of events, by the REST API of Confluent's registry"),
        (name = "azure schema registry", description = "The same schemas, by the REST API of Azure Schema Registry"),
        (name = "subjects", description = "Subjects of the schema registry, as tools for people show them"),
        (name = "catalogue", description = "Teams and the events that they own"),
        (name = "access", description = "Users, rules that say who may do what, and quotas that say how much"),
        (name = "health", description = "Liveness, readiness, metrics"),
        (name = "pages", description = "Pages for people"),
    ),
)]
pub(crate) struct Description;

/// The document as text, for the handler that serves it.
#[derive(Clone, Copy)]
pub(crate) struct DocumentText(pub(crate) &'static LazyLock<String>);

/// Adds to the document what holds for every route.
pub(crate) fn complete(document: &mut OpenApiDocument) {
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            // Its errors have a shape of their own.
            let has_own_errors = |tag: &String| [registry::TAG, registry::azure::TAG].contains(&tag.as_str());
            if operation.tags.iter().flatten().any(has_own_errors) {
                continue;
            }
            let responses = &mut operation.responses.responses;
            if !PUBLIC.contains(&path.as_str()) {
                let denied = ResponseBuilder::new().description("Forbidden");
                let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
                responses.insert("403".to_owned(), denied.content(JSON, problem).build().into());
            }
            responses
                .iter_mut()
                .filter(|(status, _)| status.as_str() >= "400")
                .for_each(|(_, found)| name_media_type(found));
        }
    }
}

/// Errors have a media type of their own; `body = Problem` knows only the usual one.
fn name_media_type(response: &mut RefOr<Response>) {
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
