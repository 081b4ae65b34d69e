//! A supply of values drawn from bytes, so that shrinking the bytes shrinks the values.

use bytes::Bytes;
use factum_kafka_server::error_code::ErrorCode;
use factum_types::TopicId;

/// Hands out values. Its bytes come round again once they are used up; without any they are zeros.
pub(crate) struct Source<'a> {
    entropy: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(entropy: &'a [u8]) -> Self {
        Self { entropy: entropy.iter().cycle() }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.entropy.next().copied().unwrap_or_default()
    }

    fn some<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A number, often one at the edge of its type.
    pub(crate) fn i64(&mut self) -> i64 {
        match self.byte() {
            0 => 0,
            1 => -1,
            2 => i64::MIN,
            3 => i64::MAX,
            _ => i64::from_be_bytes(self.some()),
        }
    }

    pub(crate) fn i32(&mut self) -> i32 {
        match self.byte() {
            0 => 0,
            1 => -1,
            2 => i32::MIN,
            3 => i32::MAX,
            _ => i32::from_be_bytes(self.some()),
        }
    }

    pub(crate) fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.some())
    }

    pub(crate) fn i8(&mut self) -> i8 {
        self.byte() as i8
    }

    /// A number that equals itself.
    pub(crate) fn f64(&mut self) -> f64 {
        f64::from(self.i32()) / 8.0
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    pub(crate) fn error(&mut self) -> ErrorCode {
        ErrorCode::ALL[usize::from(self.byte()) % ErrorCode::ALL.len()]
    }

    pub(crate) fn topic_id(&mut self) -> TopicId {
        TopicId::from_bytes(self.some())
    }

    /// Text with characters of one to four bytes; now and then longer than one varint byte can count.
    pub(crate) fn text(&mut self) -> String {
        let repeat = if self.byte() == 255 { 40 } else { 1 };
        let letters = self.byte() % 12;
        let text: String = (0..letters).map(|_| ['a', 'é', '€', '𝄞'][usize::from(self.byte() % 4)]).collect();
        text.repeat(repeat)
    }

    pub(crate) fn bytes(&mut self) -> Bytes {
        let repeat = if self.byte() == 255 { 40 } else { 1 };
        let length = self.byte() % 12;
        let bytes: Vec<u8> = (0..length).map(|_| self.byte()).collect();
        bytes.repeat(repeat).into()
    }

    pub(crate) fn option<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bool().then(|| value(self))
    }

    pub(crate) fn maybe_text(&mut self) -> Option<String> {
        self.option(Self::text)
    }

    pub(crate) fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.byte() % 4).map(|_| element(self)).collect()
    }

    /// Two lists of the same length, element by element from one draw.
    pub(crate) fn pairs<A, B>(&mut self, element: impl FnMut(&mut Self) -> (A, B)) -> (Vec<A>, Vec<B>) {
        self.list(element).into_iter().unzip()
    }
}
