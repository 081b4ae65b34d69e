//! The console, as far as a build has it: these tests pass with it and without.

use crate::support::{Server, Setup};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn browsers_get_a_page_at_every_place_and_programs_do_not() {
    let server = Server::start().await;
    for path in [
        "/",
        "/topics",
        "/topics/store.orders",
        "/groups",
        "/groups/mailer",
        "/views/store.top",
        "/sql",
        "/pipelines",
        "/dashboards/x",
    ] {
        let page = server.send("GET", path, &[BROWSER], "").await;
        assert_eq!((page.status, page.media_type.as_str()), (200, "text/html; charset=utf-8"), "{path}");
        assert!(page.text().contains("<title>Factum</title>"), "{path}: {}", page.text());
        if path != "/" {
            assert_eq!(server.get(path).await.status, 404, "{path}");
        }
    }
    let list = server.get("/").await.text();
    assert!(list.contains("/api/v1/topics"), "a program is told where things are: {list}");
    assert_eq!(server.send("GET", "/nothing", &[BROWSER], "").await.status, 404);
    assert_eq!(server.send("POST", "/topics", &[BROWSER], "").await.status, 405);
    for path in [
        "/assets/none.js",
        "/assets/../Cargo.toml",
        "/assets/..%2findex.html",
        "/index.html",
        "/favicon.none",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_tells_the_browser_to_trust_nobody_else() {
    let server = Server::start().await;
    let url = format!("http://{}/topics/store.orders", server.address);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let page = client.get(url).header(BROWSER.0, BROWSER.1).send().await.expect("an answer");
    let header =
        |name: &str| page.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(header("content-security-policy").starts_with("default-src 'self'; "));
    assert!(
        !header("content-security-policy").contains("script-src"),
        "no script from elsewhere, nor inline"
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!((header("cache-control"), header("vary")), ("no-cache", "accept"));
    assert!(header("etag").starts_with("W/"));
    server.stop().await;
}

#[tokio::test]
async fn a_page_is_not_served_under_a_strangers_name() {
    let server = Server::start_with(Setup::default()).await;
    let page = server.send("GET", "/topics", &[BROWSER, ("host", "factum.evil.example")], "").await;
    assert_eq!(page.status, 403, "{}", page.problem());
    server.stop().await;
}
