//! Segment writer: a compacted segment as it is written, with its index.
//!
//! Invariants: offsets stay dense. Where batches are left out, one gap batch holds their offsets; one for each leader
//! epoch, so that the list of epochs can still be rebuilt from the batches.

use std::io;
use std::sync::Arc;

use factum_types::record::TransactionMarker;
use factum_types::{BatchHeader, LeaderEpoch, Offset, Timestamp, batch};

use crate::disk::DiskFile;
use crate::index::SegmentIndex;
use crate::transactions::AbortedTransaction;

/// Bytes written at once.
const PIECE_BYTES: usize = 1 << 20;

/// A segment that is being written.
pub(crate) struct SegmentWriter {
    pub(crate) file: Arc<dyn DiskFile>,
    index: SegmentIndex,
    interval: u32,
    /// When the last of its batches was appended.
    appended_at: Timestamp,
    /// Written, less what is buffered.
    position: u64,
    buffer: Vec<u8>,
    gap: Option<Gap>,
}

/// Offsets of batches that were left out.
struct Gap {
    base: Offset,
    next: Offset,
    leader_epoch: LeaderEpoch,
}

impl SegmentWriter {
    /// Writes the segment with base offset `base` to an empty file, with an index entry about every `interval` bytes.
    pub(crate) fn new(file: Arc<dyn DiskFile>, base: Offset, appended_at: Timestamp, interval: u32) -> Self {
        let index = SegmentIndex::new(base);
        Self { file, index, interval, appended_at, position: 0, buffer: Vec::new(), gap: None }
    }

    /// Writes a whole batch.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.close_gap()?;
        let header = BatchHeader::parse(bytes).expect("it was checked, or written here");
        let marker = TransactionMarker::of(&header, bytes);
        self.add(&header, bytes)?;
        self.index.add_aborted(marker.and_then(|marker| AbortedTransaction::ended_by(&header, &marker)));
        Ok(())
    }

    /// Leaves out a batch.
    pub(crate) fn leave_out(&mut self, header: &BatchHeader) -> io::Result<()> {
        let next = Offset::new(header.last_offset()).next();
        match &mut self.gap {
            Some(gap) if gap.leader_epoch == header.leader_epoch => gap.next = next,
            _ => {
                self.close_gap()?;
                let (base, leader_epoch) = (Offset::new(header.base_offset), header.leader_epoch);
                self.gap = Some(Gap { base, next, leader_epoch });
            }
        }
        Ok(())
    }

    /// Writes what is left; gives the index. Nothing is synced.
    pub(crate) fn finish(mut self) -> io::Result<(Arc<dyn DiskFile>, SegmentIndex)> {
        self.close_gap()?;
        self.flush()?;
        Ok((self.file, self.index))
    }

    fn close_gap(&mut self) -> io::Result<()> {
        let Some(Gap { mut base, next, leader_epoch }) = self.gap.take() else { return Ok(()) };
        while base < next {
            let offsets = i32::try_from(next.since(base)).unwrap_or(i32::MAX);
            let bytes = batch::gap(base, offsets, leader_epoch);
            let header = BatchHeader::parse(&bytes).expect("it is a batch");
            self.add(&header, &bytes)?;
            base = base.advance(offsets.into());
        }
        Ok(())
    }

    fn add(&mut self, header: &BatchHeader, bytes: &[u8]) -> io::Result<()> {
        debug_assert_eq!(header.base_offset, self.index.summary.next.get(), "offsets stay dense");
        self.index.add(header, self.appended_at, self.interval);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.position)?;
        self.position += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
