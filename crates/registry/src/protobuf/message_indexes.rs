//! Message indexes: which message of a schema a record is, in front of its bytes (Confluent wire format).
//!
//! The numbers are zigzag varints, as Kafka writes them: how many, then the position of each message within the one before.
//! A single zero stands for `[0]`, the first message.

use prost_reflect::bytes::Buf;
use prost_reflect::prost::encoding::{decode_varint, encode_varint};

use crate::{MAX_DEPTH, ValueError};

/// The way to a message: its position in the file, then in the message around it, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageIndexes(Vec<u32>);

impl Default for MessageIndexes {
    /// The first message.
    fn default() -> Self {
        Self(vec![0])
    }
}

impl MessageIndexes {
    /// From positions. Without any, the first message.
    pub fn new(positions: &[u32]) -> Self {
        if positions.is_empty() { Self::default() } else { Self(positions.to_vec()) }
    }

    /// The positions, of which there is one at least.
    pub fn positions(&self) -> &[u32] {
        &self.0
    }

    /// Reads the indexes in front of a record's bytes, and gives back what follows.
    ///
    /// # Errors
    /// If the bytes end too early, or there are more than [`MAX_DEPTH`] or negative ones.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), ValueError> {
        let mut rest = bytes;
        let count = read_number(&mut rest)?;
        if count as usize > MAX_DEPTH {
            return Err(error(format!("{count} message indexes: at most {MAX_DEPTH}")));
        }
        if count == 0 {
            return Ok((Self::default(), rest));
        }
        let positions = (0..count).map(|_| read_number(&mut rest)).collect::<Result<_, _>>()?;
        Ok((Self(positions), rest))
    }

    /// Appends the indexes.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.0 == [0] {
            out.push(0);
            return;
        }
        let count = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        encode_varint(count << 1, out);
        self.0.iter().for_each(|position| encode_varint(u64::from(*position) << 1, out));
    }
}

fn error(reason: impl Into<String>) -> ValueError {
    ValueError { path: None, reason: reason.into() }
}

/// A number that is zero or more.
fn read_number(rest: &mut &[u8]) -> Result<u32, ValueError> {
    if !rest.has_remaining() {
        return Err(error("message indexes end too early"));
    }
    let zigzag = decode_varint(rest).map_err(|_| error("invalid varint in the message indexes"))?;
    let number = zigzag >> 1;
    match u32::try_from(number) {
        Ok(number) if zigzag & 1 == 0 && number <= i32::MAX.cast_unsigned() => Ok(number),
        _ => Err(error("message indexes are numbers from 0 to 2147483647")),
    }
}
