//! `factum acl`: list, create and delete access rules.

use factum_api::access::{AclList, AclQuery, AclView};
use miette::{Diagnostic, Report};
use reqwest::Method;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, Column, Row, words};
use crate::report;

/// The name of the one cluster.
const CLUSTER: &str = "kafka-cluster";

/// List, create and delete access rules, which say who may do what
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum acl create --principal User:alice --topic store. --prefixed --operation read
  factum acl list --principal User:alice")]
pub(crate) enum Verb {
    /// List rules
    #[command(before_help = "Examples:
  factum acl list
  factum acl list --topic store.orders --match      those that apply to the topic")]
    List(Choice),
    /// Create a rule for each operation
    #[command(before_help = "Examples:
  factum acl create --principal User:alice --topic store.orders --operation read --operation write
  factum acl create --principal User:bob --group '*' --operation read --host 10.0.0.7
  factum acl create --principal User:'*' --topic store.secret --operation all --deny")]
    Create(NewRules),
    /// Delete rules
    #[command(before_help = "Examples:
  factum acl delete --principal User:alice
  factum acl delete --principal User:alice --topic store.orders --operation write")]
    Delete(Choice),
}

/// The resource of a rule.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Subject {
    /// A topic, view, table or dashboard, in full: store.orders; '*' is every one
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// A consumer group
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// A transactional producer
    #[arg(long, value_name = "ID")]
    transactional_id: Option<String>,
    /// The whole of this Factum
    #[arg(long)]
    cluster: bool,
}

impl Subject {
    /// The type and the name.
    fn parts(self) -> Option<(&'static str, String)> {
        let Self { topic, group, transactional_id, cluster } = self;
        let topic = topic.map(|name| ("topic", name));
        let group = group.map(|name| ("group", name));
        let id = transactional_id.map(|name| ("transactional_id", name));
        topic.or(group).or(id).or(cluster.then(|| ("cluster", CLUSTER.to_owned())))
    }
}

/// Which rules are meant; what is left out is any.
#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    #[command(flatten)]
    subject: Subject,
    /// Rules for names that begin with the name alone
    #[arg(long, conflicts_with = "applying")]
    prefixed: bool,
    /// Every rule that applies to the resource of that name
    #[arg(long = "match")]
    applying: bool,
    /// Rules about this principal alone: User:alice
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// Rules for this address alone
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Rules about this operation alone: read, write, create, delete, alter, describe, all …
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Rules that allow alone
    #[arg(long, conflicts_with = "deny")]
    allow: bool,
    /// Rules that deny alone
    #[arg(long)]
    deny: bool,
}

impl Choice {
    fn query(self) -> AclQuery {
        let (resource_type, name) = self.subject.parts().unzip();
        let pattern_type = match (self.prefixed, self.applying) {
            (true, _) => Some("prefixed"),
            (false, true) => Some("match"),
            (false, false) => None,
        };
        let permission = match (self.allow, self.deny) {
            (true, _) => Some("allow"),
            (false, true) => Some("deny"),
            (false, false) => None,
        };
        AclQuery {
            resource_type: resource_type.map(str::to_owned),
            name,
            pattern_type: pattern_type.map(str::to_owned),
            principal: self.principal,
            host: self.host,
            operation: self.operation,
            permission: permission.map(str::to_owned),
        }
    }
}

/// Rules to create, one for each operation.
#[derive(Debug, clap::Args)]
pub(crate) struct NewRules {
    #[command(flatten)]
    subject: Subject,
    /// The name is what names begin with
    #[arg(long)]
    prefixed: bool,
    /// Whom it is about: User:alice; 'User:*' is everyone
    #[arg(long, value_name = "PRINCIPAL")]
    principal: String,
    /// The address that it is about; every one unless given
    #[arg(long, value_name = "ADDRESS", default_value = "*")]
    host: String,
    /// read, write, create, delete, alter, describe, all … May be given more than once
    #[arg(long, value_name = "OPERATION", required = true)]
    operation: Vec<String>,
    /// It allows, as it does unless told otherwise
    #[arg(long, conflicts_with = "deny")]
    allow: bool,
    /// It denies, whatever other rules allow
    #[arg(long)]
    deny: bool,
}

/// A rule about nothing.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the rule is about nothing")]
#[diagnostic(help("say --topic, --group, --transactional-id or --cluster; '*' is every one"))]
struct NoSubject;

impl NewRules {
    fn acls(self) -> Result<AclList, NoSubject> {
        let (resource_type, name) = self.subject.parts().ok_or(NoSubject)?;
        let rule = |operation: String| AclView {
            resource_type: resource_type.to_owned(),
            name: name.clone(),
            pattern_type: if self.prefixed { "prefixed" } else { "literal" }.to_owned(),
            principal: self.principal.clone(),
            host: self.host.clone(),
            operation,
            permission: if self.deny { "deny" } else { "allow" }.to_owned(),
        };
        Ok(AclList { acls: self.operation.into_iter().map(rule).collect() })
    }
}

impl Row for AclView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("principal", |acl| acl.principal.clone()),
        words("permission", |acl| acl.permission.clone()),
        words("operation", |acl| acl.operation.clone()),
        words("resource", |acl| acl.resource_type.clone()),
        words("pattern", |acl| acl.pattern_type.clone()),
        words("name", |acl| acl.name.clone()),
        words("host", |acl| acl.host.clone()),
    ];

    fn name(&self) -> String {
        self.principal.clone()
    }
}

pub(super) async fn run(verb: Verb, client: Client, format: Format) -> Result<(), Report> {
    let path = ["api", "v1", "acls"];
    match verb {
        Verb::List(choice) => {
            let request = client.request(Method::GET, &path).query(&choice.query());
            let found: AclList = client.json(request).await?;
            if found.acls.is_empty() && format == Format::Table {
                report::say("there are no such rules");
            }
            Ok(output::list(format, &found.acls)?)
        }
        Verb::Create(rules) => {
            let request = client.request(Method::POST, &path).json(&rules.acls()?);
            let created: AclList = client.json(request).await?;
            report::say(format!("created {}", output::count(created.acls.len(), "rule")));
            Ok(output::list(format, &created.acls)?)
        }
        Verb::Delete(choice) => {
            let request = client.request(Method::DELETE, &path).query(&choice.query());
            let gone: AclList = client.json(request).await?;
            report::say(format!("deleted {}", output::count(gone.acls.len(), "rule")));
            Ok(output::list(format, &gone.acls)?)
        }
    }
}
