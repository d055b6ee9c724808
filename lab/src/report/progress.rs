//! The one line at the bottom of a terminal that says what is going on. Where nobody watches there is none, save one
//! plain line before a build.

use crate::report::output::{Output, notice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress line, or nothing.
pub struct Progress {
    bar: Option<ProgressBar>,
    told: bool,
}

impl Progress {
    /// Shows something only if both standard output and standard error are terminals: a line that is drawn over would
    /// spoil a file.
    pub fn new(out: &Output) -> Self {
        let watched = out.is_terminal() && std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = watched.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        if let Some(bar) = &bar {
            bar.set_style(style("{spinner} {wide_msg}"));
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
        }
        Self { bar, told: false }
    }

    /// Says what is being built.
    pub fn building(&mut self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(step.to_owned()),
            None if !self.told => {
                self.told = true;
                notice("building the programs under test (this takes time only once)");
            }
            None => {}
        }
    }

    /// Says what is being done, to those who watch.
    pub fn doing(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// From now on cases are counted.
    pub fn cases(&self, count: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(count as u64);
            bar.set_position(0);
            bar.set_message("");
            bar.set_style(style("  running {pos} of {len} {wide_msg}"));
        }
    }

    /// One more case is done.
    pub fn step(&self, failures: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if failures > 0 {
                bar.set_message(format!("  {failures} failed"));
            }
        }
    }

    /// Writes text above the line.
    pub fn print(&self, out: &mut Output, text: &str) {
        match &self.bar {
            _ if text.is_empty() => {}
            Some(bar) => bar.suspend(|| out.text(text)),
            None => out.text(text),
        }
    }

    /// Takes the line away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The templates are constants of this file: one that is wrong shows as it stands.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
