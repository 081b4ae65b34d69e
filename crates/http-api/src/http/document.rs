//! JSON documents that grow with what the server holds.

use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;

use crate::api::Api;
use crate::http::extract::Caller;
use crate::http::json::{self, MEDIA_TYPE};
use crate::http::problem::Problem;
use crate::http::responses::Content;

/// The document that `make` gives for a caller, within the bounds of
/// [`Responses::document`](crate::http::responses::Responses::document): `make` may be called twice.
///
/// # Errors
/// As `make`; 503 if others are in the way for too long.
pub(crate) async fn document<T: Serialize, F: Future<Output = Result<T, Problem>>>(
    api: &Arc<Api>,
    caller: &Caller,
    content: Content,
    make: impl Fn(Arc<Api>) -> F + Send + Sync + 'static,
) -> Result<Response, Problem> {
    let shared = Arc::clone(api);
    let text = move || {
        let value = make(Arc::clone(&shared));
        async move { Ok(json::line(&value.await?)) }
    };
    api.responses.document(caller.client(), content, MEDIA_TYPE, text).await
}
