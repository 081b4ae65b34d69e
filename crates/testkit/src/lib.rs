//! Test equipment: a clock that is held, a disk that crashes, a real server to drive, a power cut for it, the warnings in
//! its log, certificates and tokens.
//!
//! Only ever a dev-dependency; nothing here is shipped.

mod certificates;
mod crash_disk;
mod cryptography;
mod factum_process;
mod held_clock;
mod hung_mount;
mod memory;
mod power_cut;
mod token_issuer;
mod warnings;

pub use certificates::{Authority, CertificateFiles};
pub use crash_disk::{Call, CrashDisk, Fault, FaultKind, HeldReads};
pub use cryptography::install_cryptography;
pub use factum_process::{FactumProcess, Launch};
pub use held_clock::HeldClock;
pub use hung_mount::HungMount;
pub use memory::resident_bytes;
pub use power_cut::PowerCut;
pub use token_issuer::TokenIssuer;
pub use warnings::Warnings;
