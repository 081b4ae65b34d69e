//! Topic settings of a definition: every setting that a topic has, by the names that HTTP and the command line use.

use std::time::Duration;

use factum_eventlog::{CleanupPolicy, CompressionType, DirtyRatio, TimestampType, TopicConfig};
use factum_types::ByteSize;
use serde::{Deserialize, Serialize};

use crate::human;
use crate::manifest::Fields;

macro_rules! settings {
    ($($(#[doc = $doc:tt])* $name:ident: $type:ty, as $written:tt, or $given:tt, like $example:tt;)*) => {
        /// Settings of a topic; what is absent is the log's to choose.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct TopicSettings {
            $(
                $(#[doc = $doc])*
                #[serde(default, with = $written, skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )*
        }

        impl TopicSettings {
            /// Takes those that a file has.
            pub(crate) fn take(fields: &mut Fields<'_>) -> Self {
                Self {
                    $($name: {
                        let name = stringify!($name);
                        fields.parsed(name, |text| read(name, text), $example).map(|(value, _)| value)
                    },)*
                }
            }

            /// A configuration of what is said here.
            pub fn config(&self) -> TopicConfig {
                self.over(None, &TopicConfig::default())
            }

            /// What is said here; what is not stays as it is `now`, unless it was said `before`.
            pub(crate) fn over(&self, before: Option<&Self>, now: &TopicConfig) -> TopicConfig {
                let was = |is_said: fn(&Self) -> bool| before.is_some_and(is_said);
                TopicConfig {
                    $($name: self.$name.or(match was(|before| before.$name.is_some()) {
                        true => None,
                        false => now.$name,
                    }),)*
                    without_effect: now.without_effect.clone(),
                }
            }

            /// Each setting with its name, and as text what it is in one and in the other.
            pub(crate) fn side_by_side(
                one: &TopicConfig,
                other: &TopicConfig,
            ) -> Vec<(&'static str, Option<String>, Option<String>)> {
                vec![
                    $((stringify!($name), one.$name.map(Setting::shown), other.$name.map(Setting::shown)),)*
                ]
            }
        }
    };
}

factum_eventlog::topic_settings!(settings);

/// The value of a setting as text in a manifest.
trait Setting: Sized {
    fn parse(text: &str) -> Result<Self, String>;

    fn shown(self) -> String;

    /// The size that it is, if it is one.
    fn size(&self) -> Option<ByteSize> {
        None
    }
}

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        human::parse_retention(text)
    }

    fn shown(self) -> String {
        human::retention(self)
    }
}

impl Setting for ByteSize {
    fn parse(text: &str) -> Result<Self, String> {
        human::parse_size(text)
    }

    fn shown(self) -> String {
        self.to_string()
    }

    fn size(&self) -> Option<ByteSize> {
        Some(*self)
    }
}

impl Setting for CleanupPolicy {
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_name(text)
            .ok_or_else(|| format!("{text:?} is not one of delete, compact or compact,delete"))
    }

    fn shown(self) -> String {
        self.as_str().to_owned()
    }
}

impl Setting for DirtyRatio {
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| format!("{text:?} is no number from 0 to 1"))
    }

    fn shown(self) -> String {
        self.to_string()
    }
}

impl Setting for CompressionType {
    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || format!("{text:?} is not one of producer, uncompressed, gzip, snappy, lz4 or zstd");
        Self::from_name(text).ok_or_else(unknown)
    }

    fn shown(self) -> String {
        self.as_str().to_owned()
    }
}

impl Setting for TimestampType {
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| format!("{text:?} is not one of CreateTime or LogAppendTime"))
    }

    fn shown(self) -> String {
        self.as_str().to_owned()
    }
}

/// Reads a setting. A topic that takes less than a kibibyte at once takes nothing useful; Kafka's frames end at 2 GiB.
fn read<T: Setting>(name: &str, text: &str) -> Result<T, String> {
    let value = T::parse(text)?;
    match value.size() {
        Some(ByteSize(bytes))
            if name == "max_message_bytes" && !(1024..=i32::MAX as u64).contains(&bytes) =>
        {
            Err("it lies outside 1KiB to 2GiB".to_owned())
        }
        _ => Ok(value),
    }
}
