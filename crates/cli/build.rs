//! The case studies are part of the binary: a file that is added to one must rebuild it.

fn main() {
    println!("cargo::rerun-if-changed=../../examples/movies");
}
