//! A listener on loopback is not for the pages of strangers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, Setup};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_page_that_lets_its_name_point_here_gets_nothing() {
    let server = Server::start().await;
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", ""]
    {
        let read = server.send("GET", "/api/v1/topics", &[("host", host)], "").await;
        assert_eq!(read.status, 403, "{host}: {}", read.text());
        let written = server.send("POST", "/events/store.orders", &[("host", host), JSON], "{}").await;
        assert_eq!(written.status, 403, "{host}: {}", written.text());
    }
    assert!(server.broker.topic("store.orders").is_none(), "nothing was written");
    let refused = server.send("GET", "/health/live", &[("host", "evil.example")], "").await;
    assert!(refused.problem().contains("allowed_hosts"), "{}", refused.text());
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing() {
    let server = Server::start().await;
    for origin in ["https://evil.example", "http://203.0.113.5", "null", "http://localhost.evil.example"] {
        let answer = server.send("POST", "/events/store.orders", &[("origin", origin), JSON], "{}").await;
        assert_eq!(answer.status, 403, "{origin}: {}", answer.text());
    }
    assert!(server.broker.topic("store.orders").is_none(), "nothing was written");
    server.stop().await;
}

#[tokio::test]
async fn the_machines_own_names_and_pages_are_served() {
    let mut setup = Setup::default();
    setup.options.allowed_hosts = vec!["factum.test".to_owned()];
    let server = Server::start_with(setup).await;
    let own = format!("http://{}", server.address);
    let near = ["localhost:1", "LOCALHOST.", "a.localhost", "[::1]:1", "192.0.2.7:80", "Factum.test:9"];
    for host in near {
        let answer = server.send("GET", "/health/live", &[("host", host)], "").await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    for origin in [own.as_str(), "http://localhost:5173", "http://[::1]:3000", "https://factum.test"] {
        let answer = server.send("POST", "/events/store.orders", &[("origin", origin), JSON], "{}").await;
        assert_eq!(answer.status, 202, "{origin}: {}", answer.text());
    }
    server.stop().await;
}

#[tokio::test]
async fn beyond_loopback_names_are_the_networks_own() {
    let mut setup = Setup::default();
    setup.options.listen.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
    let server = Server::start_with(setup).await;
    let answer = server.send("GET", "/health/live", &[("host", "factum.corp.example")], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = Server::start().await;
    for (request, expected) in [
        ("GET /health/live HTTP/1.1\r\n", "HTTP/1.1 400"),
        ("GET /health/live HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n", "HTTP/1.1 400"),
        ("GET /health/live HTTP/1.0\r\n", "HTTP/1.0 200"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        stream.write_all(format!("{request}connection: close\r\n\r\n").as_bytes()).await.expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).await.expect("an end");
        assert!(response.starts_with(expected), "{request}: {response}");
    }
    server.stop().await;
}

/// A browser asks first. It is told what the path takes, and nothing that lets a page of another origin in.
#[tokio::test]
async fn a_preflight_request_allows_nothing() {
    let server = Server::start().await;
    let asked = [("origin", "http://localhost:5173"), ("access-control-request-method", "POST")];
    let request = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("http://{}/events/store.orders", server.address))
        .header(asked[0].0, asked[0].1)
        .header(asked[1].0, asked[1].1);
    let response = request.send().await.expect("a response");
    assert_eq!(response.status().as_u16(), 204);
    assert_eq!(response.headers().get("allow").expect("what the path takes"), "POST");
    let allows = |name: &&str| response.headers().contains_key(*name);
    assert!(!["access-control-allow-origin", "access-control-allow-methods"].iter().any(allows));
    server.stop().await;
}
