//! The console's files, as the build left them, and compressed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

/// The page that every place of the console shows.
pub(super) const PAGE: &str = "index.html";
/// Below this, compressing saves no packet.
const WORTH_COMPRESSING: usize = 1024;

/// Empty where the console was not built before the binary.
#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Built;

/// Files by their path below the root.
pub(super) struct Assets(BTreeMap<String, Asset>);

/// One file.
pub(super) struct Asset {
    pub(super) bytes: Bytes,
    /// The same, where that is smaller.
    pub(super) gzip: Option<Bytes>,
    pub(super) media_type: &'static str,
    /// In its quotes. Both encodings share it, as RFC 9110 lets a weak one.
    pub(super) etag: String,
}

impl Assets {
    /// What the binary carries. Takes a moment: every file is compressed.
    pub(super) fn embedded() -> Self {
        let file = |path: Cow<'static, str>| Some((path.to_string(), Built::get(&path)?.data));
        Self::of(Built::iter().filter_map(file))
    }

    pub(super) fn of(files: impl Iterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let asset = |(path, data): (String, _)| {
            let bytes = match data {
                Cow::Borrowed(data) => Bytes::from_static(data),
                Cow::Owned(data) => Bytes::from(data),
            };
            let media_type = media_type(&path);
            let gzip = gzip(media_type, &bytes);
            (path, Asset { etag: etag(&bytes), bytes, gzip, media_type })
        };
        Self(files.map(asset).collect())
    }

    pub(super) fn get(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }
}

impl Asset {
    /// A page made for one request.
    pub(super) fn page(html: String) -> Self {
        Self { etag: etag(html.as_bytes()), bytes: html.into(), gzip: None, media_type: media_type(PAGE) }
    }
}

fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `None` where it would not be smaller.
fn gzip(media_type: &str, bytes: &Bytes) -> Option<Bytes> {
    let is_packed = media_type.starts_with("image/p") || media_type.starts_with("font/");
    if is_packed || bytes.len() < WORTH_COMPRESSING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .ok()
        .filter(|packed| packed.len() < bytes.len())
        .map(Bytes::from)
}
