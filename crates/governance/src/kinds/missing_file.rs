//! A file that a manifest names and that is not there: what is wrong, and which was probably meant.

use std::path::Path;

use factum_types::suggest::nearest;

use crate::project_files::ProjectFiles;

/// Message and help for `name`, which stands in a manifest for `path`; `siblings` are the files that it could have meant.
pub(super) fn explain<'a>(
    files: &ProjectFiles,
    path: &Path,
    name: &str,
    siblings: impl Iterator<Item = &'a str>,
) -> (String, String) {
    if files.is_link(path) {
        let help = "put the file there, or let the link lead to another";
        return (format!("{name} is a link that leads to no file"), help.to_owned());
    }
    let help = match nearest(name, siblings) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "paths are relative to the file that names them".to_owned(),
    };
    (format!("there is no file {name}"), help)
}
