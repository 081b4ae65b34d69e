//! `factum topic alter`: changes settings of a topic, and gives it partitions.

use std::collections::BTreeMap;

use factum_types::suggest::nearest;
use miette::{Diagnostic, Report};
use reqwest::Method;
use serde_json::{Value, json};

use super::manifest;
use crate::args::{Format, whole};
use crate::client::{Client, Error, Topic};
use crate::output;
use crate::report;

/// Which settings.
#[derive(Debug, clap::Args)]
pub(crate) struct Alter {
    /// The topic, in full: store.orders
    topic: String,
    /// How many partitions it is to have, more than it has; a key may go to another partition from then on
    #[arg(long, allow_negative_numbers = true, value_parser = whole::<i32>(1, None, 8))]
    partitions: Option<i32>,
    /// A setting and its value: retention=30d, compression=zstd; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A setting that goes back to what the project declares, or else to the server's default; may be given several times
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        None => Err("it is not NAME=VALUE"),
        Some(("", _)) => Err("it names no setting"),
        Some((_, "")) => Err("it gives no value; --unset goes back to the server's default"),
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
    }
}

/// What the command line lacks.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum WrongAlter {
    #[error("nothing is to change")]
    #[diagnostic(help("say what: --set retention=30d, --unset retention, or --partitions 8"))]
    Nothing,
    #[error("the setting {name} is given twice")]
    #[diagnostic(help("give it once, with --set or with --unset"))]
    Twice { name: String },
    #[error("there is no setting {name}")]
    Unknown {
        name: String,
        #[help]
        help: String,
    },
    #[error("{message}")]
    Value { message: String },
}

/// The server's refusal without the place in a body that the user has not written, and with the setting that was meant.
fn refused(error: Error) -> Report {
    let Error::Refused(problem) = &error else { return error.into() };
    let Some((message, _)) = problem.title.split_once(" at line 1 column ") else { return error.into() };
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    let Some((name, rest)) = unknown else { return WrongAlter::Value { message: message.to_owned() }.into() };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("settings are {}", known.join(", ")),
    };
    WrongAlter::Unknown { name: name.to_owned(), help }.into()
}

pub(super) async fn run(wish: Alter, client: &Client, format: Format) -> Result<(), Report> {
    let mut config: BTreeMap<String, Value> = BTreeMap::new();
    let is_setting = !wish.set.is_empty();
    let set = wish.set.into_iter().map(|(name, value)| (name, Value::String(value)));
    for (name, value) in set.chain(wish.unset.into_iter().map(|name| (name, Value::Null))) {
        if config.insert(name.clone(), value).is_some() {
            return Err(WrongAlter::Twice { name }.into());
        }
    }
    if config.is_empty() && wish.partitions.is_none() {
        return Err(WrongAlter::Nothing.into());
    }
    // Where there is none of this name, the nearest is suggested.
    client.topic(&wish.topic).await?;
    let request = client.request(Method::PATCH, &["api", "v1", "topics", &wish.topic]);
    let mut body = json!({ "config": config });
    if let Some(partitions) = wish.partitions {
        body["partitions"] = partitions.into();
    }
    let altered = client.json(request.json(&body)).await;
    let topic: Topic = altered.map_err(refused)?;
    output::one(format, &topic, || {
        let now = serde_json::to_value(&topic.config).unwrap_or_default();
        let line = |name: &String| match &now[name] {
            Value::Null => format!("  {name}: the server's default\n"),
            value => format!("  {name}: {}\n", output::printable(&output::cell(value))),
        };
        let partitions = wish.partitions.map(|_| format!("  partitions: {}\n", topic.partitions.len()));
        let settings: String = config.keys().map(line).collect();
        format!("changed topic {}\n{}{settings}", topic.name, partitions.unwrap_or_default())
    })?;
    if let Some(file) = manifest(&topic).filter(|_| is_setting) {
        report::say(format_args!(
            "note: a project declares {}; what {file} and the defaults in factum.yaml say of these settings is set again \
             when the project is applied",
            topic.name
        ));
    }
    Ok(())
}
