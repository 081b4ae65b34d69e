//! Subjects as tools for people show them: their formats, their versions, the level in effect.
//!
//! Not here: Confluent's list of subjects, which has their names alone (`subjects`).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use factum_api::subjects::{SubjectLine, SubjectList, SubjectView, VersionLine};
use factum_registry::{Registry, SchemaFilter, Subject, SubjectVersion, VersionFilter};
use factum_types::{Action, Resource, TopicName};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath, Params};
use crate::http::parameter::Whole;
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
use crate::http::subject_access::{sees, topic_of};

/// Subjects in one response, at most, and where the query does not say.
const MOST: i64 = 1000;
/// The prefix of subjects of every context.
const EVERYWHERE: &str = ":*:";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_subject_lines)).routes(routes!(get_subject))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// What the name has, in any case.
    q: Option<String>,
    /// The topic whose keys and values they describe.
    topic: Option<TopicName>,
    /// How many are passed over.
    offset: Option<Whole<0, { i64::MAX }, 1000>>,
    /// The most subjects, 1 to 1000; 1000 by default.
    limit: Option<Whole<1, MOST, 100>>,
}

impl ListQuery {
    fn admits(&self, subject: &Subject) -> bool {
        let name = subject.to_string();
        let has_text = self.q.as_ref().is_none_or(|text| name.to_lowercase().contains(&text.to_lowercase()));
        let is_of_topic = self.topic.as_ref().is_none_or(|topic| {
            let of = name.strip_suffix("-value").or_else(|| name.strip_suffix("-key"));
            of == Some(topic.as_str())
        });
        has_text && is_of_topic
    }
}

/// List subjects with their format, versions and compatibility level
#[utoipa::path(get, path = "/api/v1/subjects", tag = "subjects",
    params(("q" = Option<String>, Query, description = "What the name has, in any case"),
        ("topic" = Option<String>, Query, description = "The topic whose keys and values they describe: \
            `<topic>-key` and `<topic>-value`", example = "store.orders"),
        ("offset" = Option<usize>, Query, description = "How many are passed over"),
        ("limit" = Option<usize>, Query, description = "The most subjects, 1 to 1000; 1000 by default")),
    responses((status = 200, body = SubjectList, example = json!({"subjects": [{"subject": "store.orders-value",
        "schema_type": "AVRO", "versions": 2, "latest_version": 2, "latest_id": 7, "compatibility": "BACKWARD"}],
        "total": 1}))))]
async fn list_subject_lines(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    caller.may(Action::Describe, Resource::Cluster)?;
    let caller = Arc::new(caller);
    let (asks, query) = (Arc::clone(&caller), Arc::new(query));
    let list = move |api: Arc<Api>| {
        let (asks, query) = (Arc::clone(&asks), Arc::clone(&query));
        async move { Ok(part(&api.state.registry, &asks, &query)) }
    };
    document(&api, &caller, DocumentKind::List, list).await
}

fn part(registry: &Registry, caller: &Caller, query: &ListQuery) -> SubjectList {
    let filter = SchemaFilter { subject_prefix: EVERYWHERE.to_owned(), ..SchemaFilter::default() };
    let versions = registry.schemas(&filter);
    let wanted: Vec<_> = versions
        .chunk_by(|one, next| one.subject == next.subject)
        .filter_map(|versions| Some((versions.len(), versions.last()?)))
        .filter(|(_, latest)| query.admits(&latest.subject) && sees(caller, &latest.subject))
        .collect();
    let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let offset = query.offset.map_or(0, |offset| number(offset.get()));
    let limit = number(query.limit.map_or(MOST, Whole::get));
    let page = wanted.iter().skip(offset).take(limit);
    let subjects = page.map(|(versions, latest)| line(registry, *versions, latest)).collect();
    SubjectList { subjects, total: wanted.len() }
}

fn line(registry: &Registry, versions: usize, latest: &SubjectVersion) -> SubjectLine {
    SubjectLine {
        subject: latest.subject.to_string(),
        schema_type: latest.schema().schema_type.as_str().to_owned(),
        versions,
        latest_version: latest.version,
        latest_id: latest.id(),
        compatibility: registry.config_in_effect(&latest.subject).level().as_str().to_owned(),
    }
}

/// Get a subject with its versions
#[utoipa::path(get, path = "/api/v1/subjects/{subject}", tag = "subjects",
    params(("subject" = String, Path, example = "store.orders-value")),
    responses((status = 200, body = SubjectView), (status = 404, body = Problem)))]
async fn get_subject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(subject): NamePath,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&subject).map_err(Problem::malformed)?;
    caller.may(Action::Describe, Resource::subject(&topic_of(&subject)))?;
    let show = move |api: Arc<Api>| {
        let subject = subject.clone();
        async move {
            let registry = &api.state.registry;
            let versions = registry.versions(&subject, VersionFilter::Live);
            let versions = versions.map_err(Problem::not_found)?;
            Ok(SubjectView {
                compatibility: registry.config_in_effect(&subject).level().as_str().to_owned(),
                sets_compatibility: registry
                    .config(Some(&subject))
                    .is_some_and(|config| config.compatibility_level.is_some()),
                versions: versions.iter().map(version_line).collect(),
                subject: subject.to_string(),
            })
        }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

fn version_line(found: &SubjectVersion) -> VersionLine {
    VersionLine {
        version: found.version,
        id: found.id(),
        schema_type: found.schema().schema_type.as_str().to_owned(),
    }
}
