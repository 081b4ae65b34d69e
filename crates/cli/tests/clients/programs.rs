//! Each scenario of each program, against a server of its own.

use std::path::Path;
use std::process::Command;

use crate::factum;

#[track_caller]
fn run(language: &str, scenario: &str) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/run");
    let factum = factum();
    let output = Command::new(&program).args([language, &factum.kafka(), scenario]).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{failed}", output.status);
    assert!(said.contains('{'), "it ended well and said nothing of what it did\n{failed}");
}

macro_rules! scenarios {
    ($($language:ident: $($scenario:ident)*;)*) => {$(
        mod $language {
            $(
                #[test]
                fn $scenario() {
                    super::run(stringify!($language), stringify!($scenario));
                }
            )*
        }
    )*};
}

scenarios! {
    python: codecs group resume time admin idempotent;
    java: codecs group resume time admin idempotent transactional;
    go: codecs group resume time admin idempotent;
}
