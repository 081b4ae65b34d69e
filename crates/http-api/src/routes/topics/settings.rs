//! Settings of a topic, between the text of the API and the values of the log.
//!
//! Not here: Kafka's names of the same settings, which are the Kafka API's.

use std::time::Duration;

use factum_api::topics::{TopicSettings, TopicSettingsPatch};
use factum_eventlog::{CleanupPolicy, CompressionType, DirtyRatio, TimestampType, TopicConfig};
use factum_types::ByteSize;
use factum_types::units::duration;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

use crate::http::problem::Problem;

/// The value of a setting.
trait Setting: Sized {
    fn text(&self) -> String;

    /// # Errors
    /// What the text has to be, in words.
    fn read(text: &str) -> Result<Self, String>;
}

impl Setting for Duration {
    fn text(&self) -> String {
        duration::display(*self).to_string()
    }

    fn read(text: &str) -> Result<Self, String> {
        duration::parse(text).map_err(|error| error.to_string())
    }
}

impl Setting for ByteSize {
    fn text(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: <Self as std::str::FromStr>::Err| error.to_string())
    }
}

impl Setting for CleanupPolicy {
    fn text(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::deserialize(text.into_deserializer()).map_err(|error: ValueError| error.to_string())
    }
}

impl Setting for DirtyRatio {
    fn text(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::deserialize(text.into_deserializer()).map_err(|error: ValueError| error.to_string())
    }
}

impl Setting for CompressionType {
    fn text(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::deserialize(text.into_deserializer()).map_err(|error: ValueError| error.to_string())
    }
}

impl Setting for TimestampType {
    fn text(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::deserialize(text.into_deserializer()).map_err(|error: ValueError| error.to_string())
    }
}

/// The ways between [`TopicConfig`] and the shapes of the API; a setting that only one of them has does not compile.
macro_rules! settings {
    ($($(#[doc = $doc:tt])* $name:ident: $type:ty, as $written:tt, or $given:tt, like $example:tt;)*) => {
        /// The settings as text.
        pub(super) fn shown(config: TopicConfig) -> TopicSettings {
            let TopicConfig { $($name,)* without_effect } = config;
            TopicSettings { $($name: $name.as_ref().map(Setting::text),)* without_effect }
        }

        /// Settings to change: `None` goes back to what the project declares or else to the server's default, what is
        /// absent stays.
        pub(super) struct SettingsChange {
            $($name: Option<Option<$type>>,)*
        }

        impl SettingsChange {
            /// Reads the values of `patch`.
            ///
            /// # Errors
            /// [`Problem`] 400 with the first setting whose text is wrong.
            pub(super) fn read(patch: TopicSettingsPatch) -> Result<Self, Problem> {
                let TopicSettingsPatch { $($name,)* } = patch;
                Ok(Self { $($name: read(stringify!($name), $name)?,)* })
            }

            /// What `config` is with these changes; what goes back to the default goes to what is `declared` for the topic.
            pub(super) fn over(self, config: TopicConfig, declared: &TopicConfig) -> TopicConfig {
                TopicConfig {
                    $($name: match self.$name {
                        None => config.$name,
                        Some(changed) => changed.or(declared.$name),
                    },)*
                    without_effect: config.without_effect,
                }
            }
        }
    };
}

factum_eventlog::topic_settings!(settings);

fn read<T: Setting>(name: &str, given: Option<Option<String>>) -> Result<Option<Option<T>>, Problem> {
    let wrong = |error| Problem::malformed(format_args!("config.{name}: {error}")).with("field", name);
    given.map(|given| given.map(|text| T::read(&text)).transpose()).transpose().map_err(wrong)
}
