//! Test equipment: a clock that is held, a disk that crashes, a real server to drive.
//!
//! Only ever a dev-dependency; nothing here is shipped.

mod held_clock;

pub use held_clock::HeldClock;
