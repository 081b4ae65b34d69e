//! Lets cargo see when the console was built anew.

use std::path::Path;

const BUILT: &str = "../../console/dist";

fn main() {
    // A path that does not exist counts as changed each time. Where it cannot be made, that is all that is lost.
    std::fs::create_dir_all(Path::new(BUILT)).ok();
    println!("cargo::rerun-if-changed={BUILT}");
}
