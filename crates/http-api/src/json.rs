//! JSON answers.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::answers::Content;
use crate::extract::Caller;
use crate::problem::Problem;
use crate::state::Api;

const MEDIA_TYPE: &str = "application/json";

/// A document that ends its line, so that a terminal's prompt stands on the next one. For what is small, or bounded and
/// cheap to make; what grows with what the server holds is a [`document`].
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], line(&self.0)).into_response()
    }
}

/// The document that `make` gives for a caller, within the bounds of [`Answers::document`](crate::answers::Answers::document):
/// `make` may be called twice.
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
        async move { Ok(line(&value.await?)) }
    };
    api.answers.document(caller.client(), content, MEDIA_TYPE, text).await
}

/// `value` as JSON and the end of its line.
pub(crate) fn line(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    append(&mut text, value);
    text.push(b'\n');
    text
}

/// Writes `value` as JSON behind `text`.
pub(crate) fn append(text: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(text, value).expect("text and JSON values serialise");
}
