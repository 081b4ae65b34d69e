//! Directories: the names that a program sees, those that a crash leaves, and the changes between the two.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Random;

/// All directories, by path; a parent's path sorts before its children's.
#[derive(Default)]
pub(super) struct Tree(BTreeMap<PathBuf, Directory>);

#[derive(Default, Clone)]
struct Directory {
    now: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory,
}

/// What happens at once to the names of one directory.
#[derive(Clone)]
struct Change {
    removed: Option<String>,
    added: Option<(String, Node)>,
}

impl Tree {
    pub(super) fn file(&self, path: &Path) -> io::Result<usize> {
        let (dir, name) = split(path);
        match self.0.get(dir).and_then(|dir| dir.now.get(name)) {
            Some(Node::File(file)) => Ok(*file),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let files = |(path, dir): (&PathBuf, &Directory)| {
            let names = dir.now.iter().filter(|(_, node)| matches!(node, Node::File(_)));
            names.map(|(name, _)| path.join(name)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(files).collect()
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let dir = self.0.get(dir).ok_or(io::ErrorKind::NotFound)?;
        Ok(dir.now.keys().cloned().collect())
    }

    pub(super) fn create_file(&mut self, path: &Path, file: usize) -> io::Result<()> {
        let (dir, name) = split(path);
        let dir = self.directory(dir)?;
        if dir.now.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        dir.apply(Change { removed: None, added: Some((name.to_owned(), Node::File(file))) });
        Ok(())
    }

    pub(super) fn create_dir_all(&mut self, dir: &Path) {
        for ancestor in dir.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if self.0.contains_key(ancestor) {
                continue;
            }
            self.0.insert(ancestor.to_owned(), Directory::default());
            if let (Some(parent), Some(name)) = (ancestor.parent(), ancestor.file_name()) {
                let name = name.to_string_lossy().into_owned();
                let parent = self.0.entry(parent.to_owned()).or_default();
                parent.apply(Change { removed: None, added: Some((name, Node::Directory)) });
            }
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let ((old_dir, old), (new_dir, new)) = (split(from), split(to));
        let node = *self.directory(old_dir)?.now.get(old).ok_or(io::ErrorKind::NotFound)?;
        let added = Some((new.to_owned(), node));
        if old_dir == new_dir {
            self.directory(new_dir)?.apply(Change { removed: Some(old.to_owned()), added });
        } else {
            self.directory(new_dir)?.apply(Change { removed: None, added });
            self.directory(old_dir)?.apply(Change { removed: Some(old.to_owned()), added: None });
        }
        if node == Node::Directory {
            self.move_below(from, to);
        }
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        let (dir, name) = split(path);
        self.directory(dir)?.apply(Change { removed: Some(name.to_owned()), added: None });
        Ok(())
    }

    pub(super) fn remove_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        self.directory(dir)?;
        self.0.retain(|path, _| !path.starts_with(dir));
        let (parent, name) = split(dir);
        self.directory(parent)?.apply(Change { removed: Some(name.to_owned()), added: None });
        Ok(())
    }

    pub(super) fn sync(&mut self, dir: &Path) -> io::Result<()> {
        let dir = self.directory(dir)?;
        dir.unsynced.clear();
        dir.durable.clone_from(&dir.now);
        Ok(())
    }

    /// Keeps none, all, or the first of each directory's unsynced changes.
    pub(super) fn crash(&mut self, random: &mut Random) {
        for dir in self.0.values_mut() {
            let all = dir.unsynced.len();
            let kept = match random.below(3) {
                0 => 0,
                1 => all,
                _ => random.below(all + 1),
            };
            for change in dir.unsynced.drain(..).take(kept) {
                change.apply(&mut dir.durable);
            }
            dir.now.clone_from(&dir.durable);
        }
        self.drop_unreachable();
    }

    fn directory(&mut self, dir: &Path) -> io::Result<&mut Directory> {
        self.0.get_mut(dir).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Moves all directories below `from`, and that one itself, to `to`.
    fn move_below(&mut self, from: &Path, to: &Path) {
        let paths: Vec<_> = self.0.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in paths {
            let below = path.strip_prefix(from).expect("the path begins so").to_owned();
            let moved = self.0.remove(&path).expect("the path was found a moment ago");
            self.0.insert(if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) }, moved);
        }
    }

    /// Directories whose name did not survive are gone with all that is in them.
    fn drop_unreachable(&mut self) {
        let paths: Vec<_> = self.0.keys().cloned().collect();
        for path in paths {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
            let name = name.to_string_lossy();
            let is_named =
                self.0.get(parent).is_some_and(|dir| dir.now.get(&*name) == Some(&Node::Directory));
            if !is_named {
                self.0.remove(&path);
            }
        }
        // A name whose directory went by another path (an unsynced rename) leads to an empty one.
        let named = self.0.iter().flat_map(|(path, dir)| {
            dir.now.iter().filter(|(_, node)| **node == Node::Directory).map(move |(name, _)| path.join(name))
        });
        for path in named.collect::<Vec<_>>() {
            self.0.entry(path).or_default();
        }
    }
}

impl Directory {
    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }
}

impl Change {
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
