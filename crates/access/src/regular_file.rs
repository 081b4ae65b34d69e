//! Files that an operator names: certificates, keys.
//!
//! **Invariants:** opening never waits. A named pipe would wait for its other end, and the listener for the file, forever.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a file to read. A link is followed: certificates are often replaced by changing one.
///
/// # Errors
/// The operating system's; [`io::ErrorKind::InvalidInput`] if it is no file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Without waiting, for what takes the file's place after it was looked at.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no file, but a directory, a pipe or a device",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_named_pipe_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let pipe = dir.path().join("certificate.pem");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        let refused = open(&pipe).expect_err("no file");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        assert!(open(dir.path()).is_err(), "a directory");
    }
}
