//! The extractor of Azure's requests: who asks, what the path names, and how links to this server begin.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::header;
use axum::http::request::Parts;
use factum_registry::{GroupName, Subject};
use serde::de::DeserializeOwned;

use super::error::Failure;
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::percent::percent_encoded;

/// Versions of the API that are spoken; they differ in the formats of schemas.
const API_VERSIONS: [&str; 3] = ["2021-10", "2022-10", "2023-07-01"];
/// The one that the client library asks for.
const USUAL_VERSION: &str = "2022-10";

/// A request, but for its body.
pub(super) struct Ask<P> {
    pub(super) caller: Caller,
    pub(super) path: P,
    pub(super) links: Links,
}

/// How links to this server begin and end.
pub(super) struct Links {
    base: String,
    api_version: &'static str,
}

impl Links {
    /// The address of what the path's parts name, each of them encoded.
    pub(super) fn to(&self, parts: &[&str]) -> String {
        let mut link = format!("{}/$schemaGroups", self.base);
        for part in parts {
            link.push('/');
            link.push_str(&encoded(part));
        }
        link + "?api-version=" + self.api_version
    }
}

/// Percent-encodes all but unreserved characters, and `$`, which Azure's own parts of a path begin with.
fn encoded(part: &str) -> String {
    percent_encoded(part, |byte| byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte))
}

impl<P: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for Ask<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let found = Path::<P>::from_request_parts(parts, api).await;
        let Path(path) = found.map_err(Failure::invalid)?;
        let links = Links { base: base(parts, api), api_version: api_version(parts)? };
        Ok(Self { caller, path, links })
    }
}

fn base(parts: &Parts, api: &Api) -> String {
    let scheme = if api.options.tls.is_some() { "https" } else { "http" };
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

/// The version asked for; a person with curl may leave it out.
fn api_version(parts: &Parts) -> Result<&'static str, Failure> {
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    let given = pairs.filter_map(|pair| pair.strip_prefix("api-version=")).next();
    match given {
        None => Ok(USUAL_VERSION),
        Some(given) => API_VERSIONS.into_iter().find(|known| *known == given).ok_or_else(|| {
            let known = API_VERSIONS.join(", ");
            Failure::invalid(format_args!("unknown api-version {given:?}: it is one of {known}"))
        }),
    }
}

/// The subject that a group and a schema's name stand for.
///
/// # Errors
/// 400 where they are no such names.
pub(super) fn subject(group: &str, name: &str) -> Result<Subject, Failure> {
    let group: GroupName = group.parse().map_err(Failure::invalid)?;
    group.subject(name).map_err(Failure::invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_encoded_part_by_part() {
        let links = Links { base: "https://localhost:8080".to_owned(), api_version: "2022-10" };
        assert_eq!(
            links.to(&["a b", "schemas", "ü/x", "versions"]),
            "https://localhost:8080/$schemaGroups/a%20b/schemas/%C3%BC%2Fx/versions?api-version=2022-10"
        );
    }
}
