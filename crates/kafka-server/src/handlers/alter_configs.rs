//! AlterConfigs and IncrementalAlterConfigs: the settings of topics, changed; on disk when the answer says so.
//!
//! Of one resource everything is changed or nothing. The settings of a running broker do not change. A setting that is
//! deleted, or that AlterConfigs does not name, goes back to what a project declares for the topic, else to the broker's.

use std::collections::HashSet;

use factum_broker::AlterTopicError;
use factum_types::Action;
use tracing::error;

use super::{Call, Handle, configs};
use crate::error_code::ErrorCode;
use crate::messages::alter_configs::{AlterConfigsRequest, AlterConfigsResponse, AlteredResource};
use crate::messages::create_topics::ConfigEntry;
use crate::messages::describe_configs::{BROKER, TOPIC};
use crate::messages::incremental_alter_configs::{
    APPEND, ConfigEdit, DELETE, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, SET,
    SUBTRACT,
};

impl Handle for AlterConfigsRequest {
    type Response = AlterConfigsResponse;

    async fn handle(self, call: &Call) -> AlterConfigsResponse {
        let resources = self.resources.into_iter().map(|resource| {
            let edits = replacement(resource.configs);
            Alteration {
                resource_type: resource.resource_type,
                name: resource.resource_name,
                edits,
                is_whole: true,
            }
        });
        let responses = alter(call, resources.collect(), self.validate_only).await;
        AlterConfigsResponse { throttle_time_ms: 0, responses }
    }
}

impl Handle for IncrementalAlterConfigsRequest {
    type Response = IncrementalAlterConfigsResponse;

    async fn handle(self, call: &Call) -> IncrementalAlterConfigsResponse {
        let resources = self.resources.into_iter().map(|resource| {
            let edits = edits(resource.configs);
            Alteration {
                resource_type: resource.resource_type,
                name: resource.resource_name,
                edits,
                is_whole: false,
            }
        });
        let responses = alter(call, resources.collect(), self.validate_only).await;
        IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses }
    }
}

/// What is to become of one resource.
struct Alteration {
    resource_type: i8,
    name: String,
    edits: Result<Vec<Edit>, AlterRefusal>,
    /// Whether settings that are not named go back too.
    is_whole: bool,
}

/// A change of one setting.
enum Edit {
    /// To a value; null for what it goes back to.
    Set(ConfigEntry),
    /// Of a list, to which these values are added, or from which they are taken.
    List { name: String, values: String, adds: bool },
}

/// Why nothing was changed.
struct AlterRefusal {
    code: ErrorCode,
    reason: Option<String>,
}

impl AlterRefusal {
    fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: Some(reason.into()) }
    }
}

impl From<AlterTopicError> for AlterRefusal {
    fn from(failure: AlterTopicError) -> Self {
        if let AlterTopicError::Storage(source) = &failure {
            error!(error = %source, "cannot change a topic's settings");
        }
        Self::new(ErrorCode::from(&failure), failure.to_string())
    }
}

/// All that a topic is to say.
fn replacement(entries: Vec<ConfigEntry>) -> Result<Vec<Edit>, AlterRefusal> {
    once_each(entries.iter())?;
    match entries.iter().find(|entry| entry.value.is_none()) {
        Some(ConfigEntry { name, .. }) => Err(null_value(name)),
        None => Ok(entries.into_iter().map(Edit::Set).collect()),
    }
}

/// Single changes.
fn edits(edits: Vec<ConfigEdit>) -> Result<Vec<Edit>, AlterRefusal> {
    once_each(edits.iter().map(|edit| &edit.entry))?;
    let read = |ConfigEdit { operation, entry }: ConfigEdit| match operation {
        SET if entry.value.is_none() => Err(null_value(&entry.name)),
        SET => Ok(Edit::Set(entry)),
        DELETE => Ok(Edit::Set(ConfigEntry { value: None, ..entry })),
        APPEND | SUBTRACT if !configs::is_list(&entry.name) => {
            let reason = format!("{} is no list: it can be set or deleted", entry.name);
            Err(AlterRefusal::new(ErrorCode::InvalidConfig, reason))
        }
        APPEND | SUBTRACT => match entry.value {
            None => Err(null_value(&entry.name)),
            Some(values) => Ok(Edit::List { name: entry.name, values, adds: operation == APPEND }),
        },
        other => Err(AlterRefusal::new(
            ErrorCode::InvalidRequest,
            format!("there is no operation {other} on a setting"),
        )),
    };
    edits.into_iter().map(read).collect()
}

fn null_value(name: &str) -> AlterRefusal {
    AlterRefusal::new(
        ErrorCode::InvalidRequest,
        format!("{name} has no value: delete the setting to have the default"),
    )
}

fn once_each<'a>(entries: impl Iterator<Item = &'a ConfigEntry>) -> Result<(), AlterRefusal> {
    let mut seen = HashSet::new();
    for entry in entries {
        if !seen.insert(&entry.name) {
            let reason = format!("the request names the setting {} twice", entry.name);
            return Err(AlterRefusal::new(ErrorCode::InvalidRequest, reason));
        }
    }
    Ok(())
}

async fn alter(call: &Call, resources: Vec<Alteration>, validate_only: bool) -> Vec<AlteredResource> {
    let mut seen = HashSet::new();
    let twice: HashSet<_> = resources
        .iter()
        .map(|resource| (resource.resource_type, resource.name.clone()))
        .filter(|resource| !seen.insert(resource.clone()))
        .collect();
    let mut responses = Vec::with_capacity(resources.len());
    for resource in resources {
        let (resource_type, resource_name) = (resource.resource_type, resource.name.clone());
        let altered = match twice.contains(&(resource_type, resource_name.clone())) {
            true => Err(AlterRefusal::new(ErrorCode::InvalidRequest, "the request names the resource twice")),
            false => alter_one(call, resource, validate_only).await,
        };
        let (error_code, error_message) = match altered {
            Ok(()) => (ErrorCode::None, None),
            Err(AlterRefusal { code, reason }) => (code, reason),
        };
        responses.push(AlteredResource { error_code, error_message, resource_type, resource_name });
    }
    responses
}

async fn alter_one(call: &Call, resource: Alteration, validate_only: bool) -> Result<(), AlterRefusal> {
    match resource.resource_type {
        TOPIC => {}
        BROKER => {
            call.session
                .check_cluster(Action::AlterConfigs)
                .map_err(|code| AlterRefusal { code, reason: None })?;
            let reason =
                "the settings of a broker do not change while it runs; they are in its configuration file";
            return Err(AlterRefusal::new(ErrorCode::InvalidRequest, reason));
        }
        other => {
            let reason = format!("resources of type {other} have no settings that can change");
            return Err(AlterRefusal::new(ErrorCode::InvalidRequest, reason));
        }
    }
    let topic = call
        .session
        .topic(Action::AlterConfigs, &resource.name)
        .map_err(|code| AlterRefusal { code, reason: None })?;
    let (edits, is_whole) = (resource.edits?, resource.is_whole);
    let broker = call.session.broker();
    let declared = broker.declared_settings(topic.name());
    let edit = move |config| {
        let mut config = if is_whole { declared.clone() } else { config };
        for edit in &edits {
            let changed = match edit {
                Edit::Set(entry) => configs::change(&mut config, &configs::or_declared(entry, &declared)),
                Edit::List { name, values, adds } => configs::change_list(&mut config, name, values, *adds),
            };
            changed.map_err(|reason| AlterRefusal::new(ErrorCode::InvalidConfig, reason))?;
        }
        Ok(config)
    };
    match validate_only {
        true => broker.validate_edit(topic.name(), edit),
        false => broker.edit_topic(topic.name(), edit).await.map(drop),
    }
}
