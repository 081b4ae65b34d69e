use super::*;

fn flexible(bytes: &[u8]) -> Reader<'_> {
    let mut r = Reader::new(bytes);
    r.set_flexible(true);
    r
}

#[test]
fn varints_hold_32_bits_and_no_more() {
    assert_eq!(flexible(&[0x00]).unsigned_varint("n"), Ok(0));
    assert_eq!(flexible(&[0xac, 0x02]).unsigned_varint("n"), Ok(300));
    assert_eq!(flexible(&[0xff, 0xff, 0xff, 0xff, 0x0f]).unsigned_varint("n"), Ok(u32::MAX));
    let over = Err(Error::BadVarint { field: "n", at: 0 });
    assert_eq!(flexible(&[0xff, 0xff, 0xff, 0xff, 0x1f]).unsigned_varint("n"), over);
    assert_eq!(flexible(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).unsigned_varint("n"), over);
    let cut = Err(Error::Truncated { field: "n", at: 1, needed: 1, available: 0 });
    assert_eq!(flexible(&[0x80]).unsigned_varint("n"), cut);
}

#[test]
fn strings_say_what_is_wrong_and_where() {
    let read = |bytes: &[u8]| {
        let mut r = Reader::new(bytes);
        r.i8("first").expect("one byte");
        r.string("name")
    };
    assert_eq!(read(&[9, 0, 2, b'h', b'i']), Ok("hi".to_owned()));
    assert_eq!(read(&[9, 0xff, 0xff]), Err(Error::Null { field: "name", at: 1 }));
    assert_eq!(read(&[9, 0xff, 0xfe]), Err(Error::BadLength { field: "name", at: 1, length: -2 }));
    assert_eq!(read(&[9, 0, 1, 0xff]), Err(Error::NotUtf8 { field: "name", at: 1 }));
    let cut = Error::Truncated { field: "name", at: 3, needed: 5, available: 1 };
    assert_eq!(read(&[9, 0, 5, b'h']), Err(cut));
}

#[test]
fn flexible_strings_are_no_longer_than_legacy_ones() {
    let mut bytes = vec![0x81, 0x80, 0x02];
    bytes.resize(3 + 32_768, b'a');
    let long = Err(Error::BadLength { field: "name", at: 0, length: 32_768 });
    assert_eq!(flexible(&bytes).string("name"), long);
    bytes[0] = 0x80;
    assert_eq!(flexible(&bytes).string("name").map(|name| name.len()), Ok(32_767));
}

#[test]
fn counts_never_exceed_the_bytes_left() {
    let huge = [0x7f, 0xff, 0xff, 0xff, 0, 0];
    let read = Reader::new(&huge).array("items", |r| r.i8("item"));
    assert_eq!(read, Err(Error::Truncated { field: "items", at: 0, needed: 0x7fff_ffff, available: 2 }));
    let negative = [0x80, 0, 0, 0];
    let read = Reader::new(&negative).array("items", |r| r.i8("item"));
    assert_eq!(read, Err(Error::BadLength { field: "items", at: 0, length: i32::MIN.into() }));
}

#[test]
fn a_tagged_field_cannot_read_past_its_end() {
    // One field with tag 5 of two bytes, then a byte that belongs to what follows.
    let bytes = [1, 5, 2, 0xaa, 0xbb, 0xcc];
    let mut r = flexible(&bytes);
    let greedy = r.tagged_fields(|tag, r| {
        assert_eq!(tag, 5);
        r.i32("greedy").map(drop)
    });
    assert_eq!(greedy, Err(Error::Truncated { field: "greedy", at: 3, needed: 4, available: 2 }));

    let mut r = flexible(&bytes);
    r.tagged_fields(|_, r| r.i8("modest").map(drop)).expect("less than there is");
    assert_eq!((r.position(), r.remaining()), (5, 1));
}

#[test]
fn the_legacy_encoding_has_no_tagged_fields() {
    let mut r = Reader::new(&[1, 5, 2]);
    r.skip_tagged_fields().expect("nothing to skip");
    assert_eq!(r.position(), 0);
}
