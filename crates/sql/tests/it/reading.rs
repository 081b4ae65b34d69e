//! Reading views and asking ad hoc.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use factum_sql::{Options, Query, QueryError, QueryLimits, ReadError, ViewState};
use factum_testkit::HeldClock;
use factum_types::{ByteSize, Timestamp};
use tokio::time::timeout;

use crate::world::{World, everything, lines, order, relation, small};

const LIMITS: QueryLimits = QueryLimits { rows: 1_000, time: Duration::from_secs(30), client: None };
const PER_CUSTOMER: &str = "CREATE MATERIALIZED VIEW per_customer AS \
    SELECT customer, count(*) AS n, sum(total) AS revenue FROM orders GROUP BY customer ORDER BY n DESC;";

fn world() -> World {
    world_with(small())
}

fn world_with(options: Options) -> World {
    let mut world = World::new(options).with_orders(2);
    world.table("store.customers", "name", "name,city\na,Bern\nb,Oslo\n");
    world.apply(PER_CUSTOMER);
    let events: Vec<_> =
        (0..30).map(|id| order(id, ["a", "b", "c"][(id % 7 % 3) as usize], id, 150)).collect();
    world.post("store.orders", &events);
    world.settle();
    world
}

fn select(filter: Option<&str>, order: Option<&str>, limit: Option<usize>) -> Query {
    Query { filter: filter.map(str::to_owned), order: order.map(str::to_owned), limit, ..Query::default() }
}

#[test]
fn views_are_filtered_ordered_and_limited() {
    let world = world();
    let read = |query| {
        world.block(world.engine().read(&relation("store.per_customer"), query)).map(|rows| lines(&rows))
    };
    let all = read(Query::default()).expect("rows");
    assert_eq!(all[0], r#"{"customer":"a","n":13,"revenue":"19.5"}"#);
    assert_eq!(all.len(), 3);
    assert_eq!(read(select(None, None, Some(2))).expect("rows"), all[..2]);
    let last = read(select(Some("N < 13 AND customer <> 'b'"), None, None)).expect("rows");
    assert_eq!(last, [all.iter().find(|line| line.contains("\"c\"")).expect("c").clone()]);
    let first = read(select(None, Some("customer DESC, n"), Some(1))).expect("rows");
    assert!(first[0].contains("\"c\""), "{first:?}");
    for wrong in [
        "n <",
        "nn = 1",
        "n = 1; DROP VIEW x",
        "n = 1) OR (1 = 1",
        "n IN (SELECT order_id FROM store.orders)",
    ] {
        let refused = read(select(Some(wrong), None, None));
        assert!(matches!(refused, Err(ReadError::Invalid { .. })), "{wrong}: {refused:?}");
    }
    // What is nested this deeply would not fit a thread's stack.
    for deep in ["n = 1", "1 + ".repeat(30_000).as_str(), "n = ".repeat(30_000).as_str()] {
        let deep = format!("{deep}{}", " IS NULL".repeat(30_000));
        let refused = read(select(Some(&deep), None, None));
        assert!(matches!(refused, Err(ReadError::Invalid { .. })));
    }
    let unknown = world.block(world.engine().read(&relation("store.per_custmer"), Query::default()));
    assert_eq!(unknown.expect_err("unknown").to_string(), "there is no view store.per_custmer");
}

#[test]
fn queries_join_views_topics_and_tables() {
    let world = world();
    let ask = |sql: &str| world.block(world.engine().query(sql, LIMITS)).map(|rows| lines(&rows));
    assert_eq!(ask("SELECT count(*) AS n FROM store.orders").expect("rows"), [r#"{"n":30}"#]);
    let joined = ask("SELECT c.city, v.n, count(*) AS again FROM store.customers AS c \
         JOIN store.per_customer AS v ON v.customer = c.name \
         JOIN store.orders AS o ON o.customer = c.name GROUP BY c.city, v.n ORDER BY c.city");
    assert_eq!(joined.expect("rows")[0], r#"{"city":"Bern","n":13,"again":13}"#);
    let refused = ask("SELECT * FROM store.ordres").expect_err("refused");
    let QueryError::Refused(problems) = refused else { panic!("{refused:?}") };
    assert_eq!(&problems[0].text[problems[0].span.clone()], "store.ordres", "{problems:?}");
    let refused = ask("SELECT custmoer FROM store.orders").expect_err("refused");
    let QueryError::Refused(problems) = refused else { panic!("{refused:?}") };
    assert_eq!(
        problems[0].help.as_deref(),
        Some("did you mean `customer`?"),
        "not the name that is not known"
    );
    let few = QueryLimits { rows: 5, ..LIMITS };
    let much = world.block(world.engine().query("SELECT * FROM store.orders", few));
    assert!(matches!(much, Err(QueryError::TooLarge { .. })), "{much:?}");
    let failed = ask("SELECT 1 / (n - n) FROM store.per_customer");
    assert!(matches!(failed, Err(QueryError::Compute(_))), "{failed:?}");
    let many = vec!["(SELECT 1 AS one) AS x"; 5_000].join(", ");
    let many = ask(&format!("SELECT 1 AS n FROM {many}")).expect_err("refused");
    assert!(matches!(many, QueryError::Refused(_)), "{many:?}");
    let explained =
        world.block(world.engine().explain(None, "store.per_customer", everything())).expect("explained");
    assert!(explained.words.contains("for each event of store.orders"), "{explained:?}");
    let same = world
        .block(world.engine().explain(None, "SELECT * FROM store.per_customer", everything()))
        .expect("explained");
    assert!(same.words.contains(&explained.words) && same.raw.contains(&explained.raw), "{same:?}");
}

#[test]
fn views_of_the_clock_turn_over_by_themselves() {
    // 2026-05-01T10:30:00Z
    let clock = HeldClock::at(Timestamp::from_millis(1_777_631_400_000));
    let world = World::at(small(), Arc::new(clock.clone())).with_orders(2);
    world.apply(
        "CREATE MATERIALIZED VIEW this_hour AS SELECT count(*) AS n FROM orders \
         WHERE order_date >= date_trunc('hour', now())",
    );
    world.post(
        "store.orders",
        &[order(1, "a", 9 * 60, 1), order(2, "a", 10 * 60, 1), order(3, "a", 11 * 60, 1)],
    );
    world.settle();
    assert_eq!(world.shown("store.this_hour"), [r#"{"n":2}"#]);
    clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(world.shown("store.this_hour"), [r#"{"n":1}"#]);
    clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(world.shown("store.this_hour"), [r#"{"n":0}"#]);
}

#[test]
fn rows_are_computed_again_only_if_something_moved() {
    let world = world();
    let (one, other) = (world.read("store.per_customer"), world.read("store.per_customer"));
    assert!(Arc::ptr_eq(&one.batches, &other.batches));
    world.post("store.orders", &[order(99, "z", 0, 1)]);
    world.settle();
    assert_eq!(world.read("store.per_customer").count(), 4);
}

#[test]
fn a_query_that_explodes_is_ended() {
    let world = world();
    let limits = QueryLimits { rows: 1_000, time: Duration::from_secs(2), client: None };
    let ask = |sql: &str| world.block(world.engine().query(sql, limits)).map(|rows| lines(&rows));
    let times =
        |count: usize| (0..count).map(|i| format!("store.orders AS o{i}")).collect::<Vec<_>>().join(", ");
    let endless = ask(&format!("SELECT count(*) AS n FROM {}", times(12))).expect_err("ended");
    assert!(matches!(endless, QueryError::TooLarge { .. }), "{endless:?}");
    for large in [
        "SELECT length(repeat('x', 2000000000)) AS n",
        "SELECT length(repeat(customer, 100000000)) AS n FROM store.orders",
        "SELECT length(lpad('x', 2000000000)) AS n",
        "SELECT length(rpad('x', 2000000000, 'y')) AS n",
        "SELECT cardinality(range(1, 1000000000000)) AS n",
        "SELECT cardinality(generate_series(1, 1000000000000)) AS n",
        "SELECT cardinality(generate_series(order_id, 1000000000000)) AS n FROM store.orders",
        "SELECT cardinality(array_repeat(1, 1000000000000)) AS n",
        "SELECT cardinality(array_repeat(array_repeat(1, 1000000), 1000000)) AS n",
        "SELECT cardinality(array_resize([1], 1000000000000)) AS n",
        "SELECT length(replace(repeat('x', 1000000), 'x', repeat('y', 1000000))) AS n",
        "SELECT * FROM generate_series(1, 1000000000000)",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) AS n FROM t",
    ] {
        let refused = ask(large);
        assert!(refused.is_err(), "{large}: {refused:?}");
    }
    let fine =
        ask("SELECT length(repeat('ab', 3)) AS n, cardinality(range(1, 4)) AS m, lpad('a', 3, '-') AS p");
    assert_eq!(fine.expect("rows"), [r#"{"n":6,"m":3,"p":"--a"}"#]);
}

/// A limit is every function's, also of those that SQL writes in another way or that a planner puts there.
/// What is wrong with a query, whether that is found before it runs or while it does.
fn words_of(error: QueryError) -> String {
    match error {
        QueryError::Refused(problems) => problems[0].message.clone(),
        error => error.to_string(),
    }
}

#[test]
fn every_function_has_a_limit() {
    let world = world_with(Options { query_memory: ByteSize::mib(32), ..small() });
    let ask = |sql: &str| world.block(world.engine().query(sql, LIMITS)).map(|rows| lines(&rows));
    let refused = |value: &str| {
        let sql = format!("SELECT {value} AS n FROM store.orders WHERE order_id = 1");
        words_of(ask(&sql).expect_err(&sql))
    };
    let many = |count: usize, value: &dyn Fn(usize) -> String| {
        let columns: Vec<_> = (0..count).map(|i| format!("{} AS n{i}", value(i))).collect();
        format!("{}, 1", columns.join(", "))
    };
    let refusals = [
        refused("length(repeat('x', 17000000))"),
        refused("cardinality(string_to_array(repeat(customer, 20000000), NULL))"),
        refused("length(translate(repeat(customer, 20000000), 'a', 'b'))"),
        refused("length(upper(repeat(customer, 100000000)))"),
        refused("length(substring(repeat(customer, 100000000) FROM 2))"),
        refused("cardinality([repeat(customer, 200000000), repeat(customer, 200000000)])"),
        refused("length(encode(encode(encode(repeat(customer, 9000000), 'hex'), 'hex'), 'hex'))"),
        refused("length(to_char(TIMESTAMP '2026-01-01', repeat('%c', 5000000) || customer))"),
        refused("levenshtein(repeat(customer, 100000), repeat(customer, 100001))"),
        refused("regexp_like(customer, '(\\w{100}|x){81}')"),
        refused("customer ~ '(a{1000}){1000}'"),
        refused(&many(20, &|i| format!("upper(repeat(customer, {}))", 3_000_000 + i))),
        refused(&many(9, &|i| format!("repeat('x', {})", 1_000_000 + i))),
    ];
    expect![[r#"
        repeat would make a constant of more than 16 MiB
        string_to_array would make more than 256 MiB at once
        translate would make more than 256 MiB at once
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        levenshtein would compare too much: shorten what it is given
        pattern cannot be computed: a regular expression is too large with its repetitions written out: the limit is 50000 characters
        pattern cannot be computed: a regular expression is too large with its repetitions written out: the limit is 50000 characters
        the functions of the query make more than 32 MiB at once (sql.query_memory)
        the functions of the query make more than 32 MiB at once (sql.query_memory)"#]]
    .assert_eq(&refusals.join("\n"));
    let joined = "SELECT length(large.t) AS n FROM (SELECT repeat(customer, 9000000) AS t FROM store.orders WHERE order_id < 3) AS large, \
         (SELECT unnest(range(1, 10000)) AS i) AS many";
    let refused = ask(joined).expect_err("a column of texts ends at 2 GiB").to_string();
    expect!["the query makes a column of more than 2 GiB: select fewer rows or shorter texts"]
        .assert_eq(&refused);
    let within = "SELECT cardinality(string_to_array(repeat(customer, 1000000), NULL)) AS items, \
         sum(length(upper(repeat(customer, 100000)))) AS letters, levenshtein('kitten', 'sitting') AS steps \
         FROM store.orders WHERE order_id = 1 GROUP BY 1";
    expect![[r#"{"items":1000000,"letters":100000,"steps":3}"#]]
        .assert_eq(&ask(within).expect("rows").join("\n"));
}

/// Strange values are answered or refused, and end nothing.
#[test]
fn values_that_no_calendar_has_are_shown_as_numbers() {
    let world = world();
    let ask = |sql: &str| world.block(world.engine().query(sql, LIMITS)).map(|rows| lines(&rows));
    let strange = "SELECT arrow_cast(2147483647, 'Date32') AS date, to_timestamp_millis(9223372036854775807) AS time, \
         lpad('ab', n, '-') AS left_padded, rpad('ab', n, '-') AS right_padded FROM (VALUES (-5), (3)) AS q(n)";
    expect![[r#"
        {"date":"2147483647","time":"9223372036854775807","left_padded":"","right_padded":""}
        {"date":"2147483647","time":"9223372036854775807","left_padded":"-ab","right_padded":"ab-"}"#]]
    .assert_eq(&ask(strange).expect("rows").join("\n"));
}

/// A letter joined to itself some thirty times would fill any memory, and so would a replacement of each letter.
#[test]
fn joins_of_a_relation_with_itself_have_a_bound() {
    let world = world();
    let ask = |sql: &str| world.block(world.engine().query(sql, LIMITS)).map(|rows| lines(&rows));
    let again = |joined: &str, first: &str, size: &str| {
        let steps: Vec<_> =
            (1..=12).map(|i| format!("t{i} AS (SELECT {joined} AS s FROM t{})", i - 1)).collect();
        format!("WITH t0 AS (SELECT {first} AS s), {} SELECT {size}(s) AS n FROM t12", steps.join(", "))
    };
    let text = "repeat('x', 1000000)";
    for large in [
        again("s || s || s || s", text, "length"),
        again("concat(s, s, s, s)", text, "length"),
        again("concat_ws('-', s, s, s, s)", text, "length"),
        again("array_concat(s, s, s, s)", "range(1, 100000)", "cardinality"),
        again("array_to_string([s, s, s, s], ',')", text, "length"),
        format!("SELECT length(regexp_replace({text}, 'x', {text}, 'g')) AS n"),
    ] {
        let refused = words_of(ask(&large).expect_err(&large));
        assert!(refused.contains("would make") || refused.contains("sql.query_memory"), "{large}: {refused}");
    }
    for (long, limit) in [
        ("SELECT 1 AS n FROM store.orders WHERE customer LIKE repeat('%a', 100000)", 1_000),
        ("SELECT 1 AS n WHERE 'a' ~ repeat('a?', 100000)", 10_000),
        ("SELECT regexp_count(customer, repeat('a?', 100000)) AS n FROM store.orders", 10_000),
    ] {
        let refused = words_of(ask(long).expect_err(long));
        let told = format!("a pattern has 200000 bytes: the limit is {limit}");
        assert!(refused.contains(&told), "{long}: {refused}");
    }
    let fine = "SELECT 'a' || NULL IS NULL AS none, min(customer || '-' || order_id) AS first, \
         sum(length(regexp_replace(repeat(customer, 1000), 'a', repeat('b', 10000)))) > 0 AS in_pieces \
         FROM store.orders";
    assert_eq!(ask(fine).expect("rows"), [r#"{"none":true,"first":"a-0","in_pieces":true}"#]);
}

#[test]
fn a_filter_that_explodes_is_ended() {
    let world = world();
    let ones = format!("(VALUES {})", vec!["(1)"; 100].join(", "));
    let times: Vec<_> = (0..12).map(|i| format!("{ones} AS o{i}")).collect();
    let endless = format!("n < (SELECT count(*) FROM {})", times.join(", "));
    let query = Query { time: Some(Duration::from_secs(1)), ..select(Some(&endless), None, None) };
    let read = async {
        let read = world.engine();
        let name = relation("store.per_customer");
        timeout(Duration::from_secs(20), read.read(&name, query)).await
    };
    let ended = world.block(read).expect("in time").expect_err("ended");
    assert!(matches!(ended, ReadError::TooLarge { .. }), "{ended:?}");
    assert_eq!(
        ended.to_string(),
        "the query ran for 1 s and was ended: that is the limit (http.query_timeout)"
    );
}

#[test]
fn rows_of_a_view_that_stands_still_are_as_of_when_it_read_last() {
    let start = Timestamp::from_millis(1_777_631_400_000);
    let clock = HeldClock::at(start);
    let world = World::at(small(), Arc::new(clock.clone())).with_orders(1);
    world.apply("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM orders");
    world.post("store.orders", &[order(1, "a", 0, 1)]);
    world.settle();
    clock.advance(Duration::from_secs(60));
    let fresh = world.read("store.v").freshness;
    assert_eq!(
        (fresh.as_of, fresh.lag, fresh.state),
        (start.plus(Duration::from_secs(60)), 0, ViewState::Live)
    );
    world.delete("store.orders");
    world.until("stuck", |world| world.status("store.v").state != ViewState::Live);
    let stuck = world.clock_now();
    clock.advance(Duration::from_secs(3_600));
    let rows = world.read("store.v");
    assert!(rows.freshness.as_of <= stuck, "{:?} {stuck:?}", rows.freshness);
    assert_ne!(rows.freshness.state, ViewState::Live);
    assert_eq!(world.status("store.v").as_of, rows.freshness.as_of);
    assert_eq!(world.shown("store.v"), [r#"{"n":1}"#], "it still answers");
}
