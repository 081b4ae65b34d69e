//! What a change is written as, once for all who are told it at the same time.
//!
//! Always holds: the bytes are there only while somebody holds them, so that followers who are slow cost one copy, and
//! followers who have gone none.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// The bytes of one change; clones share them.
#[derive(Clone, Default)]
pub struct Rendering(Arc<Mutex<Option<Weak<[u8]>>>>);

impl Rendering {
    /// The bytes, which `render` makes if nobody holds them. Whoever asks meanwhile waits for it: call it where
    /// blocking is allowed.
    pub fn get_or_render(&self, render: impl FnOnce() -> Vec<u8>) -> Arc<[u8]> {
        let mut held = self.0.lock();
        if let Some(bytes) = held.as_ref().and_then(Weak::upgrade) {
            return bytes;
        }
        let bytes = Arc::from(render());
        *held = Some(Arc::downgrade(&bytes));
        bytes
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendering")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_made_once_while_somebody_holds_them() {
        let rendering = Rendering::default();
        let first = rendering.get_or_render(|| vec![1]);
        let other = rendering.clone();
        let second = other.get_or_render(|| vec![2]);
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        assert_eq!(*rendering.get_or_render(|| vec![3]), [3], "nobody held them any more");
    }
}
