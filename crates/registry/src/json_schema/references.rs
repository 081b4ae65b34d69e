//! The schemas of a text and of the texts that it refers to, with the target of each `$ref`.
//!
//! Invariants: a target is in one of the texts, or is a metaschema; nothing is fetched.
//!
//! Not here: what the schemas say, and how far references may lead (`extent`).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jsonschema::Uri;
use serde_json::Value;

use super::document::{Json, NodeId};
use super::draft::Draft;
use super::keyword::{self, Part};
use crate::{InvalidSchema, ReferencedSchema};

/// What relative URIs are resolved against if no schema has a name.
const ROOT_URI: &str = "json-schema:///";

/// What a `$ref` refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Schema(NodeId),
    /// A metaschema, or one of its vocabularies.
    MetaSchema,
}

/// Where a schema is.
#[derive(Clone, Debug)]
struct Scope {
    /// What its relative URIs are resolved against.
    base: Arc<Uri<String>>,
    document: usize,
}

/// One of the texts.
#[derive(Debug)]
struct Document {
    /// The name in the referring schema; `None` of the schema itself.
    name: Option<String>,
    root: NodeId,
    draft: Draft,
    /// Whether a `$ref` asks in `$defs` for what is in `definitions`.
    has_bridge: bool,
}

/// A text that is referred to, at one of its URIs.
pub(super) struct ReferencedValue<'r> {
    pub(super) uri: &'r str,
    /// As the reference has it.
    pub(super) name: &'r str,
    pub(super) draft: Draft,
    pub(super) value: Value,
}

/// A schema's text and those that it refers to.
#[derive(Debug)]
pub(super) struct References {
    pub(super) json: Json,
    /// The schema itself is the first.
    documents: Vec<Document>,
    scopes: HashMap<NodeId, Scope>,
    /// By URI without a fragment: `$id`s, and the names of references.
    resources: HashMap<String, NodeId>,
    /// By URI with the anchor as fragment.
    anchors: HashMap<String, NodeId>,
    /// By the schema that has the `$ref`.
    targets: HashMap<NodeId, Target>,
    unresolved: VecDeque<NodeId>,
    /// What is referred to and is in no text, as it is written, if that is asked for.
    missing: Option<BTreeSet<String>>,
}

impl References {
    /// Reads a schema with all that it refers to.
    ///
    /// # Errors
    /// [`InvalidSchema`] with line and column where a text is not JSON, else with the JSON pointer of what is wrong: a
    /// `$ref` whose target is in none of the texts.
    pub(super) fn read(text: &str, references: &[ReferencedSchema]) -> Result<Self, InvalidSchema> {
        let mut read = Self::parse(text)?;
        for reference in references {
            read.add(reference).map_err(|invalid| InvalidSchema {
                place: Some(
                    invalid.place.map_or_else(
                        || reference.name.clone(),
                        |place| format!("{}: {place}", reference.name),
                    ),
                ),
                reason: invalid.reason,
            })?;
        }
        read.resolve()?;
        Ok(read)
    }

    /// The names that `text` refers to and does not define itself, without fragments.
    ///
    /// # Errors
    /// As [`References::read`].
    pub(super) fn missing(text: &str) -> Result<Vec<String>, InvalidSchema> {
        let mut read = Self::parse(text)?;
        read.missing = Some(BTreeSet::new());
        read.resolve()?;
        Ok(read.missing.into_iter().flatten().collect())
    }

    fn parse(text: &str) -> Result<Self, InvalidSchema> {
        let mut json = Json::default();
        let root = json.read(text)?;
        if json.members(root).is_none() && json.bool(root).is_none() {
            return Err(InvalidSchema::new("a JSON Schema is an object or a boolean"));
        }
        let mut read = Self {
            json,
            documents: Vec::new(),
            scopes: HashMap::new(),
            resources: HashMap::new(),
            anchors: HashMap::new(),
            targets: HashMap::new(),
            unresolved: VecDeque::new(),
            missing: None,
        };
        // What Confluent's registry takes a schema for that does not say.
        let draft = Draft::of(&read.json, root, Draft::Seven);
        read.documents.push(Document { name: None, root, draft, has_bridge: false });
        let base =
            jsonschema::uri::from_str(ROOT_URI).map_err(|error| InvalidSchema::new(error.to_string()))?;
        read.scan(root, &Scope { base: Arc::new(base), document: 0 })?;
        Ok(read)
    }

    fn add(&mut self, reference: &ReferencedSchema) -> Result<(), InvalidSchema> {
        let root = self.json.read(&reference.text)?;
        let base = self.resolve_uri(&self.base_of_root(), &reference.name);
        let base = base.map_err(|error| InvalidSchema::new(format!("its name is no URI: {error}")))?;
        self.resources.entry(base.as_str().to_owned()).or_insert(root);
        let draft = Draft::of(&self.json, root, self.draft());
        self.documents.push(Document { name: Some(reference.name.clone()), root, draft, has_bridge: false });
        self.scan(root, &Scope { base: Arc::new(base), document: self.documents.len() - 1 })
    }

    /// The schema itself.
    pub(super) fn root(&self) -> NodeId {
        self.documents
            .first()
            .map_or_else(|| unreachable!("the first document is the schema"), |document| document.root)
    }

    /// The draft of the schema itself.
    pub(super) fn draft(&self) -> Draft {
        self.documents.first().map_or(Draft::Seven, |document| document.draft)
    }

    /// The draft of the schema `id`.
    pub(super) fn draft_of(&self, id: NodeId) -> Draft {
        let document = self.scopes.get(&id).and_then(|scope| self.documents.get(scope.document));
        document.map_or(self.draft(), |document| document.draft)
    }

    /// All schemas that are objects, in the order of the texts.
    pub(super) fn schemas(&self) -> Vec<NodeId> {
        let mut ids: Vec<NodeId> = self.scopes.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// What the schema `id` refers to, if it does.
    pub(super) fn target(&self, id: NodeId) -> Option<Target> {
        self.targets.get(&id).copied()
    }

    /// The schema as a value for the validator.
    pub(super) fn value(&self) -> Value {
        self.documents.first().map_or(Value::Bool(true), |document| self.document_value(document))
    }

    /// The schemas that are referred to, as values for the validator.
    pub(super) fn referenced_values(&self) -> Vec<ReferencedValue<'_>> {
        let others = self.documents.get(1..).unwrap_or_default();
        let mut values: Vec<_> = self
            .resources
            .iter()
            .filter_map(|(uri, node)| Some((uri, others.iter().find(|document| document.root == *node)?)))
            .map(|(uri, document)| ReferencedValue {
                uri,
                name: document.name.as_deref().unwrap_or_default(),
                draft: document.draft,
                value: self.document_value(document),
            })
            .collect();
        values.sort_by_key(|value| value.uri);
        values
    }

    fn document_value(&self, document: &Document) -> Value {
        let mut value = self.json.value(document.root);
        let Value::Object(members) = &mut value else { return value };
        if let Some(schema) = members.get_mut("$schema") {
            *schema = Value::from(document.draft.uri());
        }
        if document.has_bridge
            && let Some(Value::Object(definitions)) = members.get("definitions").cloned()
            && let Value::Object(defs) =
                members.entry("$defs").or_insert_with(|| Value::Object(serde_json::Map::new()))
        {
            for (name, definition) in definitions {
                defs.entry(name).or_insert(definition);
            }
        }
        value
    }

    /// The place of `id` for an error: a JSON pointer, behind the name of its text if that is a reference.
    pub(super) fn place(&self, id: NodeId) -> String {
        let pointer = self.json.pointer(id);
        let document = self.scopes.get(&id).and_then(|scope| self.documents.get(scope.document));
        document
            .and_then(|document| document.name.as_ref())
            .map_or(pointer.clone(), |name| format!("{name}#{pointer}"))
    }

    fn base_of_root(&self) -> Arc<Uri<String>> {
        let scope = self.scopes.get(&self.root()).map(|scope| Arc::clone(&scope.base));
        scope.unwrap_or_else(|| Arc::new(Uri::parse(ROOT_URI.to_owned()).unwrap_or_default()))
    }

    fn resolve_uri(
        &self,
        base: &Uri<String>,
        reference: &str,
    ) -> Result<Uri<String>, jsonschema::ReferencingError> {
        jsonschema::uri::resolve_against(&base.borrow(), reference)
    }

    /// Notes the names and references of the schema `id` and of all within it.
    fn scan(&mut self, id: NodeId, within: &Scope) -> Result<(), InvalidSchema> {
        if self.json.members(id).is_none() || self.scopes.contains_key(&id) {
            // A boolean at the root has a scope too: relative references are resolved against it.
            self.scopes.entry(id).or_insert_with(|| within.clone());
            return Ok(());
        }
        let draft = self.documents.get(within.document).map_or(Draft::Seven, |document| document.draft);
        let has_reference = keyword::reference(&self.json, id, draft).is_some();
        let mut scope = within.clone();
        // Up to draft 7 nothing beside a `$ref` counts.
        if (draft.is_modern() || !has_reference)
            && let Some(name) = self.json.member(id, draft.id_keyword()).and_then(|name| self.json.text(name))
        {
            let uri = self.resolve_uri(&scope.base, name);
            let uri = uri.map_err(|error| self.error_at(id, draft.id_keyword(), &error.to_string()))?;
            if name.starts_with('#') {
                self.anchors.entry(uri.as_str().to_owned()).or_insert(id);
            } else {
                let uri = uri.strip_fragment().to_owned();
                self.resources.entry(uri.as_str().to_owned()).or_insert(id);
                scope.base = Arc::new(uri);
            }
        }
        self.note_anchors(id, draft, &scope);
        if has_reference {
            self.unresolved.push_back(id);
        }
        let children: Vec<NodeId> =
            keyword::subschemas(&self.json, id).into_iter().map(|(_, child)| child).collect();
        self.scopes.insert(id, scope.clone());
        children.into_iter().try_for_each(|child| self.scan(child, &scope))
    }

    fn note_anchors(&mut self, id: NodeId, draft: Draft, scope: &Scope) {
        if !draft.is_modern() {
            return;
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = self.json.member(id, keyword).and_then(|name| self.json.text(name)) {
                let base = scope.base.strip_fragment();
                self.anchors.entry(format!("{base}#{name}")).or_insert(id);
            }
        }
    }

    fn error_at(&self, id: NodeId, keyword: &str, reason: &str) -> InvalidSchema {
        InvalidSchema::at(format!("{}/{keyword}", self.place(id)), reason)
    }

    fn resolve(&mut self) -> Result<(), InvalidSchema> {
        while let Some(id) = self.unresolved.pop_front() {
            let Some((keyword, reference)) = keyword::reference(&self.json, id, self.draft_of(id)) else {
                continue;
            };
            let reference = reference.to_owned();
            let target = match self.lookup(id, &reference) {
                Ok(target) => target,
                Err(reason) => match &mut self.missing {
                    Some(missing) => {
                        missing.insert(reference.split('#').next().unwrap_or_default().to_owned());
                        continue;
                    }
                    None => return Err(self.error_at(id, keyword, &reason)),
                },
            };
            if let Target::Schema(target) = target {
                if self.json.members(target).is_none() && self.json.bool(target).is_none() {
                    return Err(self.error_at(id, keyword, &format!("{reference:?} is no schema")));
                }
                if !self.scopes.contains_key(&target)
                    && let Some(scope) = self.scope_around(target)
                {
                    self.scan(target, &scope)?;
                }
            }
            self.targets.insert(id, target);
        }
        Ok(())
    }

    /// The scope of the schema that `id` is somewhere in.
    fn scope_around(&self, id: NodeId) -> Option<Scope> {
        let mut at = id;
        loop {
            at = self.json.parent(at)?;
            if let Some(scope) = self.scopes.get(&at) {
                return Some(scope.clone());
            }
        }
    }

    fn lookup(&mut self, id: NodeId, reference: &str) -> Result<Target, String> {
        let base = self.scopes.get(&id).map_or_else(|| self.base_of_root(), |scope| Arc::clone(&scope.base));
        let uri = self.resolve_uri(&base, reference).map_err(|error| error.to_string())?;
        let (resource, fragment) = uri.as_str().split_once('#').unwrap_or((uri.as_str(), ""));
        let root = self.resource(id, resource, reference);
        let Some(root) = root else {
            let is_known = Draft::by_uri(resource).is_some()
                || ["2019-09", "2020-12"].iter().any(|draft| {
                    resource.starts_with(&format!("https://json-schema.org/draft/{draft}/meta/"))
                });
            return if is_known {
                Ok(Target::MetaSchema)
            } else {
                Err(format!(
                    "{reference:?} is not among the schema's references, and schemas are not fetched"
                ))
            };
        };
        let found = match fragment {
            "" => Some(root),
            pointer if pointer.starts_with('/') => self.at_pointer(root, pointer),
            _ => self.anchors.get(uri.as_str()).copied(),
        };
        found.map(Target::Schema).ok_or_else(|| format!("{reference:?} refers to nothing"))
    }

    /// The resource at a URI, or the reference of exactly this name.
    fn resource(&mut self, id: NodeId, uri: &str, reference: &str) -> Option<NodeId> {
        if let Some(found) = self.resources.get(uri) {
            return Some(*found);
        }
        let document = self.scopes.get(&id).and_then(|scope| self.documents.get(scope.document))?;
        let name = reference.split('#').next().unwrap_or_default();
        // A schema without a name: what is within it needs none.
        if name.is_empty() {
            return Some(document.root);
        }
        let plain = name.strip_prefix("./").unwrap_or(name);
        let named = self
            .documents
            .iter()
            .find(|other| other.name.as_deref().is_some_and(|other| other == name || other == plain))?;
        let root = named.root;
        self.resources.insert(uri.to_owned(), root);
        Some(root)
    }

    fn at_pointer(&mut self, root: NodeId, pointer: &str) -> Option<NodeId> {
        let mut at = root;
        for segment in pointer.split('/').skip(1) {
            let name = unescape(segment);
            let next = match self.json.items(at) {
                Some(items) => name.parse().ok().and_then(|index: usize| items.get(index)).copied(),
                None => self.json.member(at, &name),
            };
            at = match next {
                Some(next) => next,
                // As Confluent's registry does, for schemas that are half in an older draft.
                None if at == root && name == "$defs" => self.bridge(root)?,
                None if self.json.member(root, "$defs") == Some(at) => {
                    let definitions = self.bridge(root)?;
                    self.json.member(definitions, &name)?
                }
                None => return None,
            };
        }
        Some(at)
    }

    fn bridge(&mut self, root: NodeId) -> Option<NodeId> {
        let definitions = self.json.member(root, "definitions")?;
        self.documents.iter_mut().find(|document| document.root == root)?.has_bridge = true;
        Some(definitions)
    }

    /// The schemas within the schema `id`, with the part of a value that each applies to; what it refers to is the first.
    pub(super) fn within(&self, id: NodeId) -> Vec<(Part<'_>, NodeId)> {
        let target = self.targets.get(&id);
        let referred =
            target.and_then(|target| if let Target::Schema(target) = target { Some(*target) } else { None });
        let mut found: Vec<(Part<'_>, NodeId)> =
            referred.map(|target| (Part::Whole, target)).into_iter().collect();
        // Up to draft 7 nothing beside a `$ref` counts.
        if target.is_none() || self.draft_of(id).is_modern() {
            found.extend(keyword::subschemas(&self.json, id));
        }
        found.retain(|(part, _)| *part != Part::Nothing);
        found
    }
}

/// A segment of a JSON pointer in a URI's fragment.
fn unescape(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(decoded) if *byte == b'%' => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}
