//! Percent-encoding (RFC 3986 §2.1).

/// A text with every byte of its UTF-8 percent-encoded but for those that `is_kept`, which are of ASCII.
pub(crate) fn percent_encoded(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii() && is_kept(byte) {
            true => written.push(char::from(byte)),
            false => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}
