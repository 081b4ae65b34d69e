//! Faults that are planned ahead.

use std::io;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How many operations that change or sync something go well before; for [`FaultKind::Refused`], how many
    /// calls of its kind.
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
    /// The system refuses a call with an error number (`EMFILE` is 24, `EIO` 5, `ENOSPC` 28 on Linux). Nothing
    /// changes, and nothing is lost.
    Refused {
        /// Which call.
        call: Call,
        /// As [`io::Error::raw_os_error`].
        os_error: i32,
    },
}

/// A call that [`FaultKind::Refused`] strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Opening a file that exists.
    Open,
    /// Making a file or a directory.
    Create,
    /// Listing a directory.
    List,
    /// Reading from an open file, its length included.
    Read,
    /// Writing to an open file.
    Write,
    /// Any call that changes or syncs something: what a disk that is full, or mounted read-only, may refuse.
    Change,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Open,
    List,
    Read,
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
        if !counts(fault.kind, operation) {
            return true;
        }
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

/// Whether `operation` is one of those that a fault of this kind waits for.
fn counts(kind: FaultKind, operation: Operation) -> bool {
    let changes = !matches!(operation, Operation::Open | Operation::List | Operation::Read);
    let FaultKind::Refused { call, .. } = kind else { return changes };
    match call {
        Call::Open => operation == Operation::Open,
        Call::Create => operation == Operation::Create,
        Call::List => operation == Operation::List,
        Call::Read => operation == Operation::Read,
        Call::Write => operation == Operation::Write,
        Call::Change => changes,
    }
}

fn effect(kind: FaultKind, operation: Operation) -> Outcome {
    let needs_space = matches!(operation, Operation::Create | Operation::Write);
    match (kind, operation) {
        (FaultKind::Io, _) | (FaultKind::Sync, Operation::Sync) => {
            Outcome::Failed(io::Error::other("the disk failed"))
        }
        (FaultKind::NoSpace, _) if needs_space => Outcome::Failed(io::ErrorKind::StorageFull.into()),
        (FaultKind::ShortWrite, Operation::Write) => Outcome::Partly,
        (FaultKind::Refused { os_error, .. }, _) => Outcome::Failed(io::Error::from_raw_os_error(os_error)),
        (FaultKind::Crash, _) => Outcome::Failed(io::ErrorKind::HostUnreachable.into()),
        _ => Outcome::Done,
    }
}

/// Whether the machine went down.
pub(super) fn is_crash(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(error) if error.kind() == io::ErrorKind::HostUnreachable)
}
