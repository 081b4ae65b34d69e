//! Tells those who follow a view when it stops, and when it goes on.
//!
//! Always holds: a follower is told once for each state and each reason. Rows that wait behind a busy view are no stop.

use std::time::Duration;

use factum_sql::{Engine, RelationName};
use serde_json::{Value, json};

use crate::http::rows;

/// How often a view that says nothing is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// What the follower of a view was told of its state.
#[derive(Default)]
pub(super) struct FreshnessWatch {
    /// How and why it stands still, if the follower was told so.
    told: Option<(&'static str, String)>,
}

impl FreshnessWatch {
    /// An event, if the state is another than the follower knows: `stale`, or `live` once it goes on.
    pub(super) fn news(&mut self, engine: &Engine, view: &RelationName) -> Option<(&'static str, Value)> {
        let status = engine.view(view).ok()?;
        let (state, reason) = rows::view_state(&status.state);
        let still = reason.filter(|_| matches!(state, "failed" | "waiting")).map(|reason| (state, reason));
        if self.told == still {
            return None;
        }
        self.told.clone_from(&still);
        let (as_of, lag) = (status.as_of.to_string(), status.lag.to_string());
        Some(match still {
            Some((state, reason)) => {
                ("stale", json!({"as_of": as_of, "lag": lag, "state": state, "reason": reason}))
            }
            None => ("live", json!({"as_of": as_of, "lag": lag, "state": state})),
        })
    }
}
