//! A sealed wrapper in the witness's place, and the witness as its script: the server starts the wrapper as a group which
//! it does not trust, and the message is lost. Then each of the two remedies is applied, and the same message sent again.
//! A remedy is proven if the script starts as it must, and if without it the message is lost as before.

mod anew;
pub(super) mod explained;

use super::accounts::Accounts;
use super::compare;
use super::deliver::{Delivered, Post};
use crate::case::{Group, Kind, Policy, Sealing, Style, Subject, WRAPPERS};
use crate::problem::Problem;
use crate::run::programs::Programs;
use crate::run::seal::Sealer;
use crate::scenario::deploy::{Case, Change, Fate, Form, GROUP, Mismatch, Program, Remedy, Starts, WithoutBit};
use lab_invocation::layout::{Content, Node, NodeKind, Order};
use lab_invocation::{Bytes, Layout, Uid};
use lab_model::environment::{MAILMAN_NAMES, PATH};
use std::collections::BTreeSet;

/// Where it is installed, and where its scripts are.
pub(super) const PREFIX: &str = "/usr/local/mailman";
/// Who may own the scripts, besides root: the user of the list manager.
pub(super) const OWNER: &str = "mailman";

/// What the two remedies of one mismatch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// The group that the wrapper trusts at first.
    pub trusts: String,
    /// What is not as stated while nothing is mended.
    pub differences: Vec<String>,
    /// Fix A: the server.
    pub server: Proof,
    /// Fix B: the wrapper is sealed again.
    pub wrapper: Proof,
    /// With a wrapper that has the server try again, the message is not lost until then.
    pub waits: Proof,
}

impl Proofs {
    /// The remedies that were tried.
    pub fn tried(&self) -> impl Iterator<Item = &Proof> {
        [&self.server, &self.wrapper, &self.waits].into_iter().filter(|proof| proof.possible)
    }

    /// Whether everything is as stated.
    pub fn hold(&self) -> bool {
        self.differences.is_empty() && self.tried().all(|proof| proof.missing.is_empty())
    }
}

/// What one remedy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What is done, in words.
    pub what: String,
    /// Whether it can be done at all.
    pub possible: bool,
    /// What keeps it from being proven. None: it is proven, or it is not possible.
    pub missing: Vec<String>,
}

/// Where messages go and remedies act: a server in its container. Tests have one that lies.
pub(super) trait Scene {
    /// Puts a sealed wrapper where the server finds it, and the witness as the script that it starts.
    fn install(&mut self, subject: &Subject, script: &str) -> Result<(), Problem>;

    /// Has root's shell do something, which must succeed.
    fn shell(&mut self, script: &str) -> Result<(), Problem>;

    /// Reads one of the server's files.
    fn read(&mut self, path: &str) -> Result<String, Problem>;

    /// The whole log.
    fn log(&mut self) -> Result<String, Problem>;

    /// Sends the message of a case and waits for its fate.
    fn deliver(&mut self, case: &Case) -> Result<Delivered, Problem>;

    /// Has the server try again what waits, and waits for the fate of the last message of a case.
    fn retry(&mut self, case: &Case) -> Result<Delivered, Problem>;
}

/// The real one.
pub(super) struct Workshop<'a, 'p> {
    post: &'a mut Post<'p>,
    sealer: Sealer,
}

impl<'a, 'p> Workshop<'a, 'p> {
    /// With the wrapper of the project.
    pub(super) fn new(post: &'a mut Post<'p>, programs: &Programs) -> Result<Self, Problem> {
        let mut sealer = Sealer::new(programs)?;
        for wrapper in WRAPPERS {
            sealer.add(wrapper, programs.path(wrapper)?, false)?;
        }
        Ok(Self { post, sealer })
    }
}

impl Scene for Workshop<'_, '_> {
    fn install(&mut self, subject: &Subject, script: &str) -> Result<(), Problem> {
        let digest = self.sealer.seal(subject)?;
        let (owner, group, order) = (Uid::ROOT, subject.group, Order::default());
        let node = |path: Bytes, mode, kind| Node { path, owner, group, mode, kind, order };
        let nodes = vec![
            node(subject.path.clone(), subject.mode, NodeKind::File(Content::Blob(digest))),
            node(format!("{PREFIX}/scripts").into(), 0o2775, NodeKind::Directory),
            node(script.into(), 0o755, NodeKind::File(Content::Witness)),
        ];
        self.post.furnish(&Layout { nodes, mounts: Vec::new(), fresh: Vec::new() }, &self.sealer)
    }

    fn shell(&mut self, script: &str) -> Result<(), Problem> {
        self.post.shell(script).map(drop)
    }

    fn log(&mut self) -> Result<String, Problem> {
        self.post.log().map(str::to_owned)
    }

    fn read(&mut self, path: &str) -> Result<String, Problem> {
        self.post.read(path)
    }

    fn deliver(&mut self, case: &Case) -> Result<Delivered, Problem> {
        self.post.deliver(case)
    }

    fn retry(&mut self, case: &Case) -> Result<Delivered, Problem> {
        self.post.retry(case)
    }
}

/// A scene with the names and numbers that it goes by.
pub(super) struct Bench<'a, S> {
    pub(super) scene: S,
    pub(super) form: Form,
    pub(super) server: &'a str,
    pub(super) accounts: &'a Accounts,
}

impl<S: Scene> Bench<'_, S> {
    /// Breaks it, mends it in both ways, and leaves it as it was.
    pub(super) fn prove(&mut self, case: &Case, mismatch: &Mismatch) -> Result<Proofs, Problem> {
        let Starts::Program(program) = &case.starts else {
            return Err(Problem::internal("a mismatch of a case that starts nothing"));
        };
        self.install(program, &mismatch.trusts, Style::Mailman)?;
        let mut differences = self.lost(case, mismatch, program)?;
        let server = match &mismatch.server {
            Remedy::Impossible(because) => {
                Proof { what: format!("not possible: {because}"), possible: false, missing: Vec::new() }
            }
            Remedy::Change(change) => self.change(case, mismatch, program, change)?,
        };
        let wrapper = match &mismatch.refused_anew {
            Some(anew) => self.refused_anew(case, mismatch, anew, &mut differences)?,
            None => self.sealed_anew(case, program)?,
        };
        let waits = if let Some(unnoticed) = &mismatch.unnoticed {
            // Which status is not heeded makes no difference, and that must show.
            self.install(program, &mismatch.trusts, Style::Defer)?;
            let lost = self.lost(case, mismatch, program)?;
            differences.extend(lost.into_iter().map(|difference| format!("sealed with --refusal=defer: {difference}")));
            Proof { what: format!("not possible: {}", unnoticed.why), possible: false, missing: Vec::new() }
        } else if self.is_web() {
            let what = "not possible: a web server keeps no request".to_owned();
            Proof { what, possible: false, missing: Vec::new() }
        } else {
            self.waits(case, mismatch, program)?
        };
        Ok(Proofs { trusts: mismatch.trusts.clone(), differences, server, wrapper, waits })
    }

    /// Fix B.
    fn sealed_anew(&mut self, case: &Case, program: &Program) -> Result<Proof, Problem> {
        self.install(program, &program.group, Style::Mailman)?;
        let option = if self.is_web() { "--with-cgi-gid" } else { "--with-mail-gid" };
        let what = format!("seal it with {option}={}", program.group);
        let delivered = self.scene.deliver(case)?;
        Ok(Proof { what, possible: true, missing: self.arrived(&delivered, case, program, &program.user)? })
    }

    /// A wrapper sealed to defer is refused, mended, and then the server tries again the message that waited.
    fn waits(&mut self, case: &Case, mismatch: &Mismatch, program: &Program) -> Result<Proof, Problem> {
        self.install(program, &mismatch.trusts, Style::Defer)?;
        let kept = self.scene.deliver(case)?;
        let mut missing = refused(&kept, Fate::Deferred, &[]);
        let mut what = "sealed with --refusal=defer the message waits, and arrives when that is done".to_owned();
        let (mut user, mut group) = (&program.user, &program.group);
        // What was not kept cannot be tried again.
        if !missing.is_empty() {
            return Ok(Proof { what, possible: true, missing });
        }
        if let Some(retried) = &mismatch.retried_as {
            what = format!(
                "sealed with --refusal=defer the message waits, and arrives when {} is trusted: {}",
                retried.group, retried.why
            );
            // That it is another must show.
            self.install(program, group, Style::Defer)?;
            let still = refused(&self.scene.retry(case)?, Fate::Deferred, &[]);
            missing.extend(still.into_iter().map(|difference| format!("tried again for {group}: {difference}")));
            (user, group) = (&retried.user, &retried.group);
        }
        self.install(program, group, Style::Defer)?;
        let again = self.scene.retry(case)?;
        let after = self.arrived(&again, case, program, user)?;
        missing.extend(after.into_iter().map(|difference| format!("tried again: {difference}")));
        Ok(Proof { what, possible: true, missing })
    }

    /// A wrapper that trusts the group which the server has, where its bit does not act: what is not as stated.
    pub(super) fn without_bit(&mut self, case: &Case, without: &WithoutBit) -> Result<Vec<String>, Problem> {
        let Starts::Program(program) = &case.starts else {
            return Err(Problem::internal("a wrapper of a case that starts nothing"));
        };
        self.install(program, &program.group, Style::Mailman)?;
        let delivered = self.scene.deliver(case)?;
        let mut found = refused(&delivered, without.fate, &without.says);
        found.extend(explained::lost_bit(&delivered.log, self.server)?);
        Ok(found)
    }

    /// Fix A, and back again: what would also have come about without it is not its doing.
    fn change(
        &mut self,
        case: &Case,
        mismatch: &Mismatch,
        program: &Program,
        change: &Change,
    ) -> Result<Proof, Problem> {
        self.scene.shell(&change.make)?;
        let delivered = self.scene.deliver(case)?;
        let mut missing = self.arrived(&delivered, case, program, &change.user)?;
        self.scene.shell(&change.undo)?;
        let after = self.lost(case, mismatch, program)?;
        missing.extend(after.into_iter().map(|difference| format!("taken back: {difference}")));
        Ok(Proof { what: change.what.clone(), possible: true, missing })
    }

    /// Puts a wrapper that trusts a group where the server finds it.
    fn install(&mut self, program: &Program, trusts: &str, refusal: Style) -> Result<(), Problem> {
        let subject = self.subject(program, trusts, refusal)?;
        self.scene.install(&subject, &self.script(program))
    }

    fn subject(&self, program: &Program, trusts: &str, refusal: Style) -> Result<Subject, Problem> {
        let group = |name: &str| Ok::<_, Problem>(Group { gid: self.accounts.gid(name)?, name: name.to_owned() });
        let own = group(GROUP)?;
        let policy = Policy {
            kind: if self.is_web() { Kind::Cgi } else { Kind::Mail },
            trusts: group(trusts)?,
            own: own.clone(),
            owner: (self.accounts.user(OWNER)?.0, OWNER.to_owned()),
            prefix: PREFIX.into(),
            interpreter: None,
            commands: if self.is_web() { Vec::new() } else { vec![command(program).into()] },
            script: self.is_web().then(|| page(program).into()),
            keep: None,
            refusal,
            condition: Sealing::default(),
        };
        Ok(Subject {
            program: WRAPPERS[usize::from(self.is_web())].to_owned(),
            policy,
            path: self.form.program().into(),
            owner: Uid::ROOT,
            group: own.gid,
            mode: 0o2755,
            order: Order::default(),
            links: Vec::new(),
        })
    }

    /// Sends the message, which must be lost as the file says, and what is said of it must be understood by whoever reads
    /// it with `lab explain`; what is otherwise.
    fn lost(&mut self, case: &Case, mismatch: &Mismatch, program: &Program) -> Result<Vec<String>, Problem> {
        let before = mismatch.unnoticed.as_ref().map(|_| self.scene.log()).transpose()?;
        let delivered = self.scene.deliver(case)?;
        let mut found = refused(&delivered, mismatch.fate, &mismatch.says);
        let mut log = delivered.log;
        if let (Some(unnoticed), Some(before)) = (&mismatch.unnoticed, before) {
            let all = self.scene.log()?.split_off(before.len());
            found.extend(unnoticed.differences(&log, &all));
            log = all;
        }
        let group = |name: &str| Ok::<_, Problem>(Group { gid: self.accounts.gid(name)?, name: name.to_owned() });
        let groups = (group(&program.group)?, group(&mismatch.trusts)?);
        found.extend(explained::differences(&log, self.server, &groups)?);
        Ok(found)
    }

    /// A message must have reached the script, with the wrapper's own group and nothing but that; what is otherwise.
    fn arrived(
        &self,
        delivered: &Delivered,
        case: &Case,
        program: &Program,
        user: &str,
    ) -> Result<Vec<String>, Problem> {
        let mut found = fate(delivered, case.fate, &[]);
        let [report] = delivered.reports.as_slice() else {
            found.push(format!("script: {} were started, where one is wanted", delivered.reports.len()));
            return Ok(found);
        };
        let (own, uid) = (self.accounts.gid(GROUP)?, self.accounts.user(user)?.0);
        let gids = report.credentials.gid;
        compare::compare(&mut found, "user", &report.credentials.uid.real.as_raw(), &uid.as_raw());
        let all = [gids.real, gids.effective, gids.saved].map(|gid| gid.as_raw());
        compare::compare(&mut found, "real, effective and saved group", &all, &[own.as_raw(); 3]);
        // The name of the page is sealed, and what a client says is no argument.
        let rest = if self.is_web() {
            vec![page(program).to_owned()]
        } else {
            program.args.get(2..).unwrap_or_default().to_vec()
        };
        let words: Vec<String> = std::iter::once(self.script(program)).chain(rest).collect();
        let args: Vec<String> =
            report.argv.iter().map(|word| String::from_utf8_lossy(word.as_slice()).into_owned()).collect();
        compare::compare(&mut found, "args", &args, &words);
        let names: BTreeSet<String> = report.env.iter().map(|entry| compare::name(entry.as_slice())).collect();
        let kept = program.environment.iter().filter(|name| self.is_web() && MAILMAN_NAMES.contains(&name.as_str()));
        compare::compare(&mut found, "environment", &names, &kept.cloned().chain(["PATH".to_owned()]).collect());
        // The one value that must not be the server's.
        let paths: Vec<&[u8]> =
            report.env.iter().map(Bytes::as_slice).filter(|entry| entry.starts_with(b"PATH=")).collect();
        if paths != [PATH] {
            found.push(format!("PATH: found {:?}", report.env));
        }
        Ok(found)
    }

    fn is_web(&self) -> bool {
        self.form == Form::Web
    }

    fn script(&self, program: &Program) -> String {
        format!("{PREFIX}/scripts/{}", if self.is_web() { "driver" } else { command(program) })
    }
}

/// The command that the server gives.
fn command(program: &Program) -> &str {
    program.args.get(1).map_or("post", String::as_str)
}

/// The page, which is what the wrapper is called.
fn page(program: &Program) -> &str {
    program.args.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

/// A message that no script may have seen; what is otherwise.
fn refused(delivered: &Delivered, wanted: Fate, says: &[String]) -> Vec<String> {
    let mut found = fate(delivered, wanted, says);
    if !delivered.reports.is_empty() {
        found.push(format!("script: {} were started, where none is wanted", delivered.reports.len()));
    }
    found
}

/// What became of a message against what is wanted.
fn fate(delivered: &Delivered, wanted: Fate, says: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    if delivered.fate != wanted {
        found.push(format!("fate: found {:?}, wanted {wanted:?}, by its log\n{}", delivered.fate, delivered.log));
    }
    let missing = says.iter().filter(|words| !delivered.log.contains(words.as_str()));
    found.extend(missing.map(|words| format!("log: `{words}` is not in\n{}", delivered.log)));
    found
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unnoticed;
