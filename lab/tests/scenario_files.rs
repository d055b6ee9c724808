//! Every scenario file of the project loads.

use std::path::Path;

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"))
}

#[test]
fn the_scenarios_of_the_project_load() {
    let suite = lab::scenario::load(directory()).unwrap_or_else(|reports| {
        let text: Vec<String> = reports.iter().map(ToString::to_string).collect();
        panic!("{}", text.join("\n\n"))
    });
    assert!(suite.cases.len() >= 28, "{} cases", suite.cases.len());
}
