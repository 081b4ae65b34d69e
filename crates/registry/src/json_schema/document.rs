//! JSON texts as trees that keep what was written: the order of members, and numbers to the last digit.

use std::collections::HashMap;

use factum_types::event;
use serde_json::Value;

use super::number::Decimal;
use crate::{InvalidSchema, MAX_DEPTH, MAX_SCHEMA_BYTES};

/// Objects of more members than this are looked up by hash.
const FEW_MEMBERS: usize = 12;

/// A value in a [`Json`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct NodeId(u32);

/// A value and its parts.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As it was written.
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<NodeId>),
    Object(Members),
}

/// The members of an object, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Members {
    list: Vec<(Box<str>, NodeId)>,
    by_name: Option<HashMap<Box<str>, NodeId>>,
}

impl Members {
    /// The value of the member `name`.
    pub(super) fn get(&self, name: &str) -> Option<NodeId> {
        match &self.by_name {
            Some(by_name) => by_name.get(name).copied(),
            None => self.list.iter().find(|(member, _)| &**member == name).map(|(_, value)| *value),
        }
    }

    /// All, in the order of the text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.list.iter().map(|(name, value)| (&**name, *value))
    }
}

/// The values of some texts.
///
/// Invariants: members of an object have different names; nothing is nested deeper than [`MAX_DEPTH`], so recursion along
/// the tree is safe.
#[derive(Debug, Default)]
pub(super) struct Json {
    nodes: Vec<Node>,
    /// The container of each value; a root is its own.
    parents: Vec<NodeId>,
    bytes: usize,
}

impl Json {
    /// How many values there are.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Reads one more text and gives its root.
    ///
    /// # Errors
    /// [`InvalidSchema`] with line and column where the text is not JSON, names a member twice or is too deep; where all
    /// texts together are too long.
    pub(super) fn read(&mut self, text: &str) -> Result<NodeId, InvalidSchema> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_SCHEMA_BYTES {
            let reason = format!("schema too large: at most {MAX_SCHEMA_BYTES} bytes with its references");
            return Err(InvalidSchema::new(reason));
        }
        let bytes = text.as_bytes();
        event::check_document(bytes).and_then(|()| event::check_unique_members(bytes)).map_err(invalid)?;
        let mut reader = Reader { text, at: 0, json: self };
        reader.value(0)
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Null)
    }

    pub(super) fn members(&self, id: NodeId) -> Option<&Members> {
        if let Node::Object(members) = self.node(id) { Some(members) } else { None }
    }

    pub(super) fn items(&self, id: NodeId) -> Option<&[NodeId]> {
        if let Node::Array(items) = self.node(id) { Some(items) } else { None }
    }

    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        if let Node::String(text) = self.node(id) { Some(text) } else { None }
    }

    pub(super) fn decimal(&self, id: NodeId) -> Option<Decimal> {
        if let Node::Number(text) = self.node(id) { Some(Decimal::parse(text)) } else { None }
    }

    pub(super) fn bool(&self, id: NodeId) -> Option<bool> {
        if let Node::Bool(value) = self.node(id) { Some(*value) } else { None }
    }

    /// The member `name` of the object `id`.
    pub(super) fn member(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.members(id)?.get(name)
    }

    /// What contains `id`, `None` for a root.
    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.parents.get(id.0 as usize).copied().filter(|parent| *parent != id)
    }

    /// The JSON pointer of `id` in its text; empty for a root.
    pub(super) fn pointer(&self, id: NodeId) -> String {
        let mut segments = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            let segment = match self.node(parent) {
                Node::Object(members) => {
                    members.list.iter().find(|(_, value)| *value == at).map(|(name, _)| escape(name))
                }
                Node::Array(items) => {
                    items.iter().position(|item| *item == at).map(|index| index.to_string())
                }
                _ => None,
            };
            segments.push(segment.unwrap_or_default());
            at = parent;
        }
        segments.iter().rev().fold(String::new(), |path, segment| path + "/" + segment)
    }

    /// As a value; numbers become what a program can compute with.
    pub(super) fn value(&self, id: NodeId) -> Value {
        match self.node(id) {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(f64::MAX)),
            Node::String(text) => Value::String((**text).to_owned()),
            Node::Array(items) => items.iter().map(|item| self.value(*item)).collect(),
            Node::Object(members) => {
                members.iter().map(|(name, value)| (name.to_owned(), self.value(value))).collect()
            }
        }
    }

    /// A text that is the same for values that are equal in the sense of JSON Schema: members in order of their names,
    /// numbers by value.
    pub(super) fn key(&self, id: NodeId) -> String {
        let mut key = String::new();
        self.write_key(id, &mut key);
        key
    }

    fn write_key(&self, id: NodeId, key: &mut String) {
        match self.node(id) {
            Node::Null => key.push_str("null"),
            Node::Bool(value) => key.push_str(if *value { "true" } else { "false" }),
            Node::Number(text) => key.push_str(&Decimal::parse(text).to_string()),
            Node::String(text) => super::text::write_string(text, key),
            Node::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    key.push(if index == 0 { '[' } else { ',' });
                    self.write_key(*item, key);
                }
                key.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Node::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| *name);
                key.push('{');
                for (name, value) in sorted {
                    super::text::write_string(name, key);
                    key.push(':');
                    self.write_key(value, key);
                    key.push(',');
                }
                key.push('}');
            }
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let children: Vec<NodeId> = match &node {
            Node::Array(items) => items.clone(),
            Node::Object(members) => members.list.iter().map(|(_, value)| *value).collect(),
            _ => Vec::new(),
        };
        for child in children {
            if let Some(parent) = self.parents.get_mut(child.0 as usize) {
                *parent = id;
            }
        }
        self.nodes.push(node);
        self.parents.push(id);
        id
    }
}

/// A name as a segment of a JSON pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn invalid(error: event::Error) -> InvalidSchema {
    match error {
        event::Error::Json { reason, line, column } | event::Error::Shape { reason, line, column } => {
            InvalidSchema::at(format!("line {line}, column {column}"), reason)
        }
        other => InvalidSchema::new(other.to_string()),
    }
}

/// Reads text that is known to be JSON.
struct Reader<'t, 'j> {
    text: &'t str,
    at: usize,
    json: &'j mut Json,
}

impl<'t> Reader<'t, '_> {
    fn value(&mut self, depth: usize) -> Result<NodeId, InvalidSchema> {
        let node = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Node::String(self.string()?.into()),
            _ => match self.word() {
                "null" => Node::Null,
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                number => Node::Number(number.into()),
            },
        };
        Ok(self.json.push(node))
    }

    fn object(&mut self, depth: usize) -> Result<Node, InvalidSchema> {
        self.check_depth(depth)?;
        let mut list = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let name = self.string()?.into_boxed_str();
                    self.peek();
                    self.at += 1;
                    list.push((name, self.value(depth + 1)?));
                }
                b'}' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let by_name = (list.len() > FEW_MEMBERS).then(|| list.iter().cloned().collect());
        Ok(Node::Object(Members { list, by_name }))
    }

    fn array(&mut self, depth: usize) -> Result<Node, InvalidSchema> {
        self.check_depth(depth)?;
        let mut items = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b']' => break,
                b',' => self.at += 1,
                _ => items.push(self.value(depth + 1)?),
            }
        }
        self.at += 1;
        Ok(Node::Array(items))
    }

    fn check_depth(&self, depth: usize) -> Result<(), InvalidSchema> {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        Err(InvalidSchema::at(
            format!("line {line}, column {column}"),
            format!("nested deeper than {MAX_DEPTH} levels"),
        ))
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    /// The string that begins here, without its quotes and escapes.
    fn string(&mut self) -> Result<String, InvalidSchema> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|error| InvalidSchema::new(error.to_string()))
    }

    /// Up to the next punctuation: a number or a literal.
    fn word(&mut self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        // Never without progress, whatever the text is.
        self.at += end.max(1);
        rest.get(..end).unwrap_or_default()
    }
}
