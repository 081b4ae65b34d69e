//! Changes of views as text, for those who follow them.
//!
//! ```text
//!   a change ─┬─ small ─────────────────────────────────► text ─► its followers, a frame at a time
//!             └─ large ─► in line ─► rendered ─► memory? ─► text ─► the same
//!                            ▲                     └─ none: given up, and in line again once there is
//! ```
//!
//! Invariants:
//! - A change is rendered once for all followers that are sent it, as long as one of them has its text.
//! - [`RENDERED_AT_ONCE`] large changes are rendered at once, in the order in which they were asked for; what no one
//!   waits for any more is not begun.
//! - Their texts hold [`Options::snapshot_memory`] at most, beside those that are being rendered; who waits for memory
//!   holds no text and no place. One that is larger than that has the memory alone.
//! - A client address has a share of half of that memory, taken before its change gets in line: what it does not take is
//!   in the way of its own followers first.
//! - No client holds up others for longer than [`Options::snapshot_timeout`]: if one waits for memory for so long, the
//!   oldest text is given up, and who was still being sent it has to begin again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use factum_base::blocking_work::BlockingWork;
use factum_base::clients::ClientAddress;
use factum_base::tasks::TaskGroup;
use factum_sql::{Change, ChangeId, RelationName};
use tokio::sync::{Semaphore, oneshot};

use super::memory::TextMemory;
use super::text::{self, Text};
use crate::{Options, metrics};

/// How many large changes are rendered at once.
const RENDERED_AT_ONCE: usize = 2;

/// Renders changes, within bounds.
pub(crate) struct Renderer {
    tasks: TaskGroup,
    shared: Arc<SharedRenderer>,
}

struct SharedRenderer {
    texts: Mutex<HashMap<Key, Weak<Text>>>,
    free_renderers: Arc<Semaphore>,
    /// Where changes are rendered that are not large and not small.
    pieces: BlockingWork,
    memory: TextMemory,
}

/// What names a text: the view, the change, and whether it is the snapshot behind it.
type Key = (RelationName, ChangeId, bool);

fn key(view: &RelationName, change: &Change) -> Key {
    (view.clone(), change.id(), matches!(change, Change::Snapshot { .. }))
}

impl Renderer {
    /// What waits for its turn is a task of `tasks`; what is not large is written on the threads of `pieces`.
    pub(crate) fn new(options: &Options, tasks: TaskGroup, pieces: BlockingWork) -> Self {
        let shared = SharedRenderer {
            texts: Mutex::default(),
            free_renderers: Arc::new(Semaphore::new(RENDERED_AT_ONCE)),
            pieces,
            memory: TextMemory::new(options),
        };
        Self { tasks, shared: Arc::new(shared) }
    }

    /// The text of a change of `view` for a follower at `client`; `None` when the server stops. A large one is rendered
    /// by a task, so that a follower whose client takes nothing keeps no place in the line; dropping the future ends it.
    pub(crate) fn render(
        &self,
        client: ClientAddress,
        view: RelationName,
        change: Change,
    ) -> impl Future<Output = Option<Arc<Text>>> + Send + use<> {
        let (shared, tasks) = (Arc::clone(&self.shared), self.tasks.clone());
        async move {
            if !text::is_large(&change) {
                return Some(shared.small_text(view, change).await);
            }
            let (mut answer, answered) = oneshot::channel();
            let stop = tasks.stop();
            tasks.spawn_quiet(async move {
                tokio::select! {
                    () = stop.requested() => {}
                    () = answer.closed() => {}
                    // Who has gone meanwhile drops it.
                    text = shared.large_text(client, view, change) => drop(answer.send(text)),
                }
            });
            answered.await.ok()
        }
    }
}

impl SharedRenderer {
    async fn small_text(&self, view: RelationName, change: Change) -> Arc<Text> {
        let text = self.known_or_new(key(&view, &change));
        let render = || async {
            metrics::observe_rendering(&view.to_string());
            match text::is_small(&change) {
                true => text.fill(text::render(&change), None),
                false => text.fill(self.pieces.run(move || text::render(&change)).await, None),
            }
        };
        text.filled_by(render).await;
        text
    }

    async fn large_text(&self, client: ClientAddress, view: RelationName, change: Change) -> Arc<Text> {
        let key = key(&view, &change);
        let text = self.counted_text(client, &key, &change).await;
        let render = || async {
            metrics::observe_rendering(&view.to_string());
            self.render_large(&text, change).await;
        };
        text.filled_by(render).await;
        text
    }

    /// The text, once it counts for `client`: at once if it does already. Who waits holds no text, and asks again
    /// afterwards: it may have been given up meanwhile, or count since another follower of the client had the turn.
    async fn counted_text(&self, client: ClientAddress, key: &Key, change: &Change) -> Arc<Text> {
        if let Some(text) = self.known_if_counted(client, key) {
            return text;
        }
        let turn = self.memory.turn(client).await;
        if let Some(text) = self.known_if_counted(client, key) {
            return text;
        }
        let share = turn.share(text::estimated_bytes(change)).await;
        let text = self.known_or_new(key.clone());
        text.count_for(client, share);
        text
    }

    fn known_if_counted(&self, client: ClientAddress, key: &Key) -> Option<Arc<Text>> {
        Some(self.known_or_new(key.clone())).filter(|text| text.is_counted_for(client))
    }

    /// The text that others are told as well, unless it was given up.
    fn known_or_new(&self, key: Key) -> Arc<Text> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = texts.get(&key).and_then(Weak::upgrade).filter(|known| !known.is_given_up());
        known.unwrap_or_else(|| {
            texts.retain(|_, text| text.strong_count() > 0);
            let new = Arc::new(Text::default());
            texts.insert(key, Arc::downgrade(&new));
            new
        })
    }

    /// Renders in a place, and gives both up if there is no memory for the text: who waits for memory holds neither a
    /// place nor a text. The second time it is known how much memory is needed, and it is taken first.
    async fn render_large(&self, text: &Arc<Text>, change: Change) {
        let change = Arc::new(change);
        let bytes = self.render_in_place(&change).await;
        let length = bytes.len();
        let (bytes, room) = match self.memory.try_room(length) {
            Some(room) => (bytes, room),
            None => {
                drop(bytes);
                let room = self.memory.room(length).await;
                (self.render_in_place(&change).await, room)
            }
        };
        text.fill(bytes, Some(room));
        self.memory.list(text);
    }

    async fn render_in_place(&self, change: &Arc<Change>) -> Vec<u8> {
        let place = Arc::clone(&self.free_renderers).acquire_owned().await;
        let place = (place.expect("the semaphore is never closed"), metrics::GaugeGuard::rendering());
        let change = Arc::clone(change);
        // The place goes with the work: it is taken until that has ended, also if the caller has gone.
        let rendering = tokio::task::spawn_blocking(move || (text::render(&change), place));
        rendering.await.expect("rendering rows does not panic").0
    }
}
