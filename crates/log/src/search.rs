//! The next whole batch behind damaged bytes.
//!
//! A payload may hold bytes that look like a batch, checksum included: a producer can send a piece of a log.
//! So the damaged batch's own length is believed first, if a whole batch with the right offset lies behind it.
//! Otherwise every byte is tried, and a batch counts only if the segment ends behind it or the next one's header
//! follows: a real batch between two damaged ones may be passed over, but none is ever made up.
//!
//! Invariants: a batch that is found has a right checksum, an offset behind the damage and before the segment's
//! end, and the leader epoch that ruled there. Cost is bounded by [`SEARCH_BYTES`] through the checksum for
//! each segment, memory by one batch.

use std::io;

use factum_types::batch::HEADER_BYTES;
use factum_types::{BatchHeader, Offset};

use crate::epochs::Epochs;
use crate::index::Place;
use crate::walk::{Walk, follows};

/// Bytes that the searches of one scan may put through the checksum: a payload can be made to look like batch
/// upon batch.
const SEARCH_BYTES: usize = 1 << 30;
/// Bytes looked at in one piece.
const STRIDE: usize = 1 << 20;

/// The searches of one segment.
pub(crate) struct Search<'a> {
    /// Bytes of the segment that count.
    size: u64,
    /// Offset behind those bytes, if that is known.
    end: Option<Offset>,
    epochs: Option<&'a Epochs>,
    budget: usize,
}

/// What lies behind damaged bytes.
pub(crate) struct Behind {
    /// The batch where reading can go on; `None` if there is none in this segment.
    pub(crate) next: Option<Place>,
    /// Whether a whole batch was seen, or may be there: the search can give up.
    pub(crate) may_go_on: bool,
}

const NOTHING: Behind = Behind { next: None, may_go_on: false };

impl<'a> Search<'a> {
    pub(crate) fn new(size: u64, end: Option<Offset>, epochs: Option<&'a Epochs>) -> Self {
        Self { size, end, epochs, budget: SEARCH_BYTES }
    }

    /// Looks behind the damaged batch where `walk` stands.
    pub(crate) fn behind(&mut self, walk: &mut Walk<'_>) -> io::Result<Behind> {
        match self.by_length(walk)? {
            Some(behind) => Ok(behind),
            None => self.by_bytes(walk),
        }
    }

    /// Believes the damaged batch's own length and record count, if what lies behind bears them out.
    fn by_length(&mut self, walk: &mut Walk<'_>) -> io::Result<Option<Behind>> {
        let at = walk.place();
        let Ok(header) = BatchHeader::parse(walk.bytes(at.position, HEADER_BYTES)?) else { return Ok(None) };
        if header.last_offset_delta < 0 {
            return Ok(None);
        }
        let behind = Place {
            offset: at.offset.advance(i64::from(header.last_offset_delta) + 1),
            position: at.position + header.encoded_len() as u64,
        };
        if behind.position == self.size {
            let is_end = self.end == Some(behind.offset) || follows(&header, at.offset, self.epochs).is_ok();
            return Ok(is_end.then_some(NOTHING));
        }
        let is_there = self.header_at(walk, behind)?.is_some();
        if is_there && self.is_whole(walk, behind.position)? == Some(true) {
            return Ok(Some(Behind { next: Some(behind), may_go_on: true }));
        }
        Ok(None)
    }

    /// Tries every byte.
    fn by_bytes(&mut self, walk: &mut Walk<'_>) -> io::Result<Behind> {
        let least = walk.place().offset;
        let mut from = walk.place().position + 1;
        let mut may_go_on = false;
        while from + HEADER_BYTES as u64 <= self.size {
            let stretch = walk.bytes(from, STRIDE + HEADER_BYTES)?;
            let starts = stretch.len().saturating_sub(HEADER_BYTES - 1);
            if starts == 0 {
                break;
            }
            let plausible: Vec<_> = stretch
                .windows(HEADER_BYTES)
                .enumerate()
                .filter_map(|(at, head)| Some((from + at as u64, self.could_be(head, least)?)))
                .filter(|(at, header)| header.encoded_len() as u64 <= self.size - at)
                .collect();
            for (position, header) in plausible {
                let found = Place { offset: Offset::new(header.base_offset), position };
                match self.is_whole(walk, position)? {
                    None => return Ok(Behind { next: None, may_go_on: true }),
                    Some(true) if self.is_continued(walk, position, &header)? => {
                        return Ok(Behind { next: Some(found), may_go_on: true });
                    }
                    Some(true) => may_go_on = true,
                    Some(false) => {}
                }
            }
            from += starts as u64;
        }
        Ok(Behind { next: None, may_go_on })
    }

    /// Whether a header that a log may have written after `least` begins here.
    fn could_be(&self, head: &[u8], least: Offset) -> Option<BatchHeader> {
        if head[16] != 2 {
            return None;
        }
        let header = BatchHeader::parse(head).ok()?;
        let base = Offset::new(header.base_offset.max(0));
        let later = header.base_offset >= least.get() && base.since(least) <= i64::from(i32::MAX);
        let fits = self.end.is_none_or(|end| header.last_offset() < end.get());
        let ruled = self.epochs.is_none_or(|epochs| epochs.at(base) == header.leader_epoch);
        (later && fits && ruled && header.last_offset_delta >= 0).then_some(header)
    }

    /// Whether the checksum of the batch at `position` is right; `None` if that may no longer be tried.
    fn is_whole(&mut self, walk: &mut Walk<'_>, position: u64) -> io::Result<Option<bool>> {
        let Ok(header) = BatchHeader::parse(walk.bytes(position, HEADER_BYTES)?) else {
            return Ok(Some(false));
        };
        let Some(left) = self.budget.checked_sub(header.encoded_len()) else { return Ok(None) };
        self.budget = left;
        Ok(Some(BatchHeader::check_stored(walk.bytes(position, header.encoded_len())?).is_ok()))
    }

    /// Whether the segment ends behind the batch at `position`, or the next one's header follows.
    fn is_continued(&self, walk: &mut Walk<'_>, position: u64, header: &BatchHeader) -> io::Result<bool> {
        let offset = Offset::new(header.last_offset()).next();
        let behind = Place { offset, position: position + header.encoded_len() as u64 };
        if behind.position == self.size {
            return Ok(self.end == Some(behind.offset));
        }
        Ok(self.header_at(walk, behind)?.is_some())
    }

    /// The header at `place`, if it is the one that belongs there.
    fn header_at(&self, walk: &mut Walk<'_>, place: Place) -> io::Result<Option<BatchHeader>> {
        if place.position >= self.size {
            return Ok(None);
        }
        let header = BatchHeader::parse(walk.bytes(place.position, HEADER_BYTES)?).ok();
        Ok(header.filter(|header| {
            header.encoded_len() as u64 <= self.size - place.position
                && follows(header, place.offset, self.epochs).is_ok()
        }))
    }
}
