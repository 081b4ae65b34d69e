//! Fetch: records out, or a wait until there are some.
//!
//! A request that begins a session (KIP-227) names all its partitions; those that go on with it name what changed, and are
//! answered with what changed. A reader of committed records is given those below the last stable offset, and which
//! transactions among them were aborted: it passes over their records itself (KIP-98).

mod session;
mod sessions;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use factum_access::QuotaKey;
use factum_base::clients::ClientAddress;
use factum_broker::{
    Bounds, Fetch, FetchPartition as Wanted, FetchResult, Isolation, Partition, ReadError, Slice, Topic,
};
use factum_types::{Action, TopicId};

pub(crate) use sessions::FetchSessions;

use session::{FIRST_EPOCH, FetchSession, NO_EPOCH};
use sessions::{SessionOwner, SharedSession};

use super::{Call, Handle, lookup};
use crate::connection::to_usize;
use crate::error_code::ErrorCode;
use crate::messages::fetch::{
    AbortedTransaction, EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchTopic,
    FetchedPartition, FetchedTopic,
};

impl Handle for FetchRequest {
    type Response = FetchResponse;

    const IS_PATIENT: bool = true;

    async fn handle(self, call: &Call) -> FetchResponse {
        let opened = match open(&self, call) {
            Ok(opened) => opened,
            Err(code) => return answer(code, 0, Vec::new()),
        };
        // Who has to wait is told at once, without anything (KIP-219).
        let owed = call.owed(QuotaKey::ConsumerByteRate);
        if owed > 0 {
            return FetchResponse { throttle_time_ms: owed, ..opened.leave_empty(&self, call) };
        }
        let mut plan = Plan::default();
        for topic in &opened.topics {
            plan.add(call, topic);
        }
        let isolation = lookup::isolation(self.isolation_level);
        let fetch = plan.fetch(&self, isolation, call);
        // One batch is answered whatever the limits say, so there must be room for one.
        let room = tokio::time::timeout(fetch.max_wait, call.session.node.budget.room());
        match room.await {
            Ok(()) => plan.fill(call.session.broker().fetch(fetch).await, isolation),
            Err(_) => plan.leave_empty(&fetch),
        }
        let throttle_time_ms = call.charge(QuotaKey::ConsumerByteRate, fetched_bytes(&plan.topics));
        FetchResponse { throttle_time_ms, ..opened.close(&self, call, plan.topics) }
    }
}

/// Bytes of records in an answer.
fn fetched_bytes(topics: &[FetchedTopic]) -> f64 {
    let chunks = topics.iter().flat_map(|topic| &topic.partitions).flat_map(|partition| &partition.records);
    chunks.map(Bytes::len).sum::<usize>() as f64
}

/// What a request reads, and the session that it is in.
struct OpenFetch {
    topics: Vec<FetchTopic>,
    session: SessionUse,
}

enum SessionUse {
    /// None, and none is begun.
    None,
    /// One is begun if there is room.
    Begin,
    /// The session of this id goes on.
    GoOn(i32, SharedSession),
}

/// Finds out what to read.
///
/// # Errors
/// The code that tells the client to begin another session.
fn open(request: &FetchRequest, call: &Call) -> Result<OpenFetch, ErrorCode> {
    let (node, owner) = (&call.session.node, owner(call));
    let id = request.session_id;
    // A full request closes the session that it names.
    if let FIRST_EPOCH | NO_EPOCH = request.session_epoch {
        node.fetch_sessions.end(id, &owner);
        let session = match request.session_epoch {
            FIRST_EPOCH => SessionUse::Begin,
            _ => SessionUse::None,
        };
        return Ok(OpenFetch { topics: once(&request.topics), session });
    }
    let session = node.fetch_sessions.find(id, &owner, node.clock.monotonic());
    let session = session.ok_or(ErrorCode::FetchSessionIdNotFound)?;
    let (topics, bytes, partitions) = {
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        (session.go_on(request, uses_topic_ids(call))?, session.bytes(), session.len())
    };
    if partitions == 0 {
        node.fetch_sessions.end(id, &owner);
        return Ok(OpenFetch { topics, session: SessionUse::None });
    }
    match node.fetch_sessions.resize(id, bytes, partitions) {
        true => Ok(OpenFetch { topics, session: SessionUse::GoOn(id, session) }),
        // It has outgrown what it may have: the client names all again, and is served without a session.
        false => Err(ErrorCode::FetchSessionIdNotFound),
    }
}

impl OpenFetch {
    /// The answer to a client that has to wait: clients make no session of it.
    fn leave_empty(self, request: &FetchRequest, call: &Call) -> FetchResponse {
        match self.session {
            SessionUse::None | SessionUse::Begin => answer(ErrorCode::None, 0, Vec::new()),
            SessionUse::GoOn(..) => self.close(request, call, Vec::new()),
        }
    }

    /// The answer, as the session has it.
    fn close(self, request: &FetchRequest, call: &Call, mut answered: Vec<FetchedTopic>) -> FetchResponse {
        let node = &call.session.node;
        let id = match self.session {
            SessionUse::None => 0,
            SessionUse::Begin => {
                let session = FetchSession::new(uses_topic_ids(call), &self.topics, &answered);
                node.fetch_sessions.begin(owner(call), session, node.clock.monotonic())
            }
            SessionUse::GoOn(id, session) => {
                let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
                if !session.is_answering(request.session_epoch) {
                    return answer(ErrorCode::InvalidFetchSessionEpoch, 0, Vec::new());
                }
                session.retain_news(&mut answered);
                id
            }
        };
        answer(ErrorCode::None, id, answered)
    }
}

fn owner(call: &Call) -> SessionOwner {
    let address = ClientAddress::from(call.session.peer.ip());
    SessionOwner { address, principal: call.session.principal().clone() }
}

/// Whether topics are named by id in the request's version.
fn uses_topic_ids(call: &Call) -> bool {
    call.header.version >= 13
}

/// Each topic and partition once, in the order in which they are first named; as in Kafka, what is said of it
/// last counts.
fn once(asked: &[FetchTopic]) -> Vec<FetchTopic> {
    let mut topics: Vec<FetchTopic> = Vec::with_capacity(asked.len());
    let (mut places, mut partition_places) = (HashMap::new(), HashMap::new());
    for topic in asked {
        let at = *places.entry((topic.topic_id, &topic.name)).or_insert_with(|| {
            topics.push(FetchTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: Vec::new(),
            });
            topics.len() - 1
        });
        let partitions = &mut topics[at].partitions;
        for partition in &topic.partitions {
            match partition_places.entry((at, partition.partition)) {
                Entry::Occupied(place) => partitions[*place.get()] = *partition,
                Entry::Vacant(place) => {
                    place.insert(partitions.len());
                    partitions.push(*partition);
                }
            }
        }
    }
    topics
}

fn answer(error_code: ErrorCode, session_id: i32, topics: Vec<FetchedTopic>) -> FetchResponse {
    FetchResponse { throttle_time_ms: 0, error_code, session_id, topics, node_endpoints: Vec::new() }
}

/// What to read, and the answer that it goes into.
#[derive(Default)]
struct Plan {
    topics: Vec<FetchedTopic>,
    wanted: Vec<Wanted>,
    /// Of each wanted partition, its place in the answer: topic, partition.
    places: Vec<(usize, usize)>,
    /// Something is answered without reading: at once, then.
    is_urgent: bool,
    /// The topics that were looked up: a session may name one many times.
    found: HashMap<(TopicId, String), Result<Arc<Topic>, ErrorCode>>,
}

impl Plan {
    fn add(&mut self, call: &Call, asked: &FetchTopic) {
        let session = &call.session;
        let found = self.found.entry((asked.topic_id, asked.name.clone()));
        let topic = found.or_insert_with(|| match asked.topic_id {
            TopicId::NIL => session.topic(Action::Read, &asked.name),
            id => session.topic_by_id(Action::Read, id),
        });
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for each in &asked.partitions {
            let found = lookup::partition(topic, each.partition);
            let outcome =
                match found.and_then(|partition| check(partition, each).map(|found| (partition, found))) {
                    Ok((partition, None)) => {
                        self.places.push((self.topics.len(), partitions.len()));
                        self.wanted.push(wanted(partition, each));
                        Ok(None)
                    }
                    Ok((_, diverging)) => Ok(diverging),
                    Err(code) => Err(code),
                };
            self.is_urgent |= !matches!(outcome, Ok(None));
            partitions.push(unread(each.partition, outcome));
        }
        self.topics.push(FetchedTopic { name: asked.name.clone(), topic_id: asked.topic_id, partitions });
    }

    fn fetch(&mut self, request: &FetchRequest, isolation: Isolation, call: &Call) -> Fetch {
        let node = &call.session.node;
        let asked = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
        let limit = node.budget.fetch_limit(&call.session.connection.address, size(request.max_bytes));
        // What a client would wait for longer than the windows of its quota is not worth fetching at once.
        let quota = call.most_at_once(QuotaKey::ConsumerByteRate).map_or(usize::MAX, |most| most as usize);
        let max_bytes = limit.min(quota);
        Fetch {
            partitions: std::mem::take(&mut self.wanted),
            min_bytes: size(request.min_bytes).min(max_bytes),
            max_bytes,
            max_wait: if self.is_urgent { Duration::ZERO } else { asked.min(node.options.max_fetch_wait) },
            isolation,
        }
    }

    /// Answers with no records, and with where they are.
    fn leave_empty(&mut self, fetch: &Fetch) {
        for (wanted, (topic, at)) in fetch.partitions.iter().zip(&self.places) {
            place(&mut self.topics[*topic].partitions[*at], wanted.partition.bounds());
        }
    }

    fn fill(&mut self, fetched: Vec<FetchResult>, isolation: Isolation) {
        for (FetchResult { result }, (topic, at)) in fetched.into_iter().zip(&self.places) {
            let answer = &mut self.topics[*topic].partitions[*at];
            match result {
                Ok(slice) => {
                    place(answer, slice.bounds);
                    answer.aborted_transactions = aborted(&slice, isolation);
                    answer.records = slice.chunks;
                }
                Err(error) => {
                    answer.error_code = ErrorCode::from(&error);
                    if let ReadError::OutOfRange { bounds, .. } = error {
                        place(answer, bounds);
                    }
                }
            }
        }
    }
}

/// Compares epochs; gives where the client's log parts from this one, if it does (KIP-595).
fn check(partition: &Arc<Partition>, asked: &FetchPartition) -> Result<Option<EpochEndOffset>, ErrorCode> {
    let bounds = partition.bounds();
    lookup::check_epoch(asked.current_leader_epoch, bounds.leader_epoch)?;
    if asked.last_fetched_epoch < 0 {
        return Ok(None);
    }
    let Some((epoch, end)) = partition.log().epoch_end(asked.last_fetched_epoch) else {
        return Ok(Some(EpochEndOffset { epoch: -1, end_offset: -1 }));
    };
    let diverges = epoch < asked.last_fetched_epoch || end.get() < asked.fetch_offset;
    Ok(diverges.then_some(EpochEndOffset { epoch, end_offset: end.get() }))
}

fn wanted(partition: &Arc<Partition>, asked: &FetchPartition) -> Wanted {
    Wanted {
        partition: Arc::clone(partition),
        from: asked.fetch_offset,
        limit_bytes: size(asked.partition_max_bytes),
    }
}

fn unread(partition_index: i32, outcome: Result<Option<EpochEndOffset>, ErrorCode>) -> FetchedPartition {
    FetchedPartition {
        partition_index,
        error_code: outcome.err().unwrap_or(ErrorCode::None),
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        diverging_epoch: outcome.ok().flatten(),
        current_leader: None,
        aborted_transactions: None,
        preferred_read_replica: -1,
        records: Vec::new(),
    }
}

fn place(answer: &mut FetchedPartition, bounds: Bounds) {
    answer.high_watermark = bounds.high_watermark.get();
    answer.last_stable_offset = bounds.stable.get();
    answer.log_start_offset = bounds.log_start.get();
}

/// The aborted transactions that a reader of committed records passes over.
fn aborted(slice: &Slice, isolation: Isolation) -> Option<Vec<AbortedTransaction>> {
    let listed = slice.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first.get(),
    });
    (isolation == Isolation::ReadCommitted).then(|| listed.collect())
}

/// A size from the wire; a negative one is none.
fn size(bytes: i32) -> usize {
    to_usize(u64::try_from(bytes).unwrap_or(0))
}
