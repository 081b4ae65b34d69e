//! A listener on loopback is not for the pages of strangers.

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
