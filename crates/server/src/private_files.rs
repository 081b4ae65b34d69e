//! Files that are the server's own account's alone: a data directory that others on the machine can read.
//!
//! What is made is private from the beginning ([`factum_log::LocalDisk`]). A directory that an earlier version made, or an
//! operator, is tightened at the start: closed itself, so that nothing below it can be reached, and what is kept of passwords
//! file by file, in case the directory is opened again.
//!
//! **Not here:** a group that is to read along, for which there is no setting: a backup runs as the server's account or as root.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use factum_access::TOPIC;
use tracing::{info, warn};

/// Folders within the topic's: its partition, and what a repair keeps.
const DEEPEST: usize = 4;

/// Closes `data_dir` to other accounts. What cannot be closed is reported. Blocking.
pub(crate) fn tighten(data_dir: &Path) {
    let secrets = data_dir.join("topics").join(TOPIC);
    match close(data_dir) {
        Ok(false) => {}
        Ok(true) => {
            info!(data_dir = %data_dir.display(), "other accounts of this machine can read the data directory no more");
        }
        Err(error) => {
            warn!(data_dir = %data_dir.display(), %error, "other accounts of this machine can read the data directory");
        }
    }
    if let Err(error) = close_all(&secrets, DEEPEST)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(path = %secrets.display(), %error, "other accounts of this machine can read what is kept of passwords");
    }
}

/// Takes the rights of group and others away; whether they had any. Links are not followed.
fn close(path: &Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    let mode = found.permissions().mode() & 0o7777;
    if found.is_symlink() || mode & 0o077 == 0 {
        return Ok(false);
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o700))?;
    Ok(true)
}

fn close_all(path: &Path, depth: usize) -> io::Result<()> {
    close(path)?;
    if depth == 0 || !fs::symlink_metadata(path)?.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        match close_all(&entry?.path(), depth - 1) {
            // Compaction may have removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            closed => closed?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_that_others_could_read_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("data");
        let partition = data_dir.join("topics").join(TOPIC).join("0");
        fs::create_dir_all(&partition).expect("made");
        let segment = partition.join("00000000000000000000.log");
        fs::write(&segment, "stored_key").expect("written");
        for path in [&data_dir, &partition, &segment] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).expect("opened");
        }
        tighten(&data_dir);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!([mode(&data_dir), mode(&partition), mode(&segment)], [0o700; 3]);
    }
}
