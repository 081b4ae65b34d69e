//! `cargo xtask tidy`, one planted fault or family of faults a test.

use expect_test::expect;

use crate::planted_workspace::PlantedWorkspace;

#[test]
fn a_clean_workspace_has_no_findings() {
    PlantedWorkspace::new().tidy(&expect![[r#"
        tidy: 0 to mend, 0 warnings
    "#]]);
}

#[test]
fn an_upward_dependency_is_caught_in_the_real_manifests() {
    let real = PlantedWorkspace::copy_of_this_repository();
    real.tidy_rule("layering", &expect![""]);
    real.depend("base", "factum-eventlog.workspace = true");
    real.tidy_rule("layering", &expect![[r#"
        crates/base/Cargo.toml:L: layering: factum-base (Mechanism) depends upward on factum-eventlog (Interface); arrows point down only: define a small trait in factum-base and let factum-server wire it, or move what both need down
    "#]]);
}

#[test]
fn an_upward_dependency_that_closes_a_circle_is_still_named() {
    let real = PlantedWorkspace::copy_of_this_repository();
    real.depend("log", "factum-server.workspace = true");
    real.tidy_rule("layering", &expect![[r#"
        crates/log/Cargo.toml:L: layering: factum-log (Mechanism) depends upward on factum-server (Composition); arrows point down only: define a small trait in factum-log and let factum-server wire it, or move what both need down
    "#]]);
    real.tidy_rule(
        "licence",
        &expect![[r#"
        Cargo.toml:1: licence: cargo cannot resolve the dependencies; cargo metadata says why
    "#]],
    );
}

#[test]
fn siblings_missing_arrows_and_shipped_test_equipment_are_caught() {
    let planted = PlantedWorkspace::new();
    planted.member("base", "").member("log", "factum-base = { path = \"../base\" }");
    planted.member("eventlog", "factum-log = { path = \"../log\" }");
    planted.member("testkit", "").member("server", "factum-testkit = { path = \"../testkit\" }");
    planted.member("stray", "");
    planted.tidy(&expect![[r#"
        crates/eventlog/Cargo.toml:9: layering: factum-eventlog → factum-log is not an arrow of the map; go through what factum-eventlog may use (factum-types), or argue for the arrow in xtask/src/tidy/layers.rs and ARCHITECTURE.md
        crates/log/Cargo.toml:9: layering: factum-log and factum-base are siblings (Mechanism) and never import each other: define a small trait in factum-log and let factum-server wire it
        crates/server/Cargo.toml:9: layering: factum-server ships factum-testkit, which is test equipment; make it a dev-dependency
        crates/stray/Cargo.toml:1: layering: factum-stray has no place on the map; give it one in xtask/src/tidy/layers.rs and ARCHITECTURE.md
        tidy: 4 to mend, 0 warnings
    "#]]);
}

#[test]
fn dev_dependencies_are_free() {
    let planted = PlantedWorkspace::new();
    planted
        .member("testkit", "")
        .member("log", "[dev-dependencies]\nfactum-testkit = { path = \"../testkit\" }");
    planted.tidy(&expect![[r#"
        tidy: 0 to mend, 0 warnings
    "#]]);
}

#[test]
fn foreign_crates_keep_to_their_quarantine() {
    let planted = PlantedWorkspace::new();
    planted.vendor("axum", "MIT").vendor("tokio", "MIT");
    planted.member(
        "types",
        "axum = { path = \"../../../vendor/axum\" }\ntokio = { path = \"../../../vendor/tokio\" }",
    );
    planted.tidy_rule("layering", &expect![[r#"
        crates/types/Cargo.toml:L: layering: factum-types depends on axum, which is kept to factum-http-api: HTTP serving stays at the edge
        crates/types/Cargo.toml:L: layering: factum-types must not depend on tokio: types does no I/O
    "#]]);
}

#[test]
fn licences_bans_and_sources_follow_deny_toml() {
    let planted = PlantedWorkspace::new();
    planted.vendor("openssl-sys", "GPL-3.0-only");
    planted.member("log", "openssl-sys = { path = \"../../../vendor/openssl-sys\" }");
    planted.tidy(&expect![[r#"
        Cargo.lock:17: ban: openssl-sys 0.1.0 is banned by deny.toml (TLS is rustls, so that the binary needs no system library); cargo tree -i openssl-sys says who brings it
        Cargo.lock:17: source: openssl-sys 0.1.0 is a path outside this workspace; depend on a published version
        Cargo.lock:17: licence: openssl-sys 0.1.0 is under "GPL-3.0-only", which deny.toml does not allow; find another crate, or allow the licence in deny.toml
        tidy: 3 to mend, 0 warnings
    "#]]);
    planted.file("deny.toml", "[graph]\n");
    planted.tidy_rule(
        "licence",
        &expect![[r#"
        deny.toml:1: licence: cannot be parsed: TOML parse error at line 1, column 1
    "#]],
    );
}

#[test]
fn status_and_error_codes_stay_at_the_edge() {
    let planted = PlantedWorkspace::new();
    let mentions = "//! Codes.\npub fn f() -> StatusCode { ErrorCode::NONE }\n// StatusCode in a comment\n\
                    #[cfg(test)]\nmod tests { fn g() { StatusCode::OK; } }\n";
    planted.file("crates/log/src/lib.rs", mentions);
    planted.member("types", "").file("crates/types/tests/wire.rs", "fn t() { StatusCode; }\n");
    planted.member("base", "").member("http-api", "").file("crates/http-api/src/lib.rs", mentions);
    planted.tidy(&expect![[r#"
        crates/log/src/lib.rs:2: edge-codes: StatusCode in factum-log: only edge crates know status and error codes; return a typed error and map it in factum-http-api or factum-kafka-server
        crates/log/src/lib.rs:2: edge-codes: ErrorCode in factum-log: only edge crates know status and error codes; return a typed error and map it in factum-http-api or factum-kafka-server
        tidy: 2 to mend, 0 warnings
    "#]]);
}

#[test]
fn only_the_disk_touches_files() {
    let planted = PlantedWorkspace::new();
    let writes = "use std::fs;\nfn f() { fs::write(\"a\", \"b\"); File::open(\"a\")?.sync_all(); }\n\
                  #[cfg(test)]\nmod tests { use std::fs; }\n";
    planted.file("crates/log/src/lib.rs", "//! Log.\nmod disk;\nmod segment;\nmod tests;\n");
    planted.file("crates/log/src/disk.rs", writes).file("crates/log/src/segment.rs", writes);
    planted.file("crates/log/src/tests.rs", "");
    planted.tidy(&expect![[r#"
        crates/log/src/segment.rs:1: disk: a file is touched outside log::disk; take a Disk, or name the path with its reason in xtask/src/tidy/disk.rs
        crates/log/src/segment.rs:2: disk: a file is touched outside log::disk; take a Disk, or name the path with its reason in xtask/src/tidy/disk.rs
        tidy: 2 to mend, 0 warnings
    "#]]);
}

#[test]
fn long_files_warn_and_then_fail_and_long_functions_fail() {
    let planted = PlantedWorkspace::new();
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// t\n".repeat(900));
    planted.file("crates/log/src/lib.rs", "//! Log.\nmod a;\nmod b;\nmod c;\n");
    planted.file("crates/log/src/a.rs", &format!("{}{tests}", "// a\n".repeat(601)));
    planted.file("crates/log/src/b.rs", &"// b\n".repeat(1001));
    let body = |lines: usize| format!("fn f{lines}() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
    let snapshot = format!("fn s() {{\n    let x = \"\n{}\";\n}}\n", "row\n".repeat(100));
    planted.file("crates/log/src/c.rs", &format!("{}{}{snapshot}", body(70), body(71)));
    planted.tidy(&expect![[r#"
        crates/log/src/a.rs:600: file-size (warning): 601 lines without tests; split it by noun (as a rule 600, at most 1000)
        crates/log/src/b.rs:600: file-size: 1001 lines without tests; split it by noun (as a rule 600, at most 1000)
        crates/log/src/c.rs:71: function-length: fn f71 has 71 lines; name its steps and make them functions (at most 70)
        tidy: 2 to mend, 1 warnings
    "#]]);
}

#[test]
fn a_file_that_no_mod_reaches_is_dead() {
    let planted = PlantedWorkspace::new();
    planted.file("crates/log/src/lib.rs", "//! Log.\nmod a;\n#[path = \"odd/name.rs\"]\nmod odd;\nmod inline { mod deep; }\n// mod forgotten;\n");
    planted.file("crates/log/src/a.rs", "mod b;\n").file("crates/log/src/a/b.rs", "");
    planted.file("crates/log/src/odd/name.rs", "").file("crates/log/src/inline/deep/mod.rs", "");
    planted.file("crates/log/tests/it.rs", "mod common;\n").file("crates/log/tests/common/mod.rs", "");
    planted.file("crates/log/src/forgotten.rs", "").file("crates/log/tests/common/lost.rs", "");
    planted.tidy(&expect![[r#"
        crates/log/src/forgotten.rs:1: dead-file: no mod declaration reaches this file; declare it or delete it
        crates/log/tests/common/lost.rs:1: dead-file: no mod declaration reaches this file; declare it or delete it
        tidy: 2 to mend, 0 warnings
    "#]]);
}

#[test]
fn a_crate_says_what_it_is() {
    let planted = PlantedWorkspace::new();
    planted.file("crates/log/src/lib.rs", "// Log.\n");
    planted.tidy(&expect![[r#"
        crates/log/src/lib.rs:1: module-header: does not open with //!; say what the crate is, its invariants, and what is not here
        tidy: 1 to mend, 0 warnings
    "#]]);
}

#[test]
fn notes_to_self_and_machine_paths_are_left_out_of_commits() {
    let planted = PlantedWorkspace::new();
    let (note, home) = (concat!("TO", "DO"), concat!("/ho", "me"));
    planted.file(
        "crates/log/src/lib.rs",
        &format!("//! Log.\n// {note}: later\n// {note}(#12): with an issue\n"),
    );
    planted
        .file("docs/run.md", &format!("cd {home}/ada/factum\ncd ~{home}/ada\nsee https://x.org{home}/ada\n"));
    planted.tidy_rule(
        "leftover",
        &expect![[r#"
        crates/log/src/lib.rs:L: leftover: a note to self without an issue; do it, delete it, or name its issue as in (#12)
    "#]],
    );
    planted.tidy_rule(
        "machine-path",
        &expect![[r#"
            docs/run.md:1: machine-path: names a folder of one machine; use a relative path or a variable
        "#]],
    );
}

#[test]
fn coined_words_and_names_of_tests_that_say_nothing_are_caught() {
    let planted = PlantedWorkspace::new();
    let (again, forever) = (concat!("an", "ew"), concat!("for ", "ever"));
    let (test, tokio_test) = ("#[test]\nfn what_is_kept() {}", "#[tokio::test]\nasync fn nothing_waits() {}");
    planted.file(
        "crates/log/src/lib.rs",
        &format!("//! What lies in a log.\n// Begun {again}.\nfn who_writes() {{}}\n{test}\n{tokio_test}\n#[test]\nfn gaps_are_reported() {{}}\n"),
    );
    planted.file("docs/run.md", &format!("Kept {forever}, or {forever}more.\n"));
    planted.tidy(&expect![[r#"
        crates/log/src/lib.rs:1: headline: a headline is a noun phrase that says what the file is (docs/style.md)
        crates/log/src/lib.rs:2: words: "anew" is not a word of ours (docs/style.md); write: again, from scratch, or a verb with re-: rebuilt, recreated
        crates/log/src/lib.rs:5: test-name: what_is_kept is no name for a test; say the behaviour that it checks
        crates/log/src/lib.rs:7: test-name: nothing_waits is no name for a test; say the behaviour that it checks
        docs/run.md:1: words: "for ever" is not a word of ours (docs/style.md); write: forever, without an end
        tidy: 5 to mend, 0 warnings
    "#]]);
}

#[test]
fn participles_as_names_of_types_are_caught() {
    let planted = PlantedWorkspace::new();
    let types = "pub struct Kept;\npub(crate) enum JustSealed {}\ntrait Followed {}\ntype Read<'a> = &'a str;\nstruct LeftOut;\n";
    let nouns = "struct KeptRows;\nstruct Feed;\nstruct PowerCut;\nenum Outcome { Applied, Refused }\n// struct Asked;\n";
    planted.file("crates/log/src/lib.rs", &format!("//! X.\n{types}{nouns}"));
    planted.file("crates/log/tests/log.rs", "//! X.\nstruct Told;\n");
    planted.tidy(&expect![[r#"
        crates/log/src/lib.rs:2: type-name: Kept is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        crates/log/src/lib.rs:3: type-name: JustSealed is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        crates/log/src/lib.rs:4: type-name: Followed is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        crates/log/src/lib.rs:5: type-name: Read is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        crates/log/src/lib.rs:6: type-name: LeftOut is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        crates/log/tests/log.rs:2: type-name: Told is no noun; name what the thing is, as in AppendResult or OpenSegment (docs/style.md)
        tidy: 6 to mend, 0 warnings
    "#]]);
}
