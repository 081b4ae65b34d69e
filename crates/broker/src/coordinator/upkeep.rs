//! Periodic work: session timeouts, offset expiry, journal compaction.

use std::time::Instant;

use factum_base::tasks::Stop;
use factum_types::Offset;
use tracing::{debug, warn};

use super::cell::Cell;
use super::service::Groups;
use super::{Coordinator, CoordinatorError};

impl Coordinator {
    /// Looks after the groups until a stop is requested.
    pub async fn run(self, stop: Stop) {
        let groups = &*self.0;
        let mut next_sweep = groups.clock.monotonic() + groups.options.offsets_retention_check_interval;
        while !stop.is_requested() {
            let now = groups.clock.monotonic();
            groups.expire_due(now);
            if next_sweep <= now {
                groups.expire_offsets();
                next_sweep = now + groups.options.offsets_retention_check_interval;
            }
            if groups.journal.is_snapshot_due() {
                groups.snapshot_or_wait().await;
            }
            let next = groups.timers.next().map_or(next_sweep, |timer| timer.min(next_sweep));
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(next.saturating_duration_since(now)) => {}
                () = groups.timers.sooner() => {}
                () = groups.journal.snapshot_due() => {}
            }
        }
    }
}

impl Groups {
    /// Does what is due in each group whose time has come.
    pub(super) fn expire_due(&self, now: Instant) {
        let (session, wall) = (self.options.session_timeout, self.trusted_time.stamp());
        while let Some((at, group)) = self.timers.take_due(now) {
            self.with(&group, |inside| {
                if inside.scheduled == Some(at) {
                    inside.scheduled = None;
                    inside.group.expire(now);
                    inside.expire_consumers(session, now, &self.journal, wall);
                }
            });
        }
    }

    /// Removes offsets that have outlived their retention, and groups that have nothing left.
    pub(super) fn expire_offsets(&self) {
        let (wall, now) = (self.clock.now(), self.trusted_time.now());
        let expire = |inside: &mut Cell| -> Result<usize, CoordinatorError> {
            // A task may rest for as long as it likes, and must not say again what it said.
            if !inside.is_deserted() || inside.id().is_internal() {
                return Ok(0);
            }
            let partitions = inside.offsets.expired(self.options.offsets_retention, inside.empty_since, now);
            let keeps_nothing = partitions.len() == inside.offsets.len()
                && inside.pending.is_empty()
                && inside.waiting.is_empty();
            inside.remove(&partitions, keeps_nothing, &self.journal, wall)?;
            Ok(partitions.len())
        };
        for cell in self.cells() {
            match self.work_on(&cell, expire) {
                Some(Ok(0)) | None => {}
                Some(Ok(offsets)) => debug!(offsets, "removed offsets past their retention"),
                Some(Err(error)) => {
                    warn!(error = &error as &dyn std::error::Error, "could not remove old offsets");
                    return;
                }
            }
        }
    }

    async fn snapshot_or_wait(&self) {
        if let Err(error) = self.snapshot().await {
            warn!(error = &error as &dyn std::error::Error, "could not shorten the groups' journal");
            self.journal.put_off_snapshot();
        }
    }

    /// Rewrites the live state of every group and drops the journal before it.
    pub(super) async fn snapshot(&self) -> Result<(), CoordinatorError> {
        let keep_from = self.journal.begin_snapshot();
        let wall = self.clock.now();
        let mut last = None;
        for cell in self.cells() {
            last = last.max(cell.lock().rewrite(&self.journal, wall)?);
            tokio::task::yield_now().await;
        }
        // Also where no group is left to write: the removals before `keep_from` must not be lost after what they removed.
        let before = keep_from.get().checked_sub(1).filter(|offset| *offset >= 0).map(Offset::new);
        self.journal.durable(last.max(before)).await?;
        self.journal.finish_snapshot(keep_from).map_err(CoordinatorError::Storage)?;
        debug!(%keep_from, "shortened the groups' journal");
        Ok(())
    }
}
