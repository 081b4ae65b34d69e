//! The case studies are part of the binary: a file that is added to one must build it anew.

fn main() {
    println!("cargo::rerun-if-changed=../../examples/movies");
}
