//! Files that every schema may import without a reference to them, as in Confluent's registry.
//!
//! `google/protobuf/*` comes with protox. The rest, in `imports/`, states the field definitions that the Protobuf common
//! types (googleapis, `google/type`) and Confluent's `confluent/meta.proto`, `confluent/type/*.proto` publish: names,
//! numbers and types, without options and comments.

use prost_reflect::prost_types::FileDescriptorProto;
use protox::file::{FileResolver, GoogleFileResolver};

/// Paths and texts.
const TEXTS: [(&str, &str); 20] = [
    ("confluent/meta.proto", include_str!("imports/confluent/meta.proto")),
    ("confluent/type/decimal.proto", include_str!("imports/confluent/type/decimal.proto")),
    ("confluent/type/variant.proto", include_str!("imports/confluent/type/variant.proto")),
    ("google/type/calendar_period.proto", include_str!("imports/google/type/calendar_period.proto")),
    ("google/type/color.proto", include_str!("imports/google/type/color.proto")),
    ("google/type/date.proto", include_str!("imports/google/type/date.proto")),
    ("google/type/datetime.proto", include_str!("imports/google/type/datetime.proto")),
    ("google/type/dayofweek.proto", include_str!("imports/google/type/dayofweek.proto")),
    ("google/type/decimal.proto", include_str!("imports/google/type/decimal.proto")),
    ("google/type/expr.proto", include_str!("imports/google/type/expr.proto")),
    ("google/type/fraction.proto", include_str!("imports/google/type/fraction.proto")),
    ("google/type/interval.proto", include_str!("imports/google/type/interval.proto")),
    ("google/type/latlng.proto", include_str!("imports/google/type/latlng.proto")),
    ("google/type/localized_text.proto", include_str!("imports/google/type/localized_text.proto")),
    ("google/type/money.proto", include_str!("imports/google/type/money.proto")),
    ("google/type/month.proto", include_str!("imports/google/type/month.proto")),
    ("google/type/phone_number.proto", include_str!("imports/google/type/phone_number.proto")),
    ("google/type/postal_address.proto", include_str!("imports/google/type/postal_address.proto")),
    ("google/type/quaternion.proto", include_str!("imports/google/type/quaternion.proto")),
    ("google/type/timeofday.proto", include_str!("imports/google/type/timeofday.proto")),
];

/// The text of one of `google/type` or `confluent`.
pub(super) fn text(path: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// One of `google/protobuf`, which no reference replaces: what options mean depends on them.
pub(super) fn google_protobuf(path: &str) -> Option<FileDescriptorProto> {
    let known = path.starts_with("google/protobuf/").then(|| GoogleFileResolver::new().open_file(path))?;
    known.ok().map(|file| FileDescriptorProto { source_code_info: None, ..FileDescriptorProto::from(file) })
}

/// Whether a path can be imported without a reference.
pub(super) fn is_known(path: &str) -> bool {
    text(path).is_some() || google_protobuf(path).is_some()
}
