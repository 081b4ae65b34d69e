//! Definitions are planned where there is stack enough, on no thread that others wait for.

use factum_sql::ApplyError;

use crate::world::{World, small};

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
