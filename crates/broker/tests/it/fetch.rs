//! Long polls: when they end, and with how much.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::time::Duration;

use factum_broker::{Broker, Fetch, FetchPartition, FetchResult, Isolation, Partition, ReadError};
use futures::FutureExt;
use futures::future::{join, join_all};
use futures::task::{ArcWake, waker};

use crate::support::{PATIENCE, append, bases, batch_of, fresh, new_topic, one_partition};

const LIMIT: usize = 1 << 20;

fn fetch(partitions: &[(&Arc<Partition>, i64)]) -> Fetch {
    let asked = |(partition, from): &(&Arc<Partition>, i64)| FetchPartition {
        partition: Arc::clone(partition),
        from: *from,
        limit_bytes: LIMIT,
    };
    Fetch {
        partitions: partitions.iter().map(asked).collect(),
        min_bytes: 1,
        max_bytes: LIMIT,
        max_wait: PATIENCE,
        isolation: Isolation::ReadUncommitted,
    }
}

/// The base offsets of the batches of each partition.
fn shown(fetched: &[FetchResult]) -> Vec<Vec<i64>> {
    fetched.iter().map(|fetched| bases(fetched.result.as_ref().expect("readable"))).collect()
}

async fn partitions(broker: &Broker, count: usize) -> Vec<Arc<Partition>> {
    let made = (0..count).map(|n| async move { one_partition(broker, &format!("fetch-{n}")).await });
    join_all(made).await
}

#[tokio::test]
async fn an_append_to_any_partition_ends_the_wait() {
    let (_dir, running) = fresh();
    let made = partitions(&running.broker, 3).await;
    for (place, partition) in made.iter().enumerate() {
        let asked: Vec<_> = made.iter().map(|p| (p, p.bounds().high_watermark.get())).collect();
        let (fetched, base) = join(running.broker.fetch(fetch(&asked)), append(partition, 10)).await;
        let mut expected = vec![Vec::new(); 3];
        expected[place] = vec![base];
        assert_eq!(shown(&fetched), expected);
    }
    running.stop().await;
}

/// The committer runs on its own thread, so the same poll that appended cannot see the record yet.
#[tokio::test]
async fn unsynced_records_are_not_fetched() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    for _ in 0..200 {
        let from = partition.bounds().log_end.get();
        let mut waiting = Box::pin(running.broker.fetch(fetch(&[(&partition, from)])));
        assert!(waiting.as_mut().now_or_never().is_none(), "there is nothing yet");
        let appended = partition.append(batch_of(10)).expect("a batch is taken");
        let fetched = waiting.await;
        assert!(partition.bounds().high_watermark > appended.last_offset, "the wait ended at the sync");
        assert_eq!(shown(&fetched), [[from]]);
        let durable = partition.durable(appended.last_offset).now_or_never();
        assert!(matches!(durable, Some(Ok(()))), "what is shown is durable");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_is_missed_between_polls() {
    let (_dir, running) = fresh();
    let made = partitions(&running.broker, 2).await;
    let writing = async {
        for n in 0..300 {
            append(&made[n % 2], 10).await;
        }
    };
    let reading = async {
        let mut next = [0, 0];
        while next.iter().sum::<i64>() < 300 {
            let fetched = running.broker.fetch(fetch(&[(&made[0], next[0]), (&made[1], next[1])])).await;
            for (next, bases) in next.iter_mut().zip(shown(&fetched)) {
                assert_eq!(bases, (*next..*next + bases.len() as i64).collect::<Vec<_>>());
                *next += bases.len() as i64;
            }
        }
    };
    tokio::time::timeout(PATIENCE, join(writing, reading)).await.expect("every record is seen in time");
    running.stop().await;
}

/// Many partitions make the time long between the first one's reading and its registration.
#[tokio::test]
async fn a_record_that_lands_while_a_wait_begins_is_not_missed() {
    let (_dir, running) = fresh();
    let topic = running.broker.create_topic(new_topic("wide", 50)).await.expect("a new topic");
    let hot = &topic.partitions()[0];
    for n in 0..3_000 {
        let from = hot.bounds().log_end.get();
        hot.append(batch_of(10)).expect("a batch is taken");
        (0..n * 37 % 3_000).for_each(|_| std::hint::spin_loop());
        let asked: Vec<_> =
            topic.partitions().iter().map(|p| (p, if Arc::ptr_eq(p, hot) { from } else { 0 })).collect();
        let fetched = tokio::time::timeout(PATIENCE / 2, running.broker.fetch(fetch(&asked))).await;
        assert_eq!(shown(&fetched.expect("it is seen in time"))[0], [from]);
    }
    running.stop().await;
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl ArcWake for Wakes {
    fn wake_by_ref(wakes: &Arc<Self>) {
        wakes.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_wait_sleeps_until_there_is_more() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    append(&partition, 10).await;
    let asked = Fetch { min_bytes: 10_000, ..fetch(&[(&partition, 0)]) };
    let mut waiting = Box::pin(running.broker.fetch(asked));
    let wakes = Arc::new(Wakes::default());
    let poll = waiting.as_mut().poll(&mut Context::from_waker(&waker(Arc::clone(&wakes))));
    assert!(poll.is_pending(), "ten bytes are not enough");
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0, "nothing happened, so no one woke it");
    append(&partition, 10).await;
    while wakes.0.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "one sync, one wake-up");
    drop(waiting);
    running.stop().await;
}

#[tokio::test]
async fn a_wait_for_many_bytes_goes_on_until_they_are_there() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let one = batch_of(1_000).encoded_len();
    let asked = Fetch { min_bytes: 5 * one, ..fetch(&[(&partition, 0)]) };
    let mut waiting = Box::pin(running.broker.fetch(asked));
    for _ in 0..4 {
        append(&partition, 1_000).await;
        assert!(waiting.as_mut().now_or_never().is_none(), "that is not enough");
    }
    append(&partition, 1_000).await;
    assert_eq!(shown(&waiting.await), [[0, 1, 2, 3, 4]]);
    running.stop().await;
}

#[tokio::test]
async fn when_time_is_up_the_answer_is_what_there_is() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    append(&partition, 10).await;
    let wait = Duration::from_millis(20);
    let asked = Fetch { min_bytes: 10_000, max_wait: wait, ..fetch(&[(&partition, 0)]) };
    assert_eq!(shown(&running.broker.fetch(asked).await), [[0]]);
    let nothing = Fetch { max_wait: Duration::ZERO, ..fetch(&[(&partition, 1)]) };
    assert_eq!(shown(&running.broker.fetch(nothing).await), [[0; 0]]);
    running.stop().await;
}

#[tokio::test]
async fn more_than_the_most_is_never_waited_for() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    append(&partition, 1_000).await;
    let asked = Fetch { min_bytes: 1 << 20, max_bytes: 500, ..fetch(&[(&partition, 0)]) };
    let fetched = tokio::time::timeout(PATIENCE / 2, running.broker.fetch(asked)).await;
    assert_eq!(shown(&fetched.expect("it does not wait")), [[0]]);
    running.stop().await;
}

/// KIP-74: the first batch comes whatever its size, so that a large one cannot stop its reader.
#[tokio::test]
async fn sizes_are_kept_to_but_for_the_first_batch() {
    let (_dir, running) = fresh();
    let made = partitions(&running.broker, 4).await;
    for (partition, sizes) in made.iter().zip([&[][..], &[5_000, 10], &[10, 10], &[3_000]]) {
        for size in sizes {
            append(partition, *size).await;
        }
    }
    let all: Vec<_> = made.iter().map(|partition| (partition, 0)).collect();
    let limited = |max_bytes, limit_bytes| {
        let mut asked = Fetch { max_bytes, ..fetch(&all) };
        asked.partitions.iter_mut().for_each(|one| one.limit_bytes = limit_bytes);
        running.broker.fetch(asked)
    };
    let none = Vec::<i64>::new();
    assert_eq!(shown(&limited(100, LIMIT).await), [none.clone(), vec![0], none.clone(), none.clone()]);
    assert_eq!(shown(&limited(LIMIT, 100).await), [none.clone(), vec![0], vec![0], none.clone()]);
    assert_eq!(shown(&limited(5_400, LIMIT).await), [none.clone(), vec![0, 1], vec![0, 1], none.clone()]);
    assert_eq!(shown(&limited(LIMIT, LIMIT).await), [none, vec![0, 1], vec![0, 1], vec![0]]);
    running.stop().await;
}

#[tokio::test]
async fn an_error_in_one_partition_is_answered_at_once() {
    let (_dir, running) = fresh();
    let made = partitions(&running.broker, 2).await;
    append(&made[1], 10).await;
    for from in [-1, 7, i64::MAX] {
        let asked = fetch(&[(&made[0], 0), (&made[1], from)]);
        let fetched = tokio::time::timeout(PATIENCE / 2, running.broker.fetch(asked)).await;
        let fetched = fetched.expect("it does not wait");
        assert!(fetched[0].result.is_ok(), "the other has no error");
        match &fetched[1].result {
            Err(ReadError::OutOfRange { asked, bounds }) => {
                assert_eq!((*asked, bounds.high_watermark.get()), (from, 1));
            }
            other => panic!("not {other:?}"),
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_partition_without_room_still_tells_its_bounds_and_errors() {
    let (_dir, running) = fresh();
    let made = partitions(&running.broker, 2).await;
    append(&made[0], 1_000).await;
    append(&made[1], 10).await;
    let full = |from| Fetch { max_bytes: 100, ..fetch(&[(&made[0], 0), (&made[1], from)]) };
    let fetched = running.broker.fetch(full(0)).await;
    let second = fetched[1].result.as_ref().expect("readable");
    assert_eq!((second.bytes, second.bounds.high_watermark.get()), (0, 1));
    let fetched = running.broker.fetch(full(9)).await;
    assert!(matches!(fetched[1].result, Err(ReadError::OutOfRange { asked: 9, .. })));
    running.stop().await;
}
