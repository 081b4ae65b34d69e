//! `factum schema group`: list, create, delete.

use factum_api::schema_groups::{NewSchemaGroup, SchemaGroupList, SchemaGroupView};
use miette::Report;
use reqwest::Method;

use crate::args::Format;
use crate::client::Client;
use crate::output::{self, Column, Row, numbers, words};
use crate::report;

/// List, create and delete schema groups, which Azure's clients find schemas in
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Examples:
  factum schema group create orders --type avro --compatibility forward
  factum schema group list")]
pub(crate) enum Verb {
    /// List schema groups; each context is one
    #[command(before_help = "Example:
  factum schema group list")]
    List,
    /// Create a schema group
    #[command(before_help = "Examples:
  factum schema group create orders --type avro
  factum schema group create shared --compatibility none       schemas of any format")]
    Create {
        /// Its name
        group: String,
        /// The format of all its schemas; without it each may have another
        #[arg(long = "type", value_parser = ["avro", "json", "protobuf"], ignore_case = true, value_name = "FORMAT")]
        format: Option<String>,
        /// Its compatibility level; without it that of all subjects
        #[arg(long, value_name = "LEVEL")]
        compatibility: Option<String>,
    },
    /// Delete a schema group that has no schemas
    #[command(before_help = "Example:
  factum schema group delete orders")]
    Delete {
        /// Its name
        group: String,
    },
}

impl Row for SchemaGroupView {
    const COLUMNS: &'static [Column<Self>] = &[
        words("group", |group| group.name.clone()),
        words("type", |group| group.schema_type.clone().unwrap_or_else(|| "any".to_owned())),
        words("compatibility", |group| group.compatibility.clone()),
        numbers("schemas", |group| group.schemas.to_string()),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }
}

pub(super) async fn run(verb: Verb, client: &Client, format: Format) -> Result<(), Report> {
    match verb {
        Verb::List => {
            let groups = client.get::<SchemaGroupList>(&["api", "v1", "schema-groups"]).await?.groups;
            Ok(output::list(format, &groups)?)
        }
        Verb::Create { group, format: schema_type, compatibility } => {
            let schema_type = schema_type.map(|format| format.to_ascii_uppercase());
            let body = NewSchemaGroup { name: group, schema_type, compatibility };
            let request = client.request(Method::POST, &["api", "v1", "schema-groups"]).json(&body);
            let created: SchemaGroupView = client.json(request).await?;
            report::say(format!("created schema group {}", output::printable(&created.name)));
            Ok(())
        }
        Verb::Delete { group } => {
            client.send(client.request(Method::DELETE, &["api", "v1", "schema-groups", &group])).await?;
            report::say(format!("deleted schema group {}", output::printable(&group)));
            Ok(())
        }
    }
}
