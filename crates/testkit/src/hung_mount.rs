//! A file system that does not answer, as a network mount whose server is gone: FUSE, with no process that serves it.
//!
//! Linux only, and as root: it mounts.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The shell keeps the file system's connection open and never reads a request from it. Containers may lack the device.
const SCRIPT: &str = r#"device=/dev/fuse
[ -e "$device" ] || { device=$1.fuse; mknod "$device" c 10 229 || exit; }
exec 3<>"$device"
[ "$device" = /dev/fuse ] || rm "$device"
mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hung "$1" || exit
printf mounted
exec sleep 3600 >/dev/null"#;

/// A mounted folder in which every path keeps every caller that asks for it waiting.
#[derive(Debug)]
pub struct HungMount {
    folder: TempDir,
    holder: Child,
}

impl HungMount {
    /// Mounts one in a temporary folder.
    ///
    /// # Panics
    /// If it cannot be mounted.
    #[expect(clippy::new_without_default, reason = "to make one is to mount")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(folder.path()).stdout(Stdio::piped());
        let mut holder = shell.spawn().expect("sh is there");
        let mut said = String::new();
        holder.stdout.take().expect("piped").read_to_string(&mut said).expect("it can be read");
        assert_eq!(said, "mounted", "this test mounts a file system without an answer: run it as root");
        Self { folder, holder }
    }

    /// The mounted folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets everyone who waits go on, with an error: the process that should have answered is gone.
    pub fn end(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

impl Drop for HungMount {
    fn drop(&mut self) {
        self.end();
        Command::new("umount").arg("--lazy").arg(self.folder.path()).status().ok();
    }
}
