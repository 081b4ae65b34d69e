//! JSON answers.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub(crate) const MEDIA_TYPE: &str = "application/json";

/// A document that ends its line, so that a terminal's prompt stands on the next one. For what is small, or bounded and
/// cheap to make; what grows with what the server holds is a [`document`](crate::http::document).
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], line(&self.0)).into_response()
    }
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
