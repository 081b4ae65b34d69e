//! Names that topics share with what the server keeps beside them.
//!
//! Invariant: no client makes a topic whose name is taken, whichever API brings it. What the server itself makes is not
//! asked for: a project's plan has compared all names before.
//!
//! Not here: what else has names. That is said by the [`NameRegistry`] that the server is wired with.

use std::sync::OnceLock;

use factum_types::TopicName;

/// Knows names that no topic may be given. Asked for each topic that a client creates; it must be quick and must not block.
pub trait NameRegistry: Send + Sync + 'static {
    /// What else has this name, in words for who asks for the topic ("view store.top_movies"); `None` where the name is
    /// free.
    fn owner(&self, name: &TopicName) -> Option<String>;
}

/// The registry, once there is one.
#[derive(Default)]
pub(crate) struct TakenNames(OnceLock<Box<dyn NameRegistry>>);

impl TakenNames {
    /// Has `registry` asked from now on; the first one given stays.
    pub(crate) fn ask(&self, registry: Box<dyn NameRegistry>) {
        self.0.get_or_init(|| registry);
    }

    pub(crate) fn owner(&self, name: &TopicName) -> Option<String> {
        self.0.get()?.owner(name)
    }
}
