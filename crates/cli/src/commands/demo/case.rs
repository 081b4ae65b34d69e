//! The case studies that the binary carries.

use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

/// The file that makes a folder a project.
const PROJECT_FILE: &str = "factum.yaml";

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Case {
    /// A movie store: what sells, right now
    Movies,
}

#[derive(RustEmbed)]
#[folder = "../../examples/movies"]
struct Movies;

/// Why a case study does not lie where it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteCaseError {
    /// Something else is there.
    #[error("{} holds something else", .folder.display())]
    Taken { folder: PathBuf },
    /// The operating system says no.
    #[error("write {}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Case {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Movies => "movies",
        }
    }

    /// What it is called in the start-up block.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Movies => "Contoso Movies",
        }
    }

    /// The dashboard to look at first.
    pub(super) fn dashboard(self) -> &'static str {
        match self {
            Self::Movies => "store.movies",
        }
    }

    /// The films that orders are of, where no one names others.
    pub(in crate::commands) fn products(self) -> Vec<u8> {
        let Self::Movies = self;
        let file = Movies::get("teams/store/tables/products.csv");
        file.expect("the example has a catalogue").data.into_owned()
    }

    /// Writes the project into `folder`, unless a project is there already.
    pub(super) fn write(self, folder: &Path) -> Result<(), WriteCaseError> {
        if folder.join(PROJECT_FILE).exists() {
            return Ok(());
        }
        let is_taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_taken || folder.is_file() {
            return Err(WriteCaseError::Taken { folder: folder.to_owned() });
        }
        let Self::Movies = self;
        for name in Movies::iter() {
            let file = Movies::get(&name).expect("a name that the list gives");
            let path = folder.join(&*name);
            let parent = path.parent().unwrap_or(folder);
            let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, &file.data));
            written.map_err(|source| WriteCaseError::Write { path, source })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use factum_governance::{EventDefinition, FeedDefinition, PipelineDefinition, project};

    use super::*;

    #[test]
    fn the_embedded_case_study_is_a_whole_project() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = parent.path().join("movies");
        Case::Movies.write(&folder).expect("written");
        let project = project::load(&folder).expect("it loads");
        assert!(project.problems.is_empty(), "{:?}", project.problems);
        let definitions = &project.definitions;
        let counts = (
            definitions.of::<EventDefinition>().count(),
            definitions.of::<PipelineDefinition>().count(),
            definitions.of::<FeedDefinition>().count(),
        );
        assert_eq!(counts, (1, 5, 1));

        // A change of the user's is not undone.
        let query = folder.join("teams/store/pipelines/top_movies.sql");
        std::fs::write(&query, "-- mine").expect("written");
        Case::Movies.write(&folder).expect("taken as it is");
        assert_eq!(std::fs::read_to_string(&query).expect("there"), "-- mine");

        std::fs::write(parent.path().join("letter.txt"), "dear").expect("written");
        let refused = Case::Movies.write(parent.path().join("teams").parent().expect("a parent"));
        assert!(matches!(refused, Err(WriteCaseError::Taken { .. })));
    }
}
