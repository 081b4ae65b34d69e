//! Contracts of a project's events in the schema registry: each is the next version of subject `<topic>-value`.
//!
//! **Invariants:** a contract that is not as compatible as its subject asks for is refused at its file, with the versions and
//! reasons. What is in the registry stays when an event is gone: what was written with it must stay readable.
//!
//! **Not here:** contracts in JSON Schema, which the project keeps to itself for now.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use factum_base::blocking_work::BlockingWork;
use factum_governance::{Definitions, Effect, EffectError, EventDefinition, Format, Problem, ResourceKind};
use factum_registry::{NewSchema, PreparedVersion, RegisterError, Registry, SchemaType, Subject};

/// How often a registration is tried whose subject changes meanwhile.
const ATTEMPTS: usize = 20;

/// The registry, as governance sees it.
pub(crate) struct SchemaEffect {
    registry: Registry,
    work: BlockingWork,
}

impl SchemaEffect {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, work: BlockingWork::at_most(1) }
    }

    async fn prepare(&self, contract: &EventContract) -> Result<PreparedVersion, RegisterError> {
        let (registry, subject, schema) =
            (self.registry.clone(), contract.subject.clone(), contract.schema.clone());
        self.work.run(move || registry.prepare(&subject, schema)).await
    }

    async fn register(&self, contract: &EventContract) -> Result<(), RegisterError> {
        for _ in 0..ATTEMPTS {
            let prepared = self.prepare(contract).await?;
            if self.registry.commit(prepared).await?.is_some() {
                break;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Effect for SchemaEffect {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<EventDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        let mut problems = Vec::new();
        for contract in wanted.of::<EventDefinition>().filter_map(EventContract::of) {
            match self.prepare(&contract).await {
                Ok(_) => {}
                Err(error) => problems.push(contract.problem(&error)?),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(EffectError::Refused(problems)) }
    }

    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        let mut problems = Vec::new();
        for contract in applied.of::<EventDefinition>().filter_map(EventContract::of) {
            match self.register(&contract).await {
                Ok(()) => {}
                Err(error) => problems.push(contract.problem(&error)?),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(EffectError::Refused(problems)) }
    }
}

/// The subject of a topic's values.
pub(crate) fn subject_of(topic: &str) -> Option<Subject> {
    Subject::parse(&format!("{topic}-value")).ok()
}

/// An event's contract, as it is registered.
struct EventContract {
    subject: Subject,
    schema: NewSchema,
    path: Arc<Path>,
    text: Arc<str>,
}

impl EventContract {
    fn of(event: &EventDefinition) -> Option<Self> {
        let schema_type = match event.format {
            Format::Avro => SchemaType::Avro,
            Format::Protobuf => SchemaType::Protobuf,
            Format::Json => return None,
        };
        let (path, text) = (event.schema.as_deref()?, event.contract.as_ref()?);
        let schema = NewSchema { schema_type, text: text.to_string(), ..NewSchema::default() };
        let subject = subject_of(event.topic.as_str())?;
        Some(Self { subject, schema, path: path.into(), text: Arc::clone(text) })
    }

    /// What is wrong with the contract, at its file.
    ///
    /// # Errors
    /// [`EffectError::Unavailable`] where the log is to blame.
    fn problem(&self, error: &RegisterError) -> Result<Problem, EffectError> {
        if let RegisterError::Store(error) = error {
            return Err(EffectError::Unavailable { reason: error.to_string() });
        }
        let help = match error {
            RegisterError::Incompatible { config, verdicts, .. } => {
                let of_version = |verdict: &factum_registry::VersionVerdict| {
                    let reasons: Vec<_> = verdict.incompatibilities.iter().map(ToString::to_string).collect();
                    format!("version {}: {}", verdict.version.version, reasons.join("; "))
                };
                let versions: Vec<_> = verdicts.iter().map(of_version).collect();
                Some(format!("its compatibility is {}; {}", config.level(), versions.join("; ")))
            }
            _ => None,
        };
        let message = format!("the contract cannot be registered as {}: {error}", self.subject);
        Ok(Problem::in_text(&self.path, Arc::clone(&self.text), 0..0, message, help))
    }
}
