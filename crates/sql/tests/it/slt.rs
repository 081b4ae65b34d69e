//! Golden files: each is run straight, and again with a crash after every batch of events.
//!
//! The format is sqllogictest's (`statement ok`, `statement error`, `query TIR rowsort`, `----`), with what a
//! stream needs besides:
//!
//! ```text
//! topic store.orders partitions 2 time order_date lateness 600    then the JSON Schema of its data, if it has one
//! table store.products key product_id                             then CSV
//! events store.orders partition 0 key customer headers a=b,c=d    then one event a line, JSON or not
//! clock 2026-05-01T12:00:00Z                                      where it stands from here on
//! restart                                                         of the engine, in order
//! drop v                                                          no longer declares a view
//! status store.v                                                  what the engine says of a view
//! letters store.v                                                 its dead letters: place and reason
//! explain store.v                                                 how it is computed
//! ```
//!
//! A line of an answer that begins with `!` is a value that could not be computed, and is null above.
//!
//! A `CREATE` declares a view of the team `store`, in place of one of the same name; any other statement is an
//! ad-hoc query. `UPDATE_EXPECT=1` writes what came out into the file.

mod answer;
mod file;
mod run;

use expect_test::expect_file;

/// When the engine crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crashes {
    Never,
    /// While a batch of events is taken in, and again once it is.
    AfterEvents,
}

fn check(name: &str) {
    let golden = expect_file![format!("../slt/{name}.slt")];
    let text = golden.data();
    let straight = run::run(&text, Crashes::Never);
    golden.assert_eq(&straight);
    let crashed = run::run(&straight, Crashes::AfterEvents);
    golden.assert_eq(&crashed);
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn no_file_is_forgotten() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
            let mut found: Vec<_> = std::fs::read_dir(folder)
                .expect("a folder")
                .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
                .collect();
            found.sort_unstable();
            let mut known = vec![$(concat!(stringify!($name), ".slt")),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

files! {
    above_the_cut
    changing_type
    clock
    division
    drop_and_change
    envelope
    errors
    explain
    filter_and_projection
    group_by
    lookup_join
    names
    null_keys
    ordered_aggregates
    overflow
    postgres
    queries
    refused
    row_errors
    scalar_functions
    show
    statistics
    tumble
    unnest
    unread_columns
    views_over_views
    window_close
    without_schema
}
