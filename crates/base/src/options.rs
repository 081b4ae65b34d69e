//! Options from a file and the environment.
//!
//! Each component defines its own `Options`; this module only fills them. The environment wins over the
//! file: with the prefix `FACTUM__`, `FACTUM__HTTP__LISTEN=…` sets `listen` of the section `http`.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Toml};
use serde::de::DeserializeOwned;

/// Why options could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there or not readable.
    #[error("cannot read {path}", path = path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A setting is unknown, or its value does not fit.
    #[error("{place}: {reason}")]
    Invalid {
        /// The file, or the variable of the environment.
        place: String,
        /// Which setting it is, and what is wrong with it.
        reason: String,
    },
}

impl Error {
    fn invalid(error: &figment::Error, file: Option<&Path>, prefix: &str) -> Self {
        let is_file = error.metadata.as_ref().is_none_or(|origin| origin.name.starts_with("TOML"));
        let place = match file {
            Some(file) if is_file => file.display().to_string(),
            _ => format!("{prefix}{}", error.path.join("__").to_uppercase()),
        };
        let setting = error.path.join(".").to_lowercase();
        let reason = match &error.kind {
            Kind::UnknownField(_, known) => {
                format!("there is no setting {setting}; known here: {}", known.join(", "))
            }
            _ if setting.is_empty() => error.kind.to_string(),
            kind => format!("setting {setting}: {kind}"),
        };
        Self::Invalid { place, reason }
    }
}

/// Reads `T` from `file`, if given, and from environment variables that start with `prefix`.
///
/// # Errors
/// [`Error`], naming the file and the setting.
pub fn load<T: DeserializeOwned>(file: Option<&Path>, prefix: &str) -> Result<T, Error> {
    let mut figment = Figment::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        figment = figment.merge(Toml::string(&text));
    }
    figment
        .merge(Env::prefixed(prefix).split("__"))
        .extract()
        .map_err(|error| Error::invalid(&error, file, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Options {
        size: u32,
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("factum.toml");
        std::fs::write(&path, "size = 1\nsise = 2\n").expect("written");
        let error = load::<Options>(Some(&path), "FACTUM_TEST_").expect_err("refused");
        let said = format!("{}: there is no setting sise; known here: size", path.display());
        assert_eq!(error.to_string(), said);
        std::fs::write(&path, "size = 1\n").expect("written");
        assert_eq!(load::<Options>(Some(&path), "FACTUM_TEST_").expect("read"), Options { size: 1 });
    }
}
