//! Writing a record while the run goes on.

use crate::capability::Support;
use crate::case::CaseId;
use crate::problem::Problem;
use crate::record::EVENTS;
use crate::run::event::{CaseFinished, Event};
use crate::run::tree::{SUMS, hex};
use crate::verdict::Verdict;
use lab_invocation::layout::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A record that is being written.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    events: File,
    events_sum: Sha256,
    sums: BTreeMap<String, String>,
    private: Vec<(String, &'static str)>,
}

impl Writer {
    /// Starts a record in an empty directory, or in one which it makes. Each of `private` is replaced by its stand-in in what the lab says of the
    /// machine.
    ///
    /// # Errors
    /// The directory holds something, or cannot be written.
    pub fn new(dir: &Path, private: Vec<(String, &'static str)>) -> Result<Self, Problem> {
        super::demand_empty(dir)?;
        let refused =
            |error: io::Error| Problem::usage(format!("{}: no record can be written here", dir.display())).found(error);
        fs::create_dir_all(dir).map_err(refused)?;
        let events = new_file(&dir.join(EVENTS)).map_err(refused)?;
        // Held until the writer is gone: `prune` leaves alone what another lab is writing. Where a file system has no
        // locks, its records are written all the same.
        drop(events.try_lock());
        Ok(Self { dir: dir.to_owned(), events, events_sum: Sha256::new(), sums: BTreeMap::new(), private })
    }

    /// Appends an event.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = match self.without_private(event) {
            Some(event) => serde_json::to_string(&event),
            None => serde_json::to_string(event),
        }
        .map_err(io::Error::other)?;
        line.push('\n');
        // One write for a line: a record that is cut off holds whole lines and at most one part.
        self.events.write_all(line.as_bytes())?;
        self.events_sum.update(line.as_bytes());
        match event {
            Event::CaseFinished(case) if case.verdict != Verdict::Pass => self.outputs(case),
            _ => Ok(()),
        }
    }

    /// The event without private parts in what the lab and its backend say; `None` if it has none. Cases, and what was
    /// observed of them, stay as they are: they are about the sandbox, and are run again byte for byte.
    fn without_private(&self, event: &Event) -> Option<Event> {
        let private = |text: &str| self.private.iter().any(|(part, _)| text.contains(part.as_str()));
        let clean = |text: &mut String| {
            for (part, stand_in) in &self.private {
                *text = text.replace(part.as_str(), stand_in);
            }
        };
        match event {
            Event::Started(started) => {
                let mut started = started.clone();
                for support in started.machine.capabilities.values_mut() {
                    if let Support::No { because, cure } = support {
                        clean(because);
                        cure.iter_mut().for_each(clean);
                    }
                }
                started.machine.facts.values_mut().for_each(clean);
                Some(Event::Started(started))
            }
            Event::CaseFinished(case) => match &case.verdict {
                Verdict::Unresolved { because } | Verdict::Unsupported { because, .. } if private(because) => {
                    let mut case = case.clone();
                    if let Verdict::Unresolved { because } | Verdict::Unsupported { because, .. } = &mut case.verdict {
                        clean(because);
                    }
                    Some(Event::CaseFinished(case))
                }
                _ => None,
            },
            Event::Summary(summary) => {
                let mut summary = summary.clone();
                summary.complaints.iter_mut().for_each(clean);
                Some(Event::Summary(summary))
            }
            Event::Setting(_) | Event::ScenarioFinished(_) => None,
        }
    }

    fn outputs(&mut self, case: &CaseFinished) -> io::Result<()> {
        let Some(evidence) = &case.evidence else { return Ok(()) };
        for (name, capture) in [("stdout", &evidence.stdout), ("stderr", &evidence.stderr)] {
            if capture.total > 0 {
                let path = format!("output/{}.{name}", file_name(&case.id));
                self.file(&path, capture.bytes.as_slice())?;
            }
        }
        Ok(())
    }

    /// Adds a file. `path` is relative and has no `..`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let full = self.dir.join(path);
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent)?;
        }
        new_file(&full)?.write_all(bytes)?;
        self.sums.insert(path.to_owned(), hex(&Sha256::digest(bytes)));
        Ok(())
    }

    /// Adds a program under test, as it was before it was sealed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn subject(&mut self, name: &str, program: &[u8]) -> io::Result<()> {
        self.file(&format!("subjects/{name}"), program)
    }

    /// Adds what was sealed into a program, and where: with both the very file can be made again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn section(&mut self, sealed: Digest, name: &str, at: usize, section: &[u8]) -> io::Result<()> {
        let mut bytes = format!("{name} {at}\n").into_bytes();
        bytes.extend_from_slice(section);
        self.file(&format!("subjects/sealed/{sealed}"), &bytes)
    }

    /// Writes the checksums.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        let sum = hex(&self.events_sum.finalize());
        self.sums.insert(EVENTS.to_owned(), sum);
        let text: String = self.sums.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect();
        new_file(&self.dir.join(SUMS))?.write_all(text.as_bytes())
    }
}

/// A file which was not there before: a record never writes over anything.
fn new_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// The name of a case as a path without blanks or anything else that surprises: its id as far as it is plain, and
/// enough of a hash to tell it from others.
fn file_name(id: &CaseId) -> String {
    let plain: String =
        id.0.chars().map(|c| if c.is_ascii_alphanumeric() || "/-_.".contains(c) { c } else { '-' }).collect();
    let safe: Vec<&str> = plain.split('/').filter(|part| !part.is_empty() && !part.starts_with('.')).collect();
    let short: String = safe.join("/").chars().take(160).collect();
    format!("{short}-{}", &hex(&Sha256::digest(id.0.as_bytes()))[..8])
}

/// Parts of a machine that nobody needs to know, with what stands for them, the longest first.
pub fn private_parts(tree_root: &Path) -> Vec<(String, &'static str)> {
    let mut parts: Vec<(String, &'static str)> = Vec::new();
    let mut add = |text: Option<String>, stand_in| {
        // A root directory or a one-letter name would be replaced everywhere.
        if let Some(text) = text.filter(|text| text.len() > 3) {
            parts.push((text, stand_in));
        }
    };
    add(tree_root.to_str().map(str::to_owned), "<tree>");
    let variable = |name| std::env::var_os(name).and_then(|value| value.into_string().ok());
    add(variable("CARGO_TARGET_DIR"), "<target>");
    add(variable("HOME"), "<home>");
    add(std::env::temp_dir().to_str().filter(|dir| *dir != "/tmp").map(str::to_owned), "<temporary>");
    parts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    parts
}

#[cfg(test)]
mod tests {
    use super::{Writer, file_name};
    use crate::case::CaseId;
    use crate::problem::Kind;
    use crate::run::event::Event;
    use crate::run::sample::finished;
    use crate::run::tree::check_sums;
    use crate::verdict::Verdict;

    #[test]
    fn a_record_checks_and_names_nobody() {
        let dir = tempfile::tempdir().expect("directory");
        let mut writer = Writer::new(dir.path(), vec![("/home/ada".to_owned(), "<home>")]).expect("an empty directory");
        let because = "/home/ada/lab-agent cannot be started".to_owned();
        let mut lost = finished("a/b", "c", Verdict::Unresolved { because });
        lost.invocation.env = vec!["HOME=/home/ada".into()];
        writer.event(&Event::CaseFinished(Box::new(lost))).expect("writes");
        writer.file("scenarios/a.toml", b"title").expect("writes");
        writer.finish().expect("writes");
        assert_eq!(check_sums(dir.path()).expect("as the sums say"), 2);
        let text = std::fs::read_to_string(dir.path().join("events.jsonl")).expect("text");
        assert!(text.contains("<home>/lab-agent") && !text.contains("/home/ada/"), "{text}");
        assert!(text.contains("HOME=/home/ada"), "a case is kept as it is: {text}");
    }

    #[test]
    fn nothing_is_written_over() {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::write(dir.path().join("SHA256SUMS"), "precious").expect("a file");
        let problem = Writer::new(dir.path(), Vec::new()).expect_err("the directory is not empty");
        assert_eq!(problem.kind, Kind::Usage);
        assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 1, "nothing was added");
        let mut writer = Writer::new(&dir.path().join("new"), Vec::new()).expect("an absent directory is made");
        writer.file("a", b"first").expect("writes");
        assert!(writer.file("a", b"second").is_err());
    }

    #[test]
    fn no_case_leads_out_of_the_record() {
        let name = |id: &str| file_name(&CaseId(id.to_owned()));
        assert!(name("../../etc/passwd").starts_with("etc/passwd-"));
        assert!(name("/a/./.b").starts_with("a-"));
        assert!(name("a/b: c×d").starts_with("a/b--c-d-"));
        assert_ne!(name("a:b"), name("a;b"));
    }
}
