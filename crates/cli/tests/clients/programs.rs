//! Each scenario of each program, against a server of its own.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use factum_testkit::{FactumProcess, Launch};

use crate::factum_that_comes_back;

/// What a program says to have the server killed and started again; it then waits for a line on standard input.
const KILL: &str = "\"kill\"";

#[track_caller]
fn run(language: &str, scenario: &str) {
    let (_data, factum) = factum_that_comes_back();
    run_against(factum, language, scenario);
}

#[track_caller]
fn run_against(mut factum: FactumProcess, language: &str, scenario: &str) {
    let mut program = start(language, &factum.kafka(), &factum.http(), scenario, None);
    watch(&mut program, &mut factum);
}

#[track_caller]
fn watch(program: &mut Child, factum: &mut FactumProcess) {
    let mut errors = program.stderr.take().expect("piped");
    let collect = move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    };
    let errors = std::thread::Builder::new().spawn(collect).expect("a thread can be started");
    let mut stdin = program.stdin.take().expect("piped");
    let mut said = String::new();
    for line in BufReader::new(program.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        if line.contains(KILL) {
            factum.kill();
            factum.restart();
            writeln!(stdin, "it is there again").expect("the program listens");
        }
        said = said + &line + "\n";
    }
    let status = program.wait().expect("the program ends");
    let failed = errors.join().expect("it ends with the program").expect("text");
    assert!(status.success(), "{status}\n{said}\n{failed}");
    assert!(said.contains('{'), "it ended well and said nothing of what it did\n{failed}");
}

#[track_caller]
fn start(language: &str, bootstrap: &str, registry: &str, scenario: &str, authority: Option<&Path>) -> Child {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/run");
    let mut command = Command::new(&program);
    command.args([language, bootstrap, scenario]);
    command.env("SCHEMA_REGISTRY", registry);
    command.envs(authority.map(|authority| ("SSL_CA", authority)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()))
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
    python: codecs group resume time admin idempotent transactions exactly_once fencing timeout killed;
    java: codecs group consumer_group resume time admin idempotent transactions exactly_once fencing timeout killed word_count quotas;
    confluent: client avro json protobuf references evolution;
    go: codecs group resume time admin idempotent transactions exactly_once fencing timeout killed;
}

/// Azure's client takes nothing but HTTPS, which is what `factum dev --tls` is for.
mod azure {
    macro_rules! scenarios {
        ($($scenario:ident)*) => {$(
            #[test]
            fn $scenario() {
                let folder = tempfile::tempdir().expect("a folder");
                let launch = factum_testkit::Launch::new(env!("CARGO_BIN_EXE_factum")).tls(folder.path());
                let mut factum = launch.start();
                let authority = folder.path().join("factum/tls/ca.pem");
                let scenario = stringify!($scenario);
                let (kafka, http) = (factum.kafka(), factum.http());
                let mut program = super::start("azure", &kafka, &http, scenario, Some(&authority));
                super::watch(&mut program, &mut factum);
            }
        )*};
    }
    scenarios! { client avro json }
}

/// Kafka's own client as the administrator of users and access rules.
#[test]
fn users_and_rules_are_administered_by_java() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("factum.toml");
    let text = "[access]\nmode = \"acl\"\nsuper_users = [\"User:ANONYMOUS\"]\n";
    std::fs::write(&config, text).expect("written");
    let launch =
        Launch::new(env!("CARGO_BIN_EXE_factum")).config(config).data_dir(folder.path().join("data"));
    run_against(launch.start(), "java", "acls");
}
