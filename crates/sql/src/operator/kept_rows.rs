//! Rows of one table from every partition of a source, as they are kept.

/// Rows in one buffer.
#[derive(Debug, Default)]
pub(crate) struct KeptRows {
    bytes: Vec<u8>,
    /// Ends of key and value of each row.
    ends: Vec<(usize, usize)>,
}

impl KeptRows {
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    /// Adds the rows of a partition, in the order of their keys.
    pub(crate) fn push_sorted(&mut self, rows: &Self) {
        let mut sorted: Vec<_> = rows.rows().collect();
        sorted.sort_unstable();
        sorted.into_iter().for_each(|(key, value)| self.push(key, value));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.rows().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.rows().map(|(_, value)| value)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, end)| {
            let row = (&self.bytes[start..*key_end], &self.bytes[*key_end..*end]);
            start = *end;
            row
        })
    }
}
