//! Views against the same SQL in batch, and what is refused.

mod clock;
mod closing;
mod extent;
mod maintained;
mod named;
mod refused;
mod world;
