//! Where the events of a run go. Each is written while the run goes on; one that fails does not stop the others, and
//! is told at the end.

use crate::problem::Problem;
use crate::record::write::Writer;
use crate::report::coverage::{Coverage, Form};
use crate::report::github::Github;
use crate::report::junit::Junit;
use crate::report::output::Output;
use crate::report::progress::Progress;
use crate::report::terminal::Terminal;
use crate::run::event::Event;
use crate::verdict::Verdict;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// All of them.
pub struct Sinks<'a> {
    out: &'a mut Output,
    progress: &'a Progress,
    terminal: Terminal,
    json: Option<Lines>,
    junit: Option<(Junit, PathBuf)>,
    coverage: Option<(Coverage, PathBuf, Form)>,
    github: Option<(Github, Option<PathBuf>)>,
    record: Option<Writer>,
    failures: usize,
    problems: Vec<Problem>,
}

/// Events as JSON lines.
struct Lines {
    to: Box<dyn Write>,
    name: String,
    failed: bool,
}

impl<'a> Sinks<'a> {
    /// The terminal only.
    pub fn new(out: &'a mut Output, progress: &'a Progress, terminal: Terminal) -> Self {
        Self {
            out,
            progress,
            terminal,
            json: None,
            junit: None,
            coverage: None,
            github: None,
            record: None,
            failures: 0,
            problems: Vec::new(),
        }
    }

    /// Events as JSON lines into a file; `-` is standard output.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn json(&mut self, path: &Path) -> Result<(), Problem> {
        let to: Box<dyn Write> = match path.to_str() {
            Some("-") => Box::new(io::stdout()),
            _ => Box::new(File::create(path).map_err(|error| cannot_make(path, &error))?),
        };
        self.json = Some(Lines { to, name: path.display().to_string(), failed: false });
        Ok(())
    }

    /// JUnit's XML into a file.
    ///
    /// # Errors
    /// The file cannot be made: better told before the run than after.
    pub fn junit(&mut self, path: &Path, lab: &str) -> Result<(), Problem> {
        File::create(path).map_err(|error| cannot_make(path, &error))?;
        self.junit = Some((Junit::new(lab), path.to_owned()));
        Ok(())
    }

    /// The table of identities and installation modes into a file, whose name says in which form.
    ///
    /// # Errors
    /// The name ends neither in `.md` nor in `.csv`, or the file cannot be made.
    pub fn coverage(&mut self, path: &Path) -> Result<(), Problem> {
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("md") => Form::Markdown,
            Some("csv") => Form::Csv,
            _ => {
                return Err(Problem::usage(format!("{}: in which form?", path.display()))
                    .cure("give --matrix a file whose name ends in .md or .csv"));
            }
        };
        File::create(path).map_err(|error| cannot_make(path, &error))?;
        self.coverage = Some((Coverage::default(), path.to_owned(), form));
        Ok(())
    }

    /// Annotations behind the report, and a summary appended to this file, for GitHub Actions.
    pub fn github(&mut self, github: Github, summary: Option<PathBuf>) {
        self.github = Some((github, summary));
    }

    /// A record.
    pub fn record(&mut self, writer: Writer) {
        self.record = Some(writer);
    }

    /// Hands an event to everyone.
    pub fn take(&mut self, event: &Event) {
        if let Event::CaseFinished(case) = event {
            self.failures += usize::from(matches!(case.verdict, Verdict::Fail { .. }));
            self.progress.step(self.failures);
        }
        if let Event::Summary(_) = event {
            self.progress.end();
        }
        let text = self.terminal.take(event);
        self.progress.print(self.out, &text);
        if let Some(json) = &mut self.json
            && !json.failed
            && let Err(error) = line(&mut json.to, event)
        {
            json.failed = true;
            // A reader that has seen enough is no failure.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.problems.push(Problem::internal(format!("{}: cannot be written", json.name)).found(error));
            }
        }
        if let Some((junit, _)) = &mut self.junit {
            junit.take(event);
        }
        if let Some((coverage, ..)) = &mut self.coverage {
            coverage.take(event);
        }
        if let Some((github, _)) = &mut self.github {
            github.take(event);
        }
        if let Some(writer) = &mut self.record
            && let Err(error) = writer.event(event)
        {
            self.record = None;
            self.problems.push(Problem::internal("the record cannot be written, and ends here").found(error));
        }
    }

    /// Writes what is written last. Gives what went wrong on the way.
    pub fn finish(mut self) -> Vec<Problem> {
        if let Some((junit, path)) = self.junit.take() {
            let written = junit.text().map_err(io::Error::other).and_then(|text| fs::write(&path, text));
            self.problems.extend(written.err().map(|error| cannot_write(&path, &error)));
        }
        if let Some((coverage, path, form)) = self.coverage.take() {
            let written = fs::write(&path, coverage.text(form));
            self.problems.extend(written.err().map(|error| cannot_write(&path, &error)));
        }
        if let Some((github, summary)) = self.github.take() {
            self.out.text(github.annotations());
            if let Some(path) = summary {
                // Appended: other commands of the step write there too.
                let file = File::options().append(true).create(true).open(&path);
                let written = file.and_then(|mut file| file.write_all(github.markdown().as_bytes()));
                self.problems.extend(written.err().map(|error| cannot_write(&path, &error)));
            }
        }
        if let Some(writer) = self.record.take()
            && let Err(error) = writer.finish()
        {
            self.problems.push(Problem::internal("the checksums of the record cannot be written").found(error));
        }
        self.problems
    }
}

fn line(to: &mut dyn Write, event: &Event) -> io::Result<()> {
    let mut text = serde_json::to_vec(event).map_err(io::Error::other)?;
    text.push(b'\n');
    to.write_all(&text)?;
    to.flush()
}

/// Before the run: a path that the user named.
fn cannot_make(path: &Path, error: &io::Error) -> Problem {
    Problem::usage(format!("{}: cannot be written", path.display()))
        .found(error)
        .cure("name a file in a directory that exists and that you may write")
}

/// After it: a path that could be written before.
fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    Problem::internal(format!("{}: cannot be written", path.display())).found(error)
}
