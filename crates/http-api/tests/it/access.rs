//! Every route asks before it does anything.

use std::sync::Arc;

use factum_http_api::openapi;
use factum_types::auth::DenyAll;

use crate::support::{Server, Setup};

const PUBLIC: [&str; 5] = ["/", "/docs", "/openapi.json", "/health/live", "/health/ready"];

/// Every route of the document, with its method.
fn routes() -> Vec<(&'static str, String)> {
    let mut routes = Vec::new();
    for (path, item) in openapi().paths.paths {
        let methods =
            [("GET", &item.get), ("POST", &item.post), ("PATCH", &item.patch), ("DELETE", &item.delete)];
        routes.extend(
            methods.into_iter().filter(|(_, o)| o.is_some()).map(|(method, _)| (method, path.clone())),
        );
        assert!(
            item.put.is_none() && item.head.is_none() && item.options.is_none(),
            "no other method is used"
        );
    }
    routes
}

#[tokio::test]
async fn nobody_gets_past_a_refusal() {
    let server = Server::start_with(Setup { authorizer: Arc::new(DenyAll), ..Setup::default() }).await;
    let mut asked = 0;
    for (method, path) in routes() {
        let concrete = path.replace("{topic}", "store.orders").replace("{group}", "mailer");
        let concrete = concrete.replace("{view}", "store.top").replace("{pipeline}", "store.top");
        let concrete = concrete.replace("{table}", "store.products").replace("{key}", "1");
        let concrete = concrete.replace("{dashboard}", "store.movies");
        // The body is not what the route wants: permission comes first.
        let answer = server.send(method, &concrete, &[], "not what is wanted").await;
        if PUBLIC.contains(&path.as_str()) {
            assert_eq!(answer.status, 200, "{method} {path}");
        } else {
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
            assert!(answer.problem().contains("User:ANONYMOUS may not "), "{}", answer.text());
            asked += 1;
        }
    }
    assert!(asked >= 28, "only {asked} routes were walked");
    assert!(server.broker.topic("store.orders").is_none());
    server.stop().await;
}

#[test]
fn every_route_is_described_with_an_example() {
    for (path, item) in openapi().paths.paths {
        for operation in [item.get, item.post, item.patch, item.delete].into_iter().flatten() {
            let id = operation.operation_id.clone().unwrap_or_default();
            assert!(
                operation.summary.is_some_and(|summary| !summary.is_empty()),
                "{path} {id} has no summary"
            );
            let denied = operation.responses.responses.contains_key("403");
            assert_eq!(denied, !PUBLIC.contains(&path.as_str()), "{path} {id}");
        }
    }
}
