//! The columns that responses of rows are written from.
//!
//! Invariant: columns that several responses are written from count once in the memory of all, and once for each client
//! address that is sent some of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use factum_base::clients::ClientAddress;
use factum_sql::Rows;
use tokio::sync::OwnedSemaphorePermit;

use super::memory::Pool;
use crate::http::client_limit::ClientShare;

/// The columns of responses under way, by the address of their batches.
#[derive(Default)]
pub(super) struct SharedColumns(Mutex<HashMap<usize, Weak<Columns>>>);

/// Columns that responses are written from. While they are known nothing else has their address.
struct Columns {
    _rows: Rows,
    _memory: OwnedSemaphorePermit,
    shares: Mutex<HashMap<ClientAddress, Weak<ClientShare>>>,
}

/// Columns and the share of a client that is sent them.
#[derive(Clone)]
pub(crate) struct ColumnsOfClient {
    _columns: Arc<Columns>,
    _share: Arc<ClientShare>,
}

impl SharedColumns {
    /// The columns of `rows` for `client`, once there is memory for them in `pool`.
    pub(super) async fn of(&self, client: ClientAddress, rows: Rows, pool: &Pool) -> ColumnsOfClient {
        let (address, bytes) = (rows.batches.as_ptr().addr(), rows.memory());
        if let Some(columns) = self.known(address)
            && let Some(share) = columns.share_of(client)
        {
            return ColumnsOfClient { _columns: columns, _share: share };
        }
        let share = pool.share(client, bytes).await;
        let columns = match self.known(address) {
            Some(columns) => columns,
            None => self.add(rows, pool.memory(bytes).await),
        };
        let share = columns.keep(client, share);
        ColumnsOfClient { _columns: columns, _share: share }
    }

    fn known(&self, address: usize) -> Option<Arc<Columns>> {
        self.columns().get(&address).and_then(Weak::upgrade)
    }

    /// Notes columns that have memory, unless another response was first.
    fn add(&self, rows: Rows, memory: OwnedSemaphorePermit) -> Arc<Columns> {
        let address = rows.batches.as_ptr().addr();
        let mut known = self.columns();
        if let Some(columns) = known.get(&address).and_then(Weak::upgrade) {
            return columns;
        }
        known.retain(|_, columns| columns.strong_count() > 0);
        let columns = Arc::new(Columns { _rows: rows, _memory: memory, shares: Mutex::default() });
        known.insert(address, Arc::downgrade(&columns));
        columns
    }

    fn columns(&self) -> MutexGuard<'_, HashMap<usize, Weak<Columns>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Columns {
    fn share_of(&self, client: ClientAddress) -> Option<Arc<ClientShare>> {
        self.shares().get(&client).and_then(Weak::upgrade)
    }

    /// Notes the share of a client, unless another of its responses was first.
    fn keep(&self, client: ClientAddress, share: ClientShare) -> Arc<ClientShare> {
        let mut shares = self.shares();
        if let Some(share) = shares.get(&client).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(share);
        shares.insert(client, Arc::downgrade(&share));
        share
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<ClientAddress, Weak<ClientShare>>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
