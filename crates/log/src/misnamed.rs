//! Segment files that bear the name of another: renamed, or copied there.
//!
//! A batch's base offset lies outside its checksum, so a first batch that is whole and has another one than the name says
//! may be a damaged batch as well. What follows it tells: behind a renamed batch comes the one that belongs behind it.

use std::io;

use factum_types::batch::HEADER_BYTES;
use factum_types::{BatchHeader, Offset};

use crate::disk::DiskFile;
use crate::index::Place;
use crate::walk::Walk;

/// The base offset that the segment in `walk` began with, if that is not `base`, its name. `end` is the offset behind the
/// segment as its name would have it, if that is known.
pub(crate) fn true_base(
    walk: &mut Walk<'_>,
    base: Offset,
    end: Option<Offset>,
) -> io::Result<Option<Offset>> {
    let Ok(first) = BatchHeader::parse(walk.bytes(0, HEADER_BYTES)?) else { return Ok(None) };
    if first.base_offset == base.get() || first.base_offset < 0 || first.last_offset_delta < 0 {
        return Ok(None);
    }
    let length = first.encoded_len();
    let bytes = walk.bytes(0, length)?;
    if bytes.len() < length || BatchHeader::check_stored(bytes).is_err() {
        return Ok(None);
    }
    let offsets = i64::from(first.last_offset_delta) + 1;
    let is_misnamed = match BatchHeader::parse(walk.bytes(length as u64, HEADER_BYTES)?) {
        Ok(second) => first.base_offset.checked_add(offsets) == Some(second.base_offset),
        Err(_) => end != base.get().checked_add(offsets).map(Offset::new),
    };
    Ok(is_misnamed.then(|| Offset::new(first.base_offset)))
}

/// The same of a file whose name is `base`.
pub(crate) fn true_base_of(file: &dyn DiskFile, base: Offset) -> io::Result<Option<Offset>> {
    let start = Place { offset: base, position: 0 };
    true_base(&mut Walk::new(file, base, None, start, file.size()?, HEADER_BYTES), base, None)
}
