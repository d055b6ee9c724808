//! JUnit's XML, as CI services read it: a suite for each scenario. Unsupported cases are skipped, unresolved ones are
//! errors, so that a service which only counts cannot take doubt for success.

use crate::case::ScenarioInfo;
use crate::report::failure::failure;
use crate::run::event::{CaseFinished, Event};
use crate::run::words::lack;
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Collects a run.
#[derive(Debug, Default)]
pub struct Junit {
    run: String,
    lab: String,
    backend: String,
    kernel: String,
    scenarios: Vec<Arc<ScenarioInfo>>,
    suites: BTreeMap<String, TestSuite>,
    ms: f64,
}

impl Junit {
    /// For a program that is called `lab`.
    pub fn new(lab: impl Into<String>) -> Self {
        Self { lab: lab.into(), ..Self::default() }
    }

    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.run.clone_from(&started.run);
                self.backend.clone_from(&started.machine.backend);
                self.kernel.clone_from(&started.machine.kernel);
                self.scenarios.clone_from(&started.scenarios);
            }
            Event::CaseFinished(case) => {
                let made = self.case(case);
                let suite =
                    self.suites.entry(case.scenario.clone()).or_insert_with(|| TestSuite::new(case.scenario.clone()));
                suite.add_test_case(made);
            }
            Event::ScenarioFinished(finished) => {
                if let Some(suite) = self.suites.get_mut(&finished.scenario) {
                    suite.set_time(duration(finished.ms));
                }
            }
            Event::Summary(summary) => self.ms = summary.ms,
            Event::Setting(_) => {}
        }
    }

    /// The file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn text(mut self) -> Result<String, quick_junit::SerializeError> {
        let mut report = Report::new(format!("lab {}", self.run));
        report.set_time(duration(self.ms));
        for scenario in &self.scenarios {
            if let Some(mut suite) = self.suites.remove(&scenario.id) {
                // Workers finish in any order; the file should not change with it.
                suite.test_cases.sort_by(|a, b| a.name.cmp(&b.name));
                suite.add_property(Property::new("title", &scenario.title));
                suite.add_property(Property::new("backend", &self.backend));
                suite.add_property(Property::new("kernel", &self.kernel));
                report.add_test_suite(suite);
            }
        }
        report.to_string()
    }

    fn case(&self, case: &CaseFinished) -> TestCase {
        const WIDTH: usize = 100;
        let not = |kind, message: &str| {
            let mut status = TestCaseStatus::non_success(kind);
            status.set_message(message);
            status
        };
        let mut status = match &case.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail { differences } => {
                let fields: Vec<&str> = differences.iter().map(|each| each.field.as_str()).collect();
                not(NonSuccessKind::Failure, &format!("different in {}", fields.join(", ")))
            }
            Verdict::UnexpectedPass { reason } => {
                not(NonSuccessKind::Failure, &format!("passed, but a waiver says that it fails: {reason}"))
            }
            Verdict::Unresolved { because } => not(NonSuccessKind::Error, because),
            Verdict::Unsupported { needs, because } => skipped(&lack(*needs, because)),
            Verdict::KnownFailure { reason, .. } => skipped(&format!("known failure: {reason}")),
        };
        if let Verdict::Fail { .. } = &case.verdict {
            status.set_type(case.diagnoses.first().map_or("undiagnosed", |first| first.code.as_str()));
            status
                .set_description(anstream::adapter::strip_str(&failure(case, &self.lab, &self.run, WIDTH)).to_string());
        }
        let name = case.id.0.strip_prefix(&case.scenario).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&case.id.0);
        let mut made = TestCase::new(name, status);
        made.set_classname(case.scenario.clone()).set_time(duration(case.ms));
        made
    }
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
