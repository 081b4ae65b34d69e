//! Bytes in several pieces, written to a socket as if they were one.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// A response frame: encoded fields with shared record chunks between them, none of them copied.
///
/// As a [`Buf`] it offers its pieces to `writev` (`AsyncWriteExt::write_all_buf`).
#[derive(Debug, Clone, Default)]
pub struct Rope {
    /// Never holds an empty piece, so that [`Buf::chunk`] is empty at the end only.
    pieces: VecDeque<Bytes>,
    remaining: usize,
}

impl Rope {
    /// Adds a piece at the end.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.remaining += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Bytes in all pieces together.
    pub fn len(&self) -> usize {
        self.remaining
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// The pieces, first to last.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter()
    }
}

impl Buf for Rope {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.len().min(self.pieces.len());
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced past the end of a rope");
        self.remaining -= count;
        while let Some(front) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope() -> Rope {
        let mut rope = Rope::default();
        for piece in ["ab", "", "cde", "f"] {
            rope.push(Bytes::from_static(piece.as_bytes()));
        }
        rope
    }

    #[test]
    fn advancing_crosses_pieces_and_forgets_them() {
        for taken in 0..=6 {
            let mut rest = rope();
            rest.advance(taken);
            assert_eq!(rest.len(), 6 - taken);
            assert_eq!(rest.copy_to_bytes(6 - taken), b"abcdef"[taken..]);
            assert!(rest.is_empty() && rest.chunk().is_empty());
        }
    }

    #[test]
    fn every_piece_is_offered_to_writev() {
        let rope = rope();
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(rope.chunks_vectored(&mut slices), 3);
        assert_eq!(slices[..3].iter().map(|slice| slice.len()).collect::<Vec<_>>(), [2, 3, 1]);
        assert_eq!(rope.chunks_vectored(&mut slices[..2]), 2);
    }
}
