//! Responses of the console, over made-up files.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read;

use axum::body::to_bytes;
use expect_test::expect;
use flate2::read::GzDecoder;

use super::*;

const PAGE: &str =
    r#"<!doctype html><script type="module" src="./assets/index-1a2b.js"></script><a href="/x">"#;

fn assets() -> Assets {
    let script = "export const numbers = [1, 2, 3];\n".repeat(100);
    let files = [
        ("index.html", PAGE.to_owned()),
        ("assets/index-1a2b.js", script),
        ("icon.svg", "<svg/>".to_owned()),
    ];
    Assets::of(files.into_iter().map(|(path, text)| (path.to_owned(), Cow::Owned(text.into_bytes()))))
}

fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
}

/// Status, headers and the beginning of the body.
async fn show(response: Response) -> String {
    let mut text = format!("{}\n", response.status());
    for (name, value) in response.headers() {
        writeln!(text, "{name}: {}", value.to_str().expect("text")).expect("text");
    }
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    text + &String::from_utf8_lossy(&body[..body.len().min(120)])
}

#[tokio::test]
async fn a_page_leads_up_from_where_it_is() {
    let mut shown = String::new();
    for path in ["/", "/topics", "/topics/store.orders", "/topics/store.orders/"] {
        let response = page_response(&assets(), path, &HeaderMap::new());
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("UTF-8");
        let source = body.split("src=").nth(1).and_then(|rest| rest.split('>').next()).expect("a script");
        writeln!(shown, "{path} {source}").expect("text");
    }
    expect![[r#"
        / "./assets/index-1a2b.js"
        /topics "./assets/index-1a2b.js"
        /topics/store.orders "../assets/index-1a2b.js"
        /topics/store.orders/ "../../assets/index-1a2b.js"
    "#]]
    .assert_eq(&shown);
    expect![[r#"
        200 OK
        content-type: text/html; charset=utf-8
        cache-control: no-cache
        etag: W/"18edae16aaec3f5a"
        x-content-type-options: nosniff
        referrer-policy: no-referrer
        content-security-policy: default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'
        vary: accept
        <!doctype html><script type="module" src="./assets/index-1a2b.js"></script><a href="/x">"#]].assert_eq(&show(page_response(&assets(), "/", &HeaderMap::new())).await);
}

#[tokio::test]
async fn without_a_build_the_page_says_how_to_get_one() {
    let none = Assets::of(std::iter::empty());
    let response = page_response(&none, "/topics/store.orders", &HeaderMap::new());
    assert_eq!(response.status(), StatusCode::OK);
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    assert!(body.contains("make console") && body.contains("href=\"../docs\""), "{body}");
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_compressed_for_whoever_takes_that() {
    let assets = assets();
    let script = assets.get("assets/index-1a2b.js").expect("it is there");
    expect![[r#"
        200 OK
        content-type: text/javascript; charset=utf-8
        cache-control: public, max-age=31536000, immutable
        etag: W/"cf2675f1199ced48"
        x-content-type-options: nosniff
        referrer-policy: no-referrer
        vary: accept-encoding
        export const numbers = [1, 2, 3];
        export const numbers = [1, 2, 3];
        export const numbers = [1, 2, 3];
        export const numbe"#]]
    .assert_eq(&show(asset_response(script, FOR_EVER, &HeaderMap::new())).await);
    for (accept, is_packed) in [
        ("gzip, br", true),
        ("br;q=1, gzip; q=0.5", true),
        ("gzip;q=0", false),
        ("br", false),
        ("xgzip", false),
    ] {
        let response = asset_response(script, FOR_EVER, &headers(&[(header::ACCEPT_ENCODING, accept)]));
        assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), is_packed, "{accept}");
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let mut text = Vec::new();
        match is_packed {
            true => drop(GzDecoder::new(&body[..]).read_to_end(&mut text).expect("gzip")),
            false => text.extend_from_slice(&body),
        }
        assert_eq!(text, script.bytes, "{accept}");
    }
    assert!(assets.get("icon.svg").expect("it is there").gzip.is_none(), "too small");
}

#[tokio::test]
async fn files_that_the_browser_has_are_not_sent_again() {
    let assets = assets();
    let icon = assets.get("icon.svg").expect("it is there");
    let known = format!("W/\"0\", {}", icon.etag);
    let response = asset_response(icon, ASK_AGAIN, &headers(&[(header::IF_NONE_MATCH, &known)]));
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(response.headers().get(header::CACHE_CONTROL).expect("kept"), ASK_AGAIN);
    let response = asset_response(icon, ASK_AGAIN, &headers(&[(header::IF_NONE_MATCH, "W/\"0\"")]));
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn browsers_are_told_from_programs() {
    for (accept, is_one) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ("application/json, text/html;q=0.1", true),
        ("*/*", false),
        ("application/json", false),
        ("text/css,*/*;q=0.1", false),
    ] {
        assert_eq!(is_browser(&headers(&[(header::ACCEPT, accept)])), is_one, "{accept}");
    }
    assert!(!is_browser(&HeaderMap::new()));
}
