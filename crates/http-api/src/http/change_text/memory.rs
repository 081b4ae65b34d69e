//! The memory that the texts of large changes share.
//!
//! Invariants:
//! - One client address has half of it at most. If its followers wait for its share for longer than
//!   [`Options::snapshot_timeout`], the oldest text that counts for it is given up, and no other client's.
//! - If one waits for the memory of all for so long, the oldest of all texts is given up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use factum_base::clients::ClientAddress;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit};
use tokio::time::timeout;

use super::text::Text;
use crate::http::client_limit::{ClientLimit, ClientShare};
use crate::http::memory_pool::MemoryPool;
use crate::{Options, metrics};

/// The memory of texts, and who has it.
pub(super) struct TextMemory {
    pool: MemoryPool,
    clients: Arc<ClientLimit>,
    timeout: Duration,
    /// The texts in it, the oldest first.
    texts: Mutex<VecDeque<Weak<Text>>>,
    /// Of the one that waits for memory.
    turn: AsyncMutex<()>,
    /// Of the one of each client that waits for its share.
    turns: Arc<ClientLimit>,
}

/// The turn of one follower of a client, until a text counts for the client or not.
pub(super) struct ShareTurn<'a> {
    memory: &'a TextMemory,
    client: ClientAddress,
    _turn: ClientShare,
}

impl ShareTurn<'_> {
    /// Waits until the client may be sent a text of so many bytes. A text larger than its share is the only one.
    pub(super) async fn share(&self, bytes: usize) -> ClientShare {
        let TextMemory { clients, .. } = self.memory;
        let counts = |text: &Text| text.is_counted_for(self.client);
        self.memory.giving_up(clients.wait(self.client, bytes), counts).await
    }
}

impl TextMemory {
    pub(super) fn new(options: &Options) -> Self {
        let half = usize::try_from(options.snapshot_memory.as_u64() / 2).unwrap_or(usize::MAX);
        Self {
            pool: MemoryPool::new(options.snapshot_memory),
            clients: ClientLimit::new(half),
            timeout: options.snapshot_timeout,
            texts: Mutex::default(),
            turn: AsyncMutex::new(()),
            turns: ClientLimit::new(1),
        }
    }

    /// Notes that `text` has room.
    pub(super) fn list(&self, text: &Arc<Text>) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.retain(|text| text.strong_count() > 0);
        texts.push_back(Arc::downgrade(text));
    }

    /// Room for so many bytes, if there is some and no one waits for it.
    pub(super) fn try_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.pool.try_room(bytes)
    }

    /// Waits until there is room for so many bytes.
    pub(super) async fn room(&self, bytes: usize) -> OwnedSemaphorePermit {
        let _turn = self.turn.lock().await;
        self.giving_up(self.pool.room(bytes), |_| true).await
    }

    /// Waits until no other follower of `client` waits for its share.
    pub(super) async fn turn(&self, client: ClientAddress) -> ShareTurn<'_> {
        ShareTurn { memory: self, client, _turn: self.turns.wait(client, 1).await }
    }

    /// Waits for what texts have, and gives up the oldest of those that `may_go` after a while.
    async fn giving_up<T>(&self, wait: impl Future<Output = T>, may_go: impl Fn(&Text) -> bool) -> T {
        let mut wait = std::pin::pin!(wait);
        let mut patience = self.timeout;
        loop {
            match timeout(patience, &mut wait).await {
                Ok(given) => return given,
                Err(_) if self.give_up_oldest(&may_go) => patience = Duration::ZERO,
                Err(_) => patience = self.timeout,
            }
        }
    }

    /// Whether there was one.
    fn give_up_oldest(&self, may_go: impl Fn(&Text) -> bool) -> bool {
        let oldest = {
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            let found = texts.iter().position(|text| text.upgrade().is_some_and(|text| may_go(&text)));
            found.and_then(|at| texts.remove(at)).and_then(|text| text.upgrade())
        };
        let Some(oldest) = oldest else { return false };
        oldest.give_up();
        metrics::observe_interrupted_snapshot();
        true
    }
}
