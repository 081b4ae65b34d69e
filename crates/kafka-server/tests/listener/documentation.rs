//! The book says what is served.

use factum_kafka_server::messages::ApiKey;

#[test]
fn the_books_table_of_versions_is_the_one_that_is_advertised() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kafka.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let rows: Vec<_> = page.lines().filter_map(row).collect();
    let expected: Vec<_> = ApiKey::ALL.iter().map(|api| expected(*api)).collect();
    assert_eq!(rows, expected);
}

/// The API and versions of a row of the table, if the line is one.
fn row(line: &str) -> Option<String> {
    let mut cells = line.split('|').map(str::trim).skip(1);
    let (api, versions) = (cells.next()?, cells.next()?);
    let (low, high) = versions.split_once('–')?;
    low.parse::<i16>().and(high.parse::<i16>()).ok()?;
    Some(format!("{api} {versions}"))
}

fn expected(api: ApiKey) -> String {
    let (low, high) = api.advertised_versions().into_inner();
    format!("{api} {low}–{high}")
}
