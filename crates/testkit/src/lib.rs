//! Test equipment: a clock that is held, a disk that crashes, a real server to drive.
//!
//! Only ever a dev-dependency; nothing here is shipped.

mod crash_disk;
mod factum_process;
mod held_clock;

pub use crash_disk::{Call, CrashDisk, Fault, FaultKind};
pub use factum_process::{FactumProcess, Launch};
pub use held_clock::HeldClock;
