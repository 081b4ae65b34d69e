//! The columns that responses of rows are written from.
//!
//! Invariants:
//! - Columns that several responses are written from count once in the memory of all, and once for each client address
//!   that is sent some of them.
//! - A response that waits for memory holds none, not even that of columns which others are written from: else responses
//!   that have a part of what they need could wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use factum_base::clients::ClientAddress;
use factum_sql::Rows;
use tokio::sync::OwnedSemaphorePermit;

use super::memory::{Pool, Room};
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

/// The memory of a response of rows, until it is dropped.
pub(crate) struct RowsRoom {
    _columns: Arc<Columns>,
    _share: Arc<ClientShare>,
    _text: Room,
}

/// Where the columns of a response do not count yet.
#[derive(Clone, Copy)]
struct UncountedColumns {
    for_client: bool,
    for_all: bool,
}

impl SharedColumns {
    /// The memory in `pool` of a response to `client` that is written from `rows`: for the columns, as far as they do not
    /// count yet, and for so many bytes of text.
    pub(super) async fn room(
        &self,
        client: ClientAddress,
        rows: Rows,
        text_bytes: usize,
        pool: &Pool,
    ) -> RowsRoom {
        let bytes = rows.memory();
        let mut uncounted = self.uncounted(client, &rows);
        loop {
            let of_client = text_bytes + if uncounted.for_client { bytes } else { 0 };
            let of_all = text_bytes + if uncounted.for_all { bytes } else { 0 };
            let room = pool.reserve(client, of_client, of_all).await;
            if let Some(room) = self.divided(client, &rows, uncounted, room) {
                return room;
            }
            // The columns were let go of by those who had them.
            uncounted = UncountedColumns { for_client: true, for_all: true };
        }
    }

    fn uncounted(&self, client: ClientAddress, rows: &Rows) -> UncountedColumns {
        let known = self.known(rows.batches.as_ptr().addr());
        let share = known.as_ref().and_then(|columns| columns.share_of(client));
        UncountedColumns { for_client: share.is_none(), for_all: known.is_none() }
    }

    /// Parts what is for columns from what is for text; `None` if there is nothing for columns that do not count any more.
    fn divided(
        &self,
        client: ClientAddress,
        rows: &Rows,
        uncounted: UncountedColumns,
        mut room: Room,
    ) -> Option<RowsRoom> {
        let bytes = rows.memory();
        let memory = uncounted.for_all.then(|| room.split_memory(bytes));
        let share = uncounted.for_client.then(|| room.split_share(bytes));
        let columns = match self.known(rows.batches.as_ptr().addr()) {
            Some(columns) => columns,
            None => self.add(rows.clone(), memory?),
        };
        let share = match columns.share_of(client) {
            Some(share) => share,
            None => columns.keep(client, share?),
        };
        Some(RowsRoom { _columns: columns, _share: share, _text: room })
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
