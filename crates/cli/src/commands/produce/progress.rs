//! A bar on standard error, for work of more than a second, on a terminal.

use std::time::{Duration, Instant};

use factum_base::clock::{Clock, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Progress through `total_bytes` of a file, or through an input whose length no one knows.
    pub(super) fn new(total_bytes: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::hidden());
        let template = match total_bytes {
            Some(_) => "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} to go",
            None => "{spinner} {bytes}  {msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates above are well-formed"));
        Self { bar, started: SystemClock.monotonic() }
    }

    /// A batch is stored.
    pub(super) fn advance(&mut self, bytes: u64, events: u64) {
        if self.bar.is_hidden() && SystemClock.monotonic().duration_since(self.started) > PATIENCE {
            // Draws nothing where standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
        self.bar.set_message(format!("{events} events stored"));
    }

    /// Wipes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
