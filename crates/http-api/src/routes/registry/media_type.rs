//! The media type of responses: the one that the client takes, of those that Confluent's registry has.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Failure;

/// Those that a response may have, the preferred one first.
const MEDIA_TYPES: [&str; 3] =
    ["application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json", "application/json"];

/// Answers in the media type that the client takes.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let Some(media_type) = preferred(request.headers()) else {
        let accepted = format!("HTTP 406 Not Acceptable: a response is {}", MEDIA_TYPES.join(", "));
        return Failure::new(StatusCode::NOT_ACCEPTABLE, 406, accepted).into_response();
    };
    let mut response = next.run(request).await;
    if response.headers().contains_key(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    response
}

/// The first of ours that the header `Accept` admits with the highest quality (RFC 9110 §12.5.1).
fn preferred(headers: &HeaderMap) -> Option<&'static str> {
    let ranges: Vec<_> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if ranges.iter().all(|range| range.trim().is_empty()) {
        return MEDIA_TYPES.first().copied();
    }
    let ranges: Vec<_> = ranges.iter().flat_map(|value| value.split(',')).map(read_range).collect();
    let quality = |media_type: &str| {
        let matching = ranges.iter().filter(|(range, _)| admits(range, media_type));
        // The most specific range decides.
        matching
            .max_by_key(|(range, _)| (!range.contains('*'), range.len()))
            .map_or(0, |(_, quality)| *quality)
    };
    let rated = MEDIA_TYPES.iter().rev().map(|media_type| (quality(media_type), *media_type));
    rated
        .filter(|(quality, _)| *quality > 0)
        .max_by_key(|(quality, _)| *quality)
        .map(|(_, media_type)| media_type)
}

/// A media range without its parameters, and its quality in thousandths.
fn read_range(text: &str) -> (String, u16) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality =
        parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse::<f32>().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
    let thousandths = (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u16;
    (range, thousandths)
}

fn admits(range: &str, media_type: &str) -> bool {
    match range.split_once('/') {
        Some(("*", "*")) => true,
        Some((kind, "*")) => media_type.split_once('/').is_some_and(|(of, _)| of == kind),
        _ => range == media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: Option<&'static str>) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        }
        preferred(&headers)
    }

    #[test]
    fn the_media_type_is_the_one_that_the_client_prefers() {
        let [v1, plain, json] = MEDIA_TYPES;
        for (accept, media_type) in [
            (None, Some(v1)),
            (Some("*/*"), Some(v1)),
            (Some("application/json"), Some(json)),
            (Some("application/*;q=0.5"), Some(v1)),
            (
                Some(
                    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json",
                ),
                Some(v1),
            ),
            (Some("application/json, application/vnd.schemaregistry+json;q=0.9"), Some(json)),
            (Some("application/vnd.schemaregistry+json"), Some(plain)),
            (Some("text/html, */*;q=0.1"), Some(v1)),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            assert_eq!(of(accept), media_type, "{accept:?}");
        }
    }
}
