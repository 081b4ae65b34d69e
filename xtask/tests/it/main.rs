//! The real `xtask` over small workspaces with planted faults: what it prints is the contract.

mod docs;
mod planted_workspace;
mod tidy;
