//! Files of a project: the first byte says which one the rest is.

use factum_governance::{project, scaffold};

/// The files that may be anything.
const FILES: [&str; 9] = [
    "factum.yaml",
    "teams/store/team.yaml",
    "teams/store/events/orders.yaml",
    "teams/store/events/orders.schema.json",
    "teams/store/tables/products.yaml",
    "teams/store/tables/products.csv",
    "teams/store/pipelines/top.sql",
    "teams/store/feeds/orders.yaml",
    "teams/store/dashboards/live.yaml",
];

/// Loads a good project with one file replaced.
pub(crate) fn file(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("shop");
    scaffold::init(&root).expect("an empty folder takes a project");
    let write = |file: &str, contents: &[u8]| {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        std::fs::write(path, contents).expect("writable");
    };
    write("teams/store/tables/products.yaml", b"from: products.csv\nkey: Id\n");
    write("teams/store/tables/products.csv", b"Id,Name\n1,Alien\n");
    write(FILES[usize::from(*which) % FILES.len()], rest);
    let Ok(project) = project::load_valid_part(&root) else { return };
    for problem in &project.problems {
        // Where it is and what it looks like is computed from the file's bytes too.
        drop((problem.excerpt(), problem.line_and_column(), problem.to_string()));
    }
}
