//! The command line: every verb and flag, and nothing else.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands::{
    acl, completion, demo, dev, doctor, explain, export, generate, group, init, log, pipeline, produce,
    quota, schema, server, sql, tail, topic, transaction, user, view,
};

/// An event-driven architecture in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "factum",
    version,
    propagate_version = true,
    before_help = "Examples:
  factum demo movies                         see what it does: a store's orders, live
  factum dev examples/movies                 start everything with a project, and watch it
  factum tail store.orders --from earliest   print a topic, and go on as events arrive
  factum view watch store.top_movies         print a view, and go on as it changes"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What the flags that every command takes stand under, below those of the command itself.
const EVERYWHERE: &str = "Options of every command";

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The running Factum that the command talks to
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "FACTUM_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// Whether the user named it, rather than leaving it to the default
    #[arg(skip)]
    pub(crate) is_server_named: bool,
    /// A PEM file with the authorities that an https:// server's certificate may come from, in place of the machine's
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "FACTUM_CACERT", value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// The user to log in as; its password is in FACTUM_PASSWORD
    #[arg(long = "user", global = true, help_heading = EVERYWHERE, env = "FACTUM_USER", value_name = "NAME")]
    pub(crate) login: Option<String>,
    /// How to print what was asked for
    #[arg(short, long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for people
    Table,
    /// JSON, everything that is known
    Json,
    /// YAML, everything that is known
    Yaml,
    /// The table's columns, separated by commas
    Csv,
    /// Names alone, one a line
    Name,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a case study, its generator and its dashboard
    Demo(demo::Args),
    /// Run everything in one process, for development
    Dev(dev::Args),
    /// Run with a configuration file, for production
    Server(server::Args),
    /// Write a small commented project
    Init(init::Args),
    /// List, describe, create, alter and delete topics
    #[command(subcommand)]
    Topic(topic::Verb),
    /// List, get, register, check, compare and delete schemas
    #[command(subcommand)]
    Schema(schema::Verb),
    /// List, describe, delete and rewind consumer groups
    #[command(subcommand)]
    Group(group::Verb),
    /// List, describe and abort transactions of producers
    #[command(subcommand)]
    Transaction(transaction::Verb),
    /// List, create and delete users, and set their passwords
    #[command(subcommand)]
    User(user::Verb),
    /// List, create and delete access rules
    #[command(subcommand)]
    Acl(acl::Verb),
    /// List, set and delete client quotas
    #[command(subcommand)]
    Quota(quota::Verb),
    /// List, read and watch views
    #[command(subcommand)]
    View(view::Verb),
    /// List and describe pipelines, which keep views up to date
    #[command(subcommand)]
    Pipeline(pipeline::Verb),
    /// Run a SQL query
    Sql(sql::Args),
    /// Show how a query or a view is computed
    Explain(explain::Args),
    /// Send JSON lines to a topic
    Produce(produce::Args),
    /// Generate events, at any rate
    Generate(generate::Args),
    /// Print a topic's events as they arrive
    Tail(tail::Args),
    /// Write what is declared in a form that other tools read
    #[command(subcommand)]
    Export(export::Verb),
    /// Check this machine for common problems
    Doctor(doctor::Args),
    /// Check a data directory for damage, and repair it
    #[command(subcommand)]
    Log(log::Verb),
    /// Print a completion script for a shell
    Completion(completion::Args),
}

/// Where `dev` and `doctor` listen and keep data.
#[derive(Debug, Clone, Args)]
pub(crate) struct Places {
    /// Where events are kept; without it a temporary folder, removed at exit
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of the HTTP API; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS", value_parser = address)]
    pub(crate) http: std::net::SocketAddr,
    /// Address of the Kafka API; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "ADDRESS", value_parser = address)]
    pub(crate) kafka: std::net::SocketAddr,
}

/// Reads `127.0.0.1:8080`, `localhost:8080`, `:8080` or `8080`; without a host, loopback.
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port.parse().map_err(|_| format!("{port:?} is not a port from 0 to 65535"))?;
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "" | "localhost" => "127.0.0.1",
        "*" => "0.0.0.0",
        host => host,
    };
    let ip = host.parse().map_err(|_| format!("{host:?} is not an IP address of this machine"))?;
    Ok(std::net::SocketAddr::new(ip, port))
}

/// Reads whole numbers from `least` to `most`; `example` is one.
pub(crate) fn whole<T>(
    least: T,
    most: Option<T>,
    example: T,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text: &str| {
        let number = text.parse().ok();
        let number = number.filter(|number| *number >= least && most.is_none_or(|most| *number <= most));
        number.ok_or_else(|| match most {
            Some(most) => format!("it is not a whole number from {least} to {most}, such as {example}"),
            None => format!("it is not a whole number from {least} on, such as {example}"),
        })
    }
}

/// Reads the command line; where there is nothing to run, prints what clap has to say and gives the exit code.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    read(std::env::args_os()).map_err(|error| {
        // A closed pipe leaves no one to tell.
        error.print().ok();
        std::io::stdout().flush().ok();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

fn read(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = tree().try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.common.is_server_named = matches.value_source("server") != Some(ValueSource::DefaultValue);
    Ok(cli)
}

/// The command tree, for completions.
pub(crate) fn tree() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        tree().debug_assert();
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, meant) in [
            ("8080", "127.0.0.1:8080"),
            (":0", "127.0.0.1:0"),
            ("localhost:81", "127.0.0.1:81"),
            ("0.0.0.0:9092", "0.0.0.0:9092"),
            ("[::1]:9092", "[::1]:9092"),
        ] {
            assert_eq!(address(text).expect("understood").to_string(), meant);
        }
        assert!(address("example.com:80").is_err());
        assert!(address("99999").is_err());
    }
}
