//! Kinds of windows: those that close together.

use std::sync::Arc;

use factum_types::{TopicId, TopicName};

/// Windows of one length over the event times of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowKind {
    /// The topic.
    pub(crate) topic: TopicName,
    /// The column of the event time.
    pub(crate) time: Arc<str>,
    /// The length of a window in microseconds; windows are counted from 1970.
    pub(crate) size: i64,
    /// How long events may stay behind the latest, in microseconds.
    pub(crate) lateness: i64,
}

impl WindowKind {
    /// The key of their closings in the log: equal for equal kinds over the same topic. Another topic of the same name,
    /// which has another id, is not the same.
    pub(crate) fn key(&self, topic: TopicId) -> String {
        // Neither topic names nor ids hold a slash, and the numbers hold none either: no two kinds share a key.
        format!("{}/{topic}/{}/{}/{}", self.topic, self.time, self.size, self.lateness)
    }

    /// The end of the last window that ends at `time` or before.
    pub(crate) fn last_end(&self, time: i64) -> i64 {
        time.div_euclid(self.size).saturating_mul(self.size)
    }

    /// The end of the window that an event belongs to.
    pub(crate) fn window_end(&self, time: i64) -> i64 {
        time.div_euclid(self.size).saturating_add(1).saturating_mul(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let kind = WindowKind {
            topic: TopicName::new("store.orders").expect("a name"),
            time: "at".into(),
            size: 10,
            lateness: 0,
        };
        for (time, last_end, window_end) in
            [(0, 0, 10), (9, 0, 10), (10, 10, 20), (-1, -10, 0), (-10, -10, 0)]
        {
            assert_eq!((kind.last_end(time), kind.window_end(time)), (last_end, window_end), "{time}");
        }
        assert_eq!(kind.window_end(i64::MAX), i64::MAX);
        assert_eq!(kind.last_end(i64::MIN), i64::MIN);
    }
}
