//! Faults that are planned ahead.

use std::io;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How many operations that change or sync something go well before.
    pub after: u64,
    /// What goes wrong then.
    pub kind: FaultKind,
    /// Whether it goes on, or strikes once.
    pub lasting: bool,
}

/// How something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The operation fails and changes nothing; a failed sync also loses what it should have kept.
    Io,
    /// Whatever needs space fails; a file may still shrink, be synced, renamed or removed.
    NoSpace,
    /// A write does half its work and fails for want of space.
    ShortWrite,
    /// Only a sync fails.
    Sync,
    /// The machine goes down before the operation; nothing works until the disk is crashed.
    Crash,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Write,
    Resize,
    Rename,
    Remove,
    Sync,
}

pub(super) enum Outcome {
    Done,
    Partly,
    Failed(io::Error),
}

/// What becomes of the next operation under the planned faults.
pub(super) fn strike(faults: &mut Vec<Fault>, operation: Operation) -> Outcome {
    let mut outcome = Outcome::Done;
    faults.retain_mut(|fault| {
        if fault.after > 0 {
            fault.after -= 1;
            return true;
        }
        match effect(fault.kind, operation) {
            // A fault that cannot strike this operation waits for one that it can.
            Outcome::Done => true,
            struck => {
                outcome = struck;
                fault.lasting
            }
        }
    });
    outcome
}

fn effect(kind: FaultKind, operation: Operation) -> Outcome {
    let needs_space = matches!(operation, Operation::Create | Operation::Write);
    match (kind, operation) {
        (FaultKind::Io, _) | (FaultKind::Sync, Operation::Sync) => {
            Outcome::Failed(io::Error::other("the disk failed"))
        }
        (FaultKind::NoSpace, _) if needs_space => Outcome::Failed(io::ErrorKind::StorageFull.into()),
        (FaultKind::ShortWrite, Operation::Write) => Outcome::Partly,
        (FaultKind::Crash, _) => Outcome::Failed(io::ErrorKind::HostUnreachable.into()),
        _ => Outcome::Done,
    }
}

/// Whether the machine went down.
pub(super) fn is_crash(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(error) if error.kind() == io::ErrorKind::HostUnreachable)
}
