//! Views against the same SQL in batch, and what is refused.

mod clock;
mod closing;
mod constants;
mod extent;
mod maintained;
mod malformed;
mod misused;
mod named;
mod refused;
mod world;
