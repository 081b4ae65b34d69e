//! Shared by the tests: a project from text, and a log in memory.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod memory_log;

use std::fmt::Write;
use std::path::Path;

use factum_governance::{EventDefinition, Problem, project};
use miette::{GraphicalReportHandler, GraphicalTheme};
use tempfile::TempDir;

/// Writes files given as `=== path` lines followed by their text.
pub(crate) fn folder(files: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(folder.path(), files);
    folder
}

pub(crate) fn write_files(root: &Path, files: &str) {
    for part in files.split("=== ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path, then the text");
        let path = root.join(path.trim());
        std::fs::create_dir_all(path.parent().expect("within the folder")).expect("make the folder");
        std::fs::write(path, text).expect("write the file");
    }
}

/// Loads the project and renders whatever it says as a terminal would, without colour.
pub(crate) fn load_and_render(root: &Path) -> String {
    match project::load(root) {
        Ok(project) => {
            let events: Vec<String> =
                project.definitions.of::<EventDefinition>().map(|event| event.topic.to_string()).collect();
            format!("loaded {} [{}]\n{}", project.name, events.join(", "), render(&project.problems))
        }
        Err(error) => format!("{error}\n{}", render(&error.problems)),
    }
}

pub(crate) fn render(problems: &[Problem]) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut text = String::new();
    for problem in problems {
        handler.render_report(&mut text, problem).expect("rendering into a string");
        writeln!(text).expect("writing into a string");
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.join("\n") + if lines.is_empty() { "" } else { "\n" }
}
