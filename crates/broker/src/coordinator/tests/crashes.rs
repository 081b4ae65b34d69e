//! Random changes and crashes at random moments: what is read back is what was there when the last kept record was
//! written.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_log::EndTransaction;
use factum_types::record::TransactionOutcome;
use factum_types::{ByteSize, Offset};
use futures::FutureExt as _;
use parking_lot::Mutex;
use proptest::prelude::*;

use super::memory_log::MemoryLog;
use super::rig::{Rig, commit, group, join, partition, sync};
use crate::coordinator::cell::Cell;
use crate::coordinator::{GroupState, Leaving, Options};

const GROUPS: [&str; 3] = ["one", "two", "three"];
const TOPICS: [&str; 2] = ["t", "u"];

#[derive(Debug, Clone)]
enum Step {
    Commit {
        group: usize,
        topic: usize,
        offset: i64,
    },
    CommitInTransaction {
        producer: i64,
        group: usize,
        topic: usize,
        offset: i64,
    },
    EndTransaction {
        producer: i64,
        outcome: TransactionOutcome,
    },
    Join {
        group: usize,
    },
    Leave {
        group: usize,
    },
    Delete {
        group: usize,
    },
    ForgetTopic {
        topic: usize,
    },
    DaysPass(u64),
    ExpireOffsets,
    /// A snapshot that gets as far as `polls` times being polled brings it, with a disk that follows.
    Snapshot {
        polls: usize,
    },
    Sync,
    Crash {
        part: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (group, topic) = (0..GROUPS.len(), 0..TOPICS.len());
    prop_oneof![
        8 => (group.clone(), topic.clone(), 0_i64..1_000).prop_map(|(group, topic, offset)| Step::Commit { group, topic, offset }),
        5 => (1_i64..3, group.clone(), topic.clone(), 0_i64..1_000).prop_map(|(producer, group, topic, offset)| {
            Step::CommitInTransaction { producer, group, topic, offset }
        }),
        3 => (1_i64..3, any::<bool>()).prop_map(|(producer, commits)| {
            let outcome = if commits { TransactionOutcome::Commit } else { TransactionOutcome::Abort };
            Step::EndTransaction { producer, outcome }
        }),
        3 => group.clone().prop_map(|group| Step::Join { group }),
        2 => group.clone().prop_map(|group| Step::Leave { group }),
        1 => group.prop_map(|group| Step::Delete { group }),
        1 => topic.prop_map(|topic| Step::ForgetTopic { topic }),
        1 => (1_u64..9).prop_map(Step::DaysPass),
        1 => Just(Step::ExpireOffsets),
        2 => (0_usize..8).prop_map(|polls| Step::Snapshot { polls }),
        2 => Just(Step::Sync),
        3 => any::<u8>().prop_map(|part| Step::Crash { part }),
    ]
}

/// What a group was after each of its records.
type History = BTreeMap<Offset, String>;

struct World {
    rig: Rig,
    histories: Vec<History>,
}

impl World {
    fn new() -> Self {
        let log = MemoryLog::new();
        log.hold();
        let options = Options { snapshot_after: ByteSize(1 << 40), ..Options::default() };
        Self {
            rig: Rig::with(log, options, Rig::held_clock()),
            histories: vec![History::new(); GROUPS.len()],
        }
    }

    fn take(&mut self, step: &Step) {
        let before: Vec<_> = GROUPS.iter().map(|name| self.rig.groups.0.cell(&group(name))).collect();
        self.change(step);
        for (at, before) in before.into_iter().enumerate() {
            if let Some(cell) = self.rig.groups.0.cell(&group(GROUPS[at])).or(before) {
                self.remember(at, &cell);
            }
        }
        if let Step::Crash { part } = step {
            self.crash(*part);
        }
        let groups = &self.rig.groups.0;
        let taken: usize = groups.cells().iter().map(|cell| cell.lock().recount()).sum();
        assert_eq!(groups.memory.bytes(), taken, "the memory counted is not what the groups take");
        assert!(groups.timers.len() <= groups.cells().len(), "a group has more than one entry in the timers");
    }

    fn change(&mut self, step: &Step) {
        let groups = &self.rig.groups;
        match *step {
            Step::Commit { group, topic, offset } => {
                let member = groups.describe(&super::group(GROUPS[group])).members.into_iter().next();
                let generation = groups.0.cell(&super::group(GROUPS[group]));
                let generation = generation.map_or(-1, |cell| cell.lock().group.stored().generation);
                let member = member.as_ref().map(|member| (member.member_id.as_str(), generation));
                cut_off(groups.commit(commit(GROUPS[group], member, TOPICS[topic], offset)));
            }
            Step::CommitInTransaction { producer, group, topic, offset } => {
                // Refused of a group that has members, which is not the point here.
                drop(groups.commit_in_transaction(
                    (producer, 0),
                    commit(GROUPS[group], None, TOPICS[topic], offset),
                ));
            }
            Step::EndTransaction { producer, outcome } => {
                let end = EndTransaction {
                    producer_id: producer,
                    producer_epoch: 0,
                    outcome,
                    coordinator_epoch: 0,
                };
                groups.end_transaction(&end).expect("the log takes the marker");
            }
            Step::Join { group } => self.join(GROUPS[group]),
            Step::Leave { group } => {
                let members = groups.describe(&super::group(GROUPS[group])).members.into_iter();
                let leaving =
                    members.map(|member| Leaving { member_id: member.member_id, instance_id: None });
                cut_off(groups.leave(&super::group(GROUPS[group]), leaving.collect()));
            }
            Step::Delete { group } => cut_off(groups.delete(&super::group(GROUPS[group]))),
            Step::ForgetTopic { topic } => cut_off(groups.forget_topic(&partition(TOPICS[topic]).topic)),
            Step::DaysPass(days) => {
                self.rig.clock.advance(Duration::from_secs(days * 24 * 60 * 60));
                groups.0.expire_due(self.rig.now());
            }
            Step::ExpireOffsets => groups.0.expire_offsets(),
            Step::Snapshot { polls } => poll(groups.0.snapshot(), polls, || self.rig.log.sync()),
            Step::Sync => self.rig.log.sync(),
            Step::Crash { .. } => {}
        }
    }

    /// One member, alone, gets everything.
    fn join(&self, name: &str) {
        self.rig.log.sync();
        let joined = self.rig.groups.join(join(name, "a")).now_or_never();
        let Some(Ok(joined)) = joined else { return };
        let shares = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
        cut_off(self.rig.groups.sync(sync(name, &joined.member_id, joined.generation, shares)));
    }

    fn remember(&mut self, at: usize, cell: &Arc<Mutex<Cell>>) {
        let cell = cell.lock();
        if let Some(last) = cell.last {
            self.histories[at].insert(last, tell(&cell));
        }
    }

    fn crash(&mut self, part: u8) {
        let end = self.rig.log.crash(part);
        self.rig = self.rig.restart();
        for (at, name) in GROUPS.iter().enumerate() {
            self.histories[at].retain(|last, _| *last < end);
            let expected = self.histories[at].values().next_back().cloned().unwrap_or_default();
            let found =
                self.rig.groups.0.cell(&group(name)).map(|cell| tell(&cell.lock())).unwrap_or_default();
            assert_eq!(found, expected, "group {name} as read back from what ends at {end}");
        }
    }
}

/// What is to be read back of a group; nothing if it is gone.
fn tell(cell: &Cell) -> String {
    if cell.group.state() == GroupState::Dead || cell.is_unused() {
        return String::new();
    }
    let offsets = cell.offsets.in_order();
    let offsets =
        offsets.map(|(partition, stored, order)| format!("{partition}={:?}@{order}", stored.committed));
    let stored = cell.stored().map(|value| format!("{value:?}")).unwrap_or_default();
    format!("{stored} {} {}", offsets.collect::<Vec<_>>().join(" "), cell.pending.tell())
}

/// Polls once: the caller goes away before the disk has answered, unless it had.
fn cut_off<T>(request: impl Future<Output = T>) {
    drop(request.now_or_never());
}

fn poll<T>(work: impl Future<Output = T>, times: usize, mut between: impl FnMut()) {
    let mut work = Box::pin(work);
    for _ in 0..times {
        if (&mut work).now_or_never().is_some() {
            return;
        }
        between();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn recovered_groups_existed(steps in prop::collection::vec(step(), 0..80), part: u8) {
        let mut world = World::new();
        for step in steps.iter().chain(&[Step::Crash { part }]) {
            world.take(step);
        }
    }
}
