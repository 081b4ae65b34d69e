//! Access rules of subjects: a caller may do with one what it may do with the topic that the subject is of.
//!
//! Invariants: what a caller may not see is answered as what is not there, so that no request lists names of hidden subjects; a
//! schema is read with others (its references) by those alone who may see them all; a context as a whole, and all contexts,
//! are changed by those who may change the cluster, as their settings reach every subject in them.

use factum_registry::{
    Guid, LookUpError, Reference, ReferenceError, Registry, Subject, SubjectVersion, VersionFilter,
};
use factum_types::{Action, Resource};

use crate::http::extract::Caller;
use crate::http::problem::Problem;

/// The name of the topic whose keys or values a subject describes, as Confluent's serialisers name subjects; else its own.
pub(crate) fn topic_of(subject: &Subject) -> String {
    let name = subject.name();
    let topic = name.strip_suffix("-value").or_else(|| name.strip_suffix("-key")).unwrap_or(name);
    match subject.is_in_default_context() {
        true => topic.to_owned(),
        false => format!(":{}:{topic}", subject.context()),
    }
}

/// Asks whether the caller may do `action` with a subject, or with a context as a whole.
///
/// # Errors
/// 401, 403.
pub(crate) fn may(caller: &Caller, action: Action, subject: &Subject) -> Result<(), Problem> {
    let describes = matches!(action, Action::Describe | Action::DescribeConfigs);
    match subject.is_context() && !describes {
        true => caller.may(action, Resource::Cluster),
        false => caller.may(action, Resource::subject(&topic_of(subject))),
    }
}

/// Whether the caller may see a subject.
pub(crate) fn sees(caller: &Caller, subject: &Subject) -> bool {
    caller.sees(Resource::subject(&topic_of(subject)))
}

/// Asks whether the caller may see all that a schema of `subject` refers to, directly and indirectly.
///
/// # Errors
/// [`ReferenceError`], where it may not, or what it refers to is not there: both look alike.
pub(crate) fn may_refer(
    registry: &Registry,
    caller: &Caller,
    subject: &Subject,
    references: &[Reference],
) -> Result<(), ReferenceError> {
    registry.find_references(subject, references, |referred| sees(caller, referred))
}

/// A version that has the schema with this id, and that the caller may see.
///
/// # Errors
/// [`LookUpError::UnknownSchema`], where there is none.
pub(crate) fn seen_by_id(
    registry: &Registry,
    caller: &Caller,
    id: i32,
    subject: Option<&Subject>,
) -> Result<SubjectVersion, LookUpError> {
    let found = registry.by_id(id, subject)?;
    if sees(caller, &found.subject) {
        return Ok(found);
    }
    let context = Subject::of_context(found.subject.context());
    let uses = registry.uses(id, Some(&context), VersionFilter::All)?;
    let mut seen = uses.into_iter().filter(|used| sees(caller, &used.subject));
    seen.next().ok_or_else(|| LookUpError::UnknownSchema { id: id.to_string() })
}

/// A version that has the schema with this fingerprint in some context, and that the caller may see.
///
/// # Errors
/// [`LookUpError::UnknownSchema`], where there is none.
pub(crate) fn seen_by_guid(
    registry: &Registry,
    caller: &Caller,
    guid: Guid,
) -> Result<SubjectVersion, LookUpError> {
    let places = registry.ids_of(guid).into_iter();
    let mut seen = places.filter_map(|(context, id)| {
        seen_by_id(registry, caller, id, Some(&Subject::of_context(&context))).ok()
    });
    seen.next().ok_or_else(|| LookUpError::UnknownSchema { id: guid.to_string() })
}
