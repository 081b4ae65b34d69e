//! `feeds/F.yaml`: events that Factum makes itself, for a demonstration or a load.

mod manifest;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use factum_types::{QualifiedName, TeamName, TopicName};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kind::{Context, Kind, Origin};
use crate::problem::Problem;

/// A generator and the topic that it fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedDefinition {
    /// `<team>.<feed>`.
    pub name: QualifiedName,
    /// The team that owns it.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What is made.
    pub generate: Generator,
    /// Where it goes: an event of the same team.
    pub into: TopicName,
    /// How many events come.
    pub rate: Rate,
    /// The same seed makes the same events.
    pub seed: u64,
    /// The reference table of the same team that products are taken from, `<team>.<table>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<QualifiedName>,
    /// How many customers there are to buy, and to buy again.
    pub customers: u32,
    /// The regions that they live in; empty for the generator's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
}

impl Kind for FeedDefinition {
    const WORD: &'static str = "feed";
    const FOLDER: &'static str = "feeds";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn team(&self) -> &TeamName {
        &self.team
    }

    fn project(&self) -> &str {
        &self.project
    }

    fn facts(&self) -> String {
        format!("{} into {}, {}", self.generate.as_str(), self.into, self.rate)
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        manifest::read(context, path, stem, problems)
    }
}

/// What a feed makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generator {
    /// Orders of a shop.
    Orders,
}

impl Generator {
    pub(crate) const WORDS: [(&'static str, Self); 1] = [("orders", Self::Orders)];

    /// The word for it in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
        }
    }
}

/// How many events come in how long, written `20/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Events; at least one.
    pub events: u32,
    /// In this time: a second, a minute or an hour.
    pub per: Duration,
}

/// More than this is a benchmark, not a feed.
const MAX_EVENTS: u32 = 1_000_000;
/// Units of time and their letters.
const UNITS: [(&str, Duration); 3] =
    [("s", Duration::from_secs(1)), ("m", Duration::from_secs(60)), ("h", Duration::from_secs(3600))];

impl Rate {
    /// `events` each second.
    pub const fn per_second(events: u32) -> Self {
        Self { events, per: Duration::from_secs(1) }
    }

    /// The same as a number of events each second.
    pub fn events_per_second(self) -> f64 {
        f64::from(self.events) / self.per.as_secs_f64()
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not events in a time; write such as 20/s, 5/m or 100/h");
        let (events, unit) = text.split_once('/').ok_or_else(wrong)?;
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let (Ok(events), Some((_, per))) = (events.trim().parse::<u32>(), unit) else { return Err(wrong()) };
        match events {
            1..=MAX_EVENTS => Ok(Self { events, per: *per }),
            _ => Err(format!("{events} lies outside 1 to {MAX_EVENTS}")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, per)| *per == self.per).map_or("s", |(name, _)| name);
        write!(f, "{}/{unit}", self.events)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_was_written() {
        for (text, per_second) in [("20/s", 20.0), ("1/m", 1.0 / 60.0), ("1000000/h", 1_000_000.0 / 3600.0)] {
            let rate: Rate = text.parse().expect("a rate");
            assert_eq!(rate.to_string(), text);
            assert!((rate.events_per_second() - per_second).abs() < 1e-9, "{text}");
        }
        for text in ["", "20", "0/s", "20/d", "-1/s", "1.5/s", "1000001/s", "20/", "/s", "99999999999/s"] {
            text.parse::<Rate>().expect_err(text);
        }
    }
}
