//! An oracle that shared code with its subject would share its mistakes. So no part of the lab may depend on the programs
//! that it judges, by whatever way, tests included; and the programs depend on next to nothing.

use rstest::rstest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Packages of the workspace by id, and what each depends on: name, and whether only for tests.
struct Graph {
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<(String, bool)>>,
}

impl Graph {
    fn of_the_workspace() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            // Only what this machine builds has been fetched; what other systems need may not be here.
            .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", "host-tuple"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
        Self::read(&metadata).expect("cargo metadata has the form that the cargo book describes")
    }

    fn read(metadata: &Value) -> Option<Self> {
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array()? {
            names.insert(package["id"].as_str()?.to_owned(), package["name"].as_str()?.to_owned());
        }
        let mut edges = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array()? {
            let mut targets = Vec::new();
            for dependency in node["deps"].as_array()? {
                let kinds = dependency["dep_kinds"].as_array()?;
                let only_tests = kinds.iter().all(|kind| kind["kind"] == "dev");
                targets.push((dependency["pkg"].as_str()?.to_owned(), only_tests));
            }
            edges.insert(node["id"].as_str()?.to_owned(), targets);
        }
        Some(Self { names, edges })
    }

    fn id(&self, name: &str) -> &str {
        let mut found = self.names.iter().filter(|(_, known)| *known == name).map(|(id, _)| id.as_str());
        let id = found.next().unwrap_or_else(|| panic!("there is no package {name}"));
        assert_eq!(found.next(), None, "there are two packages {name}");
        id
    }

    fn direct(&self, name: &str, with_tests: bool) -> BTreeSet<&str> {
        let edges = self.edges.get(self.id(name)).into_iter().flatten();
        edges.filter(|(_, only_tests)| with_tests || !only_tests).map(|(id, _)| self.names[id].as_str()).collect()
    }

    /// Everything that `name` and its tests need, and what that needs in turn.
    fn reachable(&self, name: &str) -> BTreeSet<&str> {
        let mut left: Vec<(&str, bool)> = vec![(self.id(name), true)];
        let mut seen = BTreeSet::new();
        while let Some((id, with_tests)) = left.pop() {
            for (target, only_tests) in self.edges.get(id).into_iter().flatten() {
                if (with_tests || !only_tests) && seen.insert(target.as_str()) {
                    left.push((target, false));
                }
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[rstest]
#[case::lab("lab")]
#[case::agent("lab-agent")]
#[case::invocation("lab-invocation")]
#[case::model("lab-model")]
fn no_part_of_the_lab_links_a_program_that_it_judges(#[case] part: &str) {
    let graph = Graph::of_the_workspace();
    let found = graph.reachable(part);
    assert!(!found.contains("wrapper"), "{part} depends on wrapper");
    assert!(!found.contains("wrapper-configure"), "{part} depends on wrapper-configure");
    assert!(!found.contains("fuzz-checks"), "{part} depends on fuzz-checks");
}

/// It holds the wrapper against the model, and needs neither a sandbox nor what runs one.
#[test]
fn what_the_fuzz_targets_check_links_the_wrapper_and_the_model_but_no_lab() {
    let graph = Graph::of_the_workspace();
    let found = graph.reachable("fuzz-checks");
    assert!(found.contains("wrapper") && found.contains("lab-model"), "{found:?}");
    assert!(!found.contains("lab") && !found.contains("lab-agent"), "{found:?}");
}

#[test]
fn the_model_depends_on_nothing() {
    let graph = Graph::of_the_workspace();
    assert_eq!(graph.direct("lab-model", false), BTreeSet::new());
}

#[test]
fn the_wrapper_depends_on_two_libraries() {
    let graph = Graph::of_the_workspace();
    assert_eq!(graph.direct("wrapper", false), BTreeSet::from(["libc", "nix"]));
}

/// They stand for programs that were written by others, in C: whatever they shared with ours or with the lab would be
/// wrong in both alike.
#[test]
fn the_foreign_wrappers_depend_on_the_c_library_alone() {
    let graph = Graph::of_the_workspace();
    assert_eq!(graph.direct("foreign-wrappers", true), BTreeSet::from(["libc"]));
}

#[rstest]
#[case::not_there(&["lab-model"], false)]
#[case::directly(&["lab-model", "wrapper"], true)]
fn a_forbidden_edge_is_seen(#[case] of_lab: &[&str], #[case] seen: bool) {
    let dependency = |name: &&str| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": null }] });
    let deps: Vec<Value> = of_lab.iter().map(dependency).collect();
    let package = |name: &str| serde_json::json!({ "id": name, "name": name });
    let metadata = serde_json::json!({
        "packages": [package("lab"), package("lab-model"), package("middle"), package("wrapper")],
        "resolve": { "nodes": [{ "id": "lab", "deps": deps }] },
    });
    let graph = Graph::read(&metadata).expect("well-formed");
    assert_eq!(graph.reachable("lab").contains("wrapper"), seen);
}

#[rstest]
#[case::needed_by_a_library("null", true)]
#[case::needed_by_tests_of_a_library_only("\"dev\"", false)]
fn an_edge_through_another_package_is_seen(#[case] kind: &str, #[case] seen: bool) {
    let kind: Value = serde_json::from_str(kind).expect("JSON");
    let metadata = serde_json::json!({
        "packages": [{ "id": "1", "name": "lab" }, { "id": "2", "name": "middle" }, { "id": "3", "name": "wrapper" }],
        "resolve": { "nodes": [
            { "id": "1", "deps": [{ "pkg": "2", "dep_kinds": [{ "kind": null }] }] },
            { "id": "2", "deps": [{ "pkg": "3", "dep_kinds": [{ "kind": kind }] }] },
        ] },
    });
    let graph = Graph::read(&metadata).expect("well-formed");
    assert_eq!(graph.reachable("lab").contains("wrapper"), seen);
}

/// Clippy reads the nearest file alone, so that each rule of all crates has to be in that of the programs as well.
#[test]
fn the_lints_of_all_hold_for_the_programs() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("the project has it");
    let (all, programs) = (read("clippy.toml"), read("wrapper/clippy.toml"));
    let rules = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| line.contains(" = ")).map(str::to_owned).collect()
    };
    assert!(rules(&all).len() > 10, "{all}");
    assert_eq!(rules(&all).difference(&rules(&programs)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(programs.contains("\"std::process::Command::new\""));
    // Those beside them are programs that nobody starts for another, and start what they need.
    for beside in ["configure", "mutants", "runner"] {
        assert_eq!(read(&format!("wrapper/{beside}/clippy.toml")), all);
    }
}
