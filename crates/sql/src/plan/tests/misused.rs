//! Clauses, operators and functions that are misused: each is answered in words of SQL, at the place that is wrong.

use std::fmt::Write;

use expect_test::expect;

use super::world::{planned, write_problems};

const QUERIES: &str = r#"
SELECT * EXCLUDE (idd) FROM orders
SELECT * EXCEPT (ID, OrderDate) FROM orders
SELECT orders.* EXCEPT (nothere) FROM orders
SELECT orders.* EXCLUDE id FROM orders
SELECT * REPLACE (totl * 2 AS total) FROM orders
SELECT * REPLACE (Total * 2 AS TOTAL) FROM orders
SELECT * EXCEPT (product_id, title, genre) FROM products
SELECT * AS x FROM orders
SELECT sum(id) OVER ww FROM orders WINDOW window1 AS (ORDER BY id)
SELECT sum(id) OVER windw1 FROM orders WINDOW window1 AS (ORDER BY id)
SELECT sum(id) OVER (ORDER BY nothere) FROM orders
SELECT sum(id) OVER (PARTITION BY) FROM orders
SELECT sum(id) OVER (ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM orders
SELECT lag(id, 'a') OVER (ORDER BY id) FROM orders
SELECT ntile(0) OVER (ORDER BY id) FROM orders
SELECT nth_value(id) OVER (ORDER BY id) FROM orders
SELECT id FROM orders ORDER BY 5
SELECT id FROM orders GROUP BY 5
SELECT id, count(*) FROM orders
SELECT count(*) FROM orders GROUP BY count(*)
SELECT sum(sum(id)) FROM orders
SELECT id FROM orders WHERE sum(id) > 1
SELECT id FROM orders WHERE customer
SELECT id FROM orders WHERE id + 1
SELECT id FROM orders HAVING id > 1
SELECT id FROM orders WHERE customer > 5
SELECT id FROM orders WHERE customer IN (1, 2)
SELECT id FROM orders WHERE customer BETWEEN 1 AND 2
SELECT id FROM orders WHERE id = customer
SELECT id FROM orders WHERE id = '5'
SELECT o.id FROM orders AS o JOIN products AS p ON p.title = o.id
SELECT CASE customer WHEN 5 THEN 1 END AS x FROM orders
SELECT id FROM orders WHERE customer = "ada"
SELECT id FORM store.orders
SELECT count( FROM store.orders
SELECT customer, count(*) FROM orders GROUP customer
SELECT id FROM HOP(orders, order_date, INTERVAL '1 minute', INTERVAL '5 minutes')
SELECT id + customer AS x FROM orders
SELECT -customer AS x FROM orders
SELECT NOT id AS x FROM orders
SELECT order_date + 5 AS x FROM orders
SELECT order_date - '1 day' AS x FROM orders
SELECT order_date + INTERVAL 'x' AS x FROM orders
SELECT tags + 1 AS x FROM orders
SELECT address = 1 AS x FROM orders
SELECT id IN ('a', 'b') AS x FROM orders
SELECT id IN (SELECT product_id, title FROM products) AS x FROM orders
SELECT id BETWEEN 'a' AND 'b' AS x FROM orders
SELECT customer LIKE 5 AS x FROM orders
SELECT customer ~ '(' AS x FROM orders
SELECT CASE id WHEN 'a' THEN 1 END AS x FROM orders
SELECT CASE WHEN id THEN 1 END AS x FROM orders
SELECT CASE WHEN id > 1 THEN 1 ELSE 'a' END AS x FROM orders
SELECT CASE WHEN id > 1 THEN 2 ELSE 3 AS x FROM orders
SELECT coalesce(id, tags) AS x FROM orders
SELECT coalesce() AS x FROM orders
SELECT nullif(id) AS x FROM orders
SELECT greatest() AS x FROM orders
SELECT min(id, quantity) FROM orders
SELECT count(id, quantity) FROM orders
SELECT avg(customer) FROM orders
SELECT sum(customer) FROM orders
SELECT sum(order_date) FROM orders
SELECT array_agg() FROM orders
SELECT string_agg(customer) FROM orders
SELECT percentile_cont(2) WITHIN GROUP (ORDER BY id) FROM orders
SELECT sum(DISTINCT id, quantity) FROM orders
SELECT date_trunc('dayy', order_date) AS x FROM orders
SELECT date_trunc('day', customer) AS x FROM orders
SELECT to_char(order_date) AS x FROM orders
SELECT EXTRACT(yeer FROM order_date) AS x FROM orders
SELECT EXTRACT(year FROM tags) AS x FROM orders
SELECT CAST('abc' AS bigint) AS x FROM orders
SELECT CAST(id AS decimal(50, 2)) AS x FROM orders
SELECT CAST(id AS decimal(2, 5)) AS x FROM orders
SELECT CAST(tags AS bigint) AS x FROM orders
SELECT id FROM orders UNION SELECT id, quantity FROM orders
SELECT id FROM orders UNION SELECT tags FROM orders
SELECT o.id FROM orders
SELECT orders.id FROM orders o
SELECT a.id FROM orders a, orders a
SELECT id FROM orders JOIN products ON id
SELECT id FROM orders JOIN products ON orders.id = products.nothere
SELECT id FROM orders LEFT products
SELECT id FROM orders, nothere
SELECT id FROM store.nothere
SELECT id FROM other.orders
SELECT id FROM a.b.c.d
WITH a AS (SELECT nothere FROM orders) SELECT * FROM a
WITH a AS (SELECT id FROM orders), a AS (SELECT 1) SELECT * FROM a
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT * FROM a
SELECT * FROM (SELECT id, id FROM orders) AS t
SELECT * FROM (VALUES (1, 2), (3)) AS t
SELECT * FROM (VALUES (1, 'a'), ('b', 2)) AS t
SELECT id FROM orders OFFSET -1
SELECT id FROM orders LIMIT quantity + 1
SELECT id FROM orders ORDER BY id LIMIT 10 LIMIT 5
SELECT DISTINCT ON (nothere) id FROM orders
SELECT id FROM orders QUALIFY id > 1
SELECT id COLLATE nocase AS x FROM orders
SELECT id FROM orders ORDER BY customer COLLATE "C"
SELECT tags['a'] AS x FROM orders
SELECT address[1] AS x FROM orders
SELECT details.quantity AS x FROM orders
SELECT details[1].colours[1].x AS x FROM orders
SELECT d.nothere FROM orders, UNNEST(details) AS d
SELECT unnest(id) AS x FROM orders
SELECT named_struct('a') AS x FROM orders
SELECT array_element(tags) AS x FROM orders
SELECT substr(customer, 'a') AS x FROM orders
SELECT repeat(customer, 'x') AS x FROM orders
SELECT round(customer) AS x FROM orders
SELECT round(total, customer) AS x FROM orders
SELECT abs(customer) AS x FROM orders
SELECT now(1) AS x FROM orders
SELECT current_timestamp(3) AS x FROM orders
SELECT upper(DISTINCT customer) AS x FROM orders
SELECT upper(customer) FILTER (WHERE id > 1) AS x FROM orders
SELECT upper(customer) OVER () AS x FROM orders
SELECT count(*) FILTER (WHERE customer) AS x FROM orders
SELECT count(*) FILTER (WHERE sum(id) > 1) AS x FROM orders
SELECT id FROM TUMBLE(orders, customer, INTERVAL '1 minute')
SELECT id FROM TUMBLE(orders, nothere, INTERVAL '1 minute')
SELECT id FROM TUMBLE(nothere, order_date, INTERVAL '1 minute')
SELECT id FROM TUMBLE(orders, order_date, INTERVAL '-1 minute')
SELECT X'zz' AS x FROM orders
SELECT 1.2.3 AS x FROM orders
SELECT TIME '25:00' AS x FROM orders
SELECT INTERVAL '1' YEAR TO MONTH AS x FROM orders
SELECT order_date AT TIME ZONE 'Nowhere' AS x FROM orders
"#;

#[test]
fn misused_parts_of_queries_are_told_at_their_place() {
    let mut shown = String::new();
    for query in QUERIES.lines().filter(|query| !query.is_empty()) {
        writeln!(shown, "{query}").expect("a string");
        let Err(problems) = planned(&format!("CREATE MATERIALIZED VIEW v AS {query}")) else { continue };
        write_problems(&mut shown, problems);
    }
    expect![[r#"
        SELECT * EXCLUDE (idd) FROM orders
          "idd": there is no column `idd` in `*`
          help: did you mean `id`?
        SELECT * EXCEPT (ID, OrderDate) FROM orders
        SELECT orders.* EXCEPT (nothere) FROM orders
          "nothere": there is no column `nothere` in `*`
        SELECT orders.* EXCLUDE id FROM orders
        SELECT * REPLACE (totl * 2 AS total) FROM orders
          "totl": there is no column `totl` in orders
          help: did you mean `total`?
        SELECT * REPLACE (Total * 2 AS TOTAL) FROM orders
        SELECT * EXCEPT (product_id, title, genre) FROM products
          "*": EXCEPT leaves no column
        SELECT * AS x FROM orders
          "AS": `AS` is not expected here
        SELECT sum(id) OVER ww FROM orders WINDOW window1 AS (ORDER BY id)
          "ww": there is no window `ww`
          help: write OVER (ORDER BY …), or WINDOW w AS (…) at the end
        SELECT sum(id) OVER windw1 FROM orders WINDOW window1 AS (ORDER BY id)
          "windw1": there is no window `windw1`
          help: did you mean `window1`?
        SELECT sum(id) OVER (ORDER BY nothere) FROM orders
          "nothere": there is no column `nothere` in orders
        SELECT sum(id) OVER (PARTITION BY) FROM orders
          ")": `)` stands where an expression is expected
        SELECT sum(id) OVER (ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM orders
          "v": invalid window frame: start bound (1 FOLLOWING) cannot be larger than end bound (1 PRECEDING)
        SELECT lag(id, 'a') OVER (ORDER BY id) FROM orders
          "v": expected an integer value
        SELECT ntile(0) OVER (ORDER BY id) FROM orders
          "v": NTILE requires a positive integer
        SELECT nth_value(id) OVER (ORDER BY id) FROM orders
          "v": expected a signed integer literal for the second argument of nth_value
        SELECT id FROM orders ORDER BY 5
          "v": ORDER BY 5 names no column: SELECT has 1
        SELECT id FROM orders GROUP BY 5
          "5": GROUP BY 5 names no column: SELECT has 1
        SELECT id, count(*) FROM orders
          "id": `orders.id` is neither in GROUP BY nor within an aggregate
          help: add it to GROUP BY, or write max(orders.id) or another aggregate
        SELECT count(*) FROM orders GROUP BY count(*)
          "v": physical plan does not support logical expression AggregateFunction(AggregateFunction { func: AggregateUDF { inner: Count { signature: Signature { type_signature: OneOf([VariadicAny, Nullary]), volatility: Immutable, parameter_names: None } } }, params: AggregateFunctionParams { args: [Literal(1, None)], distinct: false, filter: None, order_by: [], null_treatment: None } })
        SELECT sum(sum(id)) FROM orders
          "id": an aggregate cannot be computed of another
          help: compute the inner one in a subquery: FROM (SELECT … GROUP BY …)
        SELECT id FROM orders WHERE sum(id) > 1
          "v": aggregates are not allowed in WHERE
          help: write the condition in HAVING
        SELECT id FROM orders WHERE customer
          "v": a condition is true or false, and orders.customer is a text
        SELECT id FROM orders WHERE id + 1
          "v": a condition is true or false, and orders.id + 1 is a bigint
        SELECT id FROM orders HAVING id > 1
          "v": HAVING clause references: orders.id > 1 must appear in the GROUP BY clause or be used in an aggregate function
        SELECT id FROM orders WHERE customer > 5
          "customer": a text and a bigint cannot be compared by `>`
          help: write the value as a text: '5', or convert the text with CAST(… AS bigint)
        SELECT id FROM orders WHERE customer IN (1, 2)
          "customer": a text and a bigint cannot be compared by `=`
          help: write the value as a text: '1', or convert the text with CAST(… AS bigint)
        SELECT id FROM orders WHERE customer BETWEEN 1 AND 2
          "customer": a text and a bigint cannot be compared by `>=`
          help: write the value as a text: '1', or convert the text with CAST(… AS bigint)
        SELECT id FROM orders WHERE id = customer
          "customer": a text and a bigint cannot be compared by `=`
          help: convert the text with CAST(… AS bigint)
        SELECT id FROM orders WHERE id = '5'
        SELECT o.id FROM orders AS o JOIN products AS p ON p.title = o.id
          "p.title": a text and a bigint cannot be compared by `=`
          help: convert the text with CAST(… AS bigint)
        SELECT CASE customer WHEN 5 THEN 1 END AS x FROM orders
          "customer": a text and a bigint cannot be compared by `=`
          help: write the value as a text: '5', or convert the text with CAST(… AS bigint)
        SELECT id FROM orders WHERE customer = "ada"
          "\"ada\"": there is no column `ada` in orders
          help: a text stands in single quotes: 'ada'
        SELECT id FORM store.orders
          "store": `store` is not expected here
          help: did you mean `FROM` where it says `FORM`?
        SELECT count( FROM store.orders
          "store": `store` stands where ) is expected
        SELECT customer, count(*) FROM orders GROUP customer
          "GROUP": `GROUP` is not expected here
          help: write GROUP BY
        SELECT id FROM HOP(orders, order_date, INTERVAL '1 minute', INTERVAL '5 minutes')
          "HOP": there is no function `HOP` that gives rows in FROM: TUMBLE is the only one
          help: only tumbling windows are supported by this version: FROM TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT id + customer AS x FROM orders
          "id + customer": `+` cannot be computed of a bigint and a text
          help: convert one of them with CAST(… AS …)
        SELECT -customer AS x FROM orders
          "customer": `-` takes a number or an interval
        SELECT NOT id AS x FROM orders
          "id": NOT takes a boolean, and not a bigint
        SELECT order_date + 5 AS x FROM orders
          "order_date": `+` cannot be computed of a timestamp and a bigint
          help: convert one of them with CAST(… AS …)
        SELECT order_date - '1 day' AS x FROM orders
          "order_date": `-` cannot be computed of a timestamp and a text
          help: convert one of them with CAST(… AS …)
        SELECT order_date + INTERVAL 'x' AS x FROM orders
          "'x'": invalid input syntax for type interval: "x"
        SELECT tags + 1 AS x FROM orders
          "tags": `+` cannot be computed of a list and a bigint
          help: convert one of them with CAST(… AS …)
        SELECT address = 1 AS x FROM orders
          "address": a struct and a bigint cannot be compared by `=`
          help: convert one of them with CAST(… AS …)
        SELECT id IN ('a', 'b') AS x FROM orders
          "'a'": 'a' is no bigint
        SELECT id IN (SELECT product_id, title FROM products) AS x FROM orders
          "SELECT product_id, title FROM products": a query within an expression gives one column, and not products.product_id, products.title
        SELECT id BETWEEN 'a' AND 'b' AS x FROM orders
          "'a'": 'a' is no bigint
        SELECT customer LIKE 5 AS x FROM orders
          "v": LIKE takes two texts, and not a text and a bigint
          help: convert one of them with CAST(… AS …)
        SELECT customer ~ '(' AS x FROM orders
          "'('": the pattern is no regular expression: unclosed group
        SELECT CASE id WHEN 'a' THEN 1 END AS x FROM orders
          "v": 'a' is no bigint
        SELECT CASE WHEN id THEN 1 END AS x FROM orders
        SELECT CASE WHEN id > 1 THEN 1 ELSE 'a' END AS x FROM orders
        SELECT CASE WHEN id > 1 THEN 2 ELSE 3 AS x FROM orders
          "CASE": a CASE has no END
          help: write CASE WHEN a > 0 THEN b ELSE c END
        SELECT coalesce(id, tags) AS x FROM orders
          "coalesce(id, tags": no function takes coalesce(bigint, list)
          help: convert the value with CAST(… AS …)
        SELECT coalesce() AS x FROM orders
          "coalesce": coalesce takes arguments, and there are none
        SELECT nullif(id) AS x FROM orders
          "nullif(id": nullif takes 2 arguments, and not 1
        SELECT greatest() AS x FROM orders
          "greatest": greatest takes arguments, and there are none
        SELECT min(id, quantity) FROM orders
          "min(id, quantity": min takes 1 argument, and not 2
          help: least(a, b) is the smallest of several values of one row
        SELECT count(id, quantity) FROM orders
        SELECT avg(customer) FROM orders
          "avg(customer": no function takes avg(text)
          help: convert the value with CAST(… AS …)
        SELECT sum(customer) FROM orders
          "sum(customer": no function takes sum(text)
          help: convert the value with CAST(… AS …)
        SELECT sum(order_date) FROM orders
          "sum(order_date": no function takes sum(timestamp)
          help: convert the value with CAST(… AS …)
        SELECT array_agg() FROM orders
          "array_agg": array_agg takes 1 argument, and not 0
        SELECT string_agg(customer) FROM orders
          "string_agg(customer": string_agg takes 2 arguments, and not 1
        SELECT percentile_cont(2) WITHIN GROUP (ORDER BY id) FROM orders
          "percentile_cont(2) WITHIN GROUP (ORDER BY id": percentile_cont cannot be computed in this form: percentile value must be between 0.0 and 1.0 inclusive, 2 is invalid
          help: write percentile_cont(0.5) WITHIN GROUP (ORDER BY price)
        SELECT sum(DISTINCT id, quantity) FROM orders
          "sum(DISTINCT id, quantity": sum takes 1 argument, and not 2
        SELECT date_trunc('dayy', order_date) AS x FROM orders
          "'dayy'": unsupported date_trunc granularity: 'dayy'. Supported values are: microsecond, millisecond, second, minute, hour, day, week, month, quarter, year
          help: did you mean 'day'?
        SELECT date_trunc('day', customer) AS x FROM orders
        SELECT to_char(order_date) AS x FROM orders
          "to_char(order_date": to_char takes 2 arguments, and not 1
        SELECT EXTRACT(yeer FROM order_date) AS x FROM orders
          "yeer": date part 'yeer' not supported
          help: did you mean 'year'?
        SELECT EXTRACT(year FROM tags) AS x FROM orders
          "tags": no function takes date_part(text, list)
          help: convert the value with CAST(… AS …)
        SELECT CAST('abc' AS bigint) AS x FROM orders
          "'abc'": 'abc' is no bigint
        SELECT CAST(id AS decimal(50, 2)) AS x FROM orders
        SELECT CAST(id AS decimal(2, 5)) AS x FROM orders
          "v": decimal(precision = 2, scale = 5) should satisfy `0 < precision <= 76`, and `scale <= precision`
        SELECT CAST(tags AS bigint) AS x FROM orders
          "tags": a list cannot be cast to bigint
        SELECT id FROM orders UNION SELECT id, quantity FROM orders
          "SELECT id FROM orders UNION SELECT id, quantity": both sides of UNION need the same number of columns
        SELECT id FROM orders UNION SELECT tags FROM orders
          "SELECT tags FROM orders": column 'tags' of a UNION is a bigint in one query and a list in another
          help: convert one of them with CAST(… AS …)
        SELECT o.id FROM orders
          "o.id": `o` is neither a relation in FROM nor a column in orders
        SELECT orders.id FROM orders o
          "orders.id": `orders` is neither a relation in FROM nor a column in o
          help: did you mean `o`?
        SELECT a.id FROM orders a, orders a
          "orders a": `a` is twice in FROM: give one of them another name with AS
        SELECT id FROM orders JOIN products ON id
          "v": join condition must be boolean type, but got bigint
        SELECT id FROM orders JOIN products ON orders.id = products.nothere
          "products.nothere": there is no column `nothere` in products
        SELECT id FROM orders LEFT products
          "products": expected OUTER, SEMI, ANTI or JOIN after LEFT
        SELECT id FROM orders, nothere
          "nothere": there is no topic, table or view `nothere`
          help: SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT id FROM store.nothere
          "store.nothere": there is no topic, table or view `store.nothere`
          help: did you mean `store.orders`?
        SELECT id FROM other.orders
          "other.orders": there is no topic, table or view `other.orders`
          help: did you mean `store.orders`?
        SELECT id FROM a.b.c.d
          "a.b.c.d": there is no topic, table or view `a.b.c.d`
          help: SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        WITH a AS (SELECT nothere FROM orders) SELECT * FROM a
          "nothere": there is no column `nothere` in orders
        WITH a AS (SELECT id FROM orders), a AS (SELECT 1) SELECT * FROM a
          "v": WITH query name "a" specified more than once
        WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT * FROM a
          "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a)": WITH RECURSIVE is not supported
        SELECT * FROM (SELECT id, id FROM orders) AS t
          "id": two columns are called `id`: give one of them another name with AS
        SELECT * FROM (VALUES (1, 2), (3)) AS t
          "v": rows of VALUES need the same number of values: row 1 has 1, and not 2
        SELECT * FROM (VALUES (1, 'a'), ('b', 2)) AS t
          "'a'": 'a' is no bigint
        SELECT id FROM orders OFFSET -1
          "1": a number of rows below 0 is not supported
          help: LIMIT and OFFSET take whole numbers from 0 on
        SELECT id FROM orders LIMIT quantity + 1
          "quantity": no field named quantity
        SELECT id FROM orders ORDER BY id LIMIT 10 LIMIT 5
          "LIMIT": `LIMIT` is not expected here
        SELECT DISTINCT ON (nothere) id FROM orders
          "nothere": there is no column `nothere` in orders
        SELECT id FROM orders QUALIFY id > 1
          "v": QUALIFY clause requires window functions in the SELECT list or QUALIFY clause
        SELECT id COLLATE nocase AS x FROM orders
          "id COLLATE nocase": COLLATE is not supported
          help: texts are compared by their code points: compare or order by lower(name)
        SELECT id FROM orders ORDER BY customer COLLATE "C"
          "customer COLLATE \"C\"": COLLATE is not supported
          help: texts are compared by their code points: compare or order by lower(name)
        SELECT tags['a'] AS x FROM orders
          "tags['a'": a list has no fields
          help: write address.city for a field of an object, and tags[1] for the first item of a list
        SELECT address[1] AS x FROM orders
          "address[1": a value of type struct has no items that [ ] could take
          help: tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text
        SELECT details.quantity AS x FROM orders
          "details.quantity": `details` is a list: name its items with UNNEST(details) AS item
        SELECT details[1].colours[1].x AS x FROM orders
          "details[1].colours[1].x": a text has no fields
          help: write address.city for a field of an object, and tags[1] for the first item of a list
        SELECT d.nothere FROM orders, UNNEST(details) AS d
          "d.nothere": there is no column `nothere` in d
        SELECT unnest(id) AS x FROM orders
          "v": unnest() can only be applied to array, struct and null
        SELECT named_struct('a') AS x FROM orders
          "v": named_struct requires an even number of arguments, got 1 instead
        SELECT array_element(tags) AS x FROM orders
          "array_element(tags": a value of type list has no items that [ ] could take
          help: tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text
        SELECT substr(customer, 'a') AS x FROM orders
          "customer, 'a'": no function takes substr(text, text)
          help: convert the value with CAST(… AS …)
        SELECT repeat(customer, 'x') AS x FROM orders
          "repeat(customer, 'x'": no function takes repeat(text, text)
          help: convert the value with CAST(… AS …)
        SELECT round(customer) AS x FROM orders
          "round(customer": no function takes round(text)
          help: convert the value with CAST(… AS …)
        SELECT round(total, customer) AS x FROM orders
          "round(total, customer": no function takes round(decimal(38, 2), text)
          help: convert the value with CAST(… AS …)
        SELECT abs(customer) AS x FROM orders
          "abs(customer": no function takes abs(text)
          help: convert the value with CAST(… AS …)
        SELECT now(1) AS x FROM orders
          "now(1": now takes 0 arguments, and not 1
        SELECT current_timestamp(3) AS x FROM orders
          "current_timestamp(3": now takes 0 arguments, and not 1
        SELECT upper(DISTINCT customer) AS x FROM orders
        SELECT upper(customer) FILTER (WHERE id > 1) AS x FROM orders
        SELECT upper(customer) OVER () AS x FROM orders
        SELECT count(*) FILTER (WHERE customer) AS x FROM orders
        SELECT count(*) FILTER (WHERE sum(id) > 1) AS x FROM orders
          "id": an aggregate cannot be computed of another
          help: compute the inner one in a subquery: FROM (SELECT … GROUP BY …)
        SELECT id FROM TUMBLE(orders, customer, INTERVAL '1 minute')
          "customer": `customer` holds no time but text
        SELECT id FROM TUMBLE(orders, nothere, INTERVAL '1 minute')
          "nothere": there is no column `nothere` in orders
        SELECT id FROM TUMBLE(nothere, order_date, INTERVAL '1 minute')
          "nothere": there is no topic, table or view `nothere`
          help: SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them
        SELECT id FROM TUMBLE(orders, order_date, INTERVAL '-1 minute')
          "'-1 minute'": the size of a window is an interval above zero, of months alone or of days and shorter
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT X'zz' AS x FROM orders
          "X'zz'": invalid HexStringLiteral 'zz'
        SELECT 1.2.3 AS x FROM orders
          ".3": `.3` is not expected here
        SELECT TIME '25:00' AS x FROM orders
          "'25:00'": '25:00' is no time
        SELECT INTERVAL '1' YEAR TO MONTH AS x FROM orders
          "v": unsupported interval Expression with last_field Some(Month)
        SELECT order_date AT TIME ZONE 'Nowhere' AS x FROM orders
          "'Nowhere'": there is no time zone 'Nowhere'
    "#]].assert_eq(&shown);
}
