//! `factum dev`: everything in one process, until Ctrl-C.

mod changes;
mod encryption;
mod welcome;

use std::path::PathBuf;

use factum_base::options;
use factum_base::telemetry::{self, LogFormat};
use factum_governance::project;
use factum_server::{Access, AutoCreateTopics, DataDir, Options, Running, StartError};
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use super::server::ENVIRONMENT;
use crate::args::Places;
use crate::output;
use crate::report;

/// What `dev` logs; problems of the project are shown in full instead.
const LOG_FILTER: &str = "warn,factum_governance::watch=off";

/// Run everything in one process, for development
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  factum dev                                    an empty Factum; its data is gone afterwards
  factum dev examples/movies --data-dir data    with a project that is watched, and data that stays")]
pub(crate) struct Args {
    /// A project folder to apply and to watch
    #[arg(value_name = "PROJECT")]
    project: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
    /// Let anyone in who reaches a port, also from other machines
    #[arg(long)]
    open: bool,
    /// Speak TLS, with a certificate of a local authority that is made at first use
    #[arg(long)]
    tls: bool,
    /// Run the generators that the project declares
    #[arg(long)]
    generate: bool,
}

/// What is said once the server is ready.
#[derive(Debug, Clone, Copy)]
pub(super) enum Greeting {
    /// Every address; what to change is said by flags of `dev`.
    Dev,
    /// Every address; what to change is said by settings of the configuration file.
    Server,
    /// What a case study shows, and where.
    Demo {
        title: &'static str,
        dashboard: &'static str,
        /// Whether the project's folder outlives the demonstration.
        is_kept: bool,
    },
}

/// Why `dev` did not start, or did not go on.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    /// The folder is none; what is wrong was shown before this.
    #[error("{} is not a project, and Factum did not start", .folder.display())]
    NoProject { folder: PathBuf },
    /// Anything else.
    #[error("Factum did not start")]
    Start {
        #[source]
        source: Box<StartError>,
        #[help]
        help: String,
    },
    /// A part that everything rests on failed.
    #[error("Factum stopped: {reason}")]
    #[diagnostic(help("what was acknowledged is on disk; the lines above say more"))]
    Failed { reason: String },
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        Self::Start { help: advice(&error).to_owned(), source: Box::new(error) }
    }
}

fn advice(error: &StartError) -> &'static str {
    match error {
        error if error.is_misconfiguration() => {
            "change the configuration; the page Security of the documentation says what goes together"
        }
        StartError::Http(_) => {
            "choose another port with --http, or 0 for a free one; `factum doctor` says who has it"
        }
        StartError::Kafka(_) => {
            "choose another port with --kafka, or 0 for a free one; `factum doctor` says who has it"
        }
        StartError::Temporary(_) => "name a folder with --data-dir, or set TMPDIR",
        _ => "`factum doctor` looks at the machine",
    }
}

pub(super) fn run(args: Args) -> Result<(), Report> {
    // A server waits for its folder; a person who mistypes one is told at once.
    if let Some(folder) = &args.project
        && let Err(problem) = project::find(folder)
    {
        report::problems([&problem]);
        return Err(Error::NoProject { folder: folder.clone() }.into());
    }
    let mut options = Options { project: args.project, ..options(args.places, args.open)? };
    options.feeds.generate |= args.generate;
    let authority = if args.tls { Some(encryption::encrypt(&mut options)?) } else { None };
    start(options, Greeting::Dev, authority)
}

/// The options of a server for development: what the environment sets, and what flags say.
pub(super) fn options(places: Places, is_open: bool) -> Result<Options, Report> {
    let mut options: Options = options::load(None, ENVIRONMENT)
        .into_diagnostic()
        .wrap_err("the settings in the environment cannot be used")?;
    if let Some(folder) = places.data_dir {
        options.data_dir = DataDir::Kept(folder);
    }
    if is_open {
        options.access.mode = Access::Open;
    }
    options.http.listen = places.http;
    options.kafka.listen = places.kafka;
    if std::env::var_os(format!("{ENVIRONMENT}LOG__AUTO_CREATE_TOPICS")).is_none() {
        options.log.auto_create_topics = AutoCreateTopics::WithoutProject;
    }
    Ok(options)
}

/// Runs a server for development until a signal or a failure.
pub(super) fn start(
    options: Options,
    greeting: Greeting,
    authority: Option<encryption::Authority>,
) -> Result<(), Report> {
    telemetry::init_tracing(LOG_FILTER, LogFormat::Text).into_diagnostic().wrap_err("read RUST_LOG")?;
    serve(options, greeting, authority)
}

/// Plans of views are walked by recursion where they are read. Only what is used of it takes memory.
const THREAD_STACK: usize = 16 << 20;

/// Runs a server until a signal or a failure.
pub(super) fn serve(
    options: Options,
    greeting: Greeting,
    authority: Option<encryption::Authority>,
) -> Result<(), Report> {
    factum_server::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(THREAD_STACK)
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("start the runtime")?;
    let result = runtime.block_on(until_stopped(options, greeting, authority));
    // What must be finished was stopped in order; a thread that still computes rows for someone is let go.
    runtime.shutdown_background();
    result
}

async fn until_stopped(
    options: Options,
    greeting: Greeting,
    authority: Option<encryption::Authority>,
) -> Result<(), Report> {
    // Listened to before anything starts, so that Ctrl-C never leaves a temporary folder behind.
    let mut signals = Signals::listen().into_diagnostic().wrap_err("listen for signals")?;
    let asked = welcome::Request {
        project: options.project.clone(),
        access: options.access.mode,
        opens_unruled: options.access.opens_unruled(),
        generates: options.feeds.generate,
        authority,
        greeting,
    };
    let running = tokio::select! {
        started = Running::start(options) => started.map_err(Error::from)?,
        () = signals.next() => return Ok(()),
    };
    // The user of a case study has not written its project.
    changes::show_first(running.outcome(), !matches!(asked.greeting, Greeting::Demo { .. }));
    output::print(&welcome::block(&running, &asked))?;
    let failure = tokio::select! {
        () = signals.next() => None,
        reason = running.stop_requested() => Some(reason),
        () = changes::show(running.project(), running.outcome()) => None,
    };
    report::say("stopping");
    tokio::select! {
        () = running.stop() => {}
        () = signals.next() => report::say("stopped at once; what was acknowledged is on disk"),
    }
    failure.map_or(Ok(()), |reason| Err(Error::Failed { reason }.into()))
}

/// SIGXFSZ, which the limit of a file's size sends (`ulimit -f`, LimitFSIZE): the same number on Linux, macOS and the BSDs.
#[cfg(unix)]
const FILE_SIZE_LIMIT: std::ffi::c_int = 25;

/// Ctrl-C, `kill`, and a terminal that is closed.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Once it is listened to, a file that may not grow further is an error of the write (EFBIG), as a full disk is;
        // by default it ends the process.
        drop(signal(SignalKind::from_raw(FILE_SIZE_LIMIT))?);
        Ok(Self { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
