//! Makes `lab_agent_start` (src/sys/entry.rs) the entry point of the program.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Wl,-e,lab_agent_start");
}
