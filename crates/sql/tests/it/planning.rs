//! Definitions are planned where there is stack enough, on no thread that others wait for.

use factum_sql::ApplyError;

use crate::world::{World, everything, small};

fn chain(count: usize) -> String {
    let mut text = "CREATE VIEW v0 AS SELECT order_id AS x FROM orders;\n".to_owned();
    for number in 1..count {
        let before = number - 1;
        text += &format!("CREATE VIEW v{number} AS SELECT x + 1 AS x FROM v{before} WHERE x > 0;\n");
    }
    text
}

#[test]
fn a_long_chain_of_views_needs_no_stack_of_the_one_who_applies_it() {
    let world = World::new(small()).with_orders(1);
    world.apply(&chain(45));
    let problems = match world.block(world.engine().apply(world.definitions(&chain(3_000)))) {
        Err(ApplyError::Refused(problems)) => problems,
        other => panic!("{other:?}"),
    };
    assert!(problems[0].message.contains("more than 200 steps one upon the other"), "{}", problems[0]);
    assert!(problems.len() < 10, "what reads a view that is refused is not to blame: {}", problems.len());
}

#[test]
fn an_explanation_has_a_bound_and_needs_no_stack_of_the_one_who_asks() {
    let world = World::new(small()).with_orders(1);
    let columns: Vec<String> = (0..200).map(|n| format!("order_id + {n} AS c{n}")).collect();
    let mut text = format!("CREATE VIEW w0 AS SELECT {} FROM orders;\n", columns.join(", "));
    for number in 1..8 {
        let columns: Vec<String> = (0..200).map(|n| format!("c{n} + c{} AS c{n}", (n + 1) % 200)).collect();
        text += &format!("CREATE VIEW w{number} AS SELECT {} FROM w{};\n", columns.join(", "), number - 1);
    }
    world.apply(&(text + &chain(45)));
    let explain =
        |query: &str| world.block(world.engine().explain(None, query, everything())).expect("explained");
    let chain = explain("SELECT * FROM store.v44");
    assert!(chain.words.contains("v42.x + 1 AS x\n    filters     v43.x > 0"), "{}", chain.words);
    let wide = explain("SELECT * FROM store.w7");
    assert!(
        wide.words.len() < 3 << 20 && wide.raw.len() < 3 << 20,
        "{} {}",
        wide.words.len(),
        wide.raw.len()
    );
    let deep = format!("SELECT {}1 AS n", "1 + ".repeat(150));
    assert!(explain(&deep).words.contains("returns"));
}
