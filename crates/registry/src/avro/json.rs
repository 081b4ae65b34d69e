//! JSON as schemas and values need it: properties keep their order, integers their digits, errors their line and column.

use std::fmt::Write as _;

/// The most levels of arrays and objects.
///
/// A type takes three of them at most, and what is within its properties one for each type that may be around them.
const MAX_NESTING: usize = 5 * crate::MAX_DEPTH;

/// From so many properties on an object is looked up by binary search.
const INDEXED_FROM: usize = 16;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as it was written.
    BigInt(Box<str>),
    /// A number with a point or an exponent.
    Double(f64),
    String(String),
    Array(Vec<Json>),
    Object(Object),
}

/// The properties of an object, in their order; of a name that is there twice, the last value at the first place.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object {
    entries: Vec<(String, Json)>,
    /// The entries by name; empty for small objects.
    sorted: Vec<u32>,
}

impl Object {
    pub(crate) fn new(entries: Vec<(String, Json)>) -> Self {
        if entries.len() < INDEXED_FROM {
            let mut unique: Vec<(String, Json)> = Vec::with_capacity(entries.len());
            for (name, value) in entries {
                match unique.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = value,
                    None => unique.push((name, value)),
                }
            }
            return Self { entries: unique, sorted: Vec::new() };
        }
        let mut places = std::collections::HashMap::with_capacity(entries.len());
        let mut unique: Vec<(String, Json)> = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            match places.get(&name) {
                Some(&place) => {
                    let (_, known): &mut (String, Json) = &mut unique[place];
                    *known = value;
                }
                None => {
                    places.insert(name.clone(), unique.len());
                    unique.push((name, value));
                }
            }
        }
        let mut sorted: Vec<u32> = (0..unique.len() as u32).collect();
        sorted.sort_by(|a, b| unique[*a as usize].0.cmp(&unique[*b as usize].0));
        Self { entries: unique, sorted }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        }
        let found = self.sorted.binary_search_by(|at| self.entries[*at as usize].0.as_str().cmp(name));
        found.ok().map(|at| &self.entries[self.sorted[at] as usize].1)
    }

    /// The property's text; nothing where it is absent or no text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Json {
    /// Reads a text that is one value and, as Java Avro allows, comments (`/* … */` and `// …`).
    ///
    /// # Errors
    ///
    /// The place, `line 3, column 7`, and what is wrong there.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, String)> {
        let mut reader = Reader { text, at: 0 };
        let read = reader.value(0).and_then(|value| {
            reader.skip_space()?;
            if reader.at < text.len() { Err("something follows the value".to_owned()) } else { Ok(value) }
        });
        read.map_err(|reason| (reader.place(), reason))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The levels of arrays and objects within it.
    pub(crate) fn nesting(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::nesting).max().unwrap_or_default(),
            Self::Object(object) => {
                1 + object.iter().map(|(_, value)| value.nesting()).max().unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// The kind of value, for errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::BigInt(_) => "an integer",
            Self::Double(_) => "a number with a fraction",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Writes it without spaces, as Jackson does; with `sorted`, the properties of objects by their names.
    pub(crate) fn write(&self, out: &mut String, sorted: bool) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => push(out, format_args!("{value}")),
            Self::BigInt(digits) => out.push_str(digits),
            Self::Double(value) => write_double(*value, out),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out, sorted);
                }
                out.push(']');
            }
            Self::Object(object) => {
                let mut entries: Vec<_> = object.iter().collect();
                if sorted {
                    entries.sort_by(|a, b| java_order(a.0, b.0));
                }
                out.push('{');
                for (at, (name, value)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out, sorted);
                }
                out.push('}');
            }
        }
    }
}

/// The order of Java's strings: by UTF-16 units.
pub(crate) fn java_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// A string in quotes, with the escapes that Jackson writes.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => push(out, format_args!("\\u{:04X}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A double as Java's `Double.toString` writes it: `1.0`, `1.5E-7`; what is no number in quotes.
pub(crate) fn write_double(value: f64, out: &mut String) {
    if value.is_nan() {
        return out.push_str("\"NaN\"");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return push(out, format_args!("{value:?}"));
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let fraction = if digits.contains('.') { "" } else { ".0" };
    push(out, format_args!("{digits}{fraction}E{exponent}"));
}

struct Reader<'a> {
    text: &'a str,
    /// The next byte; at the beginning of a character.
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn place(&self) -> String {
        let before = self.text.get(..self.at.min(self.text.len())).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("line {line}, column {column}")
    }

    fn skip_space(&mut self) -> Result<(), String> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(b'/') if self.rest().starts_with("//") => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                Some(b'/') if self.rest().starts_with("/*") => {
                    let end = self.rest().find("*/").ok_or("a comment without its end")?;
                    self.at += end + 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > MAX_NESTING {
            return Err(format!("nested too deeply: the limit is {MAX_NESTING} arrays and objects"));
        }
        self.skip_space()?;
        match self.peek() {
            None => Err("the text ends where a value is expected".to_owned()),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)]
        {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        let letter = self.rest().chars().next().unwrap_or_default();
        Err(format!("expected a JSON value, found {letter:?}"))
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break self.at += 1,
                _ => return Err("expected , or ] after an item".to_owned()),
            }
        }
        Ok(Json::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::default()));
        }
        loop {
            self.skip_space()?;
            if self.peek() != Some(b'"') {
                return Err("expected the name of a property, in quotes".to_owned());
            }
            let name = self.string()?;
            self.skip_space()?;
            if self.peek() != Some(b':') {
                return Err(format!("expected : after the name {name:?}"));
            }
            self.at += 1;
            entries.push((name, self.value(depth + 1)?));
            self.skip_space()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break self.at += 1,
                _ => return Err("expected , or } after a property".to_owned()),
            }
        }
        Ok(Json::Object(Object::new(entries)))
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leads_with_zero = self.peek() == Some(b'0');
        let count = self.digits();
        if count == 0 || (leads_with_zero && count > 1) {
            return Err("invalid number".to_owned());
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            is_integer = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err("invalid number: no digit after the point".to_owned());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("invalid number: no digit in the exponent".to_owned());
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if is_integer {
            return Ok(text.parse().map_or_else(|_| Json::BigInt(text.into()), Json::Int));
        }
        text.parse().map(Json::Double).map_err(|_| "invalid number".to_owned())
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let plain =
                self.rest().bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            text.push_str(self.rest().get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return Err("a control character in a string".to_owned()),
                None => return Err("a string without its end".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let kind = self.peek().ok_or("a string without its end")?;
        if kind.is_ascii() {
            self.at += 1;
        }
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let mut units = vec![first];
                if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    units.push(self.unit()?);
                }
                let text = String::from_utf16(&units).map_err(|_| "half of a surrogate pair")?;
                text.chars().next().ok_or("half of a surrogate pair")?
            }
            _ => return Err("an unknown escape in a string".to_owned()),
        })
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or("expected four hexadecimal digits after \\u")?;
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|error| error.to_string())
    }
}
