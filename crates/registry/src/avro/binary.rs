//! Avro's binary encoding of numbers and lengths.

/// Bytes of which one value after another is taken.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    left: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, left) = self.left.split_at_checked(count).ok_or_else(|| {
            format!("the value ends early: bytes needed {count}, bytes left {}", self.left.len())
        })?;
        self.left = left;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, String> {
        self.take(1).map(|taken| taken[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// A zigzag number of variable length.
    pub(crate) fn long(&mut self) -> Result<i64, String> {
        let mut number = 0_u64;
        for at in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if at == 9 && bits > 1 {
                break;
            }
            number |= bits << (7 * at);
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("invalid number: it is longer than 64 bits".to_owned())
    }

    pub(crate) fn int(&mut self) -> Result<i32, String> {
        let number = self.long()?;
        i32::try_from(number).map_err(|_| format!("{number} is no int: it has more than 32 bits"))
    }

    /// A length and as many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = self.long()?;
        let count = usize::try_from(length).map_err(|_| format!("invalid length {length}"))?;
        self.take(count)
    }

    /// The number of items of the next block; nothing after the last one.
    pub(crate) fn block(&mut self) -> Result<Option<u64>, String> {
        let count = self.long()?;
        if count < 0 {
            let size = self.long()?;
            let fits = usize::try_from(size).is_ok_and(|size| size <= self.len());
            if !fits {
                return Err(format!("invalid size {size} of a block: bytes left {}", self.len()));
            }
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }
}

pub(crate) fn write_long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(crate) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}
