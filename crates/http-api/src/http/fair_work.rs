//! Work on threads for blocking work that clients ask for: so many at a time, of which one client address has half.
//!
//! Invariants:
//! - An address is in line for a thread as often as it may have one: however much it asks for, others wait behind no more
//!   of it than that.
//! - Work that was begun counts until it ends, also if its client has gone.

use std::sync::Arc;

use factum_base::blocking_work::BlockingWork;
use factum_base::clients::ClientAddress;

use crate::http::client_limit::ClientLimit;

/// Admits work, in the order in which it is asked for.
pub(crate) struct FairWork {
    work: BlockingWork,
    clients: Arc<ClientLimit>,
}

impl FairWork {
    /// Admits at most `count` at one time, and half as many of one address, but one at least.
    pub(crate) fn at_most(count: usize) -> Self {
        Self { work: BlockingWork::at_most(count), clients: ClientLimit::new((count / 2).max(1)) }
    }

    /// Does `work` for `client` on a thread for blocking work. Dropping the future does not stop what has begun.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        client: ClientAddress,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let share = self.clients.wait(client, 1).await;
        let work = move || {
            let _share = share;
            work()
        };
        self.work.run(work).await
    }
}
