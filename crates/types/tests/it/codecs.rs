//! Every codec takes what it gave, never beyond the limit.

use factum_types::Compression;
use factum_types::compression::{DecompressError, UnknownCompression};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn compression_round_trips(bytes in proptest::collection::vec(0u8..4, 0..100_000)) {
        for codec in Compression::ALL {
            let compressed = codec.compress(&bytes);
            prop_assert_eq!(&codec.decompress(&compressed, bytes.len()), &Ok(bytes.clone()), "{}", codec);
            if !bytes.is_empty() {
                let limit = bytes.len() - 1;
                prop_assert_eq!(codec.decompress(&compressed, limit), Err(DecompressError::TooLarge { codec, limit }));
            }
        }
    }

    #[test]
    fn garbage_never_panics(bytes: Vec<u8>, framed: bool) {
        let mut bytes = bytes;
        if framed {
            bytes.splice(0..0, *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        }
        for codec in Compression::ALL {
            if let Ok(out) = codec.decompress(&bytes, 4096) {
                prop_assert!(out.len() <= 4096);
            }
        }
    }
}

#[test]
fn a_cut_off_frame_is_corrupt() {
    let bytes = b"the same words, the same words, the same words".repeat(2_000);
    for codec in &Compression::ALL[1..] {
        let compressed = codec.compress(&bytes);
        // LZ4's end mark alone may be missing: what lacks then are records, and those are counted.
        for end in [compressed.len() / 2, 20] {
            let cut = codec.decompress(&compressed[..end], bytes.len());
            assert!(matches!(cut, Err(DecompressError::Corrupt { .. })), "{codec} cut at {end}");
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0; 16 << 20];
    for codec in &Compression::ALL[1..] {
        let bomb = codec.compress(&zeros);
        let refused = codec.decompress(&bomb, 1 << 20);
        assert_eq!(refused, Err(DecompressError::TooLarge { codec: *codec, limit: 1 << 20 }));
    }
}

#[test]
fn a_snappy_block_cannot_claim_what_it_cannot_hold() {
    // A bare block of five bytes that promises 64 MiB.
    let liar = [0x80, 0x80, 0x80, 0x20, 0x00];
    let refused = Compression::Snappy.decompress(&liar, usize::MAX).expect_err("refused");
    assert_eq!(refused.to_string(), "snappy data is corrupt: a block claims more than it can hold");
}

#[test]
fn bare_snappy_blocks_are_read_too() {
    let bare = [3, 2 << 2, b'a', b'b', b'c'];
    assert_eq!(Compression::Snappy.decompress(&bare, 3), Ok(b"abc".to_vec()));
}

#[test]
fn codecs_have_kafkas_codes() {
    let codes = Compression::ALL.map(|codec| (codec.code(), codec.as_str()));
    assert_eq!(codes, [(0, "none"), (1, "gzip"), (2, "snappy"), (3, "lz4"), (4, "zstd")]);
    assert_eq!(Compression::from_attributes(0b11_1000 | 4), Ok(Compression::Zstd));
    assert_eq!(Compression::from_attributes(7), Err(UnknownCompression { code: 7 }));
}
