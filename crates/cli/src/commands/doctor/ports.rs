//! Ports: free, or who has them.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use super::Finding;

/// Looks at one port. A Factum that runs has its ports taken, and that is as it should be.
pub(super) fn check(check: &'static str, flag: &str, address: SocketAddr, server_runs: bool) -> Finding {
    let error = match TcpListener::bind(address) {
        Ok(_) if address.port() == 0 => return Finding::ok(check, "any free port"),
        Ok(_) => return Finding::ok(check, format!("{address} is free")),
        Err(error) => error,
    };
    let owner = owner(address.port());
    match (error.kind(), owner) {
        (ErrorKind::AddrInUse, Some(owner)) if owner.is_factum() && server_runs => {
            Finding::ok(check, format!("{address} is served by {owner}"))
        }
        (ErrorKind::AddrInUse, owner) => {
            let who = owner.map_or_else(|| "another program".to_owned(), |owner| owner.to_string());
            Finding::fail(
                check,
                format!("{address} is taken by {who}"),
                format!("stop it, or give {flag} another port (0: any)"),
            )
        }
        (ErrorKind::PermissionDenied, _) => Finding::fail(
            check,
            format!("{address} is not allowed: {error}"),
            format!("give {flag} a port above 1023"),
        ),
        _ => Finding::fail(
            check,
            format!("{address}: {error}"),
            format!("give {flag} an address of this machine"),
        ),
    }
}

/// A process that listens.
struct Owner {
    name: String,
    process: u32,
}

impl Owner {
    fn is_factum(&self) -> bool {
        self.name == "factum"
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.process)
    }
}

/// Who listens on a port, as far as this user may know.
#[cfg(target_os = "linux")]
fn owner(port: u16) -> Option<Owner> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.filter_map(Result::ok).find_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let files = std::fs::read_dir(entry.path().join("fd")).ok()?;
        let holds = files.filter_map(Result::ok).any(|file| {
            let target = std::fs::read_link(file.path()).unwrap_or_default();
            inodes.iter().any(|inode| target.as_os_str() == format!("socket:[{inode}]").as_str())
        });
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        holds.then(|| Owner { name: name.trim().to_owned(), process })
    })
}

#[cfg(not(target_os = "linux"))]
fn owner(_: u16) -> Option<Owner> {
    None
}

/// Inodes of the sockets that listen on `port`, from a table of `/proc/net` (proc(5)): the second column is the
/// local address in hexadecimal, the fourth the state (0A: listening), the tenth the inode.
#[cfg(any(target_os = "linux", test))]
fn listeners(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    let columns = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns
        .filter(|columns| columns.len() > 9 && columns[1].ends_with(&end) && columns[3] == "0A")
        .map(|columns| columns[9].to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0";
        assert_eq!(listeners(table, 8080), ["4711"]);
        assert!(listeners(table, 8081).is_empty());
    }
}
