//! A bar on standard error, for work of more than a second, on a terminal.

use std::time::{Duration, Instant};

use factum_base::clock::{Clock, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    is_wanted: bool,
}

impl Progress {
    /// Progress to `count` events, or without end.
    pub(super) fn new(count: Option<u64>, is_wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(count, ProgressDrawTarget::hidden());
        let template = match count {
            Some(_) => "{bar:30} {human_pos}/{human_len} events  {per_sec}  {eta} to go",
            None => "{spinner} {human_pos} events  {per_sec}  Ctrl-C ends it",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates above are well-formed"));
        Self { bar, started: SystemClock.monotonic(), is_wanted }
    }

    /// So many are stored.
    pub(super) fn at(&mut self, count: u64) {
        let is_time = SystemClock.monotonic().duration_since(self.started) > PATIENCE;
        if self.is_wanted && is_time && self.bar.is_hidden() {
            // Draws nothing where standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(count);
    }

    /// Wipes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
