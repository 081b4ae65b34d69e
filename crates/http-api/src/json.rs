//! JSON answers.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A document that ends its line, so that a terminal's prompt stands on the next one.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], line(&self.0)).into_response()
    }
}

/// `value` as JSON and the end of its line.
pub(crate) fn line(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).expect("text and JSON values serialise");
    text.push(b'\n');
    text
}
