//! The embedded store, through its public surface.

mod crashes;
mod damage;
mod format;
mod full_disk;
mod keys;
mod model;
mod ordered_model;
mod ordered_spill;
mod restarts;
mod store;
mod support;
