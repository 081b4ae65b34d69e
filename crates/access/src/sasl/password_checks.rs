//! Checks of passwords: each takes milliseconds of a processor, and anyone who reaches a port can ask for one.
//!
//! Invariants: half of the processors are left to everything else, and half of the places to other addresses.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use factum_base::blocking_work::BlockingWork;
use factum_base::clients::{ClientAddress, ClientLimit};
use tokio::time::timeout;

use super::LoginError;
use crate::ScramCredential;

/// How long a check waits for those before it. Clients give up after 30 s themselves.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) struct PasswordChecks {
    work: BlockingWork,
    by_client: Arc<ClientLimit>,
}

impl PasswordChecks {
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(2, usize::from);
        let places = (processors / 2).max(2);
        Self { work: BlockingWork::at_most(places), by_client: ClientLimit::new(places / 2) }
    }

    /// Whether `credential` is that of `password`.
    pub(super) async fn check(
        &self,
        client: ClientAddress,
        credential: ScramCredential,
        password: String,
    ) -> Result<bool, LoginError> {
        let check = async {
            let share = self.by_client.wait(client, 1).await;
            // The work has the share: it is still done when no one waits for it any more.
            self.work
                .run(move || {
                    let _share = share;
                    credential.accepts(&password)
                })
                .await
        };
        timeout(PATIENCE, check).await.map_err(|_| LoginError::Busy)
    }
}
