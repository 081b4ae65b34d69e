//! Following a stream over connections that break.
//!
//! Invariants: a stream is taken up again behind what was printed, or not at all.

use std::time::Duration;

use super::Error;
use crate::report;

/// How long a server may be away before the follower gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// What a command follows.
pub(crate) trait Follow {
    /// How far it is.
    type Progress: PartialEq;

    /// How far it is; a change of it says that the connection was of use.
    fn progress(&self) -> Self::Progress;

    /// Whether another connection can go on where this one ended.
    fn can_resume(&self) -> bool;

    /// Follows until enough was printed (`true`) or the connection ends (`false`).
    async fn follow(&mut self) -> Result<bool, Error>;
}

/// Follows until enough was printed, over as many connections as it takes.
pub(crate) async fn to_the_end(mut followed: impl Follow) -> Result<(), Error> {
    // How long no connection was of use.
    let mut away = Duration::ZERO;
    loop {
        let before = followed.progress();
        let ended = followed.follow().await;
        if followed.progress() != before {
            away = Duration::ZERO;
        }
        match ended {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if !followed.can_resume() || !error.may_come_back() => return Err(error),
            Err(error) if away >= PATIENCE => return Err(error),
            Err(_) => {}
        }
        if away.is_zero() {
            report::say("the connection broke; waiting for the server to come back");
        }
        tokio::time::sleep(PAUSE).await;
        away += PAUSE;
    }
}
