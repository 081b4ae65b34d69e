//! A trace by strace, read back as the few things that matter here, in the order in which they happened.

use std::collections::HashMap;
use std::path::Path;

/// The system calls that are traced.
pub(crate) const CALLS: &str = "pwrite64,fdatasync,fsync,rename,renameat2,write,writev,sendto,sendmsg";

/// Something that the server did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It began to write to a file.
    Write(String),
    /// It asked for a file or directory to be synced.
    SyncBegins(String),
    /// The system answered that it is.
    Synced(String),
    /// It gave a file or directory its name.
    Renamed(String),
    /// It began to send to a client of one of its ports.
    Answer(u16),
}

/// Reads a trace written with `strace -f -yy -e trace=CALLS`.
pub(crate) fn read(path: &Path) -> Vec<Event> {
    let text = std::fs::read(path).expect("strace wrote its file");
    let mut syncing = HashMap::new();
    String::from_utf8_lossy(&text).lines().flat_map(|line| events(line, &mut syncing)).collect()
}

/// `syncing` holds the path that each thread is syncing.
fn events(line: &str, syncing: &mut HashMap<String, String>) -> Vec<Event> {
    let Some((thread, call)) = line.split_once(' ') else { return vec![] };
    let call = call.trim_start();
    if call.starts_with("<... fdatasync resumed>") || call.starts_with("<... fsync resumed>") {
        let path = syncing.remove(thread).expect("it had begun");
        return if call.ends_with("= 0") { vec![Event::Synced(path)] } else { vec![] };
    }
    let Some((name, arguments)) = call.split_once('(') else { return vec![] };
    match name {
        "fdatasync" | "fsync" => {
            let path = descriptor(arguments);
            let begins = Event::SyncBegins(path.clone());
            if call.ends_with("<unfinished ...>") {
                syncing.insert(thread.to_owned(), path);
                return vec![begins];
            }
            if call.ends_with("= 0") { vec![begins, Event::Synced(path)] } else { vec![begins] }
        }
        "pwrite64" => vec![Event::Write(descriptor(arguments))],
        "rename" | "renameat2" => {
            let new_name = arguments.rsplit('"').nth(1).expect("a name in quotes");
            vec![Event::Renamed(new_name.to_owned())]
        }
        _ => local_port(&descriptor(arguments)).map(Event::Answer).into_iter().collect(),
    }
}

/// What stands between `<` and `>` behind the first argument.
fn descriptor(arguments: &str) -> String {
    let first = arguments.split_once(['<']).map_or("", |(_, rest)| rest);
    // A socket's description has an arrow in it.
    let end = first.find("]>").map(|at| at + 1).or_else(|| first.find('>'));
    end.map_or("", |end| &first[..end]).to_owned()
}

/// The server's own port of `TCP:[127.0.0.1:8080->127.0.0.1:51000]`.
fn local_port(socket: &str) -> Option<u16> {
    let (local, _) = socket.strip_prefix("TCP:[")?.split_once("->")?;
    local.rsplit(':').next()?.parse().ok()
}
