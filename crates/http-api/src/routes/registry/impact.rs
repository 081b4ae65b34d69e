//! Impact of a schema before it becomes the next version of a subject: its verdict, and what becomes of those who read the
//! topic today.
//!
//! ```text
//!   views    fields that their plans need ── those that the schema lacks, or gives another type
//!   groups   can clients that have the schema so far read what is written with this one?
//! ```
//!
//! Invariants: nothing is registered. A reader that the caller may not know of is not told. Where it is not known what someone
//! reads, that is said.

mod effect;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use factum_api::catalogue::{Consumer, IncompatibilityReason, ReaderImpact, SchemaImpact};
use factum_api::registry::SchemaRequest;
use factum_governance::EventDefinition;
use factum_registry::{
    CheckError, NewSchema, Registry, Subject, VersionFilter, VersionSelector, VersionVerdict,
};
use factum_types::{Action, Resource, TopicName};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::effect::SchemaChange;
use super::extract::{new_schema, read_schemas};
use crate::api::Api;
use crate::http::document::document;
use crate::http::extract::{Caller, NamePath, Params};
use crate::http::problem::Problem;
use crate::http::responses::DocumentKind;
use crate::http::subject_access::{may, may_refer};
use crate::routes::catalogue::{self, Participants};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(check_impact))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CheckQuery {
    /// The version to compare with, in place of those that the level asks for.
    version: Option<String>,
}

/// Check a schema, and who would notice it
///
/// The verdict of the subject's compatibility level with its reasons; and, of a subject `<topic>-value`, who reads the topic today
/// and which of them would break. Nothing is registered.
#[utoipa::path(post, path = "/api/v1/subjects/{subject}/check", tag = "subjects",
    params(("subject" = String, Path, example = "store.orders-value"),
        ("version" = Option<String>, Query, description = "The version to compare with, in place of those that the level asks \
            for", example = "latest")),
    request_body(content = SchemaRequest),
    responses((status = 200, body = SchemaImpact), (status = 404, body = Problem, description = "No such version"),
        (status = 422, body = Problem, description = "It is no schema, or refers to what is not there")))]
async fn check_impact(
    State(api): State<Arc<Api>>,
    caller: Caller,
    NamePath(subject): NamePath,
    Params(query): Params<CheckQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&subject).map_err(Problem::malformed)?;
    may(&caller, Action::Describe, &subject)?;
    let version: Option<VersionSelector> =
        query.version.map(|version| version.parse()).transpose().map_err(
            |error: factum_registry::InvalidVersion| Problem::malformed(error).with("in", "query"),
        )?;
    let (head, body) = request.into_parts();
    let wish: SchemaRequest = api.bodies.read_json(&head, body).await?;
    let new = new_schema(wish, false).map_err(|failure| Problem::refused(failure.message()))?;
    may_refer(&api.state.registry, &caller, &subject, &new.references)
        .map_err(|error| problem(error.into()))?;
    let topic = topic_of_values(&subject).filter(|topic| caller.sees(Resource::Topic(topic)));
    let event = topic.as_ref().and_then(|topic| api.state.catalogue.event(topic));
    let compared = Comparison { subject: subject.clone(), new, version, event };
    let checked = read_schemas(&api, &caller, move |registry| compared.run(registry)).await?;
    let level = api.state.registry.config_in_effect(&subject).level().as_str();
    let (checked, asks) = (Arc::new(checked), Arc::new(caller.clone()));
    let show = move |api: Arc<Api>| {
        let (checked, asks, topic) = (Arc::clone(&checked), Arc::clone(&asks), topic.clone());
        async move { impact(&api, &asks, &checked, topic, level).await }
    };
    document(&api, &caller, DocumentKind::List, show).await
}

/// The topic whose values a subject describes, as Confluent's serialisers name subjects.
fn topic_of_values(subject: &Subject) -> Option<TopicName> {
    let topic = subject.name().strip_suffix("-value").filter(|_| subject.is_in_default_context())?;
    TopicName::new(topic).ok()
}

/// What is compared.
struct Comparison {
    subject: Subject,
    new: NewSchema,
    version: Option<VersionSelector>,
    event: Option<Arc<EventDefinition>>,
}

/// What came of it.
struct CheckResult {
    verdicts: Vec<VersionVerdict>,
    change: SchemaChange,
}

impl Comparison {
    fn run(&self, registry: &Registry) -> Result<CheckResult, Problem> {
        let verdicts = registry.check(&self.subject, &self.new, self.version).map_err(problem)?;
        let after = registry.parse_new(&self.subject, &self.new).map_err(problem)?;
        let latest = registry.version(&self.subject, VersionSelector::Latest, VersionFilter::Live).ok();
        // Readers go by what is in effect: the project's contract, where there is one.
        let contract = self.event.as_deref().and_then(catalogue::contract);
        let before = contract.or_else(|| latest.and_then(|latest| registry.parsed(&latest).ok()));
        let policy = registry.config_in_effect(&self.subject).compatibility_policy.unwrap_or_default();
        let time = self.event.as_ref().and_then(|event| event.time.clone());
        let unreadable = before.as_ref().map(|before| registry.compare(before, &after, policy));
        let unreadable = unreadable.transpose().map_err(problem)?;
        let fields = before.and_then(|before| Some((before.value_schema()?, after.value_schema()?)));
        Ok(CheckResult { verdicts, change: SchemaChange { unreadable, fields, time } })
    }
}

fn problem(error: CheckError) -> Problem {
    match error {
        error @ CheckError::UnknownVersion { .. } => Problem::not_found(error),
        CheckError::Empty => Problem::refused("Empty schema"),
        error => Problem::refused(format_args!("Invalid schema: {error}")),
    }
}

async fn impact(
    api: &Api,
    caller: &Caller,
    checked: &CheckResult,
    topic: Option<TopicName>,
    level: &str,
) -> Result<SchemaImpact, Problem> {
    let sees = |resource: Resource<'_>| caller.sees(resource);
    let consumers = match &topic {
        Some(topic) => Participants::known(api, &sees).await?.consumers(api, topic, &sees),
        None => Vec::new(),
    };
    let reader = |reader: Consumer| {
        let (effect, reason) = checked.change.effect(topic.as_ref(), &reader);
        ReaderImpact { reader, effect: effect.to_owned(), reason }
    };
    let readers: Vec<_> = consumers.into_iter().map(reader).collect();
    let reason = |verdict: &VersionVerdict| {
        let version = verdict.version.version;
        let reasons = verdict.incompatibilities.iter().map(move |each| IncompatibilityReason {
            version,
            path: each.path.clone(),
            kind: each.kind.to_owned(),
            reason: each.message.clone(),
        });
        reasons.collect::<Vec<_>>()
    };
    Ok(SchemaImpact {
        is_compatible: checked.verdicts.is_empty(),
        compatibility: level.to_owned(),
        reasons: checked.verdicts.iter().flat_map(reason).collect(),
        summary: effect::summary(topic.as_ref(), &readers),
        topic: topic.map(|topic| topic.to_string()),
        readers,
    })
}
