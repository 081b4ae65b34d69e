//! Compares Avro schemas, their verdicts on each other, and their values with Java Avro's.

mod corpus;
mod java;
mod random;
mod values;

use factum_registry::avro::Schema;
use factum_registry::{Incompatibility, ReferencedSchema};

use corpus::Model;
use random::Random;

const PAIRS: usize = 6_000;

fn parse(text: &str) -> Result<Schema, String> {
    Schema::parse(text, &[]).map_err(|error| error.to_string())
}

/// The verdict as Java gives it.
fn verdict(reader: &Schema, writer: &Schema) -> Vec<String> {
    let found = Schema::incompatibilities(reader, writer);
    let line = |found: &Incompatibility| {
        format!("{} {} {}", found.kind, found.path, found.detail.as_deref().unwrap_or_default())
    };
    if found.is_empty() { vec!["compatible".to_owned()] } else { found.iter().map(line).collect() }
}

/// Whether Java refuses a schema for a reason of its own: it cannot check a default that goes through a record that it
/// is still reading. Here it is checked when all is read.
fn is_unchecked(java: &[String]) -> bool {
    java[0] == "error" && java[1].contains("Schema fields not set yet")
}

/// Whether two verdicts are one: Java throws where a field is two of the writer's, and says nothing of all others.
fn is_same(ours: &[String], java: &[String]) -> bool {
    if java[0] == "error" && java[1].contains("matches multiple fields") {
        // Within a branch of a union it is the branch that is missing.
        return ours[0] != "compatible";
    }
    ours == java || is_unchecked(java)
}

#[test]
fn verdicts_kinds_and_places_are_those_of_java() {
    let mut random = Random::new(12);
    let mut pairs = Vec::with_capacity(PAIRS);
    while pairs.len() < PAIRS {
        let model = Model::new(&mut random);
        let mut changed = model.clone();
        for _ in 0..1 + random.below(5) {
            changed.change(&mut random);
        }
        let (reader, writer) = (changed.text(), model.text());
        if let (Ok(a), Ok(b)) = (parse(&reader), parse(&writer)) {
            let ours = verdict(&a, &b);
            pairs.push((reader, writer, ours));
        }
    }
    let answers =
        java::ask(pairs.iter().map(|(reader, writer, _)| vec!["compare", reader.as_str(), writer.as_str()]));
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for ((reader, writer, ours), java) in pairs.iter().zip(&answers) {
        assert!(is_same(ours, java), "reader {reader}\nwriter {writer}\n ours {ours:?}\n java {java:?}");
        let mut words: Vec<_> = ours.iter().filter_map(|line| line.split(' ').next()).collect();
        words.dedup();
        words.into_iter().for_each(|kind| *kinds.entry(kind.to_owned()).or_default() += 1);
    }
    let compatible = kinds["compatible"];
    assert!((PAIRS / 3..PAIRS * 2 / 3).contains(&compatible), "about a half is compatible: {kinds:?}");
    assert_eq!(kinds.len(), 8, "each kind, and compatible: {kinds:?}");
    assert!(kinds.values().all(|count| *count >= 20), "each more than once or twice: {kinds:?}");
}

#[test]
fn texts_and_fingerprints_are_those_of_java() {
    let mut random = Random::new(13);
    let texts: Vec<String> = (0..3_000)
        .map(|_| {
            let mut model = Model::new(&mut random);
            for _ in 0..random.below(4) {
                model.change(&mut random);
            }
            model.text()
        })
        .collect();
    let answers = java::ask(texts.iter().map(|text| vec!["schema", text.as_str()]));
    let (mut refused, mut unchecked) = (0, 0);
    for (text, java) in texts.iter().zip(&answers) {
        let ours = match parse(text) {
            Ok(schema) => {
                let canonical = schema.canonical();
                let again = parse(&canonical).expect("its own text");
                assert_eq!(again.canonical(), canonical, "of {text}");
                assert_eq!(again.normalized(), schema.normalized(), "of {text}");
                let normal = parse(&schema.normalized()).expect("its own text");
                assert_eq!(normal.normalized(), schema.normalized(), "of {text}");
                assert_eq!(normal.parsing_canonical_form(), schema.parsing_canonical_form(), "of {text}");
                vec![canonical, schema.parsing_canonical_form(), format!("{:x}", schema.fingerprint())]
            }
            Err(reason) => {
                refused += 1;
                assert_eq!(java[0], "error", "{text}\nours: {reason}\njava: {java:?}");
                continue;
            }
        };
        assert!(ours == *java || is_unchecked(java), "of {text}\nours: {ours:?}\njava: {java:?}");
        unchecked += usize::from(is_unchecked(java));
    }
    assert!(unchecked < 60, "{unchecked} have defaults that Java cannot check");
    assert!((20..1_000).contains(&refused), "{refused} are refused by both");
}

#[test]
fn types_of_references_are_written_by_their_names() {
    let inner = r#"{"type":"record","name":"x.In","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}}]}"#;
    let middle = r#"{"type":"array","items":"x.In"}"#;
    let text = r#"{"type":"record","name":"x.Out","fields":[{"name":"a","type":"In"},{"name":"b","type":"E"},{"name":"c","type":["null","E"]}]}"#;
    let references = [("in", inner), ("middle", middle)]
        .map(|(name, text)| ReferencedSchema { name: name.to_owned(), text: text.into() });
    let schema = Schema::parse(text, &references).expect("a schema");
    let java = java::ask([vec!["referring", text, inner, middle]]);
    assert_eq!(java, [[schema.canonical()]]);
}

/// Schemas that only one of the two takes, with the reason.
#[test]
fn differences_are_these_and_no_others() {
    for (text, is_ours, why) in [
        (
            r#"{"type":"record","name":"a.R","fields":[{"name":"f","type":{"type":"a.R"}}]}"#,
            true,
            "a name in place of a type, as Java Avro took it up to 1.11",
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"f","type":{"type":"record","name":"x.S","fields":[{"name":"g","type":["null","R"]}]}}]}"#,
            true,
            "a name of no namespace, used within one before its type has ended: it is defined all the same",
        ),
        (
            r#"{"type":"record","name":"a.R","fields":[{"name":"f","type":[".R","null"]}]}"#,
            false,
            "no type R",
        ),
        (
            r#"{"type":"record","name":"a.R","fields":[{"name":"f","type":[[],"null"]}]}"#,
            false,
            "a union in a union",
        ),
        (r#""int" // a comment"#, true, "a comment behind the schema, where Java takes it for a second one"),
    ] {
        let ours = parse(text);
        assert_eq!(ours.is_ok(), is_ours, "{why}: {ours:?}");
        let java = java::ask([vec!["schema", text]]);
        assert_eq!(java[0][0], "error", "{why}: {java:?}");
    }
}

/// An alias of no namespace keeps its dot, for without one it would be of the type's namespace when it is read again.
#[test]
fn aliases_of_no_namespace_keep_their_dot() {
    let text = r#"{"type":"record","name":"a.R","aliases":[".Q"],"fields":[]}"#;
    let end = |alias: &str| {
        format!(r#"{{"type":"record","name":"R","namespace":"a","fields":[],"aliases":["{alias}"]}}"#)
    };
    assert_eq!(parse(text).expect("a schema").canonical(), end(".Q"));
    assert_eq!(java::ask([vec!["schema", text]])[0][0], end("Q"));
}
