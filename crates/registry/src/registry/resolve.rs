//! References of a schema, found in their subjects; and schemas read with them.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Inner, Registry, SubjectVersion};
use crate::parsed_schemas::{ReadSchema, SchemaKey};
use crate::store::Memory;
use crate::subject::{InvalidSubject, Subject};
use crate::work::{Work, WorkError};
use crate::{InvalidSchema, MAX_SCHEMA_BYTES, ParsedSchema, Reference, ReferencedSchema, Schema};

/// Schemas that one may refer to, directly or not.
const MAX_REFERENCES: usize = 1000;

/// Why a reference of a schema leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Its subject is none.
    #[error("reference {name:?}: {source}")]
    Subject {
        /// The reference's name.
        name: String,
        /// Why.
        source: InvalidSubject,
    },
    /// There is no such version.
    #[error("reference {name:?}: there is no version {version} of subject {subject}")]
    Unknown {
        /// The reference's name.
        name: String,
        /// The subject that it names.
        subject: Subject,
        /// The version that it names.
        version: i32,
    },
    /// Two references of one name, with different schemas.
    #[error("reference {name:?} stands for two different schemas")]
    Ambiguous {
        /// The references' name.
        name: String,
    },
    /// Over the limit.
    #[error("too many references, direct and indirect: the limit is {MAX_REFERENCES}")]
    TooMany,
    /// Over the limit.
    #[error("the schemas that are referred to are larger than {MAX_SCHEMA_BYTES} bytes together")]
    TooLarge,
}

/// A schema that could not be read, or what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadSchemaError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Schema(#[from] InvalidSchema),
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// Walks references without recursion, however deep they lead.
struct Walk<'a> {
    memory: &'a Memory,
    /// Which subjects may be referred to; others look as if they were not there.
    sees: &'a dyn Fn(&Subject) -> bool,
    found: Vec<ReferencedSchema>,
    begun: HashSet<(Subject, i32)>,
    bytes: usize,
}

/// What is still to be done: look a reference up, or add its schema now that all it refers to is there.
enum Step {
    Find(Subject, Reference),
    Add(ReferencedSchema),
}

impl Walk<'_> {
    fn run(&mut self, mut steps: Vec<Step>) -> Result<(), ReferenceError> {
        while let Some(step) = steps.pop() {
            match step {
                Step::Add(schema) => self.add(schema)?,
                Step::Find(from, reference) => self.find(&from, reference, &mut steps)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, schema: ReferencedSchema) -> Result<(), ReferenceError> {
        match self.found.iter().find(|known| known.name == schema.name) {
            Some(known) if known.text == schema.text => Ok(()),
            Some(_) => Err(ReferenceError::Ambiguous { name: schema.name }),
            None => {
                self.found.push(schema);
                Ok(())
            }
        }
    }

    fn find(
        &mut self,
        from: &Subject,
        reference: Reference,
        steps: &mut Vec<Step>,
    ) -> Result<(), ReferenceError> {
        let Reference { name, subject, version } = reference;
        let subject = from
            .referred(&subject)
            .map_err(|source| ReferenceError::Subject { name: name.clone(), source })?;
        let seen = Some(&subject).filter(|subject| (self.sees)(subject));
        let known = seen.and_then(|subject| self.memory.versions(subject)?.get(&version));
        let Some(known) = known else {
            return Err(ReferenceError::Unknown { name, subject, version });
        };
        let known = Arc::clone(&known.schema);
        let text = Arc::clone(&known.schema.text);
        // The same version by another name is another entry, but what it refers to is there already.
        let is_new = self.begun.insert((subject.clone(), version));
        if self.begun.len() > MAX_REFERENCES || self.found.len() > MAX_REFERENCES {
            return Err(ReferenceError::TooMany);
        }
        if is_new {
            self.bytes += text.len();
            if self.bytes > MAX_SCHEMA_BYTES {
                return Err(ReferenceError::TooLarge);
            }
        }
        steps.push(Step::Add(ReferencedSchema { name, text }));
        if is_new {
            let nested = known.schema.references.iter().rev().cloned();
            steps.extend(nested.map(|nested| Step::Find(subject.clone(), nested)));
        }
        Ok(())
    }
}

/// All schemas that `references` of a schema of `subject` lead to, those first that the others refer to.
///
/// # Errors
/// [`ReferenceError`].
pub(crate) fn resolve(
    memory: &Memory,
    subject: &Subject,
    references: &[Reference],
) -> Result<Vec<ReferencedSchema>, ReferenceError> {
    resolve_among(memory, subject, references, &|_| true)
}

/// The same, as if there were those subjects alone that `sees` says yes to.
fn resolve_among(
    memory: &Memory,
    subject: &Subject,
    references: &[Reference],
    sees: &dyn Fn(&Subject) -> bool,
) -> Result<Vec<ReferencedSchema>, ReferenceError> {
    let mut walk = Walk { memory, sees, found: Vec::new(), begun: HashSet::new(), bytes: 0 };
    let steps = references.iter().rev().map(|reference| Step::Find(subject.clone(), reference.clone()));
    walk.run(steps.collect())?;
    Ok(walk.found)
}

impl Registry {
    /// Whether all that `references` of a schema of `subject` lead to, directly and indirectly, is there: as if there were those
    /// subjects alone that `sees` says yes to.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn find_references(
        &self,
        subject: &Subject,
        references: &[Reference],
        sees: impl Fn(&Subject) -> bool,
    ) -> Result<(), ReferenceError> {
        resolve_among(&self.0.store.memory(), subject, references, &sees).map(drop)
    }
}

impl Inner {
    /// Reads a schema that is given for `subject`, as a part of `work`, or takes the registered one that was read lately. Keeps
    /// nothing.
    ///
    /// # Errors
    /// [`ReadSchemaError`].
    pub(crate) fn parse(
        &self,
        subject: &Subject,
        schema: &Schema,
        work: &Work,
    ) -> Result<ParsedSchema, ReadSchemaError> {
        self.read_schema(SchemaKey::new(subject, schema, schema.guid()), subject, schema, work, |_, _| ())
    }

    /// The same of a version that is registered, whose schema is kept for the next time.
    ///
    /// # Errors
    /// [`ReadSchemaError`].
    pub(crate) fn parse_known(
        &self,
        version: &SubjectVersion,
        work: &Work,
    ) -> Result<ParsedSchema, ReadSchemaError> {
        let (subject, schema) = (&version.subject, version.schema());
        let key = SchemaKey::new(subject, schema, version.guid());
        self.read_schema(key, subject, schema, work, |key, read| self.parsed.keep(key, read))
    }

    fn read_schema(
        &self,
        key: SchemaKey,
        subject: &Subject,
        schema: &Schema,
        work: &Work,
        keep: impl FnOnce(SchemaKey, ReadSchema),
    ) -> Result<ParsedSchema, ReadSchemaError> {
        let (references, removals) = {
            let memory = self.store.memory();
            let removals = memory.removals();
            if let Some((parsed, bytes)) = self.parsed.get(&key, removals) {
                drop(memory);
                work.spend_bytes(bytes)?;
                return Ok(parsed);
            }
            (resolve(&memory, subject, &schema.references)?, removals)
        };
        let bytes = schema.text.len() + references.iter().map(|found| found.text.len()).sum::<usize>();
        work.spend_bytes(bytes)?;
        if let Some(parsed) = self.parsed.renew(&key, &references, removals) {
            return Ok(parsed);
        }
        let parsed = ParsedSchema::parse(schema.schema_type, &schema.text, &references)?;
        keep(key, ReadSchema { parsed: parsed.clone(), bytes, references, removals });
        Ok(parsed)
    }
}
