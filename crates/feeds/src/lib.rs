//! Feeds: events that no one has to send. For now generators, which make up a shop's orders; change feeds and file
//! drops have their place here.
//!
//! ```text
//!   catalogue (films, prices, popularity) ─┐
//!   customers (seed)  ─────────────────────┼─► Orders ──► OrderEvents ──► EventLog      inside a server: Service
//!   rhythm ─► Arrivals (when)  ────────────┘                        └───► HTTP, stdout  the command line
//! ```
//!
//! Invariants: the same seed, start and times make the same orders, byte for byte. A total is the exact sum of its
//! lines, in cents. Memory does not grow with what was made.
//!
//! Not here: reading manifests (governance does), deciding whether generators run at all (the server does).

mod arrivals;
mod catalogue;
mod customers;
mod dice;
mod generator;
mod metrics;
mod money;
mod orders;
mod places;
mod rhythm;
mod service;
mod weighted;

pub use arrivals::{Arrivals, Span};
pub use catalogue::{Catalogue, CatalogueError, Product};
pub use generator::Feed;
pub use money::{Cents, CentsError};
pub use orders::{Line, Order, Orders, Recipe, RecipeError};
pub use rhythm::Rhythm;
pub use service::{Handle, Options, Service};
