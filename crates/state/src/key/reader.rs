//! Bytes of one value, with their bits turned back.

/// The bytes are not an encoded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a key of typed values")]
pub struct InvalidKey;

/// Reads from the front.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// All ones where the value's bits are turned.
    mask: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], is_turned: bool) -> Self {
        Self { bytes, mask: if is_turned { 0xff } else { 0 } }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn peek(&self) -> Result<u8, InvalidKey> {
        self.bytes.first().map(|byte| byte ^ self.mask).ok_or(InvalidKey)
    }

    pub(super) fn byte(&mut self) -> Result<u8, InvalidKey> {
        let byte = self.peek()?;
        self.bytes = &self.bytes[1..];
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidKey> {
        let (bytes, rest) = self.bytes.split_first_chunk::<N>().ok_or(InvalidKey)?;
        self.bytes = rest;
        Ok(bytes.map(|byte| byte ^ self.mask))
    }

    /// The bytes up to the next one that is `end`, and that one too, which is not given out; as they lie, if their bits
    /// are not turned.
    pub(super) fn until(&mut self, end: u8) -> Result<(&'a [u8], u8), InvalidKey> {
        let length = self.bytes.iter().position(|byte| byte ^ self.mask == end).ok_or(InvalidKey)?;
        let found = &self.bytes[..length];
        self.bytes = &self.bytes[length + 1..];
        Ok((found, self.mask))
    }
}
