//! The workspace as the rules see it: members with their dependencies, Rust files, and all other text files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand, Package, TargetKind};
use walkdir::{DirEntry, WalkDir};

use crate::modules::ReachableFiles;
use crate::source::SourceFile;

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", "node_modules", "book", "dist", "__pycache__"];
/// Hidden folders that do hold something of ours.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".config", ".devcontainer", ".github"];
/// Written by a tool and owned by it; `.git` is a file in a linked work tree.
const GENERATED: &[&str] = &["Cargo.lock", "package-lock.json", "go.sum", "schema.d.ts", ".git"];

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) members: Vec<Member>,
    /// The Rust files of all members, sorted by path.
    pub(crate) sources: Vec<SourceFile>,
    /// Rust files of members that no target reaches.
    pub(crate) unreached: Vec<PathBuf>,
    /// Every text file that a person wrote, the Rust files included.
    pub(crate) texts: Vec<TextFile>,
}

pub(crate) struct TextFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the workspace root.
    pub(crate) manifest: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_dev: bool,
    /// Where the manifest names it.
    pub(crate) line: usize,
}

impl Workspace {
    /// Reads `cargo metadata` and every file below `root`.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let manifest = root.join("Cargo.toml");
        let metadata =
            MetadataCommand::new().manifest_path(manifest).no_deps().exec().context("cargo metadata")?;
        let packages = metadata.workspace_packages();
        let mut reached = ReachableFiles::default();
        for package in &packages {
            follow_targets(package, &mut reached)?;
        }
        let members = packages.iter().map(|p| Member::load(root, p)).collect::<Result<_>>()?;
        let texts = read_texts(root)?;
        let mut workspace =
            Self { root: root.to_owned(), members, sources: Vec::new(), unreached: Vec::new(), texts };
        workspace.sort_sources(&packages, &reached.files);
        Ok(workspace)
    }

    fn sort_sources(&mut self, packages: &[&Package], reached: &BTreeMap<PathBuf, bool>) {
        for file in self.texts.iter().filter(|file| file.path.extension().is_some_and(|e| e == "rs")) {
            let full = self.root.join(&file.path);
            let owner =
                packages.iter().find(|p| p.manifest_path.parent().is_some_and(|d| full.starts_with(d)));
            let Some(owner) = owner else { continue };
            match reached.get(&full) {
                Some(&is_test) => {
                    let (path, name) = (file.path.clone(), owner.name.to_string());
                    self.sources.push(SourceFile::new(path, name, file.text.clone(), is_test));
                }
                None => self.unreached.push(file.path.clone()),
            }
        }
    }
}

fn follow_targets(package: &Package, reached: &mut ReachableFiles) -> Result<()> {
    for target in &package.targets {
        let is_test = target.kind.iter().any(|kind| matches!(kind, TargetKind::Test | TargetKind::Bench));
        reached.follow_target(target.src_path.as_std_path(), is_test)?;
    }
    Ok(())
}

impl Member {
    fn load(root: &Path, package: &Package) -> Result<Self> {
        let manifest = package.manifest_path.as_std_path();
        let text = fs::read_to_string(manifest).with_context(|| format!("read {}", manifest.display()))?;
        let dependencies = package.dependencies.iter().map(|dependency| Dependency {
            name: dependency.name.clone(),
            is_dev: dependency.kind == DependencyKind::Development,
            line: line_naming(&text, &dependency.name),
        });
        Ok(Self {
            name: package.name.to_string(),
            manifest: manifest.strip_prefix(root).unwrap_or(manifest).to_owned(),
            dependencies: dependencies.collect(),
        })
    }
}

fn line_naming(manifest: &str, dependency: &str) -> usize {
    let names_it = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest.lines().position(names_it).map_or(1, |at| at + 1)
}

/// Every UTF-8 file below `root` that a person wrote, sorted by path.
pub(crate) fn read_texts(root: &Path) -> Result<Vec<TextFile>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours) {
        let entry = entry?;
        let generated = GENERATED.iter().any(|name| entry.file_name() == *name);
        if !entry.file_type().is_file() || generated {
            continue;
        }
        let bytes = fs::read(entry.path()).with_context(|| format!("read {}", entry.path().display()))?;
        // What is not UTF-8 is a picture or a golden binary: no rule reads those.
        if let Ok(text) = String::from_utf8(bytes) {
            let path = entry.path().strip_prefix(root).expect("the walk stays below its root").to_owned();
            texts.push(TextFile { path, text });
        }
    }
    Ok(texts)
}

fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_ref());
    entry.depth() == 0 || !entry.file_type().is_dir() || !(is_hidden || SKIPPED.contains(&name.as_ref()))
}
