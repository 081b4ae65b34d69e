//! `factum schema`: list, get, register, check, diff, delete; groups.

mod check;
mod delete;
mod diff;
mod document;
mod file;
mod group;
mod reasons;

use factum_api::registry::RegisteredSchema;
use factum_api::subjects::{SubjectLine, SubjectList};
use factum_types::suggest::nearest;
use miette::Report;
use reqwest::{Method, StatusCode};

use crate::args::{Format, whole};
use crate::client::{Client, Error};
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// Subjects in one response of the server, at most.
const PAGE: usize = 1000;
/// The code of Confluent's registry for an unknown subject.
const UNKNOWN_SUBJECT: u32 = 40401;
/// Its word for a subject's latest version.
const LATEST: &str = "latest";

/// List, get, register, check, compare and delete schemas
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum schema list
  factum schema register store.orders-value --file orders.avsc
  factum schema check store.orders-value --file orders.avsc")]
pub(crate) enum Verb {
    /// List subjects with their latest versions
    #[command(before_help = "Examples:
  factum schema list
  factum schema list orders -o name          those whose name has `orders`")]
    List {
        /// What the name has, in any case
        text: Option<String>,
    },
    /// Print a schema
    #[command(before_help = "Examples:
  factum schema get store.orders-value       the latest version
  factum schema get store.orders-value 2
  factum schema get --id 7 -o json")]
    Get(Get),
    /// Register a schema as the next version of a subject
    #[command(before_help = "Examples:
  factum schema register store.orders-value --file orders.avsc
  factum schema register store.orders-value --file orders.proto --reference money.proto=money-value:1")]
    Register(file::NewSchema),
    /// Check whether a schema is compatible with a subject's versions; nothing is registered
    #[command(before_help = "Examples:
  factum schema check store.orders-value --file orders.avsc
  factum schema check store.orders-value --file orders.avsc --against 1")]
    Check(check::Check),
    /// Compare two versions of a subject
    #[command(before_help = "Examples:
  factum schema diff store.orders-value 1 2
  factum schema diff store.orders-value 1 latest")]
    Diff(diff::Diff),
    /// Delete a subject, or one version of it
    #[command(before_help = "Examples:
  factum schema delete store.orders-value 2                     one version
  factum schema delete store.orders-value --force               all of them; their ids can still be read
  factum schema delete store.orders-value --permanent --force   for good, after it was deleted")]
    Delete(delete::Delete),
    /// List, create and delete schema groups, which Azure's clients find schemas in
    #[command(subcommand)]
    Group(group::Verb),
}

/// A schema to be printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The subject
    #[arg(required_unless_present = "id", conflicts_with = "id")]
    subject: Option<String>,
    /// The version; without it the latest
    #[arg(value_name = "VERSION", value_parser = version)]
    number: Option<String>,
    /// The id of a schema, in place of a subject
    #[arg(long, value_parser = whole::<i32>(1, None, 7))]
    id: Option<i32>,
}

impl Row for SubjectLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("subject", |line| line.subject.clone()),
        words("type", |line| line.schema_type.clone()),
        numbers("versions", |line| line.versions.to_string()),
        numbers("latest", |line| line.latest_version.to_string()),
        numbers("id", |line| line.latest_id.to_string()),
        words("compatibility", |line| line.compatibility.clone()),
    ];

    fn name(&self) -> String {
        self.subject.clone()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List { text } => list(text.as_deref(), &client, format).await,
        Verb::Get(wish) => get(&wish, &client, format).await,
        Verb::Register(wish) => register(wish, &client, format).await,
        Verb::Check(wish) => check::run(wish, &client, format).await,
        Verb::Diff(wish) => diff::run(&wish, &client, format).await,
        Verb::Delete(wish) => delete::run(&wish, &client).await,
        Verb::Group(verb) => group::run(verb, &client, format).await,
    }
}

/// Reads `3` or `latest`.
fn version(text: &str) -> Result<String, String> {
    let is_number = text.parse::<i32>().is_ok_and(|number| number > 0);
    match is_number || text == LATEST {
        true => Ok(text.to_owned()),
        false => Err("it is not a whole number from 1 on, such as 2, nor `latest`".to_owned()),
    }
}

async fn list(text: Option<&str>, client: &Client, format: Format) -> Result<(), Report> {
    let mut subjects: Vec<SubjectLine> = Vec::new();
    loop {
        let request = client.request(Method::GET, &["api", "v1", "subjects"]);
        let request = request.query(&[("offset", subjects.len()), ("limit", PAGE)]);
        let part: SubjectList = client.json(request.query(&text.map(|text| [("q", text)]))).await?;
        let is_last = part.subjects.len() < PAGE;
        subjects.extend(part.subjects);
        if is_last {
            break;
        }
    }
    if subjects.is_empty() && format == Format::Table {
        report::say(match text {
            Some(text) => format!("no subject has {text:?} in its name"),
            None => {
                "there are no subjects yet; `factum schema register SUBJECT --file FILE` registers a schema"
                    .to_owned()
            }
        });
    }
    Ok(output::list(format, &subjects)?)
}

async fn get(wish: &Get, client: &Client, format: Format) -> Result<(), Report> {
    let found = match (&wish.subject, wish.id) {
        (Some(subject), _) => of_version(client, subject, wish.number.as_deref().unwrap_or(LATEST)).await?,
        (None, id) => {
            client.get(&["schemas", "ids", &id.map_or_else(String::new, |id| id.to_string())]).await?
        }
    };
    if format == Format::Name {
        let name = found.subject.unwrap_or_else(|| wish.id.map_or_else(String::new, |id| id.to_string()));
        return Ok(output::print(&format!("{name}\n"))?);
    }
    if format == Format::Table {
        report::say(description(&found));
    }
    Ok(output::one(format, &found, || document::pretty(&found))?)
}

/// What a schema is, in one line.
fn description(schema: &RegisteredSchema) -> String {
    let mut words = Vec::new();
    if let (Some(subject), Some(version)) = (&schema.subject, schema.version) {
        words.push(format!("{subject} version {version}"));
    }
    words.extend(schema.id.map(|id| format!("id {id}")));
    words.push(document::format_of(schema).to_owned());
    let references = schema.references.iter().flatten();
    words.extend(
        references.map(|each| format!("refers to {} ({} version {})", each.name, each.subject, each.version)),
    );
    output::printable(&words.join(", "))
}

async fn register(wish: file::NewSchema, client: &Client, format: Format) -> Result<(), Report> {
    let (subject, request) = (&wish.subject, wish.source.request()?);
    let send = client.request(Method::POST, &["subjects", subject, "versions"]).json(&request);
    let registered: RegisteredSchema = match client.json(send).await {
        Err(error) if error.status() == Some(StatusCode::CONFLICT.as_u16()) => {
            // The reasons one by one; where they are gone meanwhile, the server's own sentence.
            let reasons = check::reasons(client, subject, None, &request).await?;
            if reasons.is_empty() {
                return Err(error.into());
            }
            for reason in &reasons {
                report::say(reason);
            }
            return Err(check::Incompatible::new(subject).into());
        }
        sent => sent?,
    };
    let version = registered.version.map_or_else(String::new, |version| format!(" version {version}"));
    let id = registered.id.map_or_else(String::new, |id| format!(", id {id}"));
    Ok(output::one(format, &registered, || format!("registered {subject}{version}{id}\n"))?)
}

/// A version of a subject.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name where there is no such subject.
async fn of_version(client: &Client, subject: &str, version: &str) -> Result<RegisteredSchema, Error> {
    let found = client.get(&["subjects", subject, "versions", version]).await;
    match found {
        Err(error) => Err(of_subject(client, subject, error).await),
        found => found,
    }
}

/// The error of a request for a subject: where there is none, with the nearest.
async fn of_subject(client: &Client, subject: &str, error: Error) -> Error {
    if error.registry_code() != Some(UNKNOWN_SUBJECT) {
        return error;
    }
    let known: Vec<String> = client.get(&["subjects"]).await.unwrap_or_default();
    let near = nearest(subject, known.iter().map(String::as_str)).map(str::to_owned);
    Error::unknown("subject", subject, near)
}
