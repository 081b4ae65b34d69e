//! Reads Kafka's primitive types from one frame.
//!
//! Two rules bound what hostile bytes can cost. A count never exceeds the bytes that are left, since every
//! element has at least one; and each vector or string is paid for, before it is allocated, from an allowance
//! of `4 × frame + 1 MiB` (a million empty strings take two megabytes on the wire and twenty-four decoded).
//! Every error names its field and byte.

use std::ops::Range;

use factum_types::TopicId;

use super::Error;

/// The longest string that the protocol allows; Kafka refuses longer ones in the flexible encoding too.
const MAX_STRING_BYTES: usize = i16::MAX as usize;

/// Memory that any frame may take, however small.
const ALLOWANCE_BYTES: usize = 1 << 20;

/// Memory that a frame may take for each of its bytes.
const ALLOWANCE_FACTOR: usize = 4;

/// A place in a frame; reads go from front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Reads stop here: the frame's end, or that of the tagged field being read.
    end: usize,
    flexible: bool,
    allowance: usize,
}

impl<'a> Reader<'a> {
    /// Stands before the first byte of `frame` (without its length prefix), in the legacy encoding.
    pub fn new(frame: &'a [u8]) -> Self {
        let allowance = frame.len().saturating_mul(ALLOWANCE_FACTOR).saturating_add(ALLOWANCE_BYTES);
        Self { bytes: frame, at: 0, end: frame.len(), flexible: false, allowance }
    }

    /// Chooses the encoding of everything that follows.
    pub fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Passes over `count` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.take("header", count).map(|_| ())
    }

    /// Reads one byte as a signed number.
    ///
    /// # Errors
    /// [`Error::Truncated`], as for every other number.
    pub fn i8(&mut self, field: &'static str) -> Result<i8, Error> {
        Ok(i8::from_be_bytes(self.fixed(field)?))
    }

    /// Reads two bytes, the most significant first.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn i16(&mut self, field: &'static str) -> Result<i16, Error> {
        Ok(i16::from_be_bytes(self.fixed(field)?))
    }

    /// Reads four bytes, the most significant first.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn i32(&mut self, field: &'static str) -> Result<i32, Error> {
        Ok(i32::from_be_bytes(self.fixed(field)?))
    }

    /// Reads eight bytes, the most significant first.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn i64(&mut self, field: &'static str) -> Result<i64, Error> {
        Ok(i64::from_be_bytes(self.fixed(field)?))
    }

    /// Reads a floating-point number of eight bytes; it may be none (NaN) or infinite.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn f64(&mut self, field: &'static str) -> Result<f64, Error> {
        Ok(f64::from_be_bytes(self.fixed(field)?))
    }

    /// Reads one byte; anything but zero is true.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn bool(&mut self, field: &'static str) -> Result<bool, Error> {
        Ok(self.i8(field)? != 0)
    }

    /// Reads the sixteen bytes of a topic's id.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn topic_id(&mut self, field: &'static str) -> Result<TopicId, Error> {
        Ok(TopicId::from_bytes(self.fixed(field)?))
    }

    /// Reads an unsigned varint: seven bits a byte, the least significant first, at most five bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`], or [`Error::BadVarint`] over 32 bits.
    pub fn unsigned_varint(&mut self, field: &'static str) -> Result<u32, Error> {
        let at = self.at;
        let mut value: u32 = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = self.fixed(field)?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::BadVarint { field, at })
    }

    /// Reads a string.
    ///
    /// # Errors
    /// [`Error::Null`], [`Error::NotUtf8`], [`Error::BadLength`] over 32,767 bytes, or no room.
    pub fn string(&mut self, field: &'static str) -> Result<String, Error> {
        let at = self.at;
        self.nullable_string(field)?.ok_or(Error::Null { field, at })
    }

    /// Reads a string that may be null.
    ///
    /// # Errors
    /// As [`Reader::string`], less [`Error::Null`].
    pub fn nullable_string(&mut self, field: &'static str) -> Result<Option<String>, Error> {
        let at = self.at;
        let length = if self.flexible {
            self.compact_length(field)?
        } else {
            legacy(self.i16(field)?.into(), field, at)?
        };
        let Some(length) = length else { return Ok(None) };
        if length > MAX_STRING_BYTES {
            return Err(Error::BadLength { field, at, length: length as i64 });
        }
        let text =
            std::str::from_utf8(self.take(field, length)?).map_err(|_| Error::NotUtf8 { field, at })?;
        self.pay(field, at, length)?;
        Ok(Some(text.to_owned()))
    }

    /// Reads bytes, without copying them.
    ///
    /// # Errors
    /// [`Error::Null`], [`Error::BadLength`] or [`Error::Truncated`].
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let at = self.at;
        self.nullable_bytes(field)?.ok_or(Error::Null { field, at })
    }

    /// Reads bytes that may be null, without copying them.
    ///
    /// # Errors
    /// [`Error::BadLength`] or [`Error::Truncated`].
    pub fn nullable_bytes(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Error> {
        match self.length(field)? {
            Some(length) => self.take(field, length).map(Some),
            None => Ok(None),
        }
    }

    /// Reads bytes that may be null, giving their place in the frame instead of the bytes. The place is paid
    /// for thrice, as an element of a vector that grows by doubling and moves while it does.
    ///
    /// # Errors
    /// [`Error::BadLength`], [`Error::Truncated`] or [`Error::Bloated`].
    pub fn nullable_range(&mut self, field: &'static str) -> Result<Option<Range<usize>>, Error> {
        let at = self.at;
        self.pay(field, at, 3 * size_of::<Option<Range<usize>>>())?;
        let length = self.nullable_bytes(field)?.map(<[u8]>::len);
        Ok(length.map(|length| self.at - length..self.at))
    }

    /// Reads bytes into memory of their own, for state that outlives the frame.
    ///
    /// # Errors
    /// As [`Reader::bytes`], and [`Error::Bloated`].
    pub fn owned_bytes(&mut self, field: &'static str) -> Result<bytes::Bytes, Error> {
        let at = self.at;
        let borrowed = self.bytes(field)?;
        self.pay(field, at, borrowed.len())?;
        Ok(bytes::Bytes::copy_from_slice(borrowed))
    }

    /// Reads an array, each element with `element`.
    ///
    /// # Errors
    /// [`Error::Null`], [`Error::BadLength`], [`Error::Truncated`] for a count over the bytes left,
    /// [`Error::Bloated`], or what `element` says.
    pub fn array<T>(
        &mut self,
        field: &'static str,
        element: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let at = self.at;
        self.nullable_array(field, element)?.ok_or(Error::Null { field, at })
    }

    /// Reads an array that may be null, each element with `element`.
    ///
    /// # Errors
    /// As [`Reader::array`], less [`Error::Null`].
    pub fn nullable_array<T>(
        &mut self,
        field: &'static str,
        mut element: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<Vec<T>>, Error> {
        let at = self.at;
        let Some(count) = self.length(field)? else { return Ok(None) };
        if count > self.remaining() {
            return Err(Error::Truncated { field, at, needed: count, available: self.remaining() });
        }
        self.pay(field, at, count.saturating_mul(size_of::<T>()))?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// Reads an array of four-byte numbers.
    ///
    /// # Errors
    /// As [`Reader::array`].
    pub fn i32_array(&mut self, field: &'static str) -> Result<Vec<i32>, Error> {
        self.array(field, |r| r.i32(field))
    }

    /// Skips the tagged fields that end a structure in the flexible encoding; does nothing in the legacy one.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::BadVarint`].
    pub fn skip_tagged_fields(&mut self) -> Result<(), Error> {
        self.tagged_fields(|_, _| Ok(()))
    }

    /// Hands each tagged field to `known` with its tag. What `known` leaves unread is skipped, so an unknown
    /// tag needs no handling.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::BadVarint`], or what `known` says; it cannot read past its field.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.unsigned_varint("tagged fields")? {
            let tag = self.unsigned_varint("tag")?;
            let size = self.unsigned_varint("tagged field size")? as usize;
            self.require("tagged field", size)?;
            let (field_end, outer_end) = (self.at + size, self.end);
            self.end = field_end;
            known(tag, self)?;
            (self.at, self.end) = (field_end, outer_end);
        }
        Ok(())
    }

    /// Takes `bytes` of memory from the frame's allowance, before they are allocated.
    fn pay(&mut self, field: &'static str, at: usize, bytes: usize) -> Result<(), Error> {
        let bloated = Error::Bloated { field, at, needed: bytes, allowed: self.allowance };
        self.allowance = self.allowance.checked_sub(bytes).ok_or(bloated)?;
        Ok(())
    }

    /// The length of bytes or the count of an array; null is `None`.
    fn length(&mut self, field: &'static str) -> Result<Option<usize>, Error> {
        if self.flexible {
            return self.compact_length(field);
        }
        let at = self.at;
        legacy(self.i32(field)?.into(), field, at)
    }

    /// A varint of one more than the length, 0 for null (KIP-482).
    fn compact_length(&mut self, field: &'static str) -> Result<Option<usize>, Error> {
        Ok(self.unsigned_varint(field)?.checked_sub(1).map(|length| length as usize))
    }

    fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        Ok(self.take(field, N)?.try_into().expect("take gives what was asked for"))
    }

    fn take(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], Error> {
        self.require(field, length)?;
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(taken)
    }

    fn require(&self, field: &'static str, needed: usize) -> Result<(), Error> {
        let available = self.remaining();
        if needed > available {
            return Err(Error::Truncated { field, at: self.at, needed, available });
        }
        Ok(())
    }
}

/// A legacy length: -1 is null, anything below it is an error.
fn legacy(length: i64, field: &'static str, at: usize) -> Result<Option<usize>, Error> {
    match length {
        -1 => Ok(None),
        _ => usize::try_from(length).map(Some).map_err(|_| Error::BadLength { field, at, length }),
    }
}

#[cfg(test)]
mod tests;
