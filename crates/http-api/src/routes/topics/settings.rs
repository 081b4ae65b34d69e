//! What is set for a topic, as JSON: shown, given when it is made, and changed.
//!
//! Not here: Kafka's names of the same settings, which are the Kafka listener's.

use std::collections::BTreeMap;
use std::time::Duration;

use factum_eventlog::TopicConfig;
use factum_types::units::duration;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// [`Config`], [`ConfigPatch`] and the ways between them and [`TopicConfig`], of the one list of settings.
macro_rules! settings {
    ($($(#[doc = $doc:tt])* $name:ident: $type:ty, as $written:tt, or $given:tt, like $example:tt;)*) => {
        /// What is set for a topic; what is absent follows the server's default.
        #[derive(Serialize, Deserialize, Default, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct Config {
            $(
                $(#[doc = $doc])*
                #[serde(with = $written, skip_serializing_if = "Option::is_none")]
                #[schema(value_type = Option<String>, example = $example)]
                $name: Option<$type>,
            )*
            /// Settings that Kafka clients made and that have no effect here, by Kafka's names; only shown.
            #[serde(skip_deserializing, skip_serializing_if = "BTreeMap::is_empty")]
            without_effect: BTreeMap<String, String>,
        }

        /// Settings that are to change; `null` goes back to the server's default, what is absent stays.
        #[derive(Deserialize, Default, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct ConfigPatch {
            $(
                #[serde(deserialize_with = $given)]
                #[schema(value_type = Option<String>, example = $example)]
                $name: Option<Option<$type>>,
            )*
        }

        impl From<TopicConfig> for Config {
            fn from(config: TopicConfig) -> Self {
                let TopicConfig { $($name,)* without_effect } = config;
                Self { $($name,)* without_effect }
            }
        }

        impl From<Config> for TopicConfig {
            fn from(config: Config) -> Self {
                let Config { $($name,)* without_effect } = config;
                Self { $($name,)* without_effect }
            }
        }

        impl ConfigPatch {
            /// What `config` is with these changes.
            pub(crate) fn over(self, config: TopicConfig) -> TopicConfig {
                TopicConfig {
                    $($name: self.$name.unwrap_or(config.$name),)*
                    without_effect: config.without_effect,
                }
            }
        }
    };
}

factum_eventlog::topic_settings!(settings);

/// Tells `null` from absence, as JSON Merge Patch (RFC 7396) does.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn given_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Duration>>, D::Error> {
    duration::option::deserialize(deserializer).map(Some)
}
