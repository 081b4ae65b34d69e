//! A schema's definition as a request's body, and the media types that say its format.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use factum_registry::{NewSchema, SchemaType};

use super::error::Failure;
use crate::api::Api;

/// The media type of a definition of this format.
pub(super) fn media_type(format: SchemaType) -> &'static str {
    match format {
        SchemaType::Avro => "application/json; serialization=Avro",
        SchemaType::Json => "application/json; serialization=Json",
        SchemaType::Protobuf => "text/vnd.ms.protobuf",
    }
}

/// The format that the header `Content-Type` says.
fn format_of(headers: &HeaderMap) -> Result<SchemaType, Failure> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let serialization = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("serialization"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase());
    match (kind.as_str(), serialization.as_deref()) {
        ("application/json", Some("avro")) => Ok(SchemaType::Avro),
        ("application/json", Some("json")) => Ok(SchemaType::Json),
        ("text/vnd.ms.protobuf", None) => Ok(SchemaType::Protobuf),
        ("text/plain", None) => {
            Err(Failure::invalid_type("schemas of type Custom are not taken: no one could check them"))
        }
        _ => Err(Failure::invalid_type(format_args!(
            "content-type {given:?} says no format of schemas: it is {}, {} or {}",
            media_type(SchemaType::Avro),
            media_type(SchemaType::Json),
            media_type(SchemaType::Protobuf),
        ))),
    }
}

/// Reads the definition that a request has.
///
/// # Errors
/// 400 where there is none or it is not text, 413 and the like, 415 for an unknown format.
pub(super) async fn read(api: &Api, request: Request) -> Result<NewSchema, Failure> {
    let (head, body) = request.into_parts();
    let schema_type = format_of(&head.headers);
    let received = api.bodies.read(&head, body).await?;
    if received.bytes.is_empty() {
        return Err(Failure::invalid("the body is empty: it is the definition of a schema"));
    }
    let text = std::str::from_utf8(&received.bytes).map_err(Failure::invalid)?.to_owned();
    Ok(NewSchema { schema_type: schema_type?, text, keeps_definition: true, ..NewSchema::default() })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn formats_are_read_as_clients_write_them() {
        let of = |text: &'static str| {
            format_of(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))])).ok()
        };
        for (text, format) in [
            ("application/json; serialization=Avro", Some(SchemaType::Avro)),
            ("application/json;serialization=JSON", Some(SchemaType::Json)),
            ("Application/JSON; charset=utf-8; Serialization=\"avro\"", Some(SchemaType::Avro)),
            ("text/vnd.ms.protobuf", Some(SchemaType::Protobuf)),
            ("text/plain; charset=utf-8", None),
            ("application/json; serialization=invalid-format", None),
            ("application/json", None),
        ] {
            assert_eq!(of(text), format, "{text}");
        }
        for format in SchemaType::ALL {
            assert_eq!(of(media_type(format)), Some(format));
        }
    }
}
