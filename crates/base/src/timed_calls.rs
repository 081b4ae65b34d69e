//! Blocking calls that may never return, such as reads of a file system that does not answer: on threads that are left
//! behind when a call takes too long.
//!
//! ```text
//!   call ──► idle thread, or a new one ──► result in time: the thread is idle again
//!                                     └──► no result in time: the caller goes on; the thread ends with its call
//! ```
//!
//! Invariants: a caller waits no longer than its limit; there are at most so many threads, and further calls are refused
//! while all of them wait; nothing waits for a thread that was left behind, not even the end of the process.
//!
//! Deliberately not here: which calls are worth another attempt.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

/// Enough for a system call and what surrounds it.
const STACK: usize = 512 << 10;

type Call = Box<dyn FnOnce() + Send>;

/// Threads for calls that may never return. Clones share them.
#[derive(Debug, Clone)]
pub struct TimedCalls(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    most: usize,
    count: AtomicUsize,
    idle: Mutex<Option<Sender<Call>>>,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum TimedCallError {
    /// It did not return in time, and goes on.
    #[error("no answer in {0:?}")]
    NoAnswer(Duration),
    /// It was not begun, since no thread is free.
    #[error("{0} other calls have no answer")]
    Busy(usize),
    /// It was not begun, since the machine gives no thread.
    #[error("start a thread")]
    NoThread(#[source] io::Error),
}

impl TimedCalls {
    /// At most `most` threads, which is how many calls can be without an answer.
    pub fn at_most(most: usize) -> Self {
        Self(Arc::new(Threads { most, count: AtomicUsize::new(0), idle: Mutex::default() }))
    }

    /// Calls `work` and waits for at most `limit`. `late` is called on the call's own thread if the call returns later
    /// than that; its result is dropped. Blocking. `work` must hold nothing that has to be finished or given back.
    ///
    /// # Errors
    /// [`TimedCallError`].
    ///
    /// # Panics
    /// If `work` does.
    pub fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
        late: impl FnOnce() + Send + 'static,
    ) -> Result<T, TimedCallError> {
        let thread = self.thread()?;
        let (result, results) = channel();
        // Set by the first of two: the call that returns, or the caller that goes on.
        let is_settled = Arc::new(AtomicBool::new(false));
        let settled = Arc::clone(&is_settled);
        let call: Call = Box::new(move || {
            result.send(work()).ok();
            if settled.swap(true, Ordering::AcqRel) {
                late();
            }
        });
        thread.send(call).expect("a thread takes calls for as long as it can be sent any");
        let result = match results.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) if !is_settled.swap(true, Ordering::AcqRel) => {
                return Err(TimedCallError::NoAnswer(limit));
            }
            Err(RecvTimeoutError::Timeout) => results.recv().ok(),
            result => result.ok(),
        };
        let result = result.expect("the call does not panic");
        self.0.idle.lock().get_or_insert(thread);
        Ok(result)
    }

    /// The idle thread, or a new one. It ends once it can be sent nothing more.
    fn thread(&self) -> Result<Sender<Call>, TimedCallError> {
        if let Some(thread) = self.0.idle.lock().take() {
            return Ok(thread);
        }
        let Threads { most, count, .. } = &*self.0;
        if count.fetch_add(1, Ordering::Relaxed) >= *most {
            count.fetch_sub(1, Ordering::Relaxed);
            return Err(TimedCallError::Busy(*most));
        }
        let counted = CountedThread(Arc::clone(&self.0));
        let (thread, calls) = channel::<Call>();
        let body = move || {
            let _counted = counted;
            calls.into_iter().for_each(|call| call());
        };
        let builder = std::thread::Builder::new().name("timed-calls".to_owned()).stack_size(STACK);
        builder.spawn(body).map_err(TimedCallError::NoThread)?;
        Ok(thread)
    }
}

/// One thread of the count.
struct CountedThread(Arc<Threads>);

impl Drop for CountedThread {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn calls_that_return_share_one_thread() {
        let calls = TimedCalls::at_most(1);
        let thread = || calls.call(LONG, || std::thread::current().id(), || ()).expect("it returns");
        assert_eq!(thread(), thread());
    }

    #[test]
    fn a_call_without_an_answer_is_left_behind_and_told_of_when_it_returns() {
        let calls = TimedCalls::at_most(2);
        let (answer, waits) = channel::<()>();
        let (late, was_late) = channel();
        let hung =
            calls.call(SHORT, move || waits.recv().ok(), move || late.send(()).expect("the test waits"));
        assert_eq!(hung.expect_err("it waits").to_string(), "no answer in 5ms");
        assert_eq!(calls.call(LONG, || 2, || ()).expect("another thread is free"), 2);
        answer.send(()).expect("the call waits for it");
        was_late.recv_timeout(LONG).expect("the late answer is told of");
    }

    #[test]
    fn calls_are_refused_while_all_threads_wait() {
        let calls = TimedCalls::at_most(2);
        let (answers, waits): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::<()>()).unzip();
        let (late, was_late) = channel();
        for wait in waits {
            let late = late.clone();
            let hung =
                calls.call(SHORT, move || wait.recv().ok(), move || late.send(()).expect("the test waits"));
            hung.expect_err("it waits");
        }
        let refused = calls.call(LONG, || 3, || ()).expect_err("no thread is free");
        assert_eq!(refused.to_string(), "2 other calls have no answer");
        drop(answers);
        was_late.recv_timeout(LONG).expect("a thread ends");
        // It ends a little after it has told.
        while calls.call(LONG, || 3, || ()).is_err() {
            std::thread::yield_now();
        }
    }
}
