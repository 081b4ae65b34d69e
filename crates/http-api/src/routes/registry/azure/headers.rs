//! Headers of responses about one version: they say all that Azure's clients know of it.

use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use factum_registry::{GroupName, SubjectVersion};

use super::ask::Links;

/// The headers of a version.
pub(super) fn of(found: &SubjectVersion, links: &Links) -> HeaderMap {
    let context = found.subject.context();
    // A context whose name no group can have is reached by the ids of its versions alone.
    let group = GroupName::of_context(context)
        .map_or_else(|| context.trim_start_matches('.').to_owned(), |group| group.to_string());
    let (name, version, id) =
        (found.subject.name(), found.version.to_string(), found.version_id().to_string());
    let versions = [group.as_str(), "schemas", name, "versions"];
    let headers = [
        (LOCATION, links.to(&[group.as_str(), "schemas", name, "versions", &version])),
        (HeaderName::from_static("schema-id-location"), links.to(&["$schemas", &id])),
        (HeaderName::from_static("schema-versions-location"), links.to(&versions)),
        (HeaderName::from_static("schema-id"), id),
        (HeaderName::from_static("schema-version"), version),
        (HeaderName::from_static("schema-group-name"), group.clone()),
        (HeaderName::from_static("schema-name"), name.to_owned()),
    ];
    // Names have no control characters, and a header takes any other byte.
    let valid =
        headers.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?)));
    valid.collect()
}
