//! Work on threads for blocking work that clients ask for: so many at a time, of which one client address has half, and one user.
//!
//! Invariants:
//! - An address is in line for a thread as often as it may have one: however much it asks for, others wait behind no more
//!   of it than that.
//! - Work that was begun counts until it ends, also if its client has gone.
//! - A caller that is not polled is in no one's way, not even in that of its own client's other work.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::blocking_work::BlockingWork;
use crate::clients::{ClientAddress, ClientLimit};

/// Admits work, in the order in which it is asked for.
#[derive(Clone, Debug)]
pub struct FairWork {
    work: BlockingWork,
    clients: Arc<ClientLimit>,
    users: Arc<ClientLimit<String>>,
}

impl FairWork {
    /// Admits at most `count` at one time, and half as many of one address or one user, but one at least.
    pub fn at_most(count: usize) -> Self {
        let half = (count / 2).max(1);
        let (clients, users) = (ClientLimit::new(half), ClientLimit::new(half));
        Self { work: BlockingWork::at_most(count), clients, users }
    }

    /// The same threads for what is made once for all who ask, and so is no one client's.
    pub fn for_all(&self) -> BlockingWork {
        self.work.clone()
    }

    /// Does `work` for `client` on a thread for blocking work. Dropping the future takes back what has not begun, and does
    /// not stop what has. A panic of `work` goes on in the caller.
    pub async fn run<T: Send + 'static>(
        &self,
        client: ClientAddress,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        self.run_for(client, None, work).await
    }

    /// The same for a user who has logged in, and has no more than one address has, whatever addresses it comes from.
    pub async fn run_for<T: Send + 'static>(
        &self,
        client: ClientAddress,
        user: Option<String>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let Self { work: threads, clients, users } = self.clone();
        // In a task of its own, so that a share that comes is used whether or not the caller is polled.
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // The user's first: what waits for it is in no one else's way.
            let of_user = match user {
                Some(user) => Some(users.wait(user, 1).await),
                None => None,
            };
            let share = clients.wait(client, 1).await;
            let work = move || {
                let _shares = (share, of_user);
                work()
            };
            threads.run(work).await
        });
        match tasks.join_next().await.expect("one task") {
            Ok(result) => result,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::mpsc;
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn client(last: u8) -> ClientAddress {
        ClientAddress::from(IpAddr::from([10, 0, 0, last]))
    }

    /// Has work of a client begun, as one of `tasks`, that ends once what this gives is dropped.
    async fn begin(tasks: &mut JoinSet<()>, work: &FairWork, client: ClientAddress) -> mpsc::Sender<()> {
        let (let_go, holds) = mpsc::channel();
        let (begun, begins) = oneshot::channel();
        let work = work.clone();
        tasks.spawn(async move {
            let held = move || {
                begun.send(()).ok();
                holds.recv().ok();
            };
            work.run(client, held).await;
        });
        begins.await.expect("it begins");
        let_go
    }

    #[tokio::test]
    async fn another_address_waits_behind_one_piece_of_work_and_not_behind_all() {
        let work = FairWork::at_most(1);
        let mut tasks = JoinSet::new();
        let let_go = begin(&mut tasks, &work, client(1)).await;
        let (done, mut order) = unbounded_channel();
        for number in [1, 1, 2] {
            let (work, done) = (work.clone(), done.clone());
            tasks.spawn(async move {
                work.run(client(number), move || done.send(number)).await.expect("the test listens");
            });
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        drop((let_go, done));
        let mut numbers = Vec::new();
        while let Some(number) = timeout(PATIENCE, order.recv()).await.expect("in time") {
            numbers.push(number);
        }
        assert_eq!(numbers, [2, 1, 1]);
    }

    #[tokio::test]
    async fn a_user_has_half_from_several_addresses() {
        let work = FairWork::at_most(2);
        let (let_go, holds) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let held = move || {
            begun.send(()).ok();
            holds.recv().ok();
        };
        let mut first = Box::pin(work.run_for(client(1), Some("eve".to_owned()), held));
        assert!(first.as_mut().now_or_never().is_none());
        timeout(PATIENCE, begins).await.expect("in time").expect("it begins");
        let mut second = Box::pin(work.run_for(client(2), Some("eve".to_owned()), || 2));
        assert!(second.as_mut().now_or_never().is_none(), "she has one already");
        let other = work.run_for(client(2), Some("bob".to_owned()), || 3);
        assert_eq!(timeout(PATIENCE, other).await.expect("in time"), 3);
        assert!(second.as_mut().now_or_never().is_none(), "she still has one");
        drop(let_go);
        assert_eq!(timeout(PATIENCE, second).await.expect("in time"), 2);
        first.await;
    }

    #[tokio::test]
    async fn a_caller_that_is_not_polled_is_not_in_the_way_of_its_own_client() {
        let work = FairWork::at_most(1);
        let mut tasks = JoinSet::new();
        let let_go = begin(&mut tasks, &work, client(1)).await;
        let mut paused = Box::pin(work.run(client(1), || 1));
        assert!(paused.as_mut().now_or_never().is_none(), "it waits for its turn");
        drop(let_go);
        assert_eq!(timeout(PATIENCE, work.run(client(1), || 2)).await.expect("in time"), 2);
        assert_eq!(paused.await, 1);
    }
}
