//! Metrics of feeds.

/// `events` of `feed` are on disk.
pub(crate) fn stored(feed: &str, events: usize) {
    metrics::counter!("factum_feed_events_total", "feed" => feed.to_owned()).increment(events as u64);
}

/// Events of `feed` could not be stored and are tried again.
pub(crate) fn failed(feed: &str) {
    metrics::counter!("factum_feed_failures_total", "feed" => feed.to_owned()).increment(1);
}
