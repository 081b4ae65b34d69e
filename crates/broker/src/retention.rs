//! Drops what is past its retention, and takes the census of all partitions on the way.
//!
//! Invariant: age is judged by [`TrustedTime`] and never by the wall clock alone, so that a clock that jumps deletes
//! nothing; what is too large is dropped meanwhile as ever.

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::Stop;
use factum_types::Timestamp;
use tracing::{error, info};

use crate::catalogue::Catalogue;
use crate::metrics::{self, Census};
use crate::trusted_time::TrustedTime;

const CENSUS_INTERVAL: Duration = Duration::from_secs(2);

/// Runs rounds every `interval` until the stop is requested.
pub(crate) async fn run(
    catalogue: Arc<Catalogue>,
    trusted_time: Arc<TrustedTime>,
    interval: Duration,
    stop: Stop,
) {
    let clock = Arc::clone(catalogue.clock());
    let mut next_round = clock.monotonic() + interval;
    loop {
        let pause = CENSUS_INTERVAL.min(next_round.saturating_duration_since(clock.monotonic()));
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(pause) => {}
        }
        take_census(&catalogue).await;
        if clock.monotonic() < next_round {
            continue;
        }
        next_round = clock.monotonic() + interval;
        retain_on_thread(&catalogue, &trusted_time).await;
    }
}

/// Counts the partitions, and looks whether their directories are there.
async fn take_census(catalogue: &Arc<Catalogue>) {
    let committer = catalogue.committer();
    metrics::observe_syncs(committer.commits(), committer.waiting());
    let catalogue = Arc::clone(catalogue);
    let taken = tokio::task::spawn_blocking(move || {
        catalogue.check_directories();
        census(&catalogue)
    });
    match taken.await {
        Ok(census) => metrics::observe_census(census),
        Err(source) => error!(error = %source, "a census broke an invariant"),
    }
}

/// Deleting segments may take long, so it happens beside the async threads.
async fn retain_on_thread(catalogue: &Arc<Catalogue>, trusted_time: &Arc<TrustedTime>) {
    let (catalogue, trusted_time) = (Arc::clone(catalogue), Arc::clone(trusted_time));
    let round = tokio::task::spawn_blocking(move || retain(&catalogue, trusted_time.now()));
    if let Err(source) = round.await {
        error!(error = %source, "a retention round broke an invariant");
    }
}

fn retain(catalogue: &Catalogue, now: Timestamp) {
    for topic in catalogue.topics() {
        for partition in topic.partitions() {
            match partition.log().retain(now) {
                Ok(dropped) if dropped.segments > 0 => {
                    metrics::observe_retention(dropped.bytes);
                    let (segments, bytes) = (dropped.segments, dropped.bytes);
                    info!(partition = %partition.topic_partition(), segments, bytes, "dropped old segments");
                }
                Ok(_) => {}
                Err(error) => {
                    error!(partition = %partition.topic_partition(), %error, "old segments were not dropped");
                }
            }
        }
    }
}

fn census(catalogue: &Catalogue) -> Census {
    let topics = catalogue.topics();
    let mut census = Census { topics: topics.len(), ..Census::default() };
    for partition in topics.iter().flat_map(|topic| topic.partitions()) {
        let bounds = partition.bounds();
        let is_writable = bounds.is_writable && !partition.is_missing();
        census.partitions += 1;
        census.read_only += usize::from(!is_writable);
        census.retrying += usize::from(partition.log().trouble().is_some());
        census.bytes += bounds.bytes;
        let unsynced = bounds.log_end.since(bounds.high_watermark);
        census.unsynced_records_max = census.unsynced_records_max.max(unsynced);
    }
    census
}
