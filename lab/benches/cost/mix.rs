//! The suite, ready to run, and the figures that come from running it.

use crate::table::Table;
use lab::backend::Backend;
use lab::backend::namespace::Namespace;
use lab::case::Case;
use lab::judge::{Judgement, judge};
use lab::problem::Problem;
use lab::run::collect::Settings;
use lab::run::engine;
use lab::run::event::Event;
use lab::run::plan::{Asked, Plan};
use lab::run::programs::{PACKAGES, Programs};
use lab::run::session::{self, Refused, Session};
use lab::run::verdict::Seen;
use lab::run::waiver::Waivers;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// One start that is admitted and one that is refused: the two halves of the default mix.
pub(crate) const PAIR: [&str; 2] =
    ["group-mismatch/mta-identities/exim-pipe×mail", "group-mismatch/mta-identities/postfix-default×mail"];

/// A case that takes longer than this waits for something by design: a deadline, a reader that never reads.
const WAITS_MS: f64 = 200.0;

/// How often each start is timed in one turn.
pub(crate) const ROUNDS: usize = 200;

/// Everything built and read.
pub(crate) struct Ready {
    session: Session,
    pub(crate) programs: Programs,
}

impl Ready {
    pub(crate) fn new() -> Result<Self, Problem> {
        let session = Session::open(None).map_err(|refused| match refused {
            Refused::Problem(problem) => problem,
            Refused::Scenarios(_) => Problem::usage("the scenario files have errors: see lab check"),
        })?;
        let programs = Programs::provide(&session.tree, PACKAGES, &mut |_| ())?;
        Ok(Self { session, programs })
    }

    fn backend(&self) -> Result<Arc<dyn Backend>, Problem> {
        Ok(Arc::new(Namespace::new(self.programs.path("lab-agent")?)))
    }

    fn plan(&self, wanted: impl Fn(&Case) -> bool) -> Result<Plan, Problem> {
        let asked = |case: &Arc<Case>| Asked { case: Arc::clone(case), unsupported: None };
        let cases = self.session.suite.cases.iter().filter(|case| wanted(case)).map(asked).collect();
        Ok(session::plan(cases, &self.programs, &session::Given::new(), None)?.0)
    }

    /// Median microseconds of one case through one worker, over the admitted and the refused start.
    pub(crate) fn isolated(&self) -> Result<f64, Problem> {
        let plan = self.plan(|case| PAIR.contains(&case.id.0.as_str()))?;
        let failed = |error: lab::backend::BackendError| Problem::unresolved(error.to_string());
        let mut worker = self.backend()?.worker().map_err(failed)?;
        let mut times = Vec::new();
        for planned in &plan.cases {
            let layout = &plan.setting(planned).layout;
            let (id, _) = worker.open(layout, &|digest| plan.subjects.blob(digest)).map_err(failed)?;
            for _ in 0..ROUNDS {
                let begun = Instant::now();
                worker.run(id, &planned.case.invocation).map_err(failed)?;
                times.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        if plan.cases.len() != PAIR.len() {
            return Err(Problem::internal("the bench names cases that are not in the suite"));
        }
        Ok(median(&mut times))
    }

    /// Cases per second on one worker and on two; the first against `isolated`, microseconds of one case in a layout that
    /// stands.
    pub(crate) fn throughput(&self, table: &mut Table, isolated: f64) -> Result<(), Problem> {
        let mut waits = BTreeSet::new();
        self.run(self.plan(|_| true)?, 4, |event| {
            if let Event::CaseFinished(case) = event
                && case.ms > WAITS_MS
            {
                waits.insert(case.id.clone());
            }
        })?;
        let quick = |case: &Case| !waits.contains(&case.id);
        let count = self.plan(quick)?.cases.len() as f64;
        let one = self.run(self.plan(quick)?, 1, |_| ())?;
        let two = self.run(self.plan(quick)?, 2, |_| ())?;
        table.row("cases of the default mix that do not wait", count, "");
        table.row("cases that wait by design", waits.len() as f64, "");
        table.row("throughput, one worker", count / one, "cases/s");
        table.ratio("mean of the mix, layouts included / isolated", one / count * 1e6 / isolated, 5.0);
        table.at_least("throughput, two workers / one", one / two, 1.35, "×");
        Ok(())
    }

    /// Seconds that a plan takes.
    fn run(&self, plan: Plan, jobs: usize, mut see: impl FnMut(&Event)) -> Result<f64, Problem> {
        let backend = self.backend()?;
        let capabilities = backend.capabilities();
        let settings = Settings {
            jobs,
            fail_fast: false,
            strict: false,
            allowed: None,
            waivers: Waivers::default(),
            interrupted: Arc::new(AtomicBool::new(false)),
        };
        let compare = Box::new(|case: &Case, evidence: &_| match judge(case, evidence) {
            Judgement::Compared(differences) => Seen::Compared(differences),
            Judgement::Unresolved { because } => Seen::Nothing { because },
        });
        let begun = Instant::now();
        engine::run(plan, backend, &capabilities, compare, &settings, &mut see);
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Seconds of `lab model check`.
    pub(crate) fn model(&self, table: &mut Table) -> Result<(), Problem> {
        let begun = Instant::now();
        let checked = lab::model_check::check(self.programs.path("lab-agent")?, 2)?;
        let took = begun.elapsed().as_secs_f64();
        table.row("model check: transitions and execs compared", checked.tried() as f64, "");
        table.at_most("model check", took, 10.0, "s");
        Ok(())
    }

    /// Seconds and memory of the whole command.
    pub(crate) fn whole_run(&self, table: &mut Table) -> Result<(), Problem> {
        let failed = |error: std::io::Error| Problem::internal("the lab cannot be started").found(error);
        let begun = Instant::now();
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"))
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (mut peak, mut agents, mut together) = (0.0_f64, 0.0_f64, 0.0_f64);
        loop {
            let (of_lab, of_agents) = (memory_mib(lab.id()), agents_mib(lab.id(), 2));
            (peak, agents) = (peak.max(of_lab), agents.max(of_agents));
            together = together.max(of_lab + of_agents);
            if lab.try_wait().map_err(failed)?.is_some() {
                break;
            }
            std::thread::yield_now();
        }
        table.at_most("whole default run", begun.elapsed().as_secs_f64(), 3.0, "s");
        table.row("peak memory of the lab", peak, "MiB");
        table.row("peak memory of its agents", agents, "MiB");
        table.at_most("peak memory of both together", together, 64.0, "MiB");
        Ok(())
    }
}

/// What a process has in memory now, in MiB; 0 where it cannot be read. Pages that it shares count by its share, because
/// the agents are one program many times. See proc_pid_smaps(5), Pss.
fn memory_mib(process: u32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let found = rollup.lines().find_map(|text| text.strip_prefix("Pss:"));
    let kib: Option<f64> = found.and_then(|text| text.split_whitespace().next()).and_then(|kib| kib.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What the agents below a process have in memory now, in MiB, each with the one that it starts. The processes of cases
/// are below those: one that has not executed its program yet has its agent's memory (vfork(2)), and would count it twice.
fn agents_mib(process: u32, depth: u32) -> f64 {
    // Workers are threads, and a child is listed with the thread that made it.
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children: Vec<String> =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok()).collect();
    let children = children.iter().flat_map(|text| text.split_whitespace()).filter_map(|child| child.parse().ok());
    let agents = children.filter(|child: &u32| {
        std::fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim_end() == "lab-agent")
    });
    let with_below = |agent| memory_mib(agent) + if depth > 1 { agents_mib(agent, depth - 1) } else { 0.0 };
    agents.map(with_below).sum()
}

/// The middle value; 0 for none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
