//! `factum quota`: list, set and delete client quotas.

use std::collections::BTreeMap;
use std::str::FromStr;

use factum_api::quotas::{QuotaList, QuotaPartView, QuotaQuery, QuotaView};
use miette::Report;
use reqwest::Method;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, Column, Row, words};
use crate::report;

/// List, set and delete quotas, which say how much Kafka clients may use
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum quota set --entity user=alice producer_byte_rate=1048576
  factum quota set --entity user=alice --entity client-id consumer_byte_rate=1048576 request_percentage=50
  factum quota list")]
pub(crate) enum Verb {
    /// List quotas
    #[command(before_help = "Examples:
  factum quota list
  factum quota list --entity user=alice      those that are about alice, by whatever client id")]
    List {
        /// Those that are about this: user=NAME, client-id=NAME or ip=ADDRESS; without a name, about the default
        #[arg(long, value_name = "TYPE[=NAME]")]
        entity: Vec<Part>,
    },
    /// Set limits; those that are not named stay
    #[command(before_help = "Examples:
  factum quota set --entity user=alice producer_byte_rate=1048576
  factum quota set --entity user consumer_byte_rate=1048576      each user without a quota of its own
  factum quota set --entity ip=10.0.0.7 connection_creation_rate=5")]
    Set {
        /// Whom it is about: user=NAME, client-id=NAME, both, or ip=ADDRESS; without a name, the default
        #[arg(long, value_name = "TYPE[=NAME]", required = true)]
        entity: Vec<Part>,
        /// producer_byte_rate, consumer_byte_rate, request_percentage, controller_mutation_rate, or of an ip
        /// connection_creation_rate
        #[arg(value_name = "KEY=VALUE", required = true)]
        limits: Vec<Limit>,
    },
    /// Delete limits, or all that an entity has
    #[command(before_help = "Examples:
  factum quota delete --entity user=alice
  factum quota delete --entity user=alice producer_byte_rate")]
    Delete {
        /// Whom it is about
        #[arg(long, value_name = "TYPE[=NAME]", required = true)]
        entity: Vec<Part>,
        /// The limits that go; all unless given
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
}

/// A part of an entity: a type, and a name unless the default is meant.
#[derive(Debug, Clone)]
pub(crate) struct Part(QuotaPartView);

impl FromStr for Part {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = match text.split_once('=') {
            Some((kind, name)) => (kind, Some(name.to_owned())),
            None => (text, None),
        };
        Ok(Self(QuotaPartView { kind: kind.to_owned(), name }))
    }
}

/// A limit for a key.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    key: String,
    value: f64,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) =
            text.split_once('=').ok_or("write KEY=VALUE, such as producer_byte_rate=1048576")?;
        let value = value.parse().map_err(|_| format!("{value:?} is not a number, such as 1048576"))?;
        Ok(Self { key: key.to_owned(), value })
    }
}

impl Row for QuotaView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("entity", name_of),
        words("limits", |quota| {
            let limits = quota.limits.iter().filter_map(|(key, value)| Some(format!("{key}={}", (*value)?)));
            limits.collect::<Vec<_>>().join(" ")
        }),
    ];

    fn name(&self) -> String {
        name_of(self)
    }
}

/// The entity, as `--entity` takes it.
fn name_of(quota: &QuotaView) -> String {
    let part = |part: &QuotaPartView| match &part.name {
        Some(name) => format!("{}={name}", part.kind),
        None => part.kind.clone(),
    };
    quota.entity.iter().map(part).collect::<Vec<_>>().join(" ")
}

fn query(entity: Vec<Part>) -> QuotaQuery {
    let mut query = QuotaQuery::default();
    let mut defaults = Vec::new();
    for Part(QuotaPartView { kind, name }) in entity {
        match (kind.as_str(), name) {
            ("user", Some(name)) => query.user = Some(name),
            ("client-id", Some(name)) => query.client_id = Some(name),
            ("ip", Some(name)) => query.ip = Some(name),
            // What there is no such type of is for the server to say.
            (_, _) => defaults.push(kind),
        }
    }
    query.default = (!defaults.is_empty()).then(|| defaults.join(","));
    query
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    let path = ["api", "v1", "quotas"];
    match verb {
        Verb::List { entity } => {
            let request = client.request(Method::GET, &path).query(&query(entity));
            let found: QuotaList = client.json(request).await?;
            if found.quotas.is_empty() && format == Format::Table {
                report::say("there are no such quotas");
            }
            Ok(output::list(format, &found.quotas)?)
        }
        Verb::Set { entity, limits } => {
            let limits = limits.into_iter().map(|limit| (limit.key, Some(limit.value))).collect();
            change(&client, format, entity, limits).await
        }
        Verb::Delete { entity, keys } if keys.is_empty() => {
            let request = client.request(Method::DELETE, &path).query(&query(entity));
            let gone: QuotaList = client.json(request).await?;
            report::say(format!("deleted {}", output::count(gone.quotas.len(), "quota")));
            Ok(output::list(format, &gone.quotas)?)
        }
        Verb::Delete { entity, keys } => {
            change(&client, format, entity, keys.into_iter().map(|key| (key, None)).collect()).await
        }
    }
}

async fn change(
    client: &Client,
    format: Format,
    entity: Vec<Part>,
    limits: BTreeMap<String, Option<f64>>,
) -> Result<(), Report> {
    let entity = entity.into_iter().map(|Part(part)| part).collect();
    let body = QuotaList { quotas: vec![QuotaView { entity, limits }] };
    let request = client.request(Method::POST, &["api", "v1", "quotas"]).json(&body);
    let now: QuotaList = client.json(request).await?;
    Ok(output::list(format, &now.quotas)?)
}
