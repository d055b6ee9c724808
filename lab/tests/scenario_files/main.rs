//! Every scenario file of the project loads, and states what the model predicts.

use lab::scenario::{Report, Suite};
use std::path::Path;

fn suite() -> Suite {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    lab::scenario::load(directory).unwrap_or_else(|reports| panic!("{}", text(&reports)))
}

fn text(reports: &[Report]) -> String {
    let texts: Vec<String> = reports.iter().map(ToString::to_string).collect();
    texts.join("\n\n")
}

#[test]
fn every_case_states_what_the_model_predicts() {
    let suite = suite();
    assert!(suite.cases.len() >= 28, "{} cases", suite.cases.len());
    let reports = lab::predict::check(&suite);
    assert!(reports.is_empty(), "{}", text(&reports));
}
