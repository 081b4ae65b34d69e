//! Durations and sizes as manifests write them.

use std::time::Duration;

use factum_types::{ByteSize, units};

/// The word that keeps records without limit.
pub(crate) const FOREVER: &str = "forever";

/// Reads `10s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    units::duration::parse(text).map_err(|error| error.to_string())
}

/// Reads `64MiB`.
pub(crate) fn parse_size(text: &str) -> Result<ByteSize, String> {
    text.parse::<ByteSize>().map_err(|error| error.to_string())
}

/// Reads `7d`, or `forever`.
pub(crate) fn parse_retention(text: &str) -> Result<Duration, String> {
    if text == FOREVER {
        return Ok(Duration::MAX);
    }
    parse_duration(text)
}

/// Writes what [`parse_retention`] reads.
pub(crate) fn retention(retention: Duration) -> String {
    if retention == Duration::MAX {
        return FOREVER.to_owned();
    }
    units::duration::display(retention).to_string()
}

/// `serde(with = "human::retention_option")`.
pub(crate) mod retention_option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[expect(clippy::ref_option, reason = "the shape that serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(super::retention).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| super::parse_retention(&text).map_err(de::Error::custom)).transpose()
    }
}
