//! A power cut for a whole process: what it did not sync is gone.
//!
//! ```text
//!   before  data ──copied──► shadow            the process runs with `shim.c` loaded, which keeps the shadow
//!   cut     the process is killed; shadow ──► data   files with their synced contents, under their synced names
//! ```
//!
//! Invariants: after a cut the data directory is what the strictest disk would have kept; before the first start it is
//! all durable. Linux with a C compiler only.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Launch;

const SHIM: &str = include_str!("power_cut/shim.c");

/// The data directory of a process that is to lose its power.
#[derive(Debug)]
pub struct PowerCut {
    folder: TempDir,
}

impl PowerCut {
    /// Builds the shim with `cc`, and makes an empty data directory.
    ///
    /// # Panics
    /// Without a C compiler.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = folder.path().join("shim.c");
        fs::write(&source, SHIM).expect("writable");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&folder.path().join("shim.so"), &source])
            .arg("-ldl")
            .output()
            .expect("a C compiler, `cc`");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let cut = Self { folder };
        fs::create_dir(cut.data()).expect("a folder");
        cut.begin();
        cut
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The same launch, on this data and with the shim.
    #[must_use]
    pub fn of(&self, launch: Launch) -> Launch {
        let text = |path: PathBuf| path.display().to_string();
        launch
            .data_dir(self.data())
            .variable("LD_PRELOAD", text(self.folder.path().join("shim.so")))
            .variable("POWER_CUT_DATA", text(self.data()))
            .variable("POWER_CUT_SHADOW", text(self.shadow()))
    }

    /// Leaves in the data directory what a power cut would have left. The process must be dead.
    ///
    /// # Panics
    /// If the shadow is not whole.
    pub fn cut(&self) {
        let root = id(&self.data(), 0);
        let survived = self.folder.path().join("survived");
        self.restore(&root, &survived);
        fs::remove_dir_all(self.data()).expect("removable");
        fs::rename(survived, self.data()).expect("the same folder");
        self.begin();
    }

    fn shadow(&self) -> PathBuf {
        self.folder.path().join("shadow")
    }

    /// Notes everything that is in the data directory as durable.
    fn begin(&self) {
        fs::remove_dir_all(self.shadow()).ok();
        for part in ["files", "directories", "new"] {
            fs::create_dir_all(self.shadow().join(part)).expect("a folder");
        }
        self.note(&self.data());
    }

    fn note(&self, directory: &Path) {
        let mut names = String::new();
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let kind = if path.is_dir() { 'd' } else { 'f' };
            names += &format!("{} {kind} {name}\n", id(&path, 0));
            match path.is_dir() {
                true => self.note(&path),
                false => {
                    fs::copy(&path, self.shadow().join("files").join(id(&path, 0))).expect("copied");
                }
            }
        }
        fs::write(self.shadow().join("directories").join(id(directory, 0)), names).expect("written");
    }

    /// Makes `to` what of the directory `id` is durable; nothing of a directory that was never synced is.
    fn restore(&self, id: &str, to: &Path) {
        fs::create_dir(to).expect("a new folder");
        let names = fs::read_to_string(self.shadow().join("directories").join(id)).unwrap_or_default();
        let entries: BTreeMap<&str, (&str, &str)> = names
            .lines()
            .map(|line| {
                let mut parts = line.splitn(3, ' ');
                let mut next = || parts.next().expect("three parts");
                let (id, kind, name) = (next(), next(), next());
                (name, (id, kind))
            })
            .collect();
        for (name, (id, kind)) in entries {
            let to = to.join(name);
            if kind == "d" {
                self.restore(id, &to);
            } else if fs::copy(self.shadow().join("files").join(id), &to).is_err() {
                // Its name is durable and none of its contents.
                fs::write(&to, "").expect("writable");
            }
        }
    }
}

impl Default for PowerCut {
    fn default() -> Self {
        Self::new()
    }
}

/// As the shim names files: the inode's number, and how often it was given out since the process began.
fn id(path: &Path, given_out: u32) -> String {
    format!("{}.{given_out}", fs::metadata(path).expect("it is there").ino())
}
