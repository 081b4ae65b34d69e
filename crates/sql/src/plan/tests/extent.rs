//! Little text that stands for a lot: refused before it is analysed, with the limit that it passes.

use expect_test::{Expect, expect};

use super::world::planned;
use crate::definitions::Problem;

/// Plans with the stack that definitions are planned with; what is wrong.
fn problems(text: &str) -> Vec<Problem> {
    std::thread::scope(|scope| {
        let large = std::thread::Builder::new().stack_size(32 << 20);
        let planning = large.spawn_scoped(scope, || planned(text).err().unwrap_or_default());
        planning.expect("a thread").join().expect("planning ends")
    })
}

fn check(text: &str, expected: &Expect) {
    let problems = problems(text);
    assert!(!problems.is_empty(), "it is not refused");
    let shown: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
    expected.assert_eq(&shown.join("\n"));
}

/// Views each made of the one before: `{}` stands for its name.
fn chain(count: usize, first: &str, next: &str) -> String {
    let mut text = format!("CREATE VIEW v0 AS {first};\n");
    for number in 1..count {
        let query = next.replace("{}", &format!("v{}", number - 1));
        text += &format!("CREATE VIEW v{number} AS {query};\n");
    }
    text
}

/// The same as queries of one WITH.
fn with(count: usize, first: &str, next: &str) -> String {
    let mut text = format!("CREATE VIEW w AS WITH v0 AS ({first})");
    for number in 1..count {
        let query = next.replace("{}", &format!("v{}", number - 1));
        text += &format!(", v{number} AS ({query})");
    }
    text + &format!(" SELECT * FROM v{};\n", count - 1)
}

#[test]
fn plain_views_that_double() {
    check(
        &chain(40, "SELECT 1 AS x", "SELECT * FROM {} UNION ALL SELECT * FROM {}"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, the statement has more than 100000 columns and expressions"
        ],
    );
}

#[test]
fn plain_views_in_a_long_chain() {
    check(
        &chain(300, "SELECT order_id AS x FROM sales", "SELECT x FROM {} WHERE x > 1"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, the statement has more than 200 steps one upon the other (joins, selections, groupings, windows)"
        ],
    );
}

#[test]
fn with_queries_in_a_long_chain() {
    check(
        &with(120, "SELECT order_id AS x FROM sales", "SELECT x FROM {}"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, the statement has more than 200 steps one upon the other (joins, selections, groupings, windows)"
        ],
    );
}

#[test]
fn columns_that_double() {
    let doubled = with(30, "SELECT order_id AS x FROM sales", "SELECT x + x AS x FROM {}");
    check(
        &doubled.replace("SELECT * FROM v29", "SELECT * FROM v29 WHERE x > 0"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, a condition has more than 50000 parts: it is computed from columns that are computed from others many times over"
        ],
    );
    let grouped = with(30, "SELECT order_id AS x FROM sales", "SELECT x + x AS x FROM {} GROUP BY x + x");
    check(
        &grouped.replace("SELECT * FROM v29", "SELECT * FROM v29 WHERE x > 0"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, a condition has more than 50000 parts: it is computed from columns that are computed from others many times over"
        ],
    );
}

#[test]
fn columns_that_nest() {
    let sum = format!("SELECT x{} AS x FROM {{}}", " + 1".repeat(150));
    check(
        &chain(5, "SELECT order_id AS x FROM sales", &sum),
        &expect![
            "with its WITH queries, subqueries and plain views written out, an expression has more than 600 operators one within the other"
        ],
    );
}

#[test]
fn wide_selects_one_upon_the_other() {
    let columns = |column: &dyn Fn(usize) -> String| (0..400).map(column).collect::<Vec<_>>().join(", ");
    let first = format!("SELECT {} FROM sales", columns(&|i| format!("abs(order_id) AS c{i}")));
    let next = format!("SELECT {} FROM {{}}", columns(&|i| format!("c{i}")));
    check(
        &with(40, &first, &next),
        &expect![
            "with its WITH queries, subqueries and plain views written out, the columns of each SELECT times all columns and expressions below it are more than 50000000"
        ],
    );
    let problems = problems(&with(10, &first, &next));
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn windows_one_upon_the_other() {
    let windows = (0..250).map(|i| format!("sum(order_id) OVER (ORDER BY power(order_id, {i})) AS a{i}"));
    let windows = windows.collect::<Vec<_>>().join(", ");
    check(
        &format!("CREATE VIEW w AS SELECT {windows} FROM sales;"),
        &expect![
            "with its WITH queries, subqueries and plain views written out, the statement has more than 200 steps one upon the other (joins, selections, groupings, windows)"
        ],
    );
}

#[test]
fn relations_with_more_columns_than_a_join_can_list() {
    let columns = (0..1_000).map(|i| format!("{i} AS c{i}")).collect::<Vec<_>>().join(", ");
    let joined = (0..5).map(|i| format!("wide AS w{i}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "CREATE VIEW wide AS SELECT {columns};\nCREATE VIEW j AS SELECT count(*) AS n FROM {joined};"
    );
    check(&text, &expect!["the relations in FROM have more than 4000 columns in all"]);
}

#[test]
fn honest_chains_are_within_the_limits() {
    for text in [
        chain(30, "SELECT order_id AS x FROM sales", "SELECT x + 1 AS x FROM {} WHERE x > 1"),
        with(40, "SELECT order_id AS x FROM sales", "SELECT x + 1 AS x FROM {} WHERE x > 1"),
        with(10, "SELECT order_id AS x FROM sales", "SELECT x + x AS x FROM {} WHERE x > 1"),
    ] {
        let problems = problems(&text);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
