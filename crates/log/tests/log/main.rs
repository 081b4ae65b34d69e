//! The log as its owner sees it, on a disk that crashes. One binary, so that it links once.

mod behaviour;
mod bench;
mod closing;
mod committer;
mod compaction;
mod compaction_model;
mod crash;
mod damage;
mod disks;
mod durability;
mod format;
mod inspection;
mod model;
mod open_files;
mod repair;
mod script;
mod strange_files;
mod transactions;
mod unreadable;
