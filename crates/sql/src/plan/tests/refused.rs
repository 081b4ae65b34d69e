//! Refused statements: the words, and the place.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::world::planned;

/// Each problem with the text that it marks.
fn check(text: &str, expected: &Expect) {
    let Err(problems) = planned(text) else { panic!("nothing is wrong with {text}") };
    let mut shown = String::new();
    for problem in problems {
        let marked = &problem.text[problem.span.clone()];
        writeln!(shown, "{marked:?}: {}", problem.message).expect("a string");
        if let Some(help) = problem.help {
            writeln!(shown, "  help: {help}").expect("a string");
        }
    }
    expected.assert_eq(&shown);
}

fn check_query(query: &str, expected: &Expect) {
    check(&format!("CREATE MATERIALIZED VIEW v AS\n  {query};"), expected);
}

#[test]
fn names_that_do_not_exist() {
    check_query(
        "SELECT totl FROM orders",
        &expect![[r#"
        "totl": there is no column `totl` in orders
          help: did you mean `total`?
    "#]],
    );
    check_query(
        "SELECT o.totl, count(*) FROM orders AS o GROUP BY o.totl",
        &expect![[r#"
        "o.totl": there is no column `totl` in o
          help: did you mean `total`?
    "#]],
    );
    check_query(
        "SELECT total FROM ordrs",
        &expect![[r#"
        "ordrs": there is no topic, table or view `ordrs`
          help: did you mean `orders`?
    "#]],
    );
    check_query(
        "SELECT id FROM clicks",
        &expect![[r#"
        "clicks": there is no topic, table or view `clicks`
          help: did you mean `web.clicks`?
    "#]],
    );
    check_query(
        "SELECT id FROM web.clik",
        &expect![[r#"
        "web.clik": there is no topic, table or view `web.clik`
          help: did you mean `web.clicks`?
    "#]],
    );
    check_query(
        "SELECT d.product FROM sales, UNNEST(details) AS d",
        &expect![[r#"
        "d.product": there is no column `product` in d
          help: did you mean `ProductId`?
    "#]],
    );
    check_query(
        "SELECT address.street FROM orders",
        &expect![[r#"
        "address.street": there is no field `street` in address
    "#]],
    );
    check_query(
        "SELECT details.product_id FROM orders",
        &expect![[r#"
        "details.product_id": `details` is a list: name its items with UNNEST(details) AS item
    "#]],
    );
    check_query(
        "SELECT id FROM orders AS a, products AS b WHERE c.id = 1",
        &expect![[r#"
        "c.id": `c` is neither a relation in FROM nor a column in a, b
    "#]],
    );
    check_query(
        "SELECT summ(total) FROM orders",
        &expect![[r#"
            "summ": there is no function `summ`
              help: did you mean 'sum'?
        "#]],
    );
    check_query(
        "SELECT * FROM TUMBLE(orders, oder_date, INTERVAL '1 hour')",
        &expect![[r#"
        "oder_date": there is no column `oder_date` in orders
          help: did you mean `order_date`?
    "#]],
    );
    check_query(
        "SELECT x.* FROM orders AS o",
        &expect![[r#"
        "x": there is no `x` in FROM
    "#]],
    );
}

#[test]
fn names_that_mean_two_things() {
    check_query(
        "SELECT SHIPPED FROM sales",
        &expect![[r#"
        "SHIPPED": `SHIPPED` can mean sales.shipped and sales.Shipped_: write which
    "#]],
    );
    check_query(
        "SELECT product_id FROM orders, UNNEST(details) AS d, products",
        &expect![[r#"
        "product_id": `product_id` can mean d.product_id and products.product_id: write which
    "#]],
    );
    check_query(
        "SELECT id FROM orders, orders",
        &expect![[r#"
        "orders": `orders` is twice in FROM: give one of them another name with AS
    "#]],
    );
    check_query(
        "SELECT id, total AS id FROM orders",
        &expect![[r#"
        "total AS id": two columns are called `id`: give one of them another name with AS
    "#]],
    );
}

#[test]
fn streams_that_cannot_be_combined() {
    check_query(
        "SELECT o.id FROM orders AS o JOIN web.clicks AS c ON c.id = o.id",
        &expect![[r#"
        "web.clicks AS c": joining two streams of events is not supported by this version yet
          help: aggregate at least the one of them in a view of its own, and join that
    "#]],
    );
    check_query(
        "SELECT id FROM orders UNION ALL SELECT id FROM web.clicks",
        &expect![[r#"
        "SELECT id FROM web.clicks": UNION, INTERSECT and EXCEPT of streams of events are not supported by this version yet
          help: aggregate each in a view of its own, and combine those
    "#]],
    );
    check_query(
        "SELECT p.title, o.id FROM products AS p LEFT JOIN orders AS o ON o.quantity = p.product_id",
        &expect![[r#"
        "orders AS o": an outer join that keeps rows of a table without events is not supported by this version yet
          help: keep the events instead: FROM events LEFT JOIN table ON …
    "#]],
    );
    check_query(
        "SELECT p.title FROM orders AS o FULL JOIN products AS p ON o.quantity = p.product_id",
        &expect![[r#"
        "products AS p": an outer join that keeps rows of a table without events is not supported by this version yet
          help: keep the events instead: FROM events LEFT JOIN table ON …
    "#]],
    );
    check_query(
        "SELECT o.id, s.n FROM orders AS o JOIN (SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS s ON s.customer = o.customer",
        &expect![[r#"
            "SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS s": joining single events with an aggregate of events in one view is not supported by this version yet
              help: declare the aggregate as a materialized view and join that
        "#]],
    );
    check_query(
        "SELECT count(*) FROM orders WHERE total > (SELECT avg(total) FROM orders)",
        &expect![[r#"
        "SELECT avg(total) FROM orders": a query within an expression cannot read a stream of events
          help: declare it as a materialized view and read that
    "#]],
    );
    check_query(
        "SELECT count(*) FROM orders WHERE quantity IN (SELECT product_id FROM products)",
        &expect![[r#"
        "SELECT product_id FROM products": a query within an expression over single events is not supported by this version yet
          help: join the table instead
    "#]],
    );
    check_query(
        "SELECT customer, count(*) FROM orders GROUP BY ROLLUP (customer, quantity)",
        &expect![[r#"
        "customer, quantity": ROLLUP, CUBE and GROUPING SETS of single events are not supported by this version yet
          help: group by all the keys in a subquery, and roll that up
    "#]],
    );
    check_query(
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        &expect![[r#"
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r)": WITH RECURSIVE is not supported
    "#]],
    );
}

#[test]
fn nondeterministic_functions_are_refused() {
    check_query(
        "SELECT count(*) FROM orders WHERE random() < 0.5",
        &expect![[r#"
        "random": random() gives another result each time, so that no view of it can stay true
    "#]],
    );
    check_query(
        "SELECT customer, uuid() AS u FROM orders",
        &expect![[r#"
        "uuid": uuid() gives another result each time, so that no view of it can stay true
    "#]],
    );
    check_query(
        "SELECT count(*) FROM orders WHERE now() - order_date < INTERVAL '1 hour'",
        &expect![[r#"
        "now": below an aggregate of events, the clock can only be compared with a column in WHERE
          help: for example WHERE order_date >= date_trunc('day', now())
    "#]],
    );
    check_query(
        "SELECT now() - order_date AS age, count(*) FROM orders GROUP BY age",
        &expect![[r#"
        "now": below an aggregate of events, the clock can only be compared with a column in WHERE
          help: for example WHERE order_date >= date_trunc('day', now())
    "#]],
    );
    check_query(
        "SELECT count(*) FILTER (WHERE order_date > now()) FROM orders",
        &expect![[r#"
        "now": below an aggregate of events, the clock can only be compared with a column in WHERE
          help: for example WHERE order_date >= date_trunc('day', now())
    "#]],
    );
    check_query(
        "SELECT count(*) FROM orders WHERE order_date > now() OR total > 1",
        &expect![[r#"
        "now": below an aggregate of events, the clock can only be compared with a column in WHERE
          help: for example WHERE order_date >= date_trunc('day', now())
    "#]],
    );
    check_query(
        "SELECT current_time() FROM orders",
        &expect![[r#"
        "current_time": current_time() gives another result each time, so that no view of it can stay true
    "#]],
    );
}

#[test]
fn windows() {
    check_query(
        "SELECT * FROM HOP(orders, order_date, INTERVAL '1 hour', INTERVAL '2 hours')",
        &expect![[r#"
            "HOP": there is no function `HOP` that gives rows in FROM: TUMBLE is the only one
              help: only tumbling windows are supported by this version: FROM TUMBLE(orders, order_date, INTERVAL '1 hour')
        "#]],
    );
    check_query(
        "SELECT * FROM TUMBLE(orders, INTERVAL '1 hour')",
        &expect![[r#"
        "TUMBLE": TUMBLE takes a relation, its column of time and an interval
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
    "#]],
    );
    check_query(
        "SELECT * FROM TUMBLE(orders, customer, INTERVAL '1 hour')",
        &expect![[r#"
            "customer": `customer` holds no time but text
        "#]],
    );
    check_query(
        "SELECT * FROM TUMBLE(orders, order_date, INTERVAL '0 hours')",
        &expect![[r#"
        "'0 hours'": the size of a window is an interval above zero, of months alone or of days and shorter
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
    "#]],
    );
    check_query(
        "SELECT * FROM TUMBLE(orders, order_date, 5)",
        &expect![[r#"
        "5": the size of a window is an interval above zero, of months alone or of days and shorter
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
    "#]],
    );
    check_query(
        "SELECT customer, count(*) FROM orders GROUP BY customer EMIT ON WINDOW CLOSE",
        &expect![[r#"
        "EMIT ON WINDOW CLOSE": EMIT ON WINDOW CLOSE needs one TUMBLE of a topic in FROM
    "#]],
    );
    check_query(
        "SELECT customer, count(*) FROM TUMBLE(orders, order_date, INTERVAL '1 hour') GROUP BY customer EMIT ON WINDOW CLOSE",
        &expect![[r#"
            "customer": EMIT ON WINDOW CLOSE needs one aggregate, with window_start or window_end in GROUP BY
        "#]],
    );
    check_query(
        "SELECT window_start, count(*) FROM TUMBLE(orders, _timestamp, INTERVAL '1 hour') GROUP BY window_start EMIT ON WINDOW CLOSE",
        &expect![[r#"
            "_timestamp": windows close by the event time, which is `order_date`: `_timestamp` is another column
        "#]],
    );
    check_query(
        "SELECT window_start, count(*) FROM TUMBLE(orders, order_date, INTERVAL '1 month') GROUP BY window_start EMIT ON WINDOW CLOSE",
        &expect![[r#"
            "EMIT ON WINDOW CLOSE": EMIT ON WINDOW CLOSE of months is not supported by this version yet
        "#]],
    );
}

#[test]
fn unnests() {
    check_query(
        "SELECT * FROM orders, UNNEST(customer) AS c",
        &expect![[r#"
        "customer": `customer` is no list, so there is nothing to unnest
    "#]],
    );
    check_query(
        "SELECT * FROM orders LEFT JOIN UNNEST(tags) AS t ON true",
        &expect![[r#"
        "tags) AS t": a list is unnested by `, UNNEST(list) AS item`: other joins with it are not supported by this version yet
    "#]],
    );
    check_query(
        "SELECT * FROM orders, UNNEST(make_array(1, 2)) AS t",
        &expect![[r#"
        "make_array(1, 2": UNNEST takes a column that holds a list
    "#]],
    );
    check_query(
        "SELECT o.id FROM products AS p JOIN orders AS o ON o.id = p.product_id, UNNEST(o.tags) AS t",
        &expect![[r#"
        "o.tags": only a list of the first relation of a join is unnested by this version: begin FROM with it, or unnest it in a subquery
    "#]],
    );
    check_query(
        "SELECT d.pieces FROM orders, UNNEST(details) AS d JOIN products USING (product_id)",
        &expect![[r#"
        "product_id": `product_id` is a field of an unnested item: join by ON and not by USING
    "#]],
    );
    check_query(
        "SELECT * FROM orders, UNNEST(tags) WITH ORDINALITY AS t",
        &expect![[r#"
        "tags": UNNEST of several lists, WITH ORDINALITY or OFFSET is not supported by this version yet
    "#]],
    );
}

#[test]
fn statements() {
    check(
        "INSERT INTO other.topic SELECT * FROM orders",
        &expect![[r#"
            "INSERT INTO": `INSERT INTO` is not supported
              help: declare a CREATE MATERIALIZED VIEW: its rows can be read and followed
        "#]],
    );
    check(
        "DROP VIEW v; SELECT 1",
        &expect![[r#"
        "DROP": this statement is not supported by this version yet: a pipeline holds CREATE MATERIALIZED VIEW and CREATE VIEW
        "SELECT": this statement is not supported by this version yet: a pipeline holds CREATE MATERIALIZED VIEW and CREATE VIEW
    "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v AS SELEC 1",
        &expect![[r#"
            "SELEC": `SELEC` stands where SELECT, VALUES, or a subquery in the query body is expected
              help: did you mean `SELECT`?
        "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v AS SELECT (1",
        &expect![[r#"
        "1": the statement ends where ) is expected
    "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v AS SELECT 'open",
        &expect![[r#"
        "'": unterminated string literal
    "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v AS SELECT id FROM orders WHERE",
        &expect![[r#"
        "WHERE": the statement ends where an expression is expected
    "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW web.v AS SELECT id FROM orders",
        &expect![[r#"
        "web.v": a pipeline of store cannot declare a view of web
    "#]],
    );
    check(
        "CREATE MATERIALIZED VIEW orders AS SELECT 1 AS a; CREATE VIEW products AS SELECT 1 AS a",
        &expect![[r#"
        "orders": store.orders is a topic already
        "products": store.products is a reference table already
    "#]],
    );
    check(
        "CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW a AS SELECT 2 AS x",
        &expect![[r#"
        "a": store.a is declared twice
    "#]],
    );
    check(
        "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a; CREATE VIEW c AS SELECT * FROM a",
        &expect![[r#"
        "a": store.a reads itself: store.a → store.b → store.a
    "#]],
    );
    check(
        "CREATE VIEW a (x, y) AS SELECT 1 AS n",
        &expect![[r#"
        "a": 2 columns are listed and the query gives 1
    "#]],
    );
    check(
        "CREATE VIEW a WITH (retention = '1d') AS SELECT 1 AS n",
        &expect![[r#"
        "a": WITH (…) options of a view: not supported by this version yet
    "#]],
    );
    let long = format!("CREATE VIEW a AS SELECT {}1 AS n", "1 + ".repeat(501));
    check(
        &long,
        &expect![[r#"
        "+": a statement has at most 500 operators
    "#]],
    );
}

#[test]
fn expressions_deeper_than_a_stack_allows() {
    let deep = format!("CREATE VIEW a AS SELECT {}1 AS n", "1 + ".repeat(300));
    check(
        &deep,
        &expect![[r#"
            "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1": an expression has at most 200 operators one within the other
              help: write IN (…) for a long list of values, or compute a part of it in a subquery
        "#]],
    );
}

#[test]
fn types() {
    check_query(
        "SELECT sum(customer) FROM orders",
        &expect![[r#"
            "sum(customer": no function takes sum(text)
              help: convert the value with CAST(… AS …)
        "#]],
    );
    check_query(
        "SELECT customer, total FROM orders GROUP BY customer",
        &expect![[r#"
            "total": `orders.total` is neither in GROUP BY nor within an aggregate
              help: add it to GROUP BY, or write max(orders.total) or another aggregate
        "#]],
    );
    check_query(
        "SELECT total + customer['x'] FROM orders",
        &expect![[r#"
            "customer['x'": a text has no fields
              help: write address.city for a field of an object, and tags[1] for the first item of a list
        "#]],
    );
}

#[test]
fn aggregates_that_depend_on_the_order_of_events() {
    check_query(
        "SELECT approx_median(quantity) FROM orders",
        &expect![[r#"
        "approx_median(quantity": approx_median() gives another result each time, so that no view of it can stay true
          help: write median(price)
    "#]],
    );
    check_query(
        "SELECT approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY quantity) FROM orders",
        &expect![[r#"
            "approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY quantity": approx_percentile_cont() gives another result each time, so that no view of it can stay true
              help: write percentile_cont(0.9) WITHIN GROUP (ORDER BY price)
        "#]],
    );
    check_query(
        "SELECT array_agg(quantity), string_agg(customer, ',' ORDER BY total) FROM orders",
        &expect![[r#"
            "array_agg(quantity": array_agg without ORDER BY beside an aggregate with one has no order that it can keep
              help: give it an ORDER BY of its own, or a view of its own
        "#]],
    );
    check_query(
        "SELECT nth_value(quantity, 2), array_agg(customer ORDER BY customer DESC) FROM orders",
        &expect![[r#"
            "nth_value(quantity, 2": nth_value without ORDER BY beside an aggregate with one has no order that it can keep
              help: give it an ORDER BY of its own, or a view of its own
        "#]],
    );
    for query in [
        "SELECT first_value(quantity), last_value(customer ORDER BY total) FROM orders",
        "SELECT nth_value(quantity, 2), array_agg(customer), count(*) FROM orders",
        "SELECT string_agg(customer, ',' ORDER BY total), first_value(customer ORDER BY total) FROM orders",
    ] {
        let planned = planned(&format!("CREATE MATERIALIZED VIEW v AS {query}"));
        assert!(planned.is_ok(), "{query}: {:?}", planned.err());
    }
}

#[test]
fn aggregates_that_would_not_compute_what_they_say() {
    for query in [
        "SELECT count(DISTINCT customer, total) FROM orders",
        "SELECT stddev(DISTINCT quantity) FROM orders",
        "SELECT corr(DISTINCT quantity, total) FROM orders",
        "SELECT covar_pop(DISTINCT quantity, total) FROM orders",
        "SELECT regr_count(DISTINCT quantity, total) FROM orders",
        "SELECT array_agg(DISTINCT customer ORDER BY quantity) FROM orders",
        "SELECT string_agg(customer, customer) FROM orders",
        "SELECT percentile_cont(quantity) FROM orders",
        "SELECT approx_percentile_cont(quantity, total) FROM orders",
        "SELECT nth_value(customer, quantity) FROM orders",
        "SELECT customer FROM orders GROUP BY customer HAVING stddev(DISTINCT quantity) > 1",
    ] {
        assert!(planned(&format!("CREATE MATERIALIZED VIEW v AS {query}")).is_err(), "{query}");
    }
    check_query(
        "SELECT count(DISTINCT customer, total) FROM orders",
        &expect![[r#"
        "count(DISTINCT customer, total": count(DISTINCT …) takes one expression
          help: count the rows of a subquery: FROM (SELECT DISTINCT a, b FROM …)
    "#]],
    );
    check_query(
        "SELECT stddev(DISTINCT quantity) FROM orders",
        &expect![[r#"
        "stddev(DISTINCT quantity": stddev(DISTINCT …) is not supported
          help: aggregate a subquery of the distinct values: FROM (SELECT DISTINCT a, b FROM …)
    "#]],
    );
    check_query(
        "SELECT corr(DISTINCT quantity, total) FROM orders",
        &expect![[r#"
        "corr(DISTINCT quantity, total": corr(DISTINCT …) is not supported
          help: aggregate a subquery of the distinct values: FROM (SELECT DISTINCT a, b FROM …)
    "#]],
    );
    check_query(
        "SELECT string_agg(customer, customer) FROM orders",
        &expect![[r#"
        "string_agg(customer, customer": string_agg cannot be computed in this form: string_agg delimiter must be a string literal
          help: the separator is a constant: string_agg(name, ', ')
    "#]],
    );
    check_query(
        "SELECT percentile_cont(quantity) FROM orders",
        &expect![[r#"
            "percentile_cont(quantity": percentile_cont takes 2 arguments, and not 1
              help: write percentile_cont(0.5) WITHIN GROUP (ORDER BY price)
        "#]],
    );
    check_query(
        "SELECT array_agg(DISTINCT customer ORDER BY quantity) FROM orders",
        &expect![[r#"
        "array_agg(DISTINCT customer ORDER BY quantity": array_agg cannot be computed in this form: in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list
    "#]],
    );
}

#[test]
fn statements_that_cannot_be_compiled() {
    check_query(
        "SELECT id FROM orders WHERE customer LIKE ANY ('a', 'b')",
        &expect![[r#"
            "customer LIKE ANY ('a', 'b'": LIKE ANY is not supported
              help: write name LIKE 'a%' OR name LIKE 'b%', or a regular expression: name ~ '^(a|b)'
        "#]],
    );
    check_query(
        "SELECT id FROM orders WHERE customer ILIKE customer ESCAPE '!'",
        &expect![[r#"
        "customer ILIKE customer": the pattern of LIKE … ESCAPE has to be a text constant
          help: write it out, or match by a regular expression: name ~ pattern
    "#]],
    );
    check_query(
        "SELECT id FROM orders WHERE customer SIMILAR TO customer",
        &expect![[r#"
        "customer SIMILAR TO customer": the pattern of SIMILAR TO has to be a text constant
          help: write it out, or match by a regular expression: name ~ pattern
    "#]],
    );
    check_query(
        "SELECT 2 ^ quantity FROM orders",
        &expect![[r#"
        "2 ^ quantity": `^` is a power in some databases and an exclusive or in others, and is not supported
          help: write power(2, 3) for a power
    "#]],
    );
    check_query(
        "SELECT id FROM orders WHERE 1 < quantity < 3",
        &expect![[r#"
        "<": `<` does not chain: put one of the comparisons in parentheses, or join them by AND
    "#]],
    );
}

#[test]
fn clauses_of_other_systems() {
    check_query(
        "SELECT window_start FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(order_date), INTERVAL '1' HOUR))",
        &expect![[r#"
            "TABLE(TUMBLE": `TABLE(TUMBLE` is not supported
              help: write FROM TUMBLE(orders, order_date, INTERVAL '1 hour') and GROUP BY window_start
        "#]],
    );
    check_query(
        "SELECT count(*) FROM orders GROUP BY TUMBLE(order_date, INTERVAL '1 hour')",
        &expect![[r#"
        "TUMBLE": there is no function `tumble`
          help: write FROM TUMBLE(orders, order_date, INTERVAL '1 hour') and GROUP BY window_start
    "#]],
    );
    check_query(
        "SELECT count(*) FROM orders WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY customer",
        &expect![[r#"
        "WINDOW TUMBLING": `WINDOW TUMBLING` is not supported
          help: write FROM TUMBLE(orders, order_date, INTERVAL '1 hour') and GROUP BY window_start
    "#]],
    );
    check_query(
        "SELECT id FROM orders JOIN products FOR SYSTEM_TIME AS OF order_date ON true",
        &expect![[r#"
            "FOR SYSTEM_TIME AS OF": `FOR SYSTEM_TIME AS OF` is not supported
              help: join the reference table as it is: FROM orders JOIN products ON …
        "#]],
    );
    check_query(
        "SELECT id FROM orders CROSS JOIN LATERAL (SELECT 1) AS d",
        &expect![[r#"
        "SELECT 1) AS d": LATERAL is not supported in FROM
          help: write FROM orders, UNNEST(details) AS d: each item is a row of its own
    "#]],
    );
    check_query(
        "SELECT id FROM orders LATERAL VIEW explode(tags) AS tag",
        &expect![[r#"
        "explode(tags": LATERAL VIEW is not supported
          help: write FROM orders, UNNEST(details) AS d
    "#]],
    );
    check_query(
        "SELECT address ->> 'city' FROM orders",
        &expect![[r#"
        "address ->> 'city'": fields of JSON are columns here, so that no operator reads them from text
          help: write address.city for a field of an object, and tags[1] for the first item of a list
    "#]],
    );
}

#[test]
fn functions_of_other_systems() {
    check_query(
        "SELECT SPLIT_INDEX(customer, ',', 0) FROM orders",
        &expect![[r#"
        "SPLIT_INDEX": there is no function `split_index`
          help: write split_part(name, ',', 1), which counts from 1
    "#]],
    );
    check_query(
        "SELECT mod(id, 2) FROM orders",
        &expect![[r#"
        "mod": there is no function `mod`
          help: write a % b
    "#]],
    );
    check_query(
        "SELECT hour(order_date) FROM orders",
        &expect![[r#"
        "hour": there is no function `hour`
          help: write extract(hour FROM order_date), and so for year, month, day, dow, minute, second
    "#]],
    );
    check_query(
        "SELECT frobnicate(id) FROM orders",
        &expect![[r#"
        "frobnicate": there is no function `frobnicate`
    "#]],
    );
    check_query(
        "SELECT id FROM orders TABLESAMPLE (10 PERCENT)",
        &expect![[r#"
        "orders": TABLESAMPLE is not supported in FROM
          help: choose rows by a condition, such as id % 100 = 0
    "#]],
    );
    check(
        "CREATE STREAM s AS SELECT id FROM orders;",
        &expect![[r#"
        "CREATE STREAM": `CREATE STREAM` is not supported
          help: a stream is a topic, with a file of its own in events/; what is computed is a CREATE MATERIALIZED VIEW
    "#]],
    );
    check(
        "CREATE TABLE t AS SELECT id FROM orders EMIT CHANGES;",
        &expect![[r#"
        "CREATE TABLE": `CREATE TABLE` is not supported
          help: what is computed is a CREATE MATERIALIZED VIEW; rows that you write yourself are a CSV file in tables/
    "#]],
    );
    check(
        "INSERT INTO t SELECT id FROM orders;",
        &expect![[r#"
        "INSERT INTO": `INSERT INTO` is not supported
          help: declare a CREATE MATERIALIZED VIEW: its rows can be read and followed
    "#]],
    );
}
