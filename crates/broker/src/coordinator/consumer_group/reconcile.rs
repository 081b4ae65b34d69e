//! Reconciliation: from what a member has to what it is to have, a step at a time (KIP-848).
//!
//! ```text
//!               has to give up                    gave it up                  others have it
//!   Stable ────────────────────► UnrevokedPartitions ──────► ( next step ) ────────────────► UnreleasedPartitions
//!      ▲                                                         │                                    │
//!      └────────────── has its target ───────────────────────────┴────────────────────────────────────┘
//! ```
//!
//! Invariant: a partition is assigned only while no member has it, assigned or still to be given up.

use super::member::{CurrentAssignment, MemberState};
use super::partition_set::PartitionSet;

/// What a member is reconciled with.
pub(crate) struct Goal<'a> {
    /// The epoch of the target assignment.
    pub(crate) epoch: i32,
    pub(crate) target: &'a PartitionSet,
    /// What the member says that it has; none if it does not say.
    pub(crate) owned: Option<&'a PartitionSet>,
    /// What the other members have.
    pub(crate) taken: &'a dyn Fn() -> PartitionSet,
}

/// The member's next assignment; the same if it cannot move on.
pub(crate) fn next_assignment(current: &CurrentAssignment, goal: &Goal<'_>) -> CurrentAssignment {
    match current.state {
        MemberState::Stable if current.epoch == goal.epoch => current.clone(),
        MemberState::UnrevokedPartitions if still_owns(goal.owned, &current.revoking) => current.clone(),
        MemberState::UnrevokedPartitions => step(current, current.epoch + 1, goal),
        MemberState::Stable | MemberState::UnreleasedPartitions => step(current, current.epoch, goal),
    }
}

/// `epoch` is the member's while it has to give something up.
fn step(current: &CurrentAssignment, epoch: i32, goal: &Goal<'_>) -> CurrentAssignment {
    let Goal { target, .. } = goal;
    let mut assigned = current.assigned.filter(|topic, number| target.contains(topic, number));
    let revoking = current.assigned.filter(|topic, number| !target.contains(topic, number));
    if !revoking.is_empty() && still_owns(goal.owned, &revoking) {
        let state = MemberState::UnrevokedPartitions;
        return CurrentAssignment { epoch, previous_epoch: current.epoch, state, assigned, revoking };
    }
    let missing = target.filter(|topic, number| !assigned.contains(topic, number));
    let mut state = MemberState::Stable;
    if !missing.is_empty() {
        let taken = (goal.taken)();
        for (topic, number) in missing.iter() {
            match taken.contains(topic, number) {
                true => state = MemberState::UnreleasedPartitions,
                false => assigned.insert(topic, number),
            }
        }
    }
    let revoking = PartitionSet::default();
    let next =
        CurrentAssignment { epoch: goal.epoch, previous_epoch: current.epoch, state, assigned, revoking };
    // Nothing has happened if it still waits for the same partitions.
    let waits_on = current.state == state && current.epoch == next.epoch && current.assigned == next.assigned;
    if waits_on { current.clone() } else { next }
}

/// A member that does not say what it has may have all of it.
fn still_owns(owned: Option<&PartitionSet>, revoking: &PartitionSet) -> bool {
    owned.is_none_or(|owned| revoking.iter().any(|(topic, number)| owned.contains(topic, number)))
}
