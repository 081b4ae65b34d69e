//! Walks the batches of a segment file in order, through a window of bounded size.
//!
//! Invariants: a walk believes a header only if it is the one that comes next (its base offset follows the
//! last batch, its length fits the bytes that remain), and [`Walk::verified`] believes a batch only if its
//! checksum and leader epoch fit as well. A window never grows beyond the bytes that are really there.

use std::io;

use factum_types::batch::HEADER_BYTES;
use factum_types::{BatchHeader, Offset, batch};

use crate::damage::{Damage, Fault};
use crate::disk::{DiskFile, read_fully};
use crate::epochs::Epochs;
use crate::index::Place;

/// Why a walk cannot go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The bytes are not the batch that comes next.
    Damaged(Damage),
    /// The disk did not answer.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A place in a segment file, moving from batch to batch.
pub(crate) struct Walk<'a> {
    file: &'a dyn DiskFile,
    segment: Offset,
    epochs: Option<&'a Epochs>,
    end: u64,
    read_ahead: usize,
    place: Place,
    window: Window,
}

#[derive(Default)]
struct Window {
    at: u64,
    bytes: Vec<u8>,
}

impl<'a> Walk<'a> {
    /// Stands at `place` of the segment with base offset `segment`, whose bytes up to `end` count.
    pub(crate) fn new(
        file: &'a dyn DiskFile,
        segment: Offset,
        epochs: Option<&'a Epochs>,
        place: Place,
        end: u64,
        read_ahead: usize,
    ) -> Self {
        Self { file, segment, epochs, end, read_ahead, place, window: Window::default() }
    }

    /// Where the next batch begins, or should.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Moves to a place found by other means.
    pub(crate) fn jump(&mut self, place: Place) {
        self.place = place;
    }

    /// The next batch's header, its checksum not yet verified; `None` at the end.
    pub(crate) fn header(&mut self) -> Result<Option<BatchHeader>, Stop> {
        if self.place.position >= self.end {
            return Ok(None);
        }
        let position = self.place.position;
        let remaining = self.end - position;
        let header = match BatchHeader::parse(self.bytes(position, HEADER_BYTES)?) {
            Ok(header) => header,
            Err(error) => return Err(self.damaged(error)),
        };
        if header.encoded_len() as u64 > remaining {
            let available = usize::try_from(remaining).unwrap_or(usize::MAX);
            return Err(self.damaged(batch::Error::Truncated { needed: header.encoded_len(), available }));
        }
        follows(&header, self.place.offset, self.epochs).map_err(|fault| self.damaged(fault))?;
        Ok(Some(header))
    }

    /// The next batch, verified whole; `None` at the end.
    pub(crate) fn verified(&mut self) -> Result<Option<(BatchHeader, &[u8])>, Stop> {
        let Some(header) = self.header()? else { return Ok(None) };
        let position = self.place.position;
        let bytes = self.bytes(position, header.encoded_len())?;
        match BatchHeader::check_stored(bytes) {
            Err(error) => Err(self.damaged(error)),
            Ok(_) => Ok(Some((header, self.window.get(position, header.encoded_len())))),
        }
    }

    /// Whether `header` is the one that comes next here.
    pub(crate) fn follows(&self, header: &BatchHeader) -> Result<(), Fault> {
        follows(header, self.place.offset, self.epochs)
    }

    /// Steps over the batch that `header` describes.
    pub(crate) fn step(&mut self, header: &BatchHeader) {
        self.place.position += header.encoded_len() as u64;
        self.place.offset = Offset::new(header.last_offset()).next();
    }

    /// Up to `length` bytes at `position`; fewer only if the file or the walk ends there.
    pub(crate) fn bytes(&mut self, position: u64, length: usize) -> io::Result<&[u8]> {
        let remaining = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        let length = length.min(remaining);
        if !self.window.covers(position, length) {
            self.window.fill(self.file, position, length.max(self.read_ahead).min(remaining))?;
        }
        Ok(self.window.get(position, length))
    }

    /// The damage that `fault` is at this place; what lies behind it is not known here.
    pub(crate) fn damaged(&self, fault: impl Into<Fault>) -> Stop {
        Stop::Damaged(Damage {
            at: self.place.offset,
            next: self.place.offset,
            segment: self.segment,
            byte: self.place.position,
            fault: fault.into(),
        })
    }
}

impl Window {
    fn covers(&self, position: u64, length: usize) -> bool {
        position >= self.at && position + length as u64 <= self.at + self.bytes.len() as u64
    }

    fn fill(&mut self, file: &dyn DiskFile, position: u64, length: usize) -> io::Result<()> {
        self.at = position;
        self.bytes.resize(length, 0);
        let read = read_fully(file, &mut self.bytes, position)?;
        self.bytes.truncate(read);
        Ok(())
    }

    fn get(&self, position: u64, length: usize) -> &[u8] {
        let from = usize::try_from(position - self.at).unwrap_or(usize::MAX).min(self.bytes.len());
        &self.bytes[from..self.bytes.len().min(from.saturating_add(length))]
    }
}

/// Whether `header` is the one that comes next at `expected`. Base offset and epoch lie outside the checksum,
/// so they are held against what must be there.
pub(crate) fn follows(header: &BatchHeader, expected: Offset, epochs: Option<&Epochs>) -> Result<(), Fault> {
    if header.base_offset != expected.get() {
        return Err(Fault::Gap { expected, found: header.base_offset });
    }
    if header.last_offset_delta < 0
        || header.base_offset.checked_add(header.last_offset_delta.into()).is_none()
    {
        let last_offset_delta = header.last_offset_delta;
        return Err(batch::Error::BadCount { records: header.record_count, last_offset_delta }.into());
    }
    let Some(epochs) = epochs else { return Ok(()) };
    match epochs.at(expected) {
        ruled if ruled == header.leader_epoch => Ok(()),
        ruled => Err(Fault::Epoch { expected: ruled, found: header.leader_epoch }),
    }
}
