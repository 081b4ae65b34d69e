//! Access rules of what queries read: every relation that they name, wherever in them.

use expect_test::expect;
use factum_sql::{EventDefinition, PipelineDefinition, RelationName, TableDefinition};
use factum_types::TopicName;

use crate::rules::{add, by_rules, send_as, user};
use crate::support::Server;
use crate::views::definitions;

/// Sales that all may see, others that are secret, and a view of these that is not.
async fn start() -> Server {
    let server = Server::start_with(by_rules()).await;
    server.topic("store.sales").await;
    server.topic("store.secret_sales").await;
    let mut definitions = definitions();
    let secret = TopicName::new("store.secret_sales").expect("a name");
    definitions.events.push(EventDefinition { topic: secret, ..definitions.events[0].clone() });
    definitions.tables.push(TableDefinition {
        name: RelationName::new("store", "secret_products"),
        ..definitions.tables[0].clone()
    });
    let text = "CREATE MATERIALIZED VIEW secret_top AS SELECT count(*) AS n FROM secret_sales;
        CREATE MATERIALIZED VIEW public_top AS SELECT count(*) AS n FROM secret_sales;
        CREATE VIEW public_names AS SELECT title FROM secret_products;";
    definitions.pipelines.push(PipelineDefinition {
        file: "teams/store/pipelines/secret.sql".into(),
        text: text.into(),
        ..definitions.pipelines[0].clone()
    });
    server.engine.apply(definitions).await.expect("the definitions are good");
    server
}

async fn answers(server: &Server, name: &str, path: &str, queries: &[&str]) -> String {
    let mut lines = Vec::new();
    for query in queries {
        let body = serde_json::json!({"query": query}).to_string();
        let answer = send_as(server, name, "POST", path, &body).await;
        let shown = match answer.status {
            200 => "200".to_owned(),
            _ => {
                let problem = answer.problem();
                problem.rsplit_once(" {").map_or(problem.clone(), |(detail, _)| detail.to_owned())
            }
        };
        lines.push(format!("{query}\n  {shown}"));
    }
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_reads_what_its_caller_may_read_and_nothing_else() {
    let server = start().await;
    user(&server, "bob").await;
    add(
        &server,
        &[
            "allow read topic store. prefixed User:bob",
            "deny all topic store.secret prefixed User:*",
            "deny read topic store.day literal User:*",
        ],
    )
    .await;
    let shown = answers(
        &server,
        "bob",
        "/api/v1/sql",
        &[
            "SELECT count(*) FROM store.sales",
            "SELECT * FROM store.sales JOIN store.products ON item_id = product",
            // Of a view its own rule counts.
            "SELECT * FROM store.public_top",
            "SELECT * FROM store.public_names",
            "SELECT 1",
            "SELECT * FROM store.secret_sales",
            "SELECT * FROM store.SecretSales",
            "SELECT * FROM store.secret_top",
            "SELECT * FROM store.secret_products",
            "SELECT * FROM store.secret_nothing",
            "SELECT * FROM store.sales JOIN store.secret_products ON item_id = product",
            "SELECT * FROM (SELECT * FROM store.secret_top)",
            "WITH t AS (SELECT * FROM store.secret_top) SELECT * FROM t",
            "SELECT * FROM store.sales WHERE product IN (SELECT item_id FROM store.secret_products)",
            "SELECT (SELECT n FROM store.secret_top)",
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM store.secret_top)",
            "SELECT count(*) FROM store.sales HAVING count(*) > (SELECT n FROM store.secret_top)",
            "SELECT * FROM store.sales ORDER BY (SELECT n FROM store.secret_top)",
            "SELECT * FROM store.sales LIMIT (SELECT n FROM store.secret_top)",
            "VALUES ((SELECT n FROM \"store\".\"secret_top\"))",
            "SELECT * FROM (VALUES ((SELECT n FROM \"store\".\"secret_top\"))) AS v(n)",
            "VALUES ((SELECT n FROM \"x\".\"store\".\"secret_top\"))",
            "SELECT n FROM store.public_top UNION SELECT n FROM store.secret_top",
            "SELECT * FROM TUMBLE(store.secret_sales, at, INTERVAL '1 hour')",
            "SELECT * FROM store.day",
            "DESCRIBE store.day",
            "DESCRIBE store.secret_top",
        ],
    )
    .await;
    expect![[r#"
        SELECT count(*) FROM store.sales
          200
        SELECT * FROM store.sales JOIN store.products ON item_id = product
          200
        SELECT * FROM store.public_top
          200
        SELECT * FROM store.public_names
          200
        SELECT 1
          200
        SELECT * FROM store.secret_sales
          400 there is no topic, table or view `store.secret_sales` at line 1 column 15; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.SecretSales
          400 there is no topic, table or view `store.SecretSales` at line 1 column 15; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.secret_top
          400 there is no topic, table or view `store.secret_top` at line 1 column 15; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.secret_products
          400 there is no topic, table or view `store.secret_products` at line 1 column 15; did you mean `store.products`?
        SELECT * FROM store.secret_nothing
          400 there is no topic, table or view `store.secret_nothing` at line 1 column 15; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.sales JOIN store.secret_products ON item_id = product
          400 there is no topic, table or view `store.secret_products` at line 1 column 32; did you mean `store.products`?
        SELECT * FROM (SELECT * FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 30; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        WITH t AS (SELECT * FROM store.secret_top) SELECT * FROM t
          400 there is no topic, table or view `store.secret_top` at line 1 column 26; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.sales WHERE product IN (SELECT item_id FROM store.secret_products)
          400 there is no topic, table or view `store.secret_products` at line 1 column 65; did you mean `store.products`?
        SELECT (SELECT n FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 23; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT 1 WHERE EXISTS (SELECT 1 FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 38; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT count(*) FROM store.sales HAVING count(*) > (SELECT n FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 67; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.sales ORDER BY (SELECT n FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 51; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.sales LIMIT (SELECT n FROM store.secret_top)
          400 there is no topic, table or view `store.secret_top` at line 1 column 48; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        VALUES ((SELECT n FROM "store"."secret_top"))
          400 there is no topic, table or view `"store"."secret_top"` at line 1 column 24; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM (VALUES ((SELECT n FROM "store"."secret_top"))) AS v(n)
          400 there is no topic, table or view `"store"."secret_top"` at line 1 column 39; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        VALUES ((SELECT n FROM "x"."store"."secret_top"))
          400 there is no topic, table or view `"x"."store"."secret_top"` at line 1 column 24; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT n FROM store.public_top UNION SELECT n FROM store.secret_top
          400 there is no topic, table or view `store.secret_top` at line 1 column 52; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM TUMBLE(store.secret_sales, at, INTERVAL '1 hour')
          400 there is no topic, table or view `store.secret_sales` at line 1 column 22; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT * FROM store.day
          403 User:bob may not read view store.day
        DESCRIBE store.day
          200
        DESCRIBE store.secret_top
          400 there is no topic, table or view `store.secret_top` at line 1 column 10; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them"#]].assert_eq(&shown);
    let explained = answers(
        &server,
        "bob",
        "/api/v1/sql/explain",
        &[
            "SELECT * FROM store.sales",
            "store.public_top",
            "store.day",
            "store.secret_top",
            "SELECT * FROM store.secret_sales",
        ],
    )
    .await;
    expect![[r#"
        SELECT * FROM store.sales
          200
        store.public_top
          200
        store.day
          200
        store.secret_top
          404 there is no view store.secret_top
        SELECT * FROM store.secret_sales
          400 there is no topic, table or view `store.secret_sales` at line 1 column 15; SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them"#]].assert_eq(&explained);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_for_those_who_may_read_something() {
    let server = start().await;
    for name in ["bob", "eve", "all"] {
        user(&server, name).await;
    }
    add(
        &server,
        &["allow describe topic store.sales literal User:bob", "allow read cluster cluster literal User:all"],
    )
    .await;
    let queries = ["SELECT 1", "SELECT * FROM store.sales", "DESCRIBE store.sales", "SHOW TABLES"];
    expect![[r#"
        SELECT 1
          403 User:bob may not read any topic
        SELECT * FROM store.sales
          403 User:bob may not read any topic
        DESCRIBE store.sales
          200
        SHOW TABLES
          200"#]]
    .assert_eq(&answers(&server, "bob", "/api/v1/sql", &queries).await);
    expect![[r#"
        SELECT 1
          403 User:eve may not describe any topic
        SELECT * FROM store.sales
          403 User:eve may not describe any topic
        DESCRIBE store.sales
          403 User:eve may not describe any topic
        SHOW TABLES
          403 User:eve may not describe any topic"#]]
    .assert_eq(&answers(&server, "eve", "/api/v1/sql", &queries).await);
    expect![[r#"
        SELECT 1
          403 User:all may not describe any topic
        SELECT * FROM store.sales
          403 User:all may not describe any topic
        DESCRIBE store.sales
          403 User:all may not describe any topic
        SHOW TABLES
          403 User:all may not describe any topic"#]]
    .assert_eq(&answers(&server, "all", "/api/v1/sql", &queries).await);
    expect![[r#"
        SELECT 1
          401 User:ANONYMOUS may not describe any topic"#]]
    .assert_eq(&answers(&server, "", "/api/v1/sql", &queries[..1]).await);
    server.stop().await;
}
