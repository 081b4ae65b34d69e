//! The size of what is kept as JSON.

use std::io;

use serde::Serialize;

/// Bytes of a value as JSON; of one that is none, all that there may be.
pub(crate) fn json_size(value: &impl Serialize) -> usize {
    let mut counted = Count(0);
    serde_json::to_writer(&mut counted, value).map_or(usize::MAX, |()| counted.0)
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
