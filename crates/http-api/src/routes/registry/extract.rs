//! Extractors of requests to the registry: subjects, versions, a schema.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use factum_api::registry::{SchemaReference, SchemaRequest};
use factum_base::tasks::Stop;
use factum_registry::{
    LookUpError, NewSchema, Reference, ReferenceError, SchemaType, Subject, SubjectVersion, VersionFilter,
    VersionSelector,
};
use factum_types::{Action, Principal, Resource};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::Failure;
use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::subject_access::{may, may_refer, sees};

/// A path's parts, in words of the registry.
pub(super) struct PathNames<T>(pub(super) T);

impl<T: FromPath> FromRequestParts<Arc<Api>> for PathNames<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Api>) -> Result<Self, Failure> {
        let found = Path::<T::Segments>::from_request_parts(parts, state).await;
        let Path(segments) = found.map_err(|error| Failure::new(StatusCode::BAD_REQUEST, 400, error))?;
        let named = T::from_segments(segments)?;
        let path = parts.uri.path();
        // Settings and modes are those of the alias itself.
        let follows =
            ["/subjects/", "/compatibility/subjects/"].iter().any(|prefix| path.starts_with(prefix));
        Ok(Self(if follows { named.follow_alias(&state.state.registry) } else { named }))
    }
}

/// A value that a path names.
pub(super) trait FromPath: Sized {
    /// The path's parameters.
    type Segments: DeserializeOwned + Send;

    /// Reads it.
    fn from_segments(segments: Self::Segments) -> Result<Self, Failure>;

    /// The same with the subject that its subject stands for.
    #[must_use]
    fn follow_alias(self, _: &factum_registry::Registry) -> Self {
        self
    }
}

impl FromPath for Subject {
    type Segments = String;

    fn from_segments(text: String) -> Result<Self, Failure> {
        Ok(Self::parse(&text)?)
    }

    fn follow_alias(self, registry: &factum_registry::Registry) -> Self {
        registry.follow_alias(self)
    }
}

impl FromPath for (Subject, VersionSelector) {
    type Segments = (String, String);

    fn from_segments((subject, version): (String, String)) -> Result<Self, Failure> {
        Ok((Subject::parse(&subject)?, VersionSelector::from_str(&version)?))
    }

    fn follow_alias(self, registry: &factum_registry::Registry) -> Self {
        (registry.follow_alias(self.0), self.1)
    }
}

/// Query parameters; unknown ones are passed over, as by Confluent's registry.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let found = axum::extract::Query::try_from_uri(&parts.uri);
        let axum::extract::Query(found) =
            found.map_err(|error| Failure::new(StatusCode::BAD_REQUEST, 400, error))?;
        Ok(Self(found))
    }
}

/// A parameter that is `true` or, whatever else it says, false.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(deserializer)?.eq_ignore_ascii_case("true"))
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    offset: i64,
    limit: Option<i64>,
}

impl Page {
    /// From `offset` on, `limit` of them.
    pub(super) fn new(offset: i64, limit: Option<i64>) -> Self {
        Self { offset, limit }
    }

    /// The part of `all`; a negative limit is none, and `most` is the limit of the server.
    pub(super) fn of<T>(&self, all: impl Iterator<Item = T>, most: usize) -> impl Iterator<Item = T> {
        let limit =
            self.limit.and_then(|limit| usize::try_from(limit).ok()).map_or(most, |limit| limit.min(most));
        all.skip(usize::try_from(self.offset).unwrap_or_default()).take(limit)
    }
}

/// Which versions count: those that are deleted too, or alone.
pub(super) fn filter(deleted: bool, deleted_only: bool) -> VersionFilter {
    match (deleted, deleted_only) {
        (_, true) => VersionFilter::Deleted,
        (true, false) => VersionFilter::All,
        (false, false) => VersionFilter::Live,
    }
}

/// Reads the body of a request as JSON, whatever media type it names.
///
/// # Errors
/// 413 and the like; 400 where it is not JSON; 422 where it has another shape.
pub(super) async fn body<T: DeserializeOwned>(api: &Api, request: Request) -> Result<T, Failure> {
    let (head, body) = request.into_parts();
    let received = api.bodies.read(&head, body).await?;
    serde_json::from_slice(&received.bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            422,
            format!("the body is no such request: {error}"),
        ),
        _ => Failure::new(StatusCode::BAD_REQUEST, 400, format!("the body is not JSON: {error}")),
    })
}

/// The schema that a request gives.
///
/// # Errors
/// 42201 for an unknown format, 42210 for rules that are none.
pub(super) fn new_schema(request: SchemaRequest, normalize: bool) -> Result<NewSchema, Failure> {
    let SchemaRequest { schema, schema_type, references, metadata, rule_set, id, version } = request;
    let schema_type = match schema_type {
        Some(name) => SchemaType::from_str(&name)
            .map_err(|error| Failure::invalid_schema(format!("Invalid schema: {error}")))?,
        None => SchemaType::default(),
    };
    let metadata =
        part(metadata).map_err(|error| Failure::invalid_schema(format!("Invalid metadata: {error}")))?;
    let rule_set =
        part(rule_set).map_err(|error| Failure::invalid_rule_set(format!("Invalid rule set: {error}")))?;
    let references = references.unwrap_or_default().into_iter();
    let references =
        references.map(|SchemaReference { name, subject, version }| Reference { name, subject, version });
    Ok(NewSchema {
        id: id.filter(|id| *id >= 0),
        version: version.filter(|version| *version > 0),
        schema_type,
        text: schema.unwrap_or_default(),
        references: references.collect(),
        metadata,
        rule_set,
        normalize,
        keeps_definition: false,
    })
}

fn part<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, serde_json::Error> {
    value.filter(|value| !value.is_null()).map(serde_json::from_value).transpose()
}

/// Asks whether the caller may do `action` with a scope of settings: a subject or a context, or all subjects without one.
///
/// # Errors
/// 401, 403.
pub(super) fn may_in(caller: &Caller, action: Action, scope: Option<&Subject>) -> Result<(), Failure> {
    match scope {
        Some(subject) => may(caller, action, subject)?,
        None => caller.may(action, Resource::Cluster)?,
    }
    Ok(())
}

/// A version that was found, if the caller may see it: one that it named, or that another context has.
///
/// # Errors
/// 401; 404 as where `asked` is not there.
pub(super) fn seen(
    caller: &Caller,
    asked: &Subject,
    found: SubjectVersion,
) -> Result<SubjectVersion, LookUpError> {
    match sees(caller, &found.subject) {
        true => Ok(found),
        false => Err(LookUpError::UnknownSubject { subject: asked.clone() }),
    }
}

/// The text of a version's schema in the form that a request asks for; as it is kept where the format has no such form.
///
/// # Errors
/// 42201 for a schema that cannot be read, as it was imported as it was; 403 for one that refers to what the caller may not see.
pub(super) async fn text_in(
    api: &Arc<Api>,
    caller: &Caller,
    found: &SubjectVersion,
    form: &str,
) -> Result<String, Failure> {
    let kept = || found.schema().text.to_string();
    if form.is_empty() {
        return Ok(kept());
    }
    let registry = &api.state.registry;
    let referred = may_refer(registry, caller, &found.subject, &found.schema().references);
    if let Err(ReferenceError::Unknown { subject, .. }) = referred {
        may(caller, Action::Describe, &subject)?;
    }
    let (version, form) = (found.clone(), form.to_owned());
    let read = move |registry: &factum_registry::Registry| {
        registry.parsed(&version).map(|parsed| parsed.formatted(&form))
    };
    Ok(read_schemas(api, caller, read).await?.unwrap_or_else(kept))
}

/// Does `work`, which reads schemas, on a thread for blocking work; it ends early once this is dropped, as its client has gone, or the
/// server stops.
pub(super) async fn read_schemas<T: Send + 'static>(
    api: &Arc<Api>,
    caller: &Caller,
    work: impl FnOnce(&factum_registry::Registry) -> T + Send + 'static,
) -> T {
    let stop = StopOnDrop(api.stop.child());
    let registry = api.state.registry.until(stop.0.clone());
    let user = Some(caller.principal()).filter(|principal| **principal != Principal::anonymous());
    let user = user.map(ToString::to_string);
    api.schema_work.run_for(caller.client(), user, move || work(&registry)).await
}

/// Ends work that no one waits for any more.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}
