//! A member's place in its group, kept by a task of its own.
//!
//! ```text
//!            the consumer polls              heartbeat: rebalance, unknown member;
//!   Out ───────────────────────► Joining     a topic of the leader's changed
//!    ▲                              │              │
//!    │                              ▼              │
//!    └──────────────────────────── In ◄────────────┘ (back to Out)
//! ```
//!
//! Invariants: the member joins only when its consumer polls, so a consumer that handles records is not overtaken by a
//! rebalance; but once begun, joining goes on although the poll that began it has run out of time.
//! A consumer that is dropped, or that has not polled for [`MAX_POLL_INTERVAL`], gets no more heartbeats.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use factum_base::tasks::Stop;
use factum_eventlog::Membership;
use factum_types::{TopicId, TopicName, TopicPartition};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::broker::Broker;
use crate::coordinator::{
    CoordinatorError, JoinGroup, JoinResult, Leaving, SyncGroup, SyncResult, consumer_protocol,
};

/// How long a consumer may go without polling, as Kafka's `max.poll.interval.ms`.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// How long the others wait for this member in a rebalance.
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(60);
/// A heartbeat is a function call here, so it is sent often: a rebalance is noticed soon.
const LONGEST_HEARTBEAT: Duration = Duration::from_millis(200);
/// Names the place of members that are no network clients.
const CLIENT_HOST: &str = "in-process";

/// What a generation gave the member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) generation: i32,
    pub(super) member_id: String,
    pub(super) partitions: Vec<TopicPartition>,
}

#[derive(Debug, Clone)]
enum State {
    /// Not a member, or not any more; joins once the consumer wishes for this round.
    Out {
        round: u64,
        refused: Option<CoordinatorError>,
    },
    Joining,
    In(Arc<Share>),
    /// The broker stops: nothing will change any more.
    Ended,
}

/// Why a share is not to be had.
#[derive(Debug)]
pub(super) enum NoShare {
    Refused(CoordinatorError),
    /// The broker stops.
    Stopping,
}

/// The identity of each topic and how many partitions it has; none for one that is not there.
type Topics = BTreeMap<TopicName, Option<(TopicId, i32)>>;

type LeaveReply = oneshot::Sender<Result<(), CoordinatorError>>;

/// The consumer's side.
pub(super) struct Session {
    state: watch::Receiver<State>,
    wish: watch::Sender<u64>,
    leave: Option<oneshot::Sender<LeaveReply>>,
    polled: Arc<Mutex<Instant>>,
    broker: Broker,
    /// The round whose refusal was told.
    told: u64,
}

impl Session {
    /// A session and the task that keeps it; the task ends with the session.
    pub(super) fn new(
        broker: Broker,
        membership: Membership,
        stop: Stop,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (publish, state) = watch::channel(State::Out { round: 1, refused: None });
        let (wish, wished) = watch::channel(1);
        let (leave, left) = oneshot::channel();
        let polled = Arc::new(Mutex::new(broker.clock().monotonic()));
        let member = Member {
            broker: broker.clone(),
            membership,
            id: String::new(),
            round: 1,
            led: None,
            publish,
            wished,
            polled: Arc::clone(&polled),
        };
        let session = Self { state, wish, leave: Some(leave), polled, broker, told: 0 };
        (session, keep(member, left, stop))
    }

    /// The member's share; joins for it if need be. Dropping the future does not stop the joining.
    pub(super) async fn share(&mut self) -> Result<Arc<Share>, NoShare> {
        *self.polled.lock() = self.broker.clock().monotonic();
        loop {
            let state = self.state.borrow_and_update().clone();
            match state {
                State::In(share) => return Ok(share),
                State::Joining => {}
                State::Ended => return Err(NoShare::Stopping),
                State::Out { round, refused: Some(error) } if self.told < round => {
                    self.told = round;
                    return Err(NoShare::Refused(error));
                }
                State::Out { round, .. } => {
                    self.wish.send_replace(round);
                }
            }
            self.state.changed().await.map_err(|_| NoShare::Stopping)?;
        }
    }

    /// Resolves once `share` is not the member's any more.
    pub(super) async fn lost(&self, share: &Share) {
        let mut state = self.state.clone();
        let still = |state: &State| matches!(state, State::In(held) if held.generation == share.generation);
        // An error only tells that the task has ended, after its last word.
        drop(state.wait_for(|state| !still(state)).await);
    }

    /// Leaves the group.
    pub(super) async fn leave(mut self) -> Result<(), CoordinatorError> {
        let (reply, answered) = oneshot::channel();
        match self.leave.take().map(|leave| leave.send(reply)) {
            Some(Ok(())) => answered.await.unwrap_or(Ok(())),
            _ => Ok(()),
        }
    }
}

/// The task: takes part until the consumer leaves, is dropped, or the broker stops.
async fn keep(mut member: Member, left: oneshot::Receiver<LeaveReply>, stop: Stop) {
    tokio::select! {
        () = stop.requested() => {}
        () = member.take_part() => {}
        left = left => {
            if let Ok(reply) = left {
                // The caller may have gone away meanwhile.
                drop(reply.send(member.leave().await));
            }
        }
    }
    member.publish.send_replace(State::Ended);
}

/// The coordinator's side.
struct Member {
    broker: Broker,
    membership: Membership,
    /// What the coordinator called it; empty before the first join.
    id: String,
    round: u64,
    /// The topics that it shared out as leader, as they were then.
    led: Option<Topics>,
    publish: watch::Sender<State>,
    wished: watch::Receiver<u64>,
    polled: Arc<Mutex<Instant>>,
}

impl Member {
    /// Ends only when no one can wish any more.
    async fn take_part(&mut self) {
        loop {
            let round = self.round;
            if self.wished.wait_for(|wished| *wished >= round).await.is_err() {
                return;
            }
            self.publish.send_replace(State::Joining);
            let joined = self.join().await;
            self.round += 1;
            let refused = match joined {
                Ok(share) => {
                    let share = Arc::new(share);
                    self.publish.send_replace(State::In(Arc::clone(&share)));
                    self.keep_alive(&share).await;
                    None
                }
                Err(error) => Some(error),
            };
            self.publish.send_replace(State::Out { round: self.round, refused });
        }
    }

    async fn join(&mut self) -> Result<Share, CoordinatorError> {
        loop {
            let attempt = self.join_once().await;
            match attempt {
                Err(CoordinatorError::MemberIdRequired { member_id }) => self.id = member_id,
                Err(CoordinatorError::UnknownMember) if !self.id.is_empty() => self.id.clear(),
                Err(CoordinatorError::RebalanceInProgress | CoordinatorError::IllegalGeneration { .. }) => {}
                result => return result,
            }
        }
    }

    async fn join_once(&mut self) -> Result<Share, CoordinatorError> {
        let joined = self.broker.coordinator().join(self.request()).await?;
        self.id.clone_from(&joined.member_id);
        let assignments = if joined.leader == joined.member_id { self.assign(&joined) } else { Vec::new() };
        if joined.leader != joined.member_id {
            self.led = None;
        }
        let generation = joined.generation;
        let synced = self.sync(joined, assignments).await?;
        let partitions = consumer_protocol::decode_assignment(&synced.assignment).unwrap_or_default();
        Ok(Share { generation, member_id: self.id.clone(), partitions })
    }

    fn request(&self) -> JoinGroup {
        let subscription = consumer_protocol::encode_subscription(&self.membership.topics);
        JoinGroup {
            group: self.membership.group.clone(),
            member_id: self.id.clone(),
            instance_id: None,
            client_id: self.membership.client_id.clone(),
            client_host: CLIENT_HOST.to_owned(),
            session_timeout: self.membership.session_timeout,
            rebalance_timeout: REBALANCE_TIMEOUT.max(self.membership.session_timeout),
            protocol_type: consumer_protocol::PROTOCOL_TYPE.to_owned(),
            protocols: vec![(consumer_protocol::RANGE.to_owned(), subscription)],
            requires_known_member_id: true,
            supports_skipping_assignment: false,
        }
    }

    async fn sync(
        &self,
        joined: JoinResult,
        assignments: Vec<(String, Bytes)>,
    ) -> Result<SyncResult, CoordinatorError> {
        let request = SyncGroup {
            group: self.membership.group.clone(),
            generation: joined.generation,
            member_id: joined.member_id,
            instance_id: None,
            protocol_type: joined.protocol_type,
            protocol: joined.protocol,
            assignments,
        };
        self.broker.coordinator().sync(request).await
    }

    /// The leader's work: everybody's share.
    fn assign(&mut self, joined: &JoinResult) -> Vec<(String, Bytes)> {
        let members = joined.members.iter().map(|member| {
            let topics = consumer_protocol::decode_subscription(&member.metadata).unwrap_or_default();
            (member.member_id.clone(), topics)
        });
        let subscriptions: Vec<_> = members.collect();
        let topics = subscriptions.iter().flat_map(|(_, topics)| topics).cloned();
        let topics = self.look_up(topics);
        let count = |topic: &Option<(TopicId, i32)>| topic.map_or(0, |(_, partitions)| partitions);
        let partitions = topics.iter().map(|(name, topic)| (name.clone(), count(topic))).collect();
        let shares = consumer_protocol::assign_ranges(&subscriptions, &partitions);
        let encode = |(member, share): (&&str, &Vec<TopicPartition>)| {
            ((*member).to_owned(), consumer_protocol::encode_assignment(share))
        };
        let assignments = shares.iter().map(encode).collect();
        self.led = Some(topics);
        assignments
    }

    fn look_up(&self, names: impl Iterator<Item = TopicName>) -> Topics {
        let found =
            |name: &TopicName| self.broker.topic(name.as_str()).map(|t| (t.id(), t.partition_count()));
        names.map(|name| (name.clone(), found(&name))).collect()
    }

    /// Returns once the member has to join again.
    async fn keep_alive(&mut self, share: &Share) {
        let coordinator = self.broker.coordinator().clone();
        let interval = (self.membership.session_timeout / 3).min(LONGEST_HEARTBEAT);
        loop {
            tokio::time::sleep(interval).await;
            let idle = self.broker.clock().monotonic().saturating_duration_since(*self.polled.lock());
            if idle > MAX_POLL_INTERVAL {
                // A failure means that it is out already.
                drop(self.leave().await);
                return;
            }
            let alive =
                coordinator.heartbeat(&self.membership.group, share.generation, &share.member_id, None);
            if alive.is_err() || self.topics_changed() {
                return;
            }
        }
    }

    fn topics_changed(&self) -> bool {
        let led = self.led.as_ref();
        led.is_some_and(|led| *led != self.look_up(led.keys().cloned()))
    }

    async fn leave(&mut self) -> Result<(), CoordinatorError> {
        let member_id = std::mem::take(&mut self.id);
        if member_id.is_empty() {
            return Ok(());
        }
        let leaving = Leaving { member_id, instance_id: None };
        let left = self.broker.coordinator().leave(&self.membership.group, vec![leaving]).await?;
        left.into_iter().collect()
    }
}
