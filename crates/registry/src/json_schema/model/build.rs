//! Building of a model from texts.

use std::collections::{HashMap, VecDeque};

use super::super::document::{Json, NodeId};
use super::super::number::Decimal;
use super::super::references::{References, Target};
use super::kind::{self, Child, Kind, Schema};

const EMPTY: &Schema = &Schema {
    kind: Kind::Empty,
    id: None,
    title: None,
    description: None,
    default: None,
    is_connect_bytes: false,
};

/// All schemas of a text and of those it refers to.
#[derive(Debug)]
pub(in crate::json_schema) struct Model {
    schemas: Vec<Schema>,
    root: u32,
}

impl Model {
    /// Translates the schemas that can be reached from the root.
    pub(in crate::json_schema) fn build(references: &References) -> Self {
        let mut builder = Builder {
            references,
            model: Self { schemas: Vec::new(), root: 0 },
            known: HashMap::new(),
            open: VecDeque::new(),
        };
        builder.model.root = builder.schema(references.root()).index;
        // Targets of references wait here, so that the depth of the texts is that of the recursion.
        while let Some(id) = builder.open.pop_front() {
            builder.schema(id);
        }
        builder.model
    }

    pub(in crate::json_schema) fn root(&self) -> u32 {
        self.root
    }

    /// The schema at an index, a reference as a reference.
    pub(in crate::json_schema) fn get(&self, index: u32) -> &Schema {
        self.schemas.get(index as usize).unwrap_or(EMPTY)
    }

    /// The schema at an index; behind references, what they refer to.
    pub(in crate::json_schema) fn resolve(&self, mut index: u32) -> (u32, &Schema) {
        // Chains of references are short and have no cycle: `References` sees to it.
        for _ in 0..=super::super::extent::MAX_CHAIN {
            match self.schemas.get(index as usize) {
                Some(Schema { kind: Kind::Reference(target), .. }) => index = target.index,
                Some(schema) => return (index, schema),
                None => break,
            }
        }
        (index, EMPTY)
    }
}

/// A model that is being built.
pub(super) struct Builder<'r> {
    pub(super) references: &'r References,
    model: Model,
    /// The places of schemas, translated or not.
    known: HashMap<NodeId, (u32, Option<u64>)>,
    open: VecDeque<NodeId>,
}

impl<'r> Builder<'r> {
    pub(super) fn json(&self) -> &'r Json {
        &self.references.json
    }

    /// The schema `id`, translated.
    pub(super) fn schema(&mut self, id: NodeId) -> Child {
        if let Some((index, Some(print))) = self.known.get(&id) {
            return Child { index: *index, print: *print };
        }
        let index = self.place(id);
        let schema = match self.json().bool(id) {
            Some(true) => Schema::of(Kind::True),
            Some(false) => Schema::of(Kind::False),
            None if self.references.draft_of(id).is_modern() => self.modern(id),
            None => self.previous(id),
        };
        let print = schema.print();
        self.known.insert(id, (index, Some(print)));
        if let Some(place) = self.model.schemas.get_mut(index as usize) {
            *place = schema;
        }
        Child { index, print }
    }

    /// A schema that is part of a translation and is not in a text by itself.
    pub(super) fn add(&mut self, schema: Schema) -> Child {
        let index = u32::try_from(self.model.schemas.len()).unwrap_or(u32::MAX);
        let print = schema.print();
        self.model.schemas.push(schema);
        Child { index, print }
    }

    /// The place of `id`, which may not be translated yet.
    fn place(&mut self, id: NodeId) -> u32 {
        if let Some((index, _)) = self.known.get(&id) {
            return *index;
        }
        let index = self.add(Schema::default()).index;
        self.known.insert(id, (index, None));
        index
    }

    /// What is at a place of the model already.
    pub(super) fn get(&self, child: Child) -> &Schema {
        self.model.get(child.index)
    }

    /// The reference that the schema `id` is, with its name.
    pub(super) fn reference(&mut self, id: NodeId, name: &str) -> Kind {
        match self.references.target(id) {
            Some(Target::Schema(target)) => {
                let index = self.place(target);
                self.open.push_back(target);
                Kind::Reference(kind::Target { index, name: name.to_owned() })
            }
            _ => Kind::Outside(name.to_owned()),
        }
    }

    pub(super) fn text(&self, id: NodeId, keyword: &str) -> Option<String> {
        let value = self.json().member(id, keyword)?;
        self.json().text(value).map(str::to_owned)
    }

    pub(super) fn number(&self, id: NodeId, keyword: &str) -> Option<Decimal> {
        self.json().decimal(self.json().member(id, keyword)?)
    }

    pub(super) fn bool(&self, id: NodeId, keyword: &str) -> Option<bool> {
        self.json().bool(self.json().member(id, keyword)?)
    }

    pub(super) fn child(&mut self, id: NodeId, keyword: &str) -> Option<Child> {
        let value = self.json().member(id, keyword)?;
        Some(self.schema(value))
    }

    pub(super) fn children(&mut self, id: NodeId, keyword: &str) -> Option<Vec<Child>> {
        let value = self.json().member(id, keyword)?;
        let items = self.json().items(value)?;
        Some(items.iter().map(|item| self.schema(*item)).collect())
    }

    pub(super) fn children_by_name(&mut self, id: NodeId, keyword: &str) -> Vec<(String, Child)> {
        let value = self.json().member(id, keyword);
        let members = value.and_then(|value| self.json().members(value));
        members
            .into_iter()
            .flat_map(|members| members.iter())
            .map(|(name, value)| (name.to_owned(), self.schema(value)))
            .collect()
    }

    pub(super) fn texts(&self, id: NodeId, keyword: &str) -> Vec<String> {
        let value = self.json().member(id, keyword);
        let items = value.and_then(|value| self.json().items(value)).unwrap_or_default();
        items.iter().filter_map(|item| self.json().text(*item)).map(str::to_owned).collect()
    }

    /// The values of `enum`.
    pub(super) fn enumeration(&self, id: NodeId) -> Option<Kind> {
        let values = self.json().items(self.json().member(id, "enum")?)?;
        Some(Kind::Enum(values.iter().map(|value| self.json().key(*value)).collect()))
    }

    /// The value of `const`.
    pub(super) fn constant(&self, id: NodeId) -> Option<Kind> {
        Some(Kind::Const(self.json().key(self.json().member(id, "const")?)))
    }

    /// What a schema says besides its kind.
    pub(super) fn annotate(&self, id: NodeId, schema: &mut Schema) {
        let default = self.json().member(id, "default").map(|value| self.json().key(value));
        let is_modern = self.references.draft_of(id).is_modern();
        schema.take_annotations(&Schema {
            kind: Kind::Empty,
            // Of the drafts from 2019-09 Confluent keeps no `$id`, and takes a default of null for none.
            id: if is_modern { None } else { self.text(id, self.references.draft_of(id).id_keyword()) },
            title: self.text(id, "title"),
            description: self.text(id, "description"),
            default: default.filter(|default| !is_modern || default != "null"),
            is_connect_bytes: self.text(id, "connect.type").as_deref() == Some("bytes"),
        });
    }
}
