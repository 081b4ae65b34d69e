//! A workspace in a temporary folder, with faults planted in it, and the real `xtask` run over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::Expect;
use tempfile::TempDir;

pub(crate) struct PlantedWorkspace {
    dir: TempDir,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_owned()
}

/// The folders of this workspace's members.
fn members() -> Vec<String> {
    let crates = fs::read_dir(repository().join("crates")).expect("crates/ is there");
    let names = crates.map(|entry| entry.expect("crates/ can be listed").file_name());
    let crates = names.map(|name| format!("crates/{}", name.into_string().expect("a plain name")));
    crates.chain(["bench", "fuzz", "xtask"].map(str::to_owned)).collect()
}

impl PlantedWorkspace {
    /// A workspace of `factum-types` and `factum-log` that breaks no rule.
    pub(crate) fn new() -> Self {
        let planted = Self { dir: TempDir::new().expect("a temporary folder") };
        planted.copy("deny.toml");
        planted.file("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        planted.member("types", "").member("log", "factum-types = { path = \"../types\" }");
        planted
    }

    /// The manifests of this repository as they stand, over sources that say nothing.
    pub(crate) fn copy_of_this_repository() -> Self {
        let planted = Self { dir: TempDir::new().expect("a temporary folder") };
        for file in ["Cargo.toml", "Cargo.lock", "deny.toml"] {
            planted.copy(file);
        }
        for folder in members() {
            planted.copy(&format!("{folder}/Cargo.toml"));
            let has_main = repository().join(&folder).join("src/main.rs").exists();
            let root = if has_main { "main" } else { "lib" };
            planted.file(&format!("{folder}/src/{root}.rs"), "//! X.\n");
        }
        planted
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("repository")
    }

    fn copy(&self, path: &str) {
        let text = fs::read_to_string(repository().join(path)).expect("the repository has this file");
        self.file(path, &text);
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        let full = self.root().join(path);
        fs::create_dir_all(full.parent().expect("a file has a folder")).expect("folders can be made");
        fs::write(full, text).expect("files can be written");
        self
    }

    fn package(&self, folder: &str, name: &str, licence: &str, dependencies: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"{licence}\"\n\
             publish = false\n\n[dependencies]\n{dependencies}\n"
        );
        self.file(&format!("{folder}/Cargo.toml"), &manifest);
        self.file(&format!("{folder}/src/lib.rs"), "//! X.\n");
    }

    /// A member `factum-NAME`; the first dependency stands on line 9 of its manifest.
    pub(crate) fn member(&self, name: &str, dependencies: &str) -> &Self {
        self.package(&format!("crates/{name}"), &format!("factum-{name}"), "Apache-2.0", dependencies);
        self
    }

    /// A package outside the workspace, to stand for a published one: `../../../vendor/NAME` from a member.
    pub(crate) fn vendor(&self, name: &str, licence: &str) -> &Self {
        self.package(&format!("../vendor/{name}"), name, licence, "");
        self
    }

    /// Adds a line to a member's `[dependencies]`.
    pub(crate) fn depend(&self, member: &str, line: &str) -> &Self {
        let path = format!("crates/{member}/Cargo.toml");
        let manifest = fs::read_to_string(self.root().join(&path)).expect("the member exists");
        self.file(&path, &manifest.replace("[dependencies]\n", &format!("[dependencies]\n{line}\n")))
    }

    /// Runs tidy and compares all that it prints; its exit code must agree with its last line.
    pub(crate) fn tidy(&self, expected: &Expect) {
        expected.assert_eq(&self.run("tidy"));
    }

    /// Runs tidy and compares the findings of one rule, on whichever line of a manifest they stand.
    pub(crate) fn tidy_rule(&self, rule: &str, expected: &Expect) {
        let output = self.run("tidy");
        let findings = output.lines().filter(|line| line.contains(&format!(": {rule}: ")));
        expected.assert_eq(&findings.map(|line| format!("{}\n", without_line(line))).collect::<String>());
    }

    /// Runs the link check and compares all that it prints.
    pub(crate) fn docs(&self, expected: &Expect) {
        expected.assert_eq(&self.run("docs"));
    }

    fn run(&self, verb: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command.arg(verb).arg("--root").arg(self.root()).output().expect("xtask runs");
        let text = String::from_utf8(output.stdout).expect("xtask prints UTF-8");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(&format!("{verb}: ")), "it did not come to an end: {stderr}");
        let is_clean = text.contains(&format!("{verb}: 0 to mend"));
        assert_eq!(output.status.success(), is_clean, "{text}{stderr}");
        text
    }
}

/// `crates/x/Cargo.toml:12: …` with the line number of a copied manifest hidden, for manifests grow.
fn without_line(finding: &str) -> String {
    let (path, rest) = finding.split_once(':').expect("a finding names its line");
    let (line, rest) = rest.split_once(':').expect("a finding names its line");
    let line = if line == "1" { "1" } else { "L" };
    format!("{path}:{line}:{rest}")
}
