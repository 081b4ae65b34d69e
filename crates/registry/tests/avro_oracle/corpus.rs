//! Schemas of every kind, made of a seed, and what teams do to them from version to version.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// A schema whose named types stand apart, so that a change of one is a change wherever it is used.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) defs: Vec<Def>,
    pub(crate) root: Of,
    has_namespaces: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Of {
    Primitive(&'static str),
    /// A primitive type, a logical type on it, and what belongs to that.
    Logical(&'static str, &'static str),
    Array(Box<Of>),
    Map(Box<Of>),
    Union(Vec<Of>),
    Def(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Def {
    pub(crate) name: String,
    pub(crate) namespace: Option<&'static str>,
    aliases: Vec<String>,
    doc: Option<&'static str>,
    properties: Map<String, Value>,
    is_dotted: bool,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Record(Vec<Field>),
    Enum(Vec<String>, Option<String>),
    /// A size, and `decimal`, `uuid` or `duration`.
    Fixed(usize, Option<&'static str>),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) of: Of,
    default: Option<Value>,
    aliases: Vec<String>,
    doc: Option<&'static str>,
    order: Option<&'static str>,
    properties: Map<String, Value>,
}

const PRIMITIVES: &[&str] = &["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
pub(crate) const LOGICAL: &[(&str, &str)] = &[
    ("bytes", "decimal"),
    ("string", "uuid"),
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "timestamp-nanos"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("long", "local-timestamp-nanos"),
    ("string", "timestamp-millis"),
    ("string", "of-ours"),
];
const NAMESPACES: &[&str] = &["a", "a.b", "org.example"];
const FIELDS: &[&str] = &["id", "name", "price", "items", "at", "note", "type", "kind"];
const SYMBOLS: &[&str] = &["RED", "GREEN", "BLUE", "CYAN", "_x", "Grün"];
const DOCS: &[&str] = &["", "a note", "with \"quotes\", \\ and\ttab \u{1} \u{7f} / é 😀"];

impl Def {
    pub(crate) fn full_name(&self) -> String {
        self.namespace.map_or_else(|| self.name.clone(), |namespace| format!("{namespace}.{}", self.name))
    }
}

impl Model {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut model =
            Self { defs: Vec::new(), root: Of::Primitive("null"), has_namespaces: random.one_in(3) };
        model.has_namespaces = !model.has_namespaces;
        model.root = match random.below(12) {
            0 => model.of(random, 3),
            1 => model.union(random, 3),
            _ => model.def(random, 3, 0),
        };
        model
    }

    fn of(&mut self, random: &mut Random, depth: usize) -> Of {
        match random.below(if depth == 0 { 8 } else { 17 }) {
            0..=5 => Of::Primitive(random.pick(PRIMITIVES)),
            6 | 7 => {
                let (of, logical) = *random.pick_ref(LOGICAL);
                Of::Logical(of, logical)
            }
            8 => Of::Array(Box::new(self.of(random, depth - 1))),
            9 => Of::Map(Box::new(self.of(random, depth - 1))),
            10..=12 => self.union(random, depth - 1),
            13 if !self.defs.is_empty() => Of::Def(random.below(self.defs.len())),
            _ => {
                let kind = random.below(3);
                self.def(random, depth - 1, kind)
            }
        }
    }

    fn key(&self, of: &Of) -> String {
        match of {
            Of::Primitive(name) | Of::Logical(name, _) => (*name).to_owned(),
            Of::Array(_) => "array".to_owned(),
            Of::Map(_) => "map".to_owned(),
            Of::Union(_) => "union".to_owned(),
            Of::Def(at) => self.defs[*at].full_name(),
        }
    }

    fn union(&mut self, random: &mut Random, depth: usize) -> Of {
        let mut branches: Vec<Of> = Vec::new();
        if random.one_in(2) {
            branches.push(Of::Primitive("null"));
        }
        for _ in 0..1 + random.below(3) {
            let of = self.of(random, depth);
            if !matches!(of, Of::Union(_)) && branches.iter().all(|other| self.key(other) != self.key(&of)) {
                branches.push(of);
            }
        }
        if branches.is_empty() {
            branches.push(Of::Primitive("int"));
        }
        Of::Union(branches)
    }

    fn def(&mut self, random: &mut Random, depth: usize, kind: usize) -> Of {
        let at = self.defs.len();
        let namespace = self.has_namespaces.then(|| random.pick(NAMESPACES));
        let letter = ["R", "E", "F"][kind];
        let mut def = Def {
            name: format!("{letter}{at}"),
            namespace,
            aliases: Vec::new(),
            doc: random.one_in(4).then(|| random.pick(DOCS)),
            properties: properties(random),
            is_dotted: random.one_in(3),
            body: Body::Record(Vec::new()),
        };
        if random.one_in(6) {
            def.aliases.push(format!("Old{at}"));
            def.aliases.push(format!("x.y.Older{at}"));
        }
        self.defs.push(def);
        let body = match kind {
            0 => {
                let mut fields: Vec<Field> = Vec::new();
                for _ in 0..random.below(5) {
                    let field = self.field(random, depth);
                    if fields.iter().all(|other| other.name != field.name) {
                        fields.push(field);
                    }
                }
                Body::Record(fields)
            }
            1 => {
                let mut symbols: Vec<String> = SYMBOLS.iter().map(|symbol| (*symbol).to_owned()).collect();
                symbols.truncate(1 + random.below(SYMBOLS.len()));
                let default = random.one_in(4).then(|| symbols[random.below(symbols.len())].clone());
                Body::Enum(symbols, default)
            }
            _ => match random.below(6) {
                0 => Body::Fixed(16, Some("uuid")),
                1 => Body::Fixed(12, Some("duration")),
                2 => Body::Fixed(8, Some("decimal")),
                // Too small for the digits, so that it means nothing.
                3 => Body::Fixed(2, Some("decimal")),
                _ => Body::Fixed(1 + random.below(20), None),
            },
        };
        self.defs[at].body = body;
        Of::Def(at)
    }

    fn field(&mut self, random: &mut Random, depth: usize) -> Field {
        let of = self.of(random, depth);
        let default = if random.one_in(3) { self.default(random, &of, 3) } else { None };
        Field {
            name: random.pick(FIELDS).to_owned(),
            of,
            default,
            aliases: if random.one_in(8) { vec![format!("old_{}", random.pick(FIELDS))] } else { Vec::new() },
            doc: random.one_in(6).then(|| random.pick(DOCS)),
            order: random.one_in(6).then(|| random.pick(&["ascending", "descending", "ignore", "IGNORE"])),
            properties: properties(random),
        }
    }

    /// A default of a type, if it has a small one.
    fn default(&self, random: &mut Random, of: &Of, depth: usize) -> Option<Value> {
        Some(match of {
            Of::Primitive(name) | Of::Logical(name, _) => match *name {
                "null" => Value::Null,
                "boolean" => json!(random.one_in(2)),
                "int" => json!(random.below(1 << 20)),
                "long" => json!(-5_000_000_000_i64 - random.below(9) as i64),
                "float" | "double" => match random.below(6) {
                    0 => json!("NaN"),
                    1 => json!(7),
                    2 => json!(1.5e10),
                    3 => json!(-2.5e-7),
                    4 => json!(0.0),
                    _ => json!(1234.5),
                },
                "bytes" => json!("ÿ\u{0}a"),
                _ => json!(["", "text", "é\n"][random.below(3)]),
            },
            Of::Array(inner) => {
                let items = if depth == 0 { None } else { self.default(random, inner, depth - 1) };
                json!(items.into_iter().collect::<Vec<_>>())
            }
            Of::Map(inner) => {
                let item = if depth == 0 { None } else { self.default(random, inner, depth - 1) };
                Value::Object(item.into_iter().map(|item| ("key".to_owned(), item)).collect())
            }
            Of::Union(branches) => {
                let branch = random.pick_ref(branches);
                self.default(random, branch, depth)?
            }
            Of::Def(at) => match &self.defs[*at].body {
                Body::Enum(symbols, _) => json!(symbols[0]),
                Body::Fixed(size, _) => json!("x".repeat(*size)),
                Body::Record(_) if depth == 0 || self.defs[*at].body.is_open() => return None,
                Body::Record(fields) => {
                    let mut object = Map::new();
                    for field in fields {
                        object.insert(field.name.clone(), self.default(random, &field.of, depth - 1)?);
                    }
                    Value::Object(object)
                }
            },
        })
    }

    /// One change, such as a team would make.
    pub(crate) fn change(&mut self, random: &mut Random) {
        if self.defs.is_empty() || random.one_in(12) {
            let mut root = std::mem::replace(&mut self.root, Of::Primitive("null"));
            self.change_of(random, &mut root);
            self.root = root;
            return;
        }
        let at = random.below(self.defs.len());
        let mut def = self.defs[at].clone();
        match random.below(14) {
            0 => {
                def.aliases.push(def.full_name());
                def.name.push_str("New");
            }
            1 => def.name.push_str("Other"),
            2 if self.has_namespaces => def.namespace = Some(random.pick(NAMESPACES)),
            3 => def.doc = Some("another note"),
            _ => self.change_body(random, &mut def.body),
        }
        self.defs[at] = def;
    }

    fn change_body(&mut self, random: &mut Random, body: &mut Body) {
        match body {
            Body::Fixed(size, logical) => match random.below(3) {
                0 => *size += 1,
                1 => *logical = None,
                _ => {}
            },
            Body::Enum(symbols, default) => match random.below(4) {
                0 => symbols.push(format!("S{}", random.below(1_000))),
                1 if symbols.len() > 1 && default.is_none() => {
                    symbols.remove(random.below(symbols.len()));
                }
                2 => *default = symbols.first().cloned(),
                _ => symbols.reverse(),
            },
            Body::Record(fields) => self.change_fields(random, fields),
        }
    }

    fn change_fields(&mut self, random: &mut Random, fields: &mut Vec<Field>) {
        if fields.is_empty() || random.one_in(4) {
            let mut field = self.field(random, 1);
            field.name = format!("{}{}", field.name, random.below(9));
            if random.one_in(2) && field.default.is_none() {
                field.default = self.default(random, &field.of, 3);
            }
            if fields.iter().all(|other| other.name != field.name) {
                fields.insert(random.below(fields.len() + 1), field);
            }
            return;
        }
        let at = random.below(fields.len());
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let field = &mut fields[at];
        match random.below(9) {
            0 => {
                fields.remove(at);
            }
            1 => {
                field.aliases.push(field.name.clone());
                field.name.push_str("_new");
            }
            2 => field.name.push_str("_2"),
            3 => field.default = None,
            4 => field.default = self.default(random, &field.of.clone(), 3),
            // An alias that is another field's name may be two fields of the writer's.
            5 if random.one_in(4) => field.aliases.push(names[random.below(names.len())].clone()),
            5 => fields.rotate_left(1),
            _ => {
                let mut of = field.of.clone();
                self.change_of(random, &mut of);
                field.default = if field.default.is_some() { self.default(random, &of, 3) } else { None };
                field.of = of;
            }
        }
    }

    fn change_of(&mut self, random: &mut Random, of: &mut Of) {
        let new = match (&mut *of, random.below(6)) {
            (_, 0) => self.of(random, 1),
            (Of::Primitive("int"), _) => Of::Primitive(random.pick(&["long", "float", "double"])),
            (Of::Primitive("long"), _) => Of::Primitive(random.pick(&["int", "float", "double"])),
            (Of::Primitive("float"), _) => Of::Primitive("double"),
            (Of::Primitive("string"), _) => Of::Primitive("bytes"),
            (Of::Primitive("bytes"), _) => Of::Primitive("string"),
            (Of::Logical(name, _), _) => Of::Primitive(name),
            (Of::Array(inner) | Of::Map(inner), 1..=3) => return self.change_of(random, inner),
            (Of::Union(branches), 1) if branches.len() > 1 => {
                branches.remove(random.below(branches.len()));
                return;
            }
            (Of::Union(branches), 2) => return branches.reverse(),
            (Of::Union(branches), 3) if branches.len() == 1 => branches[0].clone(),
            (Of::Union(branches), _) => {
                let new = self.of(random, 1);
                if !matches!(new, Of::Union(_))
                    && branches.iter().all(|other| self.key(other) != self.key(&new))
                {
                    branches.push(new);
                }
                return;
            }
            (other, _) => {
                let mut branches = vec![other.clone()];
                if *other != Of::Primitive("null") {
                    branches.insert(random.below(2), Of::Primitive("null"));
                }
                Of::Union(branches)
            }
        };
        *of = new;
    }

    /// Its text: each named type where it is met first.
    pub(crate) fn text(&self) -> String {
        self.render(&self.root, None, &mut vec![false; self.defs.len()]).to_string()
    }

    fn render(&self, of: &Of, around: Option<&str>, written: &mut Vec<bool>) -> Value {
        match of {
            Of::Primitive(name) => json!(name),
            Of::Logical(name, "decimal") => {
                json!({"type": name, "precision": 9, "logicalType": "decimal", "scale": 2})
            }
            Of::Logical(name, logical) => {
                json!({"logicalType": logical, "type": name, "z": {"b": 1, "a": [1.0]}})
            }
            Of::Array(inner) => json!({"type": "array", "items": self.render(inner, around, written)}),
            Of::Map(inner) => {
                json!({"values": self.render(inner, around, written), "type": "map", "p": null})
            }
            Of::Union(branches) => {
                branches.iter().map(|branch| self.render(branch, around, written)).collect()
            }
            Of::Def(at) => self.render_def(*at, around, written),
        }
    }

    fn render_def(&self, at: usize, around: Option<&str>, written: &mut Vec<bool>) -> Value {
        let def = &self.defs[at];
        if std::mem::replace(&mut written[at], true) {
            let is_near = def.namespace == around && !def.is_dotted;
            return json!(if is_near { def.name.clone() } else { def.full_name() });
        }
        let mut object = Map::new();
        if def.is_dotted {
            object.insert("name".to_owned(), json!(def.full_name()));
        } else {
            object.insert("name".to_owned(), json!(def.name));
            if def.namespace != around {
                object.insert("namespace".to_owned(), json!(def.namespace.unwrap_or_default()));
            }
        }
        if !def.aliases.is_empty() {
            object.insert("aliases".to_owned(), json!(def.aliases));
        }
        if let Some(doc) = def.doc {
            object.insert("doc".to_owned(), json!(doc));
        }
        object.extend(def.properties.clone());
        match &def.body {
            Body::Record(fields) => {
                object.insert("type".to_owned(), json!("record"));
                let fields: Vec<Value> =
                    fields.iter().map(|field| self.render_field(field, def.namespace, written)).collect();
                object.insert("fields".to_owned(), json!(fields));
            }
            Body::Enum(symbols, default) => {
                object.insert("type".to_owned(), json!("enum"));
                object.insert("symbols".to_owned(), json!(symbols));
                if let Some(default) = default {
                    object.insert("default".to_owned(), json!(default));
                }
            }
            Body::Fixed(size, logical) => {
                object.insert("type".to_owned(), json!("fixed"));
                object.insert("size".to_owned(), json!(size));
                if let Some(logical) = logical {
                    object.insert("logicalType".to_owned(), json!(logical));
                    object.insert("precision".to_owned(), json!(9));
                    object.insert("scale".to_owned(), json!(2));
                }
            }
        }
        Value::Object(object)
    }

    fn render_field(&self, field: &Field, around: Option<&str>, written: &mut Vec<bool>) -> Value {
        let mut object = Map::new();
        if let Some(default) = &field.default {
            object.insert("default".to_owned(), default.clone());
        }
        object.insert("name".to_owned(), json!(field.name));
        object.insert("type".to_owned(), self.render(&field.of, around, written));
        if !field.aliases.is_empty() {
            object.insert("aliases".to_owned(), json!(field.aliases));
        }
        if let Some(doc) = field.doc {
            object.insert("doc".to_owned(), json!(doc));
        }
        if let Some(order) = field.order {
            object.insert("order".to_owned(), json!(order));
        }
        object.extend(field.properties.clone());
        Value::Object(object)
    }
}

impl Body {
    /// Whether its fields are still to come.
    fn is_open(&self) -> bool {
        matches!(self, Self::Record(fields) if fields.is_empty())
    }
}

/// Properties of our own, now and then.
fn properties(random: &mut Random) -> Map<String, Value> {
    let mut properties = Map::new();
    if random.one_in(6) {
        properties.insert("owner".to_owned(), json!("team \"a\""));
        properties.insert("confluent:tags".to_owned(), json!(["PII", 1, 2.50, 1e20, -7, true, null]));
        properties.insert("a".to_owned(), json!({"z": {}, "b": [[]], "é": 12345678901_i64}));
    }
    properties
}
