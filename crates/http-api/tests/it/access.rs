//! Every route asks before it does anything.

use std::sync::Arc;

use expect_test::expect;
use factum_http_api::openapi;
use factum_types::auth::DenyAll;

use crate::support::{Server, Setup};

const PUBLIC: [&str; 5] = ["/", "/docs", "/openapi.json", "/health/live", "/health/ready"];

/// Routes that are open to all: they show of schemas and events those that the caller may see, here none.
const SHOWS_WHAT_MAY_BE_SEEN: [(&str, &str); 14] = [
    ("/api/v1/asyncapi", "{\"asyncapi\":\"3.0.0\""),
    ("/api/v1/events", "{\"events\":[]"),
    ("/$schemaGroups", "{\"schemaGroups\":[]"),
    ("/$schemaGroups/$schemas/{id}", "{\"error\":{\"code\":\"ItemNotFound\""),
    ("/subjects", "[]"),
    ("/schemas", "[]"),
    ("/schemas/types", "["),
    ("/v1/metadata/version", "{"),
    ("/schemas/ids/{id}", "{\"error_code\":40403"),
    ("/schemas/ids/{id}/schema", "{\"error_code\":40403"),
    ("/schemas/ids/{id}/subjects", "{\"error_code\":40403"),
    ("/schemas/ids/{id}/versions", "{\"error_code\":40403"),
    ("/schemas/guids/{guid}", "{\"error_code\":40403"),
    ("/schemas/guids/{guid}/ids", "{\"error_code\":40403"),
];

/// Every route of the document, with its method.
fn routes() -> Vec<(&'static str, String)> {
    let mut routes = Vec::new();
    for (path, item) in openapi().paths.paths {
        let methods = [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        routes.extend(
            methods.into_iter().filter(|(_, o)| o.is_some()).map(|(method, _)| (method, path.clone())),
        );
        assert!(item.head.is_none() && item.options.is_none(), "no other method is used");
    }
    routes
}

#[tokio::test]
async fn every_route_asks_for_what_it_shows_or_changes() {
    let server = Server::start_with(Setup { authorizer: Arc::new(DenyAll), ..Setup::default() }).await;
    let mut asked = Vec::new();
    for (method, path) in routes() {
        let concrete = path.replace("{topic}", "store.orders").replace("{group}", "mailer");
        let concrete = concrete.replace("{view}", "store.top").replace("{pipeline}", "store.top");
        let concrete = concrete.replace("{table}", "store.products").replace("{key}", "1");
        let concrete = concrete.replace("{dashboard}", "store.movies").replace("{user}", "alice");
        let concrete = concrete.replace("{subject}", "store.orders-value").replace("{version}", "1");
        let concrete = concrete.replace("{event}", "store.orders");
        let concrete = concrete.replace("{context}", ".x").replace("{schema}", "store.Order");
        let concrete = concrete.replace("$schemas/{id}", "$schemas/00000000000000000000000000000001");
        let concrete = match path.starts_with("/schemas") {
            true => concrete.replace("{id}", "1").replace("{guid}", "00000000000000000000000000000001"),
            false => concrete.replace("{id}", "billing"),
        };
        // The body is not what the route wants: permission comes first.
        let answer = server.send(method, &concrete, &[], "not what is wanted").await;
        if PUBLIC.contains(&path.as_str()) {
            assert_eq!(answer.status, 200, "{method} {path}");
        } else if let Some((_, response)) = SHOWS_WHAT_MAY_BE_SEEN.iter().find(|(shown, _)| *shown == path) {
            assert!(answer.text().starts_with(response), "{method} {path}: {}", answer.text());
        } else {
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
            let text = answer.text();
            let (_, question) = text.split_once("User:ANONYMOUS may not ").expect("who may not do what");
            let (question, _) = question.split_once('"').expect("a member of JSON");
            asked.push(format!("{method} {path}: {question}"));
        }
    }
    expect![[r#"
        PUT /$schemaGroups/{group}/schemas/{schema}: write subject :.mailer:store.Order
        POST /$schemaGroups/{group}/schemas/{schema}: describe subject :.mailer:store.Order
        GET /$schemaGroups/{group}/schemas/{schema}/versions: describe subject :.mailer:store.Order
        GET /$schemaGroups/{group}/schemas/{schema}/versions/{version}: describe subject :.mailer:store.Order
        GET /api/v1/acls: describe the cluster
        POST /api/v1/acls: alter the cluster
        DELETE /api/v1/acls: alter the cluster
        GET /api/v1/catalogue: describe the cluster
        GET /api/v1/changes: describe the cluster
        GET /api/v1/dashboards: describe the cluster
        GET /api/v1/dashboards/{dashboard}: describe dashboard store.movies
        GET /api/v1/events/{event}: describe topic store.orders
        GET /api/v1/groups: describe the cluster
        GET /api/v1/groups/{group}: describe group mailer
        DELETE /api/v1/groups/{group}: delete group mailer
        GET /api/v1/groups/{group}/lag: describe group mailer
        POST /api/v1/groups/{group}/offsets: read group mailer
        GET /api/v1/overview: describe the cluster
        GET /api/v1/overview/stream: describe the cluster
        GET /api/v1/pipelines: describe the cluster
        GET /api/v1/pipelines/{pipeline}: describe view store.top
        GET /api/v1/project: describe the cluster
        GET /api/v1/quotas: describe the configuration of the cluster
        POST /api/v1/quotas: alter the configuration of the cluster
        DELETE /api/v1/quotas: alter the configuration of the cluster
        GET /api/v1/schema-groups: describe the cluster
        POST /api/v1/schema-groups: create the cluster
        DELETE /api/v1/schema-groups/{group}: delete the cluster
        POST /api/v1/sql: describe any topic
        POST /api/v1/sql/explain: describe any topic
        GET /api/v1/subjects: describe the cluster
        GET /api/v1/subjects/{subject}: describe subject store.orders
        POST /api/v1/subjects/{subject}/check: describe subject store.orders
        GET /api/v1/tables/{table}/{key}: read table store.products
        GET /api/v1/teams: describe the cluster
        GET /api/v1/topics: describe the cluster
        POST /api/v1/topics: create any topic
        GET /api/v1/topics/{topic}: describe topic store.orders
        PATCH /api/v1/topics/{topic}: alter the configuration of topic store.orders
        DELETE /api/v1/topics/{topic}: delete topic store.orders
        GET /api/v1/topics/{topic}/groups: describe topic store.orders
        GET /api/v1/topics/{topic}/records: read topic store.orders
        POST /api/v1/topics/{topic}/records/resend: read topic store.orders
        GET /api/v1/topics/{topic}/sample: describe topic store.orders
        GET /api/v1/topics/{topic}/tail: read topic store.orders
        GET /api/v1/transactions: describe the cluster
        POST /api/v1/transactions/abort: act as a broker of the cluster
        GET /api/v1/transactions/{id}: describe transactional id billing
        POST /api/v1/transactions/{id}/abort: write transactional id billing
        GET /api/v1/users: describe the cluster
        POST /api/v1/users: alter the cluster
        GET /api/v1/users/{user}: describe the cluster
        DELETE /api/v1/users/{user}: alter the cluster
        POST /api/v1/users/{user}/password: alter the cluster
        GET /api/v1/views: describe the cluster
        GET /api/v1/views/{view}: read view store.top
        GET /api/v1/views/{view}/changes: read view store.top
        POST /compatibility/subjects/{subject}/versions: describe subject store.orders
        POST /compatibility/subjects/{subject}/versions/{version}: describe subject store.orders
        GET /config: describe the configuration of the cluster
        PUT /config: alter the configuration of the cluster
        DELETE /config: alter the configuration of the cluster
        GET /config/{subject}: describe the configuration of subject store.orders
        PUT /config/{subject}: alter the configuration of subject store.orders
        DELETE /config/{subject}: alter the configuration of subject store.orders
        GET /contexts: describe the cluster
        DELETE /contexts/{context}: delete the cluster
        POST /events/{topic}: write topic store.orders
        GET /metrics: describe the cluster
        GET /mode: describe the configuration of the cluster
        PUT /mode: alter the configuration of the cluster
        DELETE /mode: alter the configuration of the cluster
        GET /mode/{subject}: describe the configuration of subject store.orders
        PUT /mode/{subject}: alter the configuration of subject store.orders
        DELETE /mode/{subject}: alter the configuration of subject store.orders
        POST /subjects/{subject}: describe subject store.orders
        DELETE /subjects/{subject}: delete subject store.orders
        GET /subjects/{subject}/metadata: describe subject store.orders
        GET /subjects/{subject}/versions: describe subject store.orders
        POST /subjects/{subject}/versions: write subject store.orders
        GET /subjects/{subject}/versions/{version}: describe subject store.orders
        DELETE /subjects/{subject}/versions/{version}: delete subject store.orders
        GET /subjects/{subject}/versions/{version}/referencedby: describe subject store.orders
        GET /subjects/{subject}/versions/{version}/schema: describe subject store.orders"#]]
    .assert_eq(&asked.join("\n"));
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
            if operation.tags.iter().flatten().any(|tag| tag.ends_with("schema registry")) {
                continue;
            }
            let denied = operation.responses.responses.contains_key("403");
            assert_eq!(denied, !PUBLIC.contains(&path.as_str()), "{path} {id}");
        }
    }
}
