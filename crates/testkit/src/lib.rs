//! Test equipment: a clock that is held, a disk that crashes, a real server to drive, and a power cut for it.
//!
//! Only ever a dev-dependency; nothing here is shipped.

mod crash_disk;
mod factum_process;
mod held_clock;
mod memory;
mod power_cut;

pub use crash_disk::{Call, CrashDisk, Fault, FaultKind, HeldReads};
pub use factum_process::{FactumProcess, Launch};
pub use held_clock::HeldClock;
pub use memory::resident_bytes;
pub use power_cut::PowerCut;
