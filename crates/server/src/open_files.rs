//! The limit of open files, and how it is shared out: the log gets its part before connections get theirs, so that
//! no number of clients keeps a partition from being written.

use factum_broker::DEFAULT_OPEN_FILES;
use rustix::process::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::Options;

/// For what is neither a partition's segment nor a connection: listeners, state, files open for a moment.
const RESERVED: usize = 64;
/// With fewer connections than this a port is said to be short of them. The usual limit of 4,096 open files leaves 1,008.
const FEW_CONNECTIONS: usize = 2_000;
/// What is said of a port whose limit was lowered.
const LOWERED: &str = "the limit of open files leaves room for fewer connections than max_connections";
/// Fewer than this serve no one, whatever the limit.
const FEWEST: usize = 8;

/// Raises the soft limit of open files to the hard one, as far as the system lets; what is allowed then.
/// `None` means no limit.
pub fn raise_open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let wanted = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        if setrlimit(Resource::Nofile, wanted).is_ok() {
            limit = wanted;
        }
    }
    limit.current
}

/// Lowers what `options` may hold open to what the process may: half of it for the log, a quarter for each port.
pub(crate) fn share_out(mut options: Options) -> Options {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return options };
    let files = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(RESERVED);
    let log = options.log.open_files.unwrap_or_else(|| DEFAULT_OPEN_FILES.min(files / 2).max(FEWEST));
    options.log.open_files = Some(log);
    let each_port = (files.saturating_sub(log) / 2).max(FEWEST);
    for (port, connections) in
        [("kafka", &mut options.kafka.max_connections), ("http", &mut options.http.max_connections)]
    {
        if *connections > each_port {
            // Few servers have thousands of clients: only a limit that is soon met is worth a warning.
            match each_port < FEW_CONNECTIONS {
                true => warn!(port, limit, connections = each_port, "{LOWERED}"),
                false => info!(port, limit, connections = each_port, "{LOWERED}"),
            }
            *connections = each_port;
        }
    }
    options
}
