//! Makes `lab_agent_start` (src/sys/entry.rs) the entry point of the program.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // In this form both a compiler that drives the linker and the linker itself understand it.
    println!("cargo:rustc-link-arg-bins=-e");
    println!("cargo:rustc-link-arg-bins=lab_agent_start");
}
