//! The small commented project that `factum init` writes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use factum_types::TeamName;

/// Path and contents; `{name}` is the project's name.
const FILES: &[(&str, &str)] = &[
    ("factum.yaml", include_str!("scaffold/factum.yaml")),
    ("teams/store/team.yaml", include_str!("scaffold/team.yaml")),
    ("teams/store/events/orders.yaml", include_str!("scaffold/orders.yaml")),
    ("teams/store/events/orders.schema.json", include_str!("scaffold/orders.schema.json")),
    ("sample-orders.jsonl", include_str!("scaffold/sample-orders.jsonl")),
];

/// Why no project was written. Nothing was overwritten in any case.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file of the same name is there.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder has other things in it.
    #[error("the folder {} is not empty", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes the project into `folder`, which must be empty (hidden files such as `.git` do not count) or not exist,
/// and gives the paths written, relative to it.
///
/// # Errors
/// [`InitError`].
pub fn init(folder: &Path) -> Result<Vec<PathBuf>, InitError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| InitError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        if FILES.iter().any(|(path, _)| entry.file_name() == *path) {
            return Err(InitError::Exists { path: entry.path() });
        }
        if !entry.file_name().to_string_lossy().starts_with('.') {
            return Err(InitError::NotEmpty { path: folder.to_owned() });
        }
    }
    let name = project_name(folder);
    for (path, text) in FILES {
        let path = folder.join(path);
        let parent = path.parent().expect("every file lies in the folder");
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let mut file = File::create_new(&path).map_err(failed(&path))?;
        file.write_all(text.replace("{name}", &name).as_bytes()).map_err(failed(&path))?;
    }
    Ok(FILES.iter().map(|(path, _)| PathBuf::from(path)).collect())
}

/// The folder's name, made fit for a project.
fn project_name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-').chars().take(63).collect::<String>();
    TeamName::new(name).map_or_else(|_| "my-project".to_owned(), String::from)
}
