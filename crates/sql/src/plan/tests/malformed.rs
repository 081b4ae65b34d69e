//! Malformed statements: each is answered in words of SQL, at the place that is wrong.

use std::fmt::Write;

use expect_test::expect;

use super::world::{planned, write_problems};

const QUERIES: &str = r#"
SELECT details[1].quantity FROM orders
SELECT details[1].product_id FROM orders
SELECT details[1]['product_id'] FROM orders
SELECT (details)[1].product_id FROM orders
SELECT address['city'].zip FROM orders
SELECT tags[1][2] FROM orders
SELECT tags[1:] FROM orders
SELECT tags[] FROM orders
SELECT address.city.zip FROM orders
SELECT address.* FROM orders
SELECT coutn(*) FROM orders
SELECT summ(*) FROM orders
SELECT sum(*) FROM orders
SELECT avg(*) FROM orders
SELECT INTERVAL '5 minuts' + order_date FROM orders
SELECT id FROM orders LIMIT 'a'
SELECT id FROM orders LIMIT -1
SELECT id FROM orders LIMIT 1.5
SELECT id FROM orders LIMIT id
SELECT id FROM orders OFFSET 'x'
SELECT avg(quantity), avg(CAST(quantity AS double)) FROM orders
SELECT sum(quantity), sum(quantity) FROM orders
SELECT id, id FROM orders
SELECT isnull(quantity) FROM orders
SELECT round() FROM orders
SELECT upper() FROM orders
SELECT upper(customer, 1) FROM orders
SELECT length(customer, customer) FROM orders
SELECT substr(customer) FROM orders
SELECT replace(customer, 'a') FROM orders
SELECT date_trunc(order_date) FROM orders
SELECT max(id, quantity) FROM orders
SELECT sum(id, quantity) FROM orders
SELECT power(quantity) FROM orders
SELECT concat() FROM orders
SELECT id FROM orders WHERE
SELECT id FROM orders GROUP
SELECT id FROM orders ORDER BY
SELECT id FROM orders WHERE id = = 1
SELECT id, FROM orders
SELECT * FROM
SELECT id FROM orders WHERE id IN ()
SELECT id FROM orders WHERE id BETWEEN 1
SELECT CASE WHEN id > 1 THEN 2 FROM orders
SELECT CAST(id AS INTT) FROM orders
SELECT CAST(id AS STRUCT) FROM orders
SELECT id::foo FROM orders
SELECT (id FROM orders
SELECT id) FROM orders
SELECT id FROM orders o JOIN products p
SELECT id FROM orders JOIN products ON
SELECT id FROM orders JOIN products USING
SELECT id FROM orders JOIN products USING (nothere)
SELECT 'abc FROM orders
SELECT "id FROM orders
SELECT id FROM orders WHERE id LIKE
SELECT id FROM orders HAVING count(*)
SELECT id FROM (SELECT id FROM orders
SELECT id FROM orders ORDER BY id LIMIT
SELECT row_number() OVER FROM orders
SELECT row_number() OVER (PARTITION) FROM orders
SELECT row_number() FROM orders
SELECT sum(id) FILTER (id > 1) FROM orders
SELECT count(DISTINCT) FROM orders
SELECT EXTRACT(year order_date) FROM orders
SELECT EXTRACT(FROM order_date) FROM orders
SELECT INTERVAL 5 FROM orders
SELECT DATE 'x' FROM orders
SELECT TIMESTAMP '2020-13-01' FROM orders
SELECT ARRAY[1, 'a'] FROM orders
SELECT {a: 1} FROM orders
SELECT x -> x + 1 FROM orders
SELECT array_transform(tags, x -> x) FROM orders
SELECT @foo FROM orders
SELECT $1 FROM orders
SELECT ? FROM orders
SELECT :name FROM orders
SELECT id AS FROM orders
SELECT id AS 'a b' FROM orders
SELECT DISTINCT ON id FROM orders
SELECT TOP 5 id FROM orders
SELECT id INTO t FROM orders
SELECT id FROM orders FOR UPDATE
SELECT id FROM orders TABLESAMPLE (10)
SELECT id FROM orders PIVOT (sum(id) FOR id IN (1))
SELECT id FROM orders UNION id
SELECT * EXCEPT (nothere) FROM orders
SELECT * EXCLUDE (id) FROM orders
SELECT * REPLACE (1 AS nothere) FROM orders
SELECT * RENAME (id AS x) FROM orders
SELECT orders.*.id FROM orders
SELECT id COLLATE "x" FROM orders
SELECT id FROM orders WHERE EXISTS
SELECT id FROM orders WHERE id > ALL (1)
SELECT id FROM orders WHERE id > ANY (SELECT id FROM products)
SELECT try_cast(id) FROM orders
SELECT POSITION('a', customer) FROM orders
SELECT TRIM(BOTH FROM customer) FROM orders
SELECT SUBSTRING(customer FOR 2) FROM orders
SELECT GROUPING(id) FROM orders
SELECT id FROM orders WINDOW w AS (ORDER BY id)
SELECT sum(id) OVER w FROM orders
SELECT id FROM TUMBLE(orders, order_date)
SELECT id FROM TUMBLE(orders, order_date, '1 minute')
SELECT id FROM TUMBLE(orders, order_date, INTERVAL '1 minut')
SELECT id FROM HOP(orders, order_date, INTERVAL '1 minute')
SELECT id FROM orders, UNNEST(id) AS d
SELECT id FROM orders, UNNEST() AS d
WITH a AS SELECT 1 SELECT * FROM a
WITH a (SELECT 1) SELECT * FROM a
WITH AS (SELECT 1) SELECT 1
SELECT id FROM orders WHERE id IS 5
SELECT id FROM orders WHERE NOT
SELECT NOT FROM orders
SELECT 1 +  FROM orders
SELECT 0x1G FROM orders
SELECT b'01' FROM orders
SELECT 99999999999999999999999999999999999999999999 FROM orders
SELECT JSON_OBJECT('a': 1) FROM orders
SELECT IF(id > 1, 2, 3) FROM orders
SELECT MATCH (id) AGAINST ('x') FROM orders
SELECT id[1] FROM orders
SELECT customer[1] FROM orders
SELECT order_date.year FROM orders
SELECT lower(upper) FROM orders
"#;

#[test]
fn malformed_queries_are_told_at_their_place() {
    let mut shown = String::new();
    for query in QUERIES.lines().filter(|query| !query.is_empty()) {
        writeln!(shown, "{query}").expect("a string");
        let Err(problems) = planned(&format!("CREATE MATERIALIZED VIEW v AS {query}")) else { continue };
        write_problems(&mut shown, problems);
    }
    expect![[r#"
        SELECT details[1].quantity FROM orders
          "quantity": there is no field `quantity`
        SELECT details[1].product_id FROM orders
        SELECT details[1]['product_id'] FROM orders
        SELECT (details)[1].product_id FROM orders
        SELECT address['city'].zip FROM orders
          "address['city'].zip": a text has no fields
          help: write address.city for a field of an object, and tags[1] for the first item of a list
        SELECT tags[1][2] FROM orders
          "tags[1][2": a value of type text has no items that [ ] could take
          help: tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text
        SELECT tags[1:] FROM orders
          "tags[1": a slice without its end is not supported
          help: write both ends: tags[1:3]
        SELECT tags[] FROM orders
          "]": `]` stands where an expression is expected
        SELECT address.city.zip FROM orders
          "address.city.zip": `address.city` has no fields
        SELECT address.* FROM orders
          "address": there is no `address` in FROM
        SELECT coutn(*) FROM orders
          "coutn": there is no function `coutn`
          help: did you mean 'count'?
        SELECT summ(*) FROM orders
          "summ": there is no function `summ`
          help: did you mean 'sum'?
        SELECT sum(*) FROM orders
          "sum": only count takes *, and not sum
          help: write a column: sum(total)
        SELECT avg(*) FROM orders
          "avg": only count takes *, and not avg
          help: write a column: avg(total)
        SELECT INTERVAL '5 minuts' + order_date FROM orders
          "'5 minuts'": invalid input syntax for type interval: "5 minuts"
        SELECT id FROM orders LIMIT 'a'
          "'a'": LIMIT takes a whole number, and not a text
        SELECT id FROM orders LIMIT -1
          "1": a number of rows below 0 is not supported
          help: LIMIT and OFFSET take whole numbers from 0 on
        SELECT id FROM orders LIMIT 1.5
          "1.5": LIMIT takes a whole number, and not a decimal(2, 1)
        SELECT id FROM orders LIMIT id
          "id": no field named id
        SELECT id FROM orders OFFSET 'x'
          "'x'": OFFSET takes a whole number, and not a text
        SELECT avg(quantity), avg(CAST(quantity AS double)) FROM orders
          "avg(CAST(quantity": two columns are called `avg(orders.quantity)`: give one of them another name with AS
        SELECT sum(quantity), sum(quantity) FROM orders
          "sum(quantity": two columns are called `sum(quantity)`: give one of them another name with AS
        SELECT id, id FROM orders
          "id": two columns are called `id`: give one of them another name with AS
        SELECT isnull(quantity) FROM orders
          "isnull": there is no function `isnull`
          help: write a IS NULL, or coalesce(a, 0) for a value in its place
        SELECT round() FROM orders
          "round": round takes 1 or 2 arguments, and not 0
        SELECT upper() FROM orders
          "upper": upper takes 1 argument, and not 0
        SELECT upper(customer, 1) FROM orders
          "upper(customer, 1": upper takes 1 argument, and not 2
        SELECT length(customer, customer) FROM orders
          "length(customer, customer": character_length takes 1 argument, and not 2
        SELECT substr(customer) FROM orders
          "customer": substr takes a start as well
          help: write substr(name, 2), or substr(name, 2, 3)
        SELECT replace(customer, 'a') FROM orders
          "replace(customer, 'a'": replace takes 3 arguments, and not 2
        SELECT date_trunc(order_date) FROM orders
          "date_trunc(order_date": date_trunc takes 2 arguments, and not 1
        SELECT max(id, quantity) FROM orders
          "max(id, quantity": max takes 1 argument, and not 2
          help: greatest(a, b) is the largest of several values of one row
        SELECT sum(id, quantity) FROM orders
          "sum(id, quantity": sum takes 1 argument, and not 2
        SELECT power(quantity) FROM orders
          "power(quantity": power takes 2 arguments, and not 1
        SELECT concat() FROM orders
          "concat": concat takes arguments, and there are none
        SELECT id FROM orders WHERE
          "WHERE": the statement ends where an expression is expected
        SELECT id FROM orders GROUP
          "GROUP": `GROUP` is not expected here
          help: write GROUP BY
        SELECT id FROM orders ORDER BY
          "BY": the statement ends where an expression is expected
        SELECT id FROM orders WHERE id = = 1
          "=": `=` stands where an expression is expected
        SELECT id, FROM orders
        SELECT * FROM
          "FROM": the statement ends where identifier is expected
        SELECT id FROM orders WHERE id IN ()
          ")": `)` stands where an expression is expected
        SELECT id FROM orders WHERE id BETWEEN 1
          "1": the statement ends where AND is expected
        SELECT CASE WHEN id > 1 THEN 2 FROM orders
          "CASE": a CASE has no END
          help: write CASE WHEN a > 0 THEN b ELSE c END
        SELECT CAST(id AS INTT) FROM orders
          "id": there is no type INTT
          help: write text, bigint, double, decimal(12, 2), boolean, date or timestamp
        SELECT CAST(id AS STRUCT) FROM orders
          "id": a bigint cannot be cast to struct
        SELECT id::foo FROM orders
          "id": there is no type foo
          help: write text, bigint, double, decimal(12, 2), boolean, date or timestamp
        SELECT (id FROM orders
          "FROM": `FROM` stands where ) is expected
        SELECT id) FROM orders
          ")": `)` is not expected here
        SELECT id FROM orders o JOIN products p
        SELECT id FROM orders JOIN products ON
          "ON": the statement ends where an expression is expected
        SELECT id FROM orders JOIN products USING
          "USING": the statement ends where a list of columns in parentheses is expected
        SELECT id FROM orders JOIN products USING (nothere)
          "nothere": there is no column `nothere` to join by
        SELECT 'abc FROM orders
          "'": unterminated string literal
        SELECT "id FROM orders
          "\"": expected close delimiter '"' before EOF.
        SELECT id FROM orders WHERE id LIKE
          "LIKE": the statement ends where an expression is expected
        SELECT id FROM orders HAVING count(*)
          "id": `orders.id` is neither in GROUP BY nor within an aggregate
          help: add it to GROUP BY, or write max(orders.id) or another aggregate
        SELECT id FROM (SELECT id FROM orders
          "FROM": `FROM` stands where ) is expected
        SELECT id FROM orders ORDER BY id LIMIT
          "LIMIT": the statement ends where an expression is expected
        SELECT row_number() OVER FROM orders
          "FROM": there is no window `FROM`
          help: write OVER (ORDER BY …), or WINDOW w AS (…) at the end
        SELECT row_number() OVER (PARTITION) FROM orders
          "PARTITION": `PARTITION` stands where ROWS, RANGE, GROUPS is expected
          help: write PARTITION BY
        SELECT row_number() FROM orders
          "row_number": there is no function `row_number`
          help: it is a window function: write row_number(…) OVER (ORDER BY …)
        SELECT sum(id) FILTER (id > 1) FROM orders
          ">": `>` is not expected here
        SELECT count(DISTINCT) FROM orders
          ")": `)` stands where an expression is expected
        SELECT EXTRACT(year order_date) FROM orders
          "orders": expected 'FROM' or ','
        SELECT EXTRACT(FROM order_date) FROM orders
          "orders": expected 'FROM' or ','
        SELECT INTERVAL 5 FROM orders
        SELECT DATE 'x' FROM orders
          "'x'": 'x' is no date
        SELECT TIMESTAMP '2020-13-01' FROM orders
          "'2020-13-01'": '2020-13-01' is no timestamp
        SELECT ARRAY[1, 'a'] FROM orders
          "'a'": 'a' is no bigint
        SELECT {a: 1} FROM orders
        SELECT x -> x + 1 FROM orders
          "x -> x + 1": fields of JSON are columns here, so that no operator reads them from text
          help: write address.city for a field of an object, and tags[1] for the first item of a list
        SELECT array_transform(tags, x -> x) FROM orders
          "x -> x": fields of JSON are columns here, so that no operator reads them from text
          help: write address.city for a field of an object, and tags[1] for the first item of a list
        SELECT @foo FROM orders
          "@foo": there is no column `@foo` in orders
        SELECT $1 FROM orders
          "$1": there are no parameters: write a value in place of '$1'
        SELECT ? FROM orders
          "?": there are no parameters: write a value in place of '?'
        SELECT :name FROM orders
          ":name": there are no parameters: write a value in place of ':name'
        SELECT id AS FROM orders
          "orders": `orders` is not expected here
        SELECT id AS 'a b' FROM orders
        SELECT DISTINCT ON id FROM orders
          "id": `id` stands where ( is expected
        SELECT TOP 5 id FROM orders
          "SELECT TOP 5 id FROM orders": TOP is not supported
          help: write LIMIT 10 at the end
        SELECT id INTO t FROM orders
          "SELECT id INTO t FROM orders": INTO is not supported
          help: a query writes nothing; CREATE MATERIALIZED VIEW keeps its rows
        SELECT id FROM orders FOR UPDATE
          "SELECT id FROM orders": FOR UPDATE or FOR SHARE is not supported
          help: a query locks nothing: leave it out
        SELECT id FROM orders TABLESAMPLE (10)
          "orders": TABLESAMPLE is not supported in FROM
          help: choose rows by a condition, such as id % 100 = 0
        SELECT id FROM orders PIVOT (sum(id) FOR id IN (1))
          "orders PIVOT (sum(id) FOR id IN (1": PIVOT is not supported
          help: write an aggregate for each column: sum(n) FILTER (WHERE kind = 'a')
        SELECT id FROM orders UNION id
          "id": `id` stands where SELECT, VALUES, or a subquery in the query body is expected
        SELECT * EXCEPT (nothere) FROM orders
          "nothere": there is no column `nothere` in `*`
        SELECT * EXCLUDE (id) FROM orders
        SELECT * REPLACE (1 AS nothere) FROM orders
          "nothere": there is no column `nothere` in `*`
        SELECT * RENAME (id AS x) FROM orders
          "* RENAME (id AS x": `*` with RENAME is not supported
          help: select the columns by their names: id AS number
        SELECT orders.*.id FROM orders
          ".": `.` is not expected here
        SELECT id COLLATE "x" FROM orders
          "id COLLATE \"x\"": COLLATE is not supported
          help: texts are compared by their code points: compare or order by lower(name)
        SELECT id FROM orders WHERE EXISTS
          "EXISTS": the statement ends where ( is expected
        SELECT id FROM orders WHERE id > ALL (1)
          "id > ALL (1": ALL of a value is not supported
          help: ALL takes a list or a query: id > ALL ([1, 2])
        SELECT id FROM orders WHERE id > ANY (SELECT id FROM products)
          "SELECT id FROM products": a query within an expression over single events is not supported by this version yet
          help: join the table instead
        SELECT try_cast(id) FROM orders
          "try_cast": there is no function `try_cast`
        SELECT POSITION('a', customer) FROM orders
        SELECT TRIM(BOTH FROM customer) FROM orders
          "customer": `customer` stands where ) is expected
        SELECT SUBSTRING(customer FOR 2) FROM orders
        SELECT GROUPING(id) FROM orders
          "GROUPING(id": grouping takes keys of GROUP BY
        SELECT id FROM orders WINDOW w AS (ORDER BY id)
        SELECT sum(id) OVER w FROM orders
          "w": there is no window `w`
          help: write OVER (ORDER BY …), or WINDOW w AS (…) at the end
        SELECT id FROM TUMBLE(orders, order_date)
          "TUMBLE": TUMBLE takes a relation, its column of time and an interval
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT id FROM TUMBLE(orders, order_date, '1 minute')
          "'1 minute'": the size of a window is an interval above zero, of months alone or of days and shorter
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT id FROM TUMBLE(orders, order_date, INTERVAL '1 minut')
          "'1 minut'": the size of a window is an interval above zero, of months alone or of days and shorter
          help: write TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT id FROM HOP(orders, order_date, INTERVAL '1 minute')
          "HOP": there is no function `HOP` that gives rows in FROM: TUMBLE is the only one
          help: only tumbling windows are supported by this version: FROM TUMBLE(orders, order_date, INTERVAL '1 hour')
        SELECT id FROM orders, UNNEST(id) AS d
          "id": `id` is no list, so there is nothing to unnest
        SELECT id FROM orders, UNNEST() AS d
          ")": `)` stands where an expression is expected
        WITH a AS SELECT 1 SELECT * FROM a
          "SELECT": `SELECT` stands where ( is expected
        WITH a (SELECT 1) SELECT * FROM a
        WITH AS (SELECT 1) SELECT 1
        SELECT id FROM orders WHERE id IS 5
          "5": `5` stands where [NOT] NULL | TRUE | FALSE | DISTINCT | [form] NORMALIZED FROM after IS is expected
        SELECT id FROM orders WHERE NOT
          "NOT": there is no column `NOT` in orders
        SELECT NOT FROM orders
          "FROM": there is no column `FROM`
          help: did you mean the keyword `FROM`?
        SELECT 1 +  FROM orders
          "FROM": there is no column `FROM`
          help: did you mean the keyword `FROM`?
        SELECT 0x1G FROM orders
        SELECT b'01' FROM orders
          "b'01'": a literal of this kind is not supported: '01'
        SELECT 99999999999999999999999999999999999999999999 FROM orders
        SELECT JSON_OBJECT('a': 1) FROM orders
          ":": `:` stands where ) is expected
        SELECT IF(id > 1, 2, 3) FROM orders
          "IF": there is no function `if`
          help: write CASE WHEN a > 0 THEN b ELSE c END
        SELECT MATCH (id) AGAINST ('x') FROM orders
          "CREATE MATERIALIZED VIEW v AS SELECT MATCH (id) AGAINST ('x') FROM orders": MATCH … AGAINST is not supported
          help: write name ILIKE '%word%'
        SELECT id[1] FROM orders
          "id[1": a value of type bigint has no items that [ ] could take
          help: tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text
        SELECT customer[1] FROM orders
          "customer[1": a value of type text has no items that [ ] could take
          help: tags[1] is the first item of a list; write substr(name, 1, 1) for a part of a text
        SELECT order_date.year FROM orders
          "order_date.year": `order_date` has no fields
        SELECT lower(upper) FROM orders
          "upper": there is no column `upper` in orders
    "#]].assert_eq(&shown);
}

#[test]
fn no_message_shows_the_syntax_tree() {
    let of_parser = ["Ident(", "Identifier", "Span(", "sqltorel", "Wildcard {", "Literal(", "Expr"];
    for query in QUERIES.lines() {
        for problem in planned(&format!("CREATE MATERIALIZED VIEW v AS {query}")).err().unwrap_or_default() {
            let told = format!("{} {:?}", problem.message, problem.help);
            assert!(!of_parser.iter().any(|word| told.contains(word)), "{query}: {told}");
        }
    }
}

#[test]
fn every_statement_of_a_file_is_told_of_in_order() {
    let file = "CREATE MATERIALIZED VIEW v AS SELECT totl FROM orders;
CREATE MATERIALIZED VIEW w AS SELECT id FORM orders;
CREATE MATERIALIZED VIEW x AS SELECT date_part('yaer', order_date) FROM orders;
CREATE MATERIALIZED VIEW fine AS SELECT id FROM orders;
CREATE MATERIALIZED VIEW y AS SELECT 'abc FROM orders";
    let Err(problems) = planned(file) else { panic!("four statements are wrong") };
    let told = problems.iter().map(|problem| {
        let line = file[..problem.span.start].lines().count();
        format!("{line}: {}", problem.message)
    });
    expect![[r#"
        1: there is no column `totl` in orders
        2: `orders` is not expected here
        3: date part 'yaer' not supported
        5: unterminated string literal"#]]
    .assert_eq(&told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn problems_of_a_file_are_bounded() {
    let file: String =
        (0..30).map(|i| format!("CREATE MATERIALIZED VIEW v{i} AS SELECT totl FROM orders;\n")).collect();
    let Err(problems) = planned(&file) else { panic!("all statements are wrong") };
    assert_eq!(problems.len(), 20);
    let last = &problems[19].message;
    assert!(last.ends_with("(and 10 further problems in this file)"), "{last}");
}
