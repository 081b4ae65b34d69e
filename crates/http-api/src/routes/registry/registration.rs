//! Registration of a schema, as both faces of the registry do it.

use std::sync::Arc;

use factum_registry::{NewSchema, RegisterError, Subject, SubjectVersion};

use super::extract::read_schemas;
use crate::api::Api;
use crate::http::extract::Caller;

/// How often a registration is tried whose subject changes meanwhile.
const ATTEMPTS: usize = 20;

/// Registers a schema as the next version of a subject; `None` where the subject keeps changing.
///
/// # Errors
/// [`RegisterError`].
pub(super) async fn register(
    api: &Arc<Api>,
    caller: &Caller,
    subject: &Subject,
    new: &NewSchema,
) -> Result<Option<SubjectVersion>, RegisterError> {
    for _ in 0..ATTEMPTS {
        let (of, schema) = (subject.clone(), new.clone());
        let prepared = read_schemas(api, caller, move |registry| registry.prepare(&of, schema)).await?;
        if let Some(registered) = api.state.registry.commit(prepared).await? {
            return Ok(Some(registered));
        }
    }
    Ok(None)
}
