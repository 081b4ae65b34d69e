//! The coordinator of transactions: every transactional id by name, and the way in to each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, OnceLock};

use factum_base::clients::{ClientAddress, ClientLimit, most_of_one_client};
use factum_base::clock::SharedClock;
use factum_base::tasks::TaskGroup;
use factum_types::TransactionalId;
use parking_lot::{Mutex, RwLock};

use super::cell::{Cell, own_bytes};
use super::markers::Markers;
use super::transaction::Transaction;
use super::{Options, TransactionError};
use crate::broker::blocking;
use crate::coordinator::memory::GroupMemory;
use crate::error::ProducerIdError;
use crate::journal::Journal;
use crate::journal::log::JournalLog;
use crate::producer_ids::ProducerIds;
use crate::timers::Timers;
use crate::trusted_time::TrustedTime;

/// Looks after all transactional ids. Cloning is cheap and gives another hand on the same.
#[derive(Clone)]
pub struct TransactionCoordinator(pub(super) Arc<Transactions>);

/// What the coordinator holds. A cell's lock may be held while the map's is taken, never the other way round; a
/// partition's and a group's come after a cell's.
pub(super) struct Transactions {
    pub(super) options: Options,
    pub(super) clock: SharedClock,
    pub(super) trusted_time: Arc<TrustedTime>,
    pub(super) producer_ids: Arc<ProducerIds>,
    pub(super) journal: Journal,
    pub(super) markers: Markers,
    /// Epoch of this coordinator: markers of an older one are refused.
    pub(super) epoch: i32,
    pub(super) timers: Timers<TransactionalId>,
    pub(super) memory: Arc<GroupMemory>,
    /// What could not be read back at the start: a decision may have been in it.
    pub(super) unreadable: OnceLock<Arc<str>>,
    /// Where transactions are completed; there once the service runs.
    pub(super) tasks: OnceLock<TaskGroup>,
    /// The ids that each address brought.
    places: Arc<ClientLimit>,
    cells: RwLock<HashMap<TransactionalId, Arc<Mutex<Cell>>>>,
}

/// What the coordinator is made of.
pub(crate) struct Parts {
    pub(crate) options: Options,
    pub(crate) clock: SharedClock,
    pub(crate) trusted_time: Arc<TrustedTime>,
    pub(crate) producer_ids: Arc<ProducerIds>,
    pub(crate) journal: Arc<dyn JournalLog>,
    pub(crate) markers: Markers,
    pub(crate) epoch: i32,
    pub(crate) memory: Arc<GroupMemory>,
}

impl TransactionCoordinator {
    /// A coordinator that knows of nothing yet.
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { options, clock, trusted_time, producer_ids, journal, markers, epoch, memory } = parts;
        let places = ClientLimit::new(most_of_one_client(options.max_ids));
        let journal = Journal::new(journal, options.snapshot_after.0);
        Self(Arc::new(Transactions {
            options,
            clock,
            trusted_time,
            producer_ids,
            journal,
            markers,
            epoch,
            timers: Timers::default(),
            memory,
            unreadable: OnceLock::new(),
            tasks: OnceLock::new(),
            places,
            cells: RwLock::default(),
        }))
    }

    /// What is wrong with what is known of transactions, for operators.
    pub(crate) fn problem(&self) -> Option<String> {
        let reason = self.0.unreadable.get()?;
        Some(format!(
            "transactions were read back only in part ({reason}): those that partitions hold open and that are not known \
             stay open; look with `kafka-transactions.sh find-hanging` and end them with `abort`"
        ))
    }
}

impl Transactions {
    /// Every transactional id of this moment.
    pub(super) fn cells(&self) -> Vec<Arc<Mutex<Cell>>> {
        self.cells.read().values().map(Arc::clone).collect()
    }

    /// The transactional id, if it is known.
    pub(super) fn cell(&self, id: &TransactionalId) -> Option<Arc<Mutex<Cell>>> {
        self.cells.read().get(id).map(Arc::clone)
    }

    /// The transactional id, for those who must have initialized it.
    pub(super) fn known(&self, id: &TransactionalId) -> Result<Arc<Mutex<Cell>>, TransactionError> {
        self.cell(id).ok_or(TransactionError::UnknownProducer)
    }

    /// The transactional id, which begins to be, for `client`, if it was not known.
    pub(super) fn cell_or_new(
        &self,
        id: &TransactionalId,
        client: ClientAddress,
        new: impl FnOnce() -> Transaction,
    ) -> Result<Arc<Mutex<Cell>>, TransactionError> {
        if let Some(cell) = self.cell(id) {
            return Ok(cell);
        }
        let mut cells = self.cells.write();
        let (count, limit) = (cells.len(), self.options.max_ids);
        match cells.entry(id.clone()) {
            Entry::Occupied(there) => Ok(Arc::clone(there.get())),
            Entry::Vacant(_) if count >= limit => Err(TransactionError::TooManyIds { limit }),
            Entry::Vacant(free) => {
                let too_many = TransactionError::TooManyIdsOfClient { limit: self.places.limit() };
                let place = self.places.take(client, 1).ok_or(too_many)?;
                let memory = self.memory.take(Some(client), own_bytes(id));
                let memory = memory.map_err(TransactionError::NoMemory)?;
                let cell = Cell::new(id.clone(), new(), &self.memory, memory, Some(place));
                Ok(Arc::clone(free.insert(Arc::new(Mutex::new(cell)))))
            }
        }
    }

    /// Puts back what was read, whatever the limits.
    pub(super) fn restore(&self, id: &TransactionalId, transaction: Transaction) {
        self.own_producers(&transaction);
        let mut cells = self.cells.write();
        match cells.entry(id.clone()) {
            Entry::Occupied(there) => there.get().lock().put(transaction),
            Entry::Vacant(free) => {
                let memory = self.memory.take_always(None, own_bytes(id));
                let cell = Cell::new(id.clone(), transaction, &self.memory, memory, None);
                free.insert(Arc::new(Mutex::new(cell)));
            }
        }
    }

    /// Takes a transactional id out, whose lock the caller holds.
    pub(super) fn forget(&self, inside: &mut Cell) {
        inside.is_dead = true;
        self.disown_producers(&inside.transaction);
        self.cells.write().remove(&inside.id);
    }

    /// Takes a transactional id out.
    pub(super) fn remove(&self, id: &TransactionalId) {
        let removed = self.cells.write().remove(id);
        if let Some(cell) = removed {
            self.disown_producers(&cell.lock().transaction);
        }
    }

    /// Its producer ids belong to a transactional id from now on: of the last one too, batches may be on their way.
    fn own_producers(&self, transaction: &Transaction) {
        transaction.producer_ids().for_each(|id| self.producer_ids.begin_transactional(id));
    }

    fn disown_producers(&self, transaction: &Transaction) {
        transaction.producer_ids().for_each(|id| self.producer_ids.end_transactional(id));
    }

    /// A producer id that was never given out.
    pub(super) async fn new_producer_id(self: &Arc<Self>) -> Result<i64, ProducerIdError> {
        let id = match self.producer_ids.take_reserved() {
            Some(id) => id,
            None => {
                let transactions = Arc::clone(self);
                blocking(move || transactions.producer_ids.take()).await?
            }
        };
        self.producer_ids.begin_transactional(id);
        Ok(id)
    }
}

impl fmt::Debug for TransactionCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCoordinator").field("ids", &self.0.cells.read().len()).finish()
    }
}
