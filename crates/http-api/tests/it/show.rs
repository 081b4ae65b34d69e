//! `SHOW TABLES` and `DESCRIBE`, by those who may not see everything.

use std::sync::Arc;

use expect_test::expect;
use factum_sql::{EventDefinition, PipelineDefinition, RelationName, TableDefinition};
use factum_types::auth::Client;
use factum_types::{AccessDeniedError, Action, Authorizer, Resource, TopicName};

use crate::support::{Server, Setup};
use crate::views::definitions;

/// Allows everything but what is secret.
struct NoSecrets;

impl Authorizer for NoSecrets {
    fn check(
        &self,
        client: Client<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if resource.to_string().contains("secret") {
            return Err(AccessDeniedError::new(client, action, resource));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_caller_may_not_see_are_neither_listed_nor_described_nor_suggested() {
    let server = Server::start_with(Setup { authorizer: Arc::new(NoSecrets), ..Setup::default() }).await;
    server.topic("store.sales").await;
    server.topic("store.secret_sales").await;
    let mut definitions = definitions();
    let secret = TopicName::new("store.secret_sales").expect("a name");
    let event = EventDefinition { topic: secret, ..definitions.events[0].clone() };
    definitions.events.push(event);
    let table = TableDefinition {
        name: RelationName::new("store", "secret_products"),
        ..definitions.tables[0].clone()
    };
    definitions.tables.push(table);
    let text = "CREATE MATERIALIZED VIEW secret_top AS SELECT count(*) AS n FROM secret_sales;";
    let file = PipelineDefinition {
        file: "teams/store/pipelines/secret.sql".into(),
        text: text.into(),
        ..definitions.pipelines[0].clone()
    };
    definitions.pipelines.push(file);
    server.engine.apply(definitions).await.expect("the definitions are good");
    let mut lines = Vec::new();
    for statement in [
        "SHOW TABLES",
        "SHOW VIEWS LIKE '%secret%'",
        "DESCRIBE store.products",
        "DESCRIBE store.secret_sales",
        "DESCRIBE store.secret_top",
        "DESCRIBE store.secret_products",
        "DESCRIBE store.secret_topp",
        "DESCRIBE store.topp",
    ] {
        let body = serde_json::json!({"query": statement}).to_string();
        let answer = server.post_json("/api/v1/sql", &body).await;
        let shown = match answer.status {
            200 => answer.json()["rows"].to_string(),
            _ => answer.problem(),
        };
        lines.push(format!("{statement}\n  {shown}"));
    }
    expect![[r#"
        SHOW TABLES
          [{"name":"store.day","kind":"view","columns":2},{"name":"store.products","kind":"table","columns":3},{"name":"store.sales","kind":"topic","columns":15},{"name":"store.top","kind":"view","columns":4}]
        SHOW VIEWS LIKE '%secret%'
          []
        DESCRIBE store.products
          [{"name":"ItemId","type":"bigint","nullable":true,"source":"key of the table"},{"name":"Title","type":"text","nullable":true,"source":"column of the CSV file"},{"name":"Price","type":"decimal(38, 2)","nullable":true,"source":"column of the CSV file"}]
        DESCRIBE store.secret_sales
          400 there is no topic, table or view `store.secret_sales` at line 1 column 10; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them {"help":"SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them","line":1,"column":10}
        DESCRIBE store.secret_top
          400 there is no topic, table or view `store.secret_top` at line 1 column 10; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them {"help":"SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them","line":1,"column":10}
        DESCRIBE store.secret_products
          400 there is no topic, table or view `store.secret_products` at line 1 column 10; did you mean `store.products`? {"help":"did you mean `store.products`?","line":1,"column":10}
        DESCRIBE store.secret_topp
          400 there is no topic, table or view `store.secret_topp` at line 1 column 10; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them {"help":"SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them","line":1,"column":10}
        DESCRIBE store.topp
          400 there is no topic, table or view `store.topp` at line 1 column 10; did you mean `store.top`? {"help":"did you mean `store.top`?","line":1,"column":10}"#]].assert_eq(&lines.join("\n"));
    server.stop().await;
}
