//! Views, SQL and tables over a real engine.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use factum_governance::{Definitions as Governance, TableDefinition as GovernanceTable};
use factum_sql::{Definitions, EventDefinition, PipelineDefinition, RelationName, TableDefinition};
use factum_types::TopicName;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Answer, Server, Setup};

const PRODUCTS: &str = "ItemId,Title,Price\n1,Alien,9.99\n2,\"Up, up\",12.50\n3,Heat,7\n";
const SQL: &str = "CREATE MATERIALIZED VIEW top AS
  SELECT product, sum(quantity) AS sold, sum(price) AS revenue, max(big) AS big
  FROM sales GROUP BY product ORDER BY sold DESC, product;
CREATE MATERIALIZED VIEW day AS
  SELECT date_trunc('day', at) AS day, count(*) AS sales FROM sales GROUP BY date_trunc('day', at);
";
const CONTRACT: &str = r#"{"type": "object", "properties": {"product": {"type": "integer"},
    "quantity": {"type": "integer"}, "price": {"type": "number", "multipleOf": 0.01},
    "big": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}}"#;

pub(crate) fn definitions() -> Definitions {
    Definitions {
        events: vec![EventDefinition {
            topic: TopicName::new("store.sales").expect("a name"),
            schema: Some(Arc::new(serde_json::from_str(CONTRACT).expect("JSON"))),
            time: Some("at".to_owned()),
            lateness: Duration::ZERO,
        }],
        tables: vec![TableDefinition {
            name: RelationName::new("store", "products"),
            key: "item_id".to_owned(),
            origin: "products.csv".into(),
            csv: PRODUCTS.as_bytes().to_vec().into(),
        }],
        pipelines: vec![PipelineDefinition {
            team: "store".parse().expect("a team"),
            file: "teams/store/pipelines/top.sql".into(),
            text: SQL.into(),
        }],
    }
}

pub(crate) async fn start(setup: Setup) -> Server {
    let server = Server::start_with(setup).await;
    server.topic("store.sales").await;
    server.engine.apply(definitions()).await.expect("the definitions are good");
    let mut declared = Governance::new();
    let table = GovernanceTable {
        name: "store.products".parse().expect("a name"),
        team: "store".parse().expect("a team"),
        project: "contoso".to_owned(),
        summary: None,
        key: "item_id".to_owned(),
        from: "products.csv".into(),
        rows: PRODUCTS.into(),
    };
    declared.insert(table);
    server.catalogue.replace(&declared.into());
    server
}

pub(crate) async fn sell(server: &Server, sales: &[(i64, i64)]) {
    for (product, quantity) in sales {
        let sale = format!(
            r#"{{"product":{product},"quantity":{quantity},"price":1.25,"big":9007199254740993,"at":"2026-11-20T09:59:00Z"}}"#
        );
        assert_eq!(server.post_json("/events/store.sales", &sale).await.status, 202);
    }
}

/// Asks until the answer's rows are as many as `wanted`: a view is as far as its task.
async fn get_rows(server: &Server, path: &str, wanted: impl Fn(&[Value]) -> bool) -> Answer {
    let asking = async {
        loop {
            let answer = server.get(path).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            if wanted(answer.json()["rows"].as_array().expect("rows")) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), asking).await.expect("the rows come")
}

fn total(rows: &[Value]) -> i64 {
    rows.iter().filter_map(|row| row["sold"].as_i64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_read_filtered_and_ordered() {
    let server = start(Setup::default()).await;
    sell(&server, &[(1, 2), (2, 5), (1, 1), (3, 3)]).await;
    let answer = get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 11).await;
    let mut lines = vec![answer.text()];
    for query in [
        "/api/v1/views/top?limit=1",
        "/api/v1/views/top?product=1",
        "/api/v1/views/top?Product=1&product=3&order=-product",
        "/api/v1/views/top?revenue=2.5",
        "/api/v1/views/top?filter=sold%20%3E%203&sold=5",
        "/api/v1/views/store.day?day=2026-11-20T00:00:00Z",
        "/api/v1/tables/products/2",
        "/api/v1/tables/store.products/3",
    ] {
        lines.push(format!("{query}\n  {}", server.get(query).await.line()));
    }
    for query in [
        "/api/v1/views/tpo",
        "/api/v1/views/store.tip",
        "/api/v1/views/top?prodct=1",
        "/api/v1/views/top?product=Alien",
        "/api/v1/views/top?order=-colour",
        "/api/v1/views/top?limit=few",
        "/api/v1/views/top?filter=sold%20%3E",
        "/api/v1/views/top?filter=",
        "/api/v1/views/top?order=%20",
        "/api/v1/views/top?limit=",
        "/api/v1/tables/product/1",
        "/api/v1/tables/products/7",
        "/api/v1/tables/products/'%20OR%20true%20--",
    ] {
        lines.push(format!("{query}\n  {}", server.get(query).await.problem()));
    }
    expect![[r#"
        {"rows":[{"product":2,"sold":5,"revenue":"1.25","big":"9007199254740993"},{"product":1,"sold":3,"revenue":"2.5","big":"9007199254740993"},{"product":3,"sold":3,"revenue":"1.25","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/top?limit=1
          200 {"rows":[{"product":2,"sold":5,"revenue":"1.25","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/top?product=1
          200 {"rows":[{"product":1,"sold":3,"revenue":"2.5","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/top?Product=1&product=3&order=-product
          200 {"rows":[{"product":3,"sold":3,"revenue":"1.25","big":"9007199254740993"},{"product":1,"sold":3,"revenue":"2.5","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/top?revenue=2.5
          200 {"rows":[{"product":1,"sold":3,"revenue":"2.5","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/top?filter=sold%20%3E%203&sold=5
          200 {"rows":[{"product":2,"sold":5,"revenue":"1.25","big":"9007199254740993"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/store.day?day=2026-11-20T00:00:00Z
          200 {"rows":[{"day":"2026-11-20T00:00:00Z","sales":4}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/tables/products/2
          200 {"rows":[{"ItemId":2,"Title":"Up, up","Price":"12.5"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/tables/store.products/3
          200 {"rows":[{"ItemId":3,"Title":"Heat","Price":"7"}],"as_of":"2026-11-20T10:00:00.000Z","lag":"0","state":"live"}

        /api/v1/views/tpo
          404 there is no view tpo; did you mean top? {"near":"top"}
        /api/v1/views/store.tip
          404 there is no view store.tip; did you mean store.top? {"near":"store.top"}
        /api/v1/views/top?prodct=1
          400 view store.top has no column prodct; did you mean product? {"near":"product","in":"query","field":"prodct"}
        /api/v1/views/top?product=Alien
          400 column product holds numbers, and "Alien" is none {"field":"product","in":"query"}
        /api/v1/views/top?order=-colour
          400 view store.top has no column colour; it has product, sold, revenue, big {"field":"colour","in":"query"}
        /api/v1/views/top?limit=few
          400 limit: "few" is not a whole number from 0 on, such as 10 {"in":"query"}
        /api/v1/views/top?filter=sold%20%3E
          400 the filter is not SQL: it ends where an expression is expected {}
        /api/v1/views/top?filter=
          400 filter is empty: leave it out, or give a condition in SQL, such as sold > 10 {"field":"filter","in":"query"}
        /api/v1/views/top?order=%20
          400 order is empty: leave it out, or give columns to order by, such as -sold,title {"field":"order","in":"query"}
        /api/v1/views/top?limit=
          400 limit is empty: leave it out, or give a number of rows {"field":"limit","in":"query"}
        /api/v1/tables/product/1
          404 there is no table product; did you mean products? {"near":"products"}
        /api/v1/tables/products/7
          404 table store.products has no row 7 {}
        /api/v1/tables/products/'%20OR%20true%20--
          404 table store.products has no row ' OR true -- {}"#]].assert_eq(&lines.join("\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_in_the_form_asked_for() {
    let server = start(Setup::default()).await;
    sell(&server, &[(1, 2), (2, 5)]).await;
    get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 7).await;
    let csv = server.send("GET", "/api/v1/views/store.top", &[("accept", "text/csv")], "").await;
    expect![[r#"
        text/csv; charset=utf-8
        product,sold,revenue,big
        2,5,1.25,9007199254740993
        1,2,1.25,9007199254740993
    "#]]
    .assert_eq(&format!("{}\n{}", csv.media_type, csv.text().replace('\r', "")));
    let arrow = [("accept", "application/vnd.apache.arrow.stream")];
    let arrow = server.send("GET", "/api/v1/views/store.top", &arrow, "").await;
    assert_eq!(arrow.media_type, "application/vnd.apache.arrow.stream");
    assert_eq!(&arrow.body[..4], [0xff; 4], "an IPC stream begins with a continuation marker");
    let image = server.send("GET", "/api/v1/views/store.top", &[("accept", "image/png")], "").await;
    assert_eq!(image.status, 406, "{}", image.problem());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_answered_or_told_where_they_are_wrong() {
    let mut setup = Setup::default();
    setup.options.max_rows = 3;
    let server = start(setup).await;
    sell(&server, &[(1, 2), (2, 5), (1, 1)]).await;
    get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 8).await;
    let mut lines = Vec::new();
    for query in [
        "SELECT count(*) AS sales, sum(quantity) AS sold FROM store.sales",
        "SELECT t.product, p.title, t.sold FROM store.top AS t JOIN store.products AS p ON p.item_id = t.product ORDER BY 1",
        "SELECT 1 WHERE false",
    ] {
        let body = serde_json::json!({"query": query}).to_string();
        let mut answer = server.post_json("/api/v1/sql", &body).await.json();
        answer["as_of"].as_str().expect("a time");
        lines.push(format!("{query}\n  {}", answer["rows"].take()));
    }
    for query in [
        "SELECT qantity FROM store.sales",
        "SELECT quantity\nFROM store.sails",
        "SELEC 1",
        "DROP TABLE store.products",
        "CREATE MATERIALIZED VIEW x AS SELECT 1",
        "INSERT INTO store.sales SELECT 1",
        "SELECT a.quantity FROM store.sales AS a, store.sales AS b",
        "SELECT 1 / 0",
        "SELECT 1; SELECT 2",
        "",
    ] {
        let body = serde_json::json!({"query": query}).to_string();
        let answer = server.post_json("/api/v1/sql", &body).await;
        lines.push(format!("{query}\n  {}", answer.problem()));
    }
    expect![[r#"
        SELECT count(*) AS sales, sum(quantity) AS sold FROM store.sales
          [{"sales":3,"sold":8}]
        SELECT t.product, p.title, t.sold FROM store.top AS t JOIN store.products AS p ON p.item_id = t.product ORDER BY 1
          [{"product":1,"title":"Alien","sold":3},{"product":2,"title":"Up, up","sold":5}]
        SELECT 1 WHERE false
          []
        SELECT qantity FROM store.sales
          400 there is no column `qantity` in sales at line 1 column 8; did you mean `quantity`? {"help":"did you mean `quantity`?","line":1,"column":8}
        SELECT quantity
        FROM store.sails
          400 there is no topic, table or view `store.sails` at line 2 column 6; did you mean `store.sales`? {"help":"did you mean `store.sales`?","line":2,"column":6}
        SELEC 1
          400 `SELEC` stands where an SQL statement is expected at line 1 column 1; did you mean `SELECT`? {"help":"did you mean `SELECT`?","line":1,"column":1}
        DROP TABLE store.products
          400 only queries can be run here: SELECT, VALUES, WITH … SELECT, SHOW TABLES and DESCRIBE at line 1 column 1 {"column":1,"line":1}
        CREATE MATERIALIZED VIEW x AS SELECT 1
          400 only queries can be run here: SELECT, VALUES, WITH … SELECT, SHOW TABLES and DESCRIBE at line 1 column 1 {"column":1,"line":1}
        INSERT INTO store.sales SELECT 1
          400 only queries can be run here: SELECT, VALUES, WITH … SELECT, SHOW TABLES and DESCRIBE at line 1 column 1 {"column":1,"line":1}
        SELECT a.quantity FROM store.sales AS a, store.sales AS b
          422 the query gives more than 3 rows (http.max_rows): select fewer, or add LIMIT {}
        SELECT 1 / 0
          400 division by zero at line 1 column 12 {"column":12,"line":1}
        SELECT 1; SELECT 2
          400 `;` is not expected here at line 1 column 9; run one statement at a time {"help":"run one statement at a time","line":1,"column":9}

          400 there is no query here at line 1 column 1 {"column":1,"line":1}"#]].assert_eq(&lines.join("\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_pipelines_are_listed_and_shown() {
    let server = start(Setup::default()).await;
    sell(&server, &[(1, 2)]).await;
    get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 2).await;
    let views = server.get("/api/v1/views").await.json();
    expect![[r#"
        {
          "views": [
            {
              "name": "store.day",
              "team": "store",
              "state": "live",
              "reason": null,
              "columns": [
                {
                  "name": "day",
                  "type": "timestamp",
                  "nullable": true
                },
                {
                  "name": "sales",
                  "type": "bigint",
                  "nullable": false
                }
              ],
              "depends_on": [
                "store.sales"
              ],
              "rows": null,
              "warning": null,
              "row_limit": null
            },
            {
              "name": "store.top",
              "team": "store",
              "state": "live",
              "reason": null,
              "columns": [
                {
                  "name": "product",
                  "type": "bigint",
                  "nullable": true
                },
                {
                  "name": "sold",
                  "type": "bigint",
                  "nullable": true
                },
                {
                  "name": "revenue",
                  "type": "decimal",
                  "nullable": true
                },
                {
                  "name": "big",
                  "type": "bigint",
                  "nullable": true
                }
              ],
              "depends_on": [
                "store.sales"
              ],
              "rows": 1,
              "warning": null,
              "row_limit": null
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&views).expect("JSON"));
    let listed = server.get("/api/v1/pipelines").await.json();
    assert_eq!(listed["pipelines"].as_array().map(Vec::len), Some(2));
    let mut pipeline = server.get("/api/v1/pipelines/top").await.json();
    for name in ["state_bytes", "rate", "columns", "watermark"] {
        pipeline[name].take();
    }
    pipeline["partitions"].as_array_mut().expect("partitions").iter_mut().for_each(|partition| {
        assert!(partition["epoch"].take().as_u64().is_some_and(|epoch| epoch > 0));
    });
    expect![[r#"
        {
          "name": "store.top",
          "team": "store",
          "state": "live",
          "reason": null,
          "progress": null,
          "lag": "0",
          "rate": null,
          "watermark": null,
          "state_bytes": null,
          "poisoned": "0",
          "late": "0",
          "ahead": "0",
          "unreadable": "0",
          "letters_waiting": "0",
          "letters_lost": "0",
          "rejected": null,
          "last_error": null,
          "sql": "CREATE MATERIALIZED VIEW top AS\n  SELECT product, sum(quantity) AS sold, sum(price) AS revenue, max(big) AS big\n  FROM sales GROUP BY product ORDER BY sold DESC, product",
          "columns": null,
          "depends_on": [
            "store.sales"
          ],
          "partitions": [
            {
              "topic": "store.sales",
              "partition": 0,
              "next": "1",
              "end": "1",
              "epoch": null,
              "watermark": null
            }
          ]
        }"#]].assert_eq(&serde_json::to_string_pretty(&pipeline).expect("JSON"));
    let body = serde_json::json!({"query": "SELECT * FROM store.top"}).to_string();
    let plan = server.post_json("/api/v1/sql/explain", &body).await.json();
    assert!(plan["plan"].as_str().is_some_and(|plan| !plan.is_empty()), "{plan}");
    server.stop().await;
}

/// A reader of a view's changes over a bare socket.
struct Follower {
    stream: TcpStream,
    text: String,
}

impl Follower {
    async fn open(server: &Server, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        let id = last_event_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/v1/views/store.top/changes HTTP/1.0\r\nhost: localhost\r\nconnection: close\r\n{id}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self { stream, text: String::new() }
    }

    /// Reads until the rows that the events make have sold so many.
    async fn until_sold(&mut self, sold: i64) {
        while total(&self.rows()) != sold {
            let mut buffer = vec![0; 64 << 10];
            let read = timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await;
            let read = read.unwrap_or_else(|_| panic!("nothing came: {}", self.text)).expect("read");
            assert!(read > 0, "the stream ended: {}", self.text);
            self.text += &String::from_utf8_lossy(&buffer[..read]);
        }
    }

    fn events(&self) -> Vec<(String, String, Value)> {
        let field = |block: &str, name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
        };
        let event = |block: &str| {
            let data = serde_json::from_str(&field(block, "data: ")?).ok()?;
            Some((field(block, "id: ")?, field(block, "event: ")?, data))
        };
        self.text.split("\n\n").filter_map(event).collect()
    }

    /// The view as the events tell it.
    fn rows(&self) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        for (_, kind, data) in self.events() {
            if kind == "snapshot" {
                rows = data["rows"].as_array().cloned().expect("rows");
                continue;
            }
            for gone in data["removed"].as_array().expect("rows") {
                let at = rows.iter().position(|row| row == gone).expect("what goes was there");
                rows.remove(at);
            }
            rows.extend(data["added"].as_array().cloned().expect("rows"));
        }
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_followed_and_resumed() {
    let server = start(Setup::default()).await;
    sell(&server, &[(1, 2)]).await;
    get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 2).await;
    let mut first = Follower::open(&server, None).await;
    first.until_sold(2).await;
    sell(&server, &[(2, 5)]).await;
    first.until_sold(7).await;
    let events = first.events();
    assert_eq!(events[0].1, "snapshot");
    assert!(events[1..].iter().all(|(_, kind, _)| kind == "change"), "{events:?}");

    let last = events.last().expect("an event").0.clone();
    let mut second = Follower::open(&server, Some(&last)).await;
    second.text =
        format!("id: {last}\nevent: snapshot\ndata: {}\n\n", serde_json::json!({"rows": first.rows()}));
    sell(&server, &[(1, 1)]).await;
    second.until_sold(8).await;
    assert!(second.events()[1..].iter().all(|(_, kind, _)| kind == "change"), "{}", second.text);

    let wrong = server.send("GET", "/api/v1/views/store.top/changes", &[("last-event-id", "x")], "").await;
    expect![[
        r#"400 Last-Event-ID "x" is not one that was sent, such as 8f2a-41 {"header":"last-event-id"}"#
    ]]
    .assert_eq(&wrong.problem());
    let unknown = server.get("/api/v1/views/store.tpo/changes").await;
    assert_eq!(unknown.status, 404);

    let without = Definitions { pipelines: vec![], ..definitions() };
    server.engine.apply(without).await.expect("the definitions are good");
    let mut rest = String::new();
    timeout(Duration::from_secs(20), first.stream.read_to_string(&mut rest))
        .await
        .expect("it ends")
        .expect("read");
    assert!(rest.contains("event: error") && rest.contains("was dropped"), "{rest}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_read_within_the_time_of_a_query() {
    let mut setup = Setup::default();
    setup.options.query_timeout = Duration::from_secs(1);
    let server = start(setup).await;
    sell(&server, &[(1, 2)]).await;
    get_rows(&server, "/api/v1/views/store.top", |rows| total(rows) == 2).await;
    let ones = format!("(VALUES%20{})", vec!["(1)"; 100].join(","));
    let times: Vec<_> = (0..12).map(|i| format!("{ones}%20AS%20o{i}")).collect();
    let hostile = format!(
        "/api/v1/views/store.top?filter=sold%20%3C%20(SELECT%20count(*)%20FROM%20{})",
        times.join(",")
    );
    let ended = timeout(Duration::from_secs(20), server.get(&hostile)).await.expect("in time");
    expect!["422 the query ran for 1 s and was ended: that is the limit (http.query_timeout) {}"]
        .assert_eq(&ended.problem());
    server.stop().await;
}
