//! Directories: the names that a program sees, those that a crash leaves, and the changes between the two.
//!
//! Invariants: a directory is itself, not its path. Renamed and brought back by a crash it has what it had;
//! removed and brought back it has what was not removed for good.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::Random;

const ROOT: usize = 0;

/// All directories that ever were, the root first.
#[derive(Clone)]
pub(super) struct Tree(Vec<Directory>);

#[derive(Clone, Default)]
struct Directory {
    now: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory(usize),
}

/// What happens at once to the names of one directory.
#[derive(Clone)]
struct Change {
    removed: Option<String>,
    added: Option<(String, Node)>,
}

impl Default for Tree {
    fn default() -> Self {
        Self(vec![Directory::default()])
    }
}

impl Tree {
    pub(super) fn file(&self, path: &Path) -> io::Result<usize> {
        match self.node(path)? {
            Node::File(file) => Ok(file),
            Node::Directory(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let files = self.directories().into_iter().flat_map(|(path, dir)| {
            let names = self.0[dir].now.iter().filter(|(_, node)| matches!(node, Node::File(_)));
            names.map(|(name, _)| path.join(name)).collect::<Vec<_>>()
        });
        files.collect()
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.0[self.directory(dir)?].now.keys().cloned().collect())
    }

    pub(super) fn create_file(&mut self, path: &Path, file: usize) -> io::Result<()> {
        let (dir, name) = split(path);
        let dir = self.directory(dir)?;
        if self.0[dir].now.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.0[dir].apply(Change::add(name, Node::File(file)));
        Ok(())
    }

    pub(super) fn create_dir_all(&mut self, dir: &Path) {
        let mut at = ROOT;
        for name in names(dir) {
            at = match self.0[at].now.get(name) {
                Some(Node::Directory(next)) => *next,
                _ => self.create_dir(at, name),
            };
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.node(from)?;
        if matches!(self.node(to), Ok(Node::Directory(_))) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let ((old_dir, old), (new_dir, new)) = (split(from), split(to));
        let (old_dir, new_dir) = (self.directory(old_dir)?, self.directory(new_dir)?);
        if old_dir == new_dir {
            let removed = Some(old.to_owned());
            self.0[new_dir].apply(Change { removed, ..Change::add(new, node) });
        } else {
            self.0[new_dir].apply(Change::add(new, node));
            self.0[old_dir].apply(Change::remove(old));
        }
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.remove(path)
    }

    pub(super) fn remove_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        self.empty(self.directory(dir)?);
        self.remove(dir)
    }

    pub(super) fn sync(&mut self, dir: &Path) -> io::Result<()> {
        let dir = self.directory(dir)?;
        let dir = &mut self.0[dir];
        dir.unsynced.clear();
        dir.durable.clone_from(&dir.now);
        Ok(())
    }

    /// Keeps none, all, or the first of each directory's unsynced changes. Directories that a program sees come
    /// first, in order of path; those that it removed follow.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let seen: Vec<_> = self.directories().into_values().collect();
        let removed = (0..self.0.len()).filter(|dir| !seen.contains(dir));
        for dir in seen.iter().copied().chain(removed) {
            self.0[dir].crash(random);
        }
    }

    /// The directories that a program sees.
    fn directories(&self) -> BTreeMap<PathBuf, usize> {
        let mut found = BTreeMap::new();
        let mut ahead = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, dir)) = ahead.pop() {
            for (name, node) in &self.0[dir].now {
                if let Node::Directory(below) = node {
                    ahead.push((path.join(name), *below));
                }
            }
            found.insert(path, dir);
        }
        found
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        let mut node = Node::Directory(ROOT);
        for name in names(path) {
            let Node::Directory(dir) = node else { return Err(io::ErrorKind::NotFound.into()) };
            node = *self.0[dir].now.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    fn directory(&self, path: &Path) -> io::Result<usize> {
        match self.node(path)? {
            Node::Directory(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create_dir(&mut self, parent: usize, name: &str) -> usize {
        let dir = self.0.len();
        self.0.push(Directory::default());
        self.0[parent].apply(Change::add(name, Node::Directory(dir)));
        dir
    }

    /// Removes all that is in `dir`, the deepest first.
    fn empty(&mut self, dir: usize) {
        let inside: Vec<_> = self.0[dir].now.iter().map(|(name, node)| (name.clone(), *node)).collect();
        for (name, node) in inside {
            if let Node::Directory(below) = node {
                self.empty(below);
            }
            self.0[dir].apply(Change::remove(&name));
        }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = split(path);
        let dir = self.directory(dir)?;
        self.0[dir].apply(Change::remove(name));
        Ok(())
    }
}

impl Directory {
    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    fn crash(&mut self, random: &mut Random) {
        let all = self.unsynced.len();
        let kept = match random.below(3) {
            0 => 0,
            1 => all,
            _ => random.below(all + 1),
        };
        for change in self.unsynced.drain(..).take(kept) {
            change.apply(&mut self.durable);
        }
        self.now.clone_from(&self.durable);
    }
}

impl Change {
    fn add(name: &str, node: Node) -> Self {
        Self { removed: None, added: Some((name.to_owned(), node)) }
    }

    fn remove(name: &str) -> Self {
        Self { removed: Some(name.to_owned()), added: None }
    }

    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        if let Some(removed) = &self.removed {
            names.remove(removed);
        }
        if let Some((name, node)) = &self.added {
            names.insert(name.clone(), *node);
        }
    }
}

fn split(path: &Path) -> (&Path, &str) {
    let dir = path.parent().expect("a file lies in a directory");
    let name = path.file_name().and_then(|name| name.to_str()).expect("a file has a name in UTF-8");
    (dir, name)
}

fn names(path: &Path) -> impl Iterator<Item = &str> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_str().expect("a file has a name in UTF-8")),
        _ => None,
    })
}
