//! `cargo xtask docs`.

use expect_test::expect;

use crate::planted_workspace::PlantedWorkspace;

#[test]
fn a_whole_book_has_no_findings() {
    let planted = PlantedWorkspace::new();
    planted.file("docs/SUMMARY.md", "# Summary\n\n[Start](start.md)\n- [Log](format/log.md)\n");
    planted.file(
        "docs/start.md",
        "# Start\nSee [the log](format/log.md#the-log) or [below](#below).\n## Below\n",
    );
    planted.file(
        "docs/format/log.md",
        "# The log\n[up](../start.md) [code](../../crates/log/src/lib.rs) [x](https://example.org)\n",
    );
    planted.docs(&expect![[r#"
        docs: 0 to mend, 0 warnings
    "#]]);
}

#[test]
fn forgotten_pages_and_links_to_nowhere_are_caught() {
    let planted = PlantedWorkspace::new();
    planted.file("docs/SUMMARY.md", "# Summary\n\n[Start](start.md)\n- [Gone](gone.md)\n");
    planted.file("docs/start.md", "# Start\n[a](SUMMARY.md#nowhere)\n```text\n[b](in-code.md)\n```\n");
    planted.file("docs/lost.md", "# Lost\n").file("README.md", "[licence](LICENSE)\n");
    planted.docs(&expect![[r#"
        README.md:1: link: LICENSE does not exist; mend the link or write LICENSE
        docs/SUMMARY.md:4: link: gone.md does not exist; mend the link or write docs/gone.md
        docs/lost.md:1: book: is in no chapter; add it to docs/SUMMARY.md
        docs/start.md:2: link: docs/SUMMARY.md has no heading #nowhere
        docs: 4 to mend, 0 warnings
    "#]]);
}
