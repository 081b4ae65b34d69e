//! Tells cargo to build this crate again when the console was built.

use std::fs::{self, File};
use std::path::Path;
use std::time::UNIX_EPOCH;

const BUILT: &str = "../../console/dist";

fn main() {
    let folder = Path::new(BUILT);
    // A path that does not exist counts as changed at each build, and so does, once, a folder that is newer than the
    // start of this script. Where it cannot be made old, the next build compiles this crate again; nothing else is lost.
    if !folder.exists() && fs::create_dir_all(folder).is_ok() {
        File::open(folder).and_then(|opened| opened.set_modified(UNIX_EPOCH)).ok();
    }
    println!("cargo::rerun-if-changed={BUILT}");
}
