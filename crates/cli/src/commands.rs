//! One file per verb.

pub(crate) mod acl;
pub(crate) mod completion;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod group;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod pipeline;
mod position;
pub(crate) mod produce;
pub(crate) mod quota;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod sql;
pub(crate) mod tail;
pub(crate) mod topic;
pub(crate) mod transaction;
pub(crate) mod user;
pub(crate) mod view;

use std::future::Future;

use miette::{IntoDiagnostic, Report, WrapErr};

use crate::args::{Cli, Command, Common};
use crate::client::Client;

/// Has the password of the user that commands log in as: an argument could be read by every user of the machine.
const PASSWORD: &str = "FACTUM_PASSWORD";

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Result<(), Report> {
    let common = cli.common;
    match cli.command {
        Command::Dev(args) => dev::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Server(args) => server::run(&args),
        Command::Init(args) => init::run(&args, common.output),
        Command::Topic(verb) => talk(&common, |client| topic::run(verb, client, common.output)),
        Command::Group(verb) => talk(&common, |client| group::run(verb, client, common.output)),
        Command::Transaction(verb) => talk(&common, |client| transaction::run(verb, client, common.output)),
        Command::User(verb) => talk(&common, |client| user::run(verb, client, common.output)),
        Command::Acl(verb) => talk(&common, |client| acl::run(verb, client, common.output)),
        Command::Quota(verb) => talk(&common, |client| quota::run(verb, client, common.output)),
        Command::Schema(verb) => talk(&common, |client| schema::run(verb, client, common.output)),
        Command::View(verb) => talk(&common, |client| view::run(verb, client, common.output)),
        Command::Pipeline(verb) => talk(&common, |client| pipeline::run(verb, client, common.output)),
        Command::Sql(args) => talk(&common, |client| sql::run(args, client, common.output)),
        Command::Explain(args) => talk(&common, |client| explain::run(args, client)),
        Command::Export(verb) => talk(&common, |client| export::run(verb, client, common.output)),
        Command::Produce(args) => talk(&common, |client| produce::run(args, client, common.output)),
        Command::Generate(args) => talk(&common, |client| generate::run(args, client, common.output)),
        Command::Tail(args) => talk(&common, |client| tail::run(args, client, common.output)),
        Command::Doctor(args) => {
            talk(&common, |client| doctor::run(args, client, common.is_server_named, common.output))
        }
        Command::Log(verb) => log::run(verb, common.output),
        Command::Completion(args) => completion::run(&args),
    }
}

/// Runs a command that talks to a server.
fn talk<F>(common: &Common, command: impl FnOnce(Client) -> F) -> Result<(), Report>
where
    F: Future<Output = Result<(), Report>>,
{
    let client = Client::new(&common.server, common.cacert.as_deref())?
        .logged_in(common.login.clone(), std::env::var(PASSWORD).ok());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("start the runtime")?;
    let result = runtime.block_on(command(client));
    // A thread may still be waiting for a line on standard input.
    runtime.shutdown_background();
    result
}
