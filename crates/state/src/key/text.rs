//! Text and bytes: their bytes, a zero as `00 ff`, and `00 01` behind them.
//!
//! Invariants: the end is less than any byte that may follow, so that a text is less than one that it begins.

use std::borrow::Cow;

use super::reader::{InvalidKey, Reader};

const ESCAPE: u8 = 0x00;
const ZERO: u8 = 0xff;
const END: u8 = 0x01;

pub(super) fn push(key: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    key.reserve(bytes.len() + 3);
    key.push(tag);
    let mut parts = bytes.split(|byte| *byte == ESCAPE);
    key.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        key.extend_from_slice(&[ESCAPE, ZERO]);
        key.extend_from_slice(part);
    }
    key.extend_from_slice(&[ESCAPE, END]);
}

pub(super) fn take<'a>(from: &mut Reader<'a>) -> Result<Cow<'a, [u8]>, InvalidKey> {
    let mut found: Option<Vec<u8>> = None;
    loop {
        let (part, mask) = from.until(ESCAPE)?;
        let is_last = match from.byte()? {
            END => true,
            ZERO => false,
            _ => return Err(InvalidKey),
        };
        match &mut found {
            None if is_last && mask == 0 => return Ok(Cow::Borrowed(part)),
            found => found.get_or_insert_default().extend(part.iter().map(|byte| byte ^ mask)),
        }
        match found {
            Some(found) if is_last => return Ok(Cow::Owned(found)),
            _ => found.get_or_insert_default().push(0),
        }
    }
}
