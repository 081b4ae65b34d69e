//! Values of the corpus' schemas: in our JSON, in Avro's JSON, and in bytes.

use factum_registry::avro::Schema;
use serde_json::{Map, Value, json};

use crate::corpus::{Body, Model, Of};
use crate::random::Random;
use crate::{is_unchecked, java};

/// A value in the JSON of `Schema::decode`, and in Avro's.
struct Pair {
    ours: Value,
    avro: Value,
}

impl Pair {
    fn same(value: Value) -> Self {
        Self { ours: value.clone(), avro: value }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes as Avro's JSON has them.
fn latin(bytes: &[u8]) -> Value {
    json!(bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
}

/// Fewest bytes of a number's two's complement.
fn minimal(number: i64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let sign = if number < 0 { 0xff } else { 0 };
    let is_spare = |at: usize| bytes[at] == sign && (bytes[at + 1] ^ sign) & 0x80 == 0;
    bytes[(0..7).take_while(|at| is_spare(*at)).count()..].to_vec()
}

fn logical(random: &mut Random, of: &str, logical: &str) -> Pair {
    let (days, date) =
        random.pick(&[(-1, "1969-12-31"), (0, "1970-01-01"), (20_788, "2026-12-01"), (11_016, "2000-02-29")]);
    let seconds = random.below(86_400) as i64;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    let (unit, fraction) = match logical.rsplit('-').next() {
        Some("millis") => (1_000, "250"),
        Some("micros") => (1_000_000, "250001"),
        _ => (1_000_000_000, "250000001"),
    };
    let part: i64 = fraction.parse().expect("digits");
    let since = (days * 86_400 + seconds) * unit + part;
    let (ours, avro) = match (of, logical) {
        ("bytes", "decimal") => {
            let number =
                random.pick(&[0, 5, -5, 12_50, -12_50, 127, 128, -128, -129, 999_999_999, -999_999_999]);
            let sign = if number < 0 { "-" } else { "" };
            let size: i64 = i64::abs(number);
            (json!(format!("{sign}{}.{:02}", size / 100, size % 100)), latin(&minimal(number)))
        }
        ("int", "date") => (json!(date), json!(days)),
        (_, "time-millis" | "time-micros") => {
            (json!(format!("{clock}.{fraction}")), json!(seconds * unit + part))
        }
        ("long", local) if local.starts_with("local") => {
            (json!(format!("{date}T{clock}.{fraction}")), json!(since))
        }
        ("long", _) => (json!(format!("{date}T{clock}.{fraction}Z")), json!(since)),
        _ => return Pair::same(json!("0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b")),
    };
    Pair { ours, avro }
}

fn primitive(random: &mut Random, name: &str) -> Pair {
    match name {
        "null" => Pair::same(Value::Null),
        "boolean" => Pair::same(json!(random.one_in(2))),
        "int" => Pair::same(json!(random.pick(&[0, 1, -1, 63, 64, -65, i32::MAX, i32::MIN]))),
        "long" => Pair::same(json!(random.pick(&[0, -1, 1 << 40, i64::MAX, i64::MIN]))),
        "float" => Pair::same(json!(random.pick(&[0.5, -2.25, 1.0, 16_777_216.0]))),
        "double" => match random.below(6) {
            0 => Pair::same(json!(["NaN", "Infinity", "-Infinity"][random.below(3)])),
            _ => Pair::same(json!(random.pick(&[0.1, -2.5e-300, 1.0, 1e22]))),
        },
        "bytes" => {
            let bytes: &[u8] = random.pick(&[&b""[..], b"\x00\xff", b"bytes"]);
            Pair { ours: json!(base64(bytes)), avro: latin(bytes) }
        }
        _ => Pair::same(json!(random.pick(&["", "text", "é \"\\\n\u{1} 😀"]))),
    }
}

/// The form of a type's values in our JSON, and whether a value has another.
fn form(model: &Model, of: &Of) -> &'static str {
    match of {
        Of::Primitive("null") => "null",
        Of::Primitive("boolean") => "boolean",
        Of::Primitive("int" | "long" | "float" | "double") => "number",
        Of::Primitive(_) | Of::Logical(..) => "string",
        Of::Array(_) => "array",
        Of::Map(_) => "object",
        Of::Union(_) => "union",
        Of::Def(at) => {
            if matches!(model.defs[*at].body, Body::Record(_)) {
                "object"
            } else {
                "string"
            }
        }
    }
}

fn branch_name(model: &Model, of: &Of) -> String {
    match of {
        Of::Primitive(name) | Of::Logical(name, _) => (*name).to_owned(),
        Of::Array(_) => "array".to_owned(),
        Of::Map(_) => "map".to_owned(),
        Of::Union(_) => "union".to_owned(),
        Of::Def(at) => model.defs[*at].full_name(),
    }
}

/// A union's value stands alone if the forms of its types are different ones.
fn union(random: &mut Random, model: &Model, branches: &[Of], depth: usize) -> Option<Pair> {
    let has_null = branches.contains(&Of::Primitive("null"));
    let of = if depth == 0 && has_null { &Of::Primitive("null") } else { random.pick_ref(branches) };
    let inner = value(random, model, of, depth)?;
    if *of == Of::Primitive("null") {
        return Some(inner);
    }
    let forms: Vec<_> = branches.iter().map(|branch| form(model, branch)).collect();
    let is_double = |branch: &Of| matches!(branch, Of::Primitive("float" | "double"));
    let mut is_plain = (1..forms.len()).all(|at| !forms[..at].contains(&forms[at]));
    // What is no number is written as a string; a time that has no text, as a number.
    let is_time = |branch: &Of| matches!(branch, Of::Logical("int" | "long", _));
    let may_clash = (branches.iter().any(is_double) && forms.contains(&"string"))
        || (branches.iter().any(is_time) && forms.contains(&"number"));
    is_plain &= !may_clash || !forms.contains(&"object");
    let is_clash = is_double(of) && inner.ours.is_string() && forms.contains(&"string");
    let name = branch_name(model, of);
    let ours = if is_plain && !is_clash { inner.ours } else { json!({ name.clone(): inner.ours }) };
    Some(Pair { ours, avro: json!({ name: inner.avro }) })
}

/// A value of a type; nothing where it has no small one.
fn value(random: &mut Random, model: &Model, of: &Of, depth: usize) -> Option<Pair> {
    Some(match of {
        Of::Primitive(name) => primitive(random, name),
        Of::Logical("string", "timestamp-millis" | "of-ours") => primitive(random, "string"),
        Of::Logical(name, kind) => logical(random, name, kind),
        Of::Array(inner) => {
            let count = if depth == 0 { 0 } else { random.below(3) };
            let items: Vec<_> = (0..count).filter_map(|_| value(random, model, inner, depth - 1)).collect();
            let (ours, avro): (Vec<_>, Vec<_>) = items.into_iter().map(|item| (item.ours, item.avro)).unzip();
            Pair { ours: json!(ours), avro: json!(avro) }
        }
        Of::Map(inner) => {
            // One entry, for Java does not keep their order.
            let item =
                if depth == 0 || random.one_in(3) { None } else { value(random, model, inner, depth - 1) };
            let key = "a \"key\"";
            match item {
                None => Pair::same(json!({})),
                Some(item) => Pair { ours: json!({ key: item.ours }), avro: json!({ key: item.avro }) },
            }
        }
        Of::Union(branches) => union(random, model, branches, depth)?,
        Of::Def(at) => match &model.defs[*at].body {
            Body::Enum(symbols, _) => Pair::same(json!(random.pick_ref(symbols))),
            Body::Fixed(size, kind) => fixed(random, *size, *kind),
            Body::Record(_) if depth == 0 => return None,
            Body::Record(fields) => {
                let (mut ours, mut avro) = (Map::new(), Map::new());
                for field in fields {
                    let value = value(random, model, &field.of, depth - 1)?;
                    ours.insert(field.name.clone(), value.ours);
                    avro.insert(field.name.clone(), value.avro);
                }
                Pair { ours: Value::Object(ours), avro: Value::Object(avro) }
            }
        },
    })
}

fn fixed(random: &mut Random, size: usize, kind: Option<&str>) -> Pair {
    let bytes: Vec<u8> = (0..size).map(|_| random.below(256) as u8).collect();
    match (kind, size) {
        (Some("uuid"), 16) => {
            let bytes = *uuid_bytes();
            Pair { ours: json!("0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b"), avro: latin(&bytes) }
        }
        (Some("duration"), 12) => {
            let bytes = [1, 0, 0, 0, 0, 1, 0, 0, 0xb9, 0x0b, 0, 0];
            Pair { ours: json!("P1M256DT3.001S"), avro: latin(&bytes) }
        }
        (Some("decimal"), 8..) => {
            let mut bytes = vec![0xff; size];
            bytes[size - 1] = 0x83;
            Pair { ours: json!("-1.25"), avro: latin(&bytes) }
        }
        _ => Pair { ours: json!(base64(&bytes)), avro: latin(&bytes) },
    }
}

fn uuid_bytes() -> &'static [u8; 16] {
    &[0x01, 0x92, 0xf1, 0xe4, 0x7c, 0x1a, 0x7d, 0x3e, 0x9b, 0x7e, 0x3a, 0x2f, 0x6c, 0x5d, 0x4e, 0x1b]
}

#[test]
fn values_are_those_that_java_reads_and_writes() {
    let mut random = Random::new(14);
    let mut cases = Vec::new();
    while cases.len() < 3_000 {
        let model = Model::new(&mut random);
        let text = model.text();
        let Ok(schema) = Schema::parse(&text, &[]) else { continue };
        let Some(pair) = value(&mut random, &model, &model.root, 5) else { continue };
        let bytes = schema.encode(pair.ours.to_string().as_bytes());
        let bytes = bytes.unwrap_or_else(|error| panic!("{error}\nof {}\nin {text}", pair.ours));
        let mut json = Vec::new();
        schema.decode(&bytes, &mut json).unwrap_or_else(|error| panic!("{error} in {text}"));
        let read: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(read, pair.ours, "in {text}");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        cases.push((text, hex, pair));
    }
    let answers = java::ask(cases.iter().map(|(text, hex, _)| vec!["value", text.as_str(), hex.as_str()]));
    for ((text, hex, pair), java) in cases.iter().zip(&answers) {
        // It also writes without end of a record that cannot be without itself.
        if is_unchecked(java) || java[1].contains("StackOverflowError") {
            continue;
        }
        assert_eq!(java.len(), 2, "{java:?} of {hex}, {} in {text}", pair.ours);
        // Java writes a record without fields only if something follows it.
        match serde_json::from_str::<Value>(&java[0]) {
            Ok(read) => assert_eq!(read, pair.avro, "in {text}"),
            Err(error) => assert!(text.contains(r#""fields":[]"#), "{error}: {java:?} in {text}"),
        }
        assert_eq!(&java[1], hex, "in {text}");
    }
}
