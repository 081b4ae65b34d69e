//! The fields of `events/E.yaml`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_types::TopicName;
use factum_types::suggest::nearest;
use miette::SourceSpan;

use super::contract::{self, Contract, StatedContract};
use super::{Capture, EventDefinition, Format};
use crate::defaults::Visibility;
use crate::human;
use crate::kind::{Context, Origin};
use crate::kinds::name;
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;
use crate::topic_settings::TopicSettings;

/// More partitions in one topic are a mistake on one machine.
const MAX_PARTITIONS: i32 = 1_000;

/// Reads the file at `path`, named `name` without its ending.
pub(super) fn read(
    context: &Context<'_>,
    path: &Path,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<(EventDefinition, Origin)> {
    let topic = name::relation(context.team, path, name, "an event's", "order-placed.yaml");
    let topic = topic.map_err(|problem| problems.push(problem)).ok().map(|name| name.to_topic());
    let file = SourceFile::read(context.files, path).map_err(|problem| problems.push(problem)).ok()?;
    let mut fields = Fields::of_file(&file, problems)?;
    let written = ManifestFields::take(&mut fields);
    fields.finish();
    let contract = contract::find(context, &file, name, &written.contract, problems);
    check_names(&file, &written, contract.as_ref(), problems);
    let places = written.partitions.iter().map(|(_, span)| ("partitions".to_owned(), *span)).collect();
    let origin = Origin { file, places };
    Some((written.define(context, topic?, name, contract), origin))
}

/// The fields as they stand in the file.
struct ManifestFields {
    summary: Option<String>,
    contract: StatedContract,
    time: Option<(String, SourceSpan)>,
    key: Option<(String, SourceSpan)>,
    lateness: Option<Duration>,
    partitions: Option<(i32, SourceSpan)>,
    settings: TopicSettings,
    visibility: Option<Visibility>,
    capture: Option<Capture>,
    event_type: Option<String>,
    source: Option<String>,
}

impl ManifestFields {
    fn take(fields: &mut Fields<'_>) -> Self {
        Self {
            summary: fields.text("summary"),
            contract: StatedContract {
                format: fields.word("format", &Format::WORDS),
                schema: fields.parsed("schema", not_empty, "orders.schema.json"),
            },
            time: fields.parsed("time", not_empty, "OrderDate"),
            key: fields.parsed("key", not_empty, "Email"),
            lateness: fields.parsed("lateness", human::parse_duration, "10s").map(|(value, _)| value),
            partitions: partitions(fields),
            settings: TopicSettings::take(fields),
            visibility: fields.word("visibility", &Visibility::WORDS).map(|(value, _)| value),
            capture: capture(fields),
            event_type: fields.parsed("type", not_empty, "com.example.order.placed").map(|(text, _)| text),
            source: fields.parsed("source", uri_reference, "/contoso/store").map(|(text, _)| text),
        }
    }

    fn define(
        self,
        context: &Context<'_>,
        topic: TopicName,
        name: &str,
        contract: Option<Contract>,
    ) -> EventDefinition {
        let (project, team, defaults) = (context.project, context.team, context.defaults);
        let format = self
            .contract
            .format
            .map(|(format, _)| format)
            .or(contract.as_ref().map(|contract| contract.format));
        EventDefinition {
            topic,
            team: team.clone(),
            project: project.to_owned(),
            summary: self.summary,
            format: format.unwrap_or(Format::Json),
            contract: contract.as_ref().map(|contract| Arc::clone(&contract.text)),
            schema: contract.map(|contract| contract.path),
            time: self.time.map(|(text, _)| text),
            lateness: self.lateness.or(defaults.lateness),
            key: self.key.map(|(text, _)| text),
            partitions: self.partitions.map(|(count, _)| count).or(defaults.partitions),
            settings: TopicSettings {
                retention: self.settings.retention.or(defaults.retention),
                ..self.settings
            },
            visibility: self.visibility.or(defaults.visibility).unwrap_or_default(),
            capture: self.capture,
            event_type: self.event_type.unwrap_or_else(|| format!("{project}.{team}.{name}")),
            source: self.source.unwrap_or_else(|| format!("/{project}/{team}")),
        }
    }
}

/// Takes `partitions`, from 1 to [`MAX_PARTITIONS`].
pub(crate) fn partitions(fields: &mut Fields<'_>) -> Option<(i32, SourceSpan)> {
    let parse = |text: &str| match text.parse::<i32>() {
        Ok(count) if (1..=MAX_PARTITIONS).contains(&count) => Ok(count),
        _ => Err(format!("{text:?} is not a whole number from 1 to {MAX_PARTITIONS}")),
    };
    fields.parsed("partitions", parse, "4")
}

fn capture(fields: &mut Fields<'_>) -> Option<Capture> {
    let (capture, span) = fields.mapping("capture", "{ format: delta, every: 5m }", |inner| {
        let format = inner.word("format", &[("delta", "delta"), ("avro", "avro")]);
        let every = inner.parsed("every", human::parse_duration, "5m").map(|(every, _)| every);
        format.map(|(format, _)| Capture { format: format.to_owned(), every })
    })?;
    fields.warn(
        span,
        "`capture` is not supported by this version yet",
        "it is kept in mind and has no effect",
    );
    capture
}

/// `key` and `time` are fields of the data: where a contract lists the fields, they must be among them.
fn check_names(
    file: &SourceFile,
    written: &ManifestFields,
    contract: Option<&Contract>,
    problems: &mut Vec<Problem>,
) {
    let Some(known) = contract.and_then(|contract| contract.fields.as_ref()) else { return };
    for (what, field) in [("key", &written.key), ("time", &written.time)] {
        let Some((path, span)) = field else { continue };
        let first = path.split('.').next().unwrap_or(path);
        if known.iter().any(|name| name == first) {
            continue;
        }
        let problem = file.problem(*span, format!("`{what}` names a field that the contract does not have"));
        let problem = match nearest(first, known.iter().map(String::as_str)) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        };
        problems.push(problem.help(format!("fields of the contract: {}", known.join(", "))));
    }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}

fn uri_reference(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty"),
        text if text.contains(char::is_whitespace) => Err("a CloudEvents source is a URI, without spaces"),
        text => Ok(text.to_owned()),
    }
}
