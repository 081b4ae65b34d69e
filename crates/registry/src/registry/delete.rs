//! Deleting versions and subjects: first so that they can come back, then for good.

use super::Registry;
use crate::store::{ContextEntry, Entry, Memory, VersionEntry};
use crate::subject::Subject;
use crate::{StoreError, VersionSelector};

/// Why versions were not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// No version is registered under this name.
    #[error("Subject '{subject}' not found.")]
    UnknownSubject {
        /// The name.
        subject: Subject,
    },
    /// The subject has no such version.
    #[error("Version {version} not found.")]
    UnknownVersion {
        /// The version; -1 for the latest.
        version: i32,
    },
    /// It is deleted already, but not for good.
    #[error("Subject '{subject}' was soft deleted.Set permanent=true to delete permanently")]
    SubjectDeleted {
        /// The subject.
        subject: Subject,
    },
    /// It must be deleted before it is deleted for good.
    #[error("Subject '{subject}' was not deleted first before being permanently deleted")]
    SubjectNotDeleted {
        /// The subject.
        subject: Subject,
    },
    /// It is deleted already, but not for good.
    #[error(
        "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
    )]
    VersionDeleted {
        /// The subject.
        subject: Subject,
        /// The version.
        version: i32,
    },
    /// It must be deleted before it is deleted for good.
    #[error("Subject '{subject}' Version {version} was not deleted first before being permanently deleted")]
    VersionNotDeleted {
        /// The subject.
        subject: Subject,
        /// The version.
        version: i32,
    },
    /// Other schemas refer to it.
    #[error(
        "One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
    )]
    Referenced {
        /// The subject.
        subject: Subject,
        /// The version.
        version: i32,
    },
    /// The context has subjects.
    #[error("The specified context '{context}' is not empty.")]
    ContextNotEmpty {
        /// The context.
        context: String,
    },
    /// The subject's mode does not allow it.
    #[error("Subject {subject} in context {} is in read-only mode", subject.context())]
    ReadOnly {
        /// The subject.
        subject: Subject,
    },
    /// The deletion is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Deletes a version, or what is left of a deleted one with `permanent`; gives its number once that is on disk.
    ///
    /// # Errors
    /// [`DeleteError`].
    pub async fn delete_version(
        &self,
        subject: &Subject,
        version: VersionSelector,
        permanent: bool,
    ) -> Result<i32, DeleteError> {
        let mut change = self.0.store.begin().await?;
        let (version, entries) = {
            let memory = self.0.store.memory();
            check_mode(&memory, subject)?;
            version_entries(&memory, subject, version, permanent)?
        };
        change.append(entries).await?;
        Ok(version)
    }

    /// Deletes all versions of a subject that are not deleted, or what is left of all of them with `permanent`; gives their
    /// numbers once that is on disk.
    ///
    /// # Errors
    /// [`DeleteError`].
    pub async fn delete_subject(&self, subject: &Subject, permanent: bool) -> Result<Vec<i32>, DeleteError> {
        let mut change = self.0.store.begin().await?;
        let (versions, entries) = {
            let memory = self.0.store.memory();
            check_mode(&memory, subject)?;
            subject_entries(&memory, subject, permanent)?
        };
        change.append(entries).await?;
        Ok(versions)
    }

    /// Deletes a context that has no subjects.
    ///
    /// # Errors
    /// [`DeleteError::ContextNotEmpty`], [`DeleteError::Store`].
    pub async fn delete_context(&self, context: &str) -> Result<(), DeleteError> {
        let mut change = self.0.store.begin().await?;
        let entries = {
            let memory = self.0.store.memory();
            let scope = Subject::of_context(context);
            if memory.within(&scope).next().is_some() {
                return Err(DeleteError::ContextNotEmpty { context: context.to_owned() });
            }
            let mut entries = settings_end(&memory, &scope);
            entries.push(Entry::Context { context: context.to_owned(), value: None });
            entries
        };
        Ok(change.append(entries).await?)
    }
}

fn check_mode(memory: &Memory, subject: &Subject) -> Result<(), DeleteError> {
    match memory.mode_in_effect(subject).is_read_only() {
        true => Err(DeleteError::ReadOnly { subject: subject.clone() }),
        false => Ok(()),
    }
}

fn version_entries(
    memory: &Memory,
    subject: &Subject,
    version: VersionSelector,
    permanent: bool,
) -> Result<(i32, Vec<Entry>), DeleteError> {
    let unknown = || DeleteError::UnknownSubject { subject: subject.clone() };
    let versions = memory.versions(subject).ok_or_else(unknown)?;
    let found = match version {
        VersionSelector::Number(number) => versions.get_key_value(&number),
        VersionSelector::Latest => versions.iter().rev().find(|(_, known)| !known.is_deleted),
    };
    let asked = if let VersionSelector::Number(number) = version { number } else { -1 };
    let (&version, known) = found.ok_or(DeleteError::UnknownVersion { version: asked })?;
    let subject = subject.clone();
    match (permanent, known.is_deleted) {
        (false, true) => return Err(DeleteError::VersionDeleted { subject, version }),
        (true, false) => return Err(DeleteError::VersionNotDeleted { subject, version }),
        _ => {}
    }
    if is_referenced(memory, &subject, version, permanent, |_| true) {
        return Err(DeleteError::Referenced { subject, version });
    }
    if permanent {
        let is_last = versions.len() == 1;
        let mut entries = vec![Entry::Version { subject: subject.clone(), version, value: None }];
        entries.extend(is_last.then(|| settings_end(memory, &subject)).into_iter().flatten());
        entries.extend(last_id(memory, &subject, &[known.schema.id]));
        return Ok((version, entries));
    }
    let (id, schema, definition) = (known.schema.id, known.schema.schema.clone(), known.definition.clone());
    let value = Some(Box::new(VersionEntry { id, schema, definition, is_deleted: true }));
    Ok((version, vec![Entry::Version { subject, version, value }]))
}

fn subject_entries(
    memory: &Memory,
    subject: &Subject,
    permanent: bool,
) -> Result<(Vec<i32>, Vec<Entry>), DeleteError> {
    let unknown = || DeleteError::UnknownSubject { subject: subject.clone() };
    let versions = memory.versions(subject).ok_or_else(unknown)?;
    let is_live = versions.values().any(|known| !known.is_deleted);
    match (permanent, is_live) {
        (false, false) => return Err(DeleteError::SubjectDeleted { subject: subject.clone() }),
        (true, true) => return Err(DeleteError::SubjectNotDeleted { subject: subject.clone() }),
        _ => {}
    }
    let deleted: Vec<_> = versions
        .iter()
        .filter(|(_, known)| permanent || !known.is_deleted)
        .map(|(version, _)| *version)
        .collect();
    for &version in &deleted {
        // Its own versions go with it.
        if is_referenced(memory, subject, version, permanent, |referrer| referrer != subject) {
            return Err(DeleteError::Referenced { subject: subject.clone(), version });
        }
    }
    if !permanent {
        let up_to = deleted.last().copied().unwrap_or_default();
        return Ok((deleted, vec![Entry::DeleteSubject { subject: subject.clone(), up_to }]));
    }
    let ends = deleted.iter().rev().map(|version| Entry::Version {
        subject: subject.clone(),
        version: *version,
        value: None,
    });
    let ids: Vec<_> = versions.values().map(|known| known.schema.id).collect();
    let mut entries: Vec<_> = ends.chain(settings_end(memory, subject)).collect();
    entries.extend(last_id(memory, subject, &ids));
    Ok((deleted, entries))
}

/// Whether versions that count refer to this one: deleted ones too where it goes for good, as they can come back.
fn is_referenced(
    memory: &Memory,
    subject: &Subject,
    version: i32,
    permanent: bool,
    counts: impl Fn(&Subject) -> bool,
) -> bool {
    let mut referrers = memory.referrers(subject, version);
    referrers.any(|(referrer, version)| counts(referrer) && (permanent || memory.is_live(referrer, *version)))
}

/// What is set for a subject that is no more goes with it.
fn settings_end(memory: &Memory, subject: &Subject) -> Vec<Entry> {
    let scope = Some(subject.clone());
    let config = memory.config(Some(subject)).map(|_| Entry::Config { scope: scope.clone(), config: None });
    let mode = memory.mode(Some(subject)).map(|_| Entry::Mode { scope, mode: None });
    config.into_iter().chain(mode).collect()
}

/// The highest id, where the log would have it no more.
fn last_id(memory: &Memory, subject: &Subject, gone: &[i32]) -> Option<Entry> {
    let last = memory.last_id(subject.context());
    gone.contains(&last).then(|| Entry::Context {
        context: subject.context().to_owned(),
        value: Some(ContextEntry { last_id: Some(last), schema_type: memory.schema_type(subject.context()) }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Schema, SchemaType};

    /// Compaction leaves the last record of a key alone: that of a context has to say its highest id by itself.
    #[test]
    fn the_highest_id_outlives_the_records_of_its_version() {
        for of in ["a", ":.x:a"] {
            let subject = Subject::parse(of).expect("valid");
            let schema = Schema {
                schema_type: SchemaType::Avro,
                text: r#""string""#.into(),
                references: Vec::new(),
                metadata: None,
                rule_set: None,
            };
            let value = VersionEntry { id: 7, schema, definition: None, is_deleted: true };
            let version =
                Entry::Version { subject: subject.clone(), version: 1, value: Some(Box::new(value)) };
            let mut memory = Memory::default();
            memory.apply(version).expect("applied");
            let (key, value) = last_id(&memory, &subject, &[7]).expect("the highest goes").encode();
            let mut compacted = Memory::default();
            compacted.apply(Entry::decode(&key, value.as_deref()).expect("read")).expect("applied");
            assert_eq!(compacted.last_id(subject.context()), 7, "{of}");
        }
    }
}
