//! One message, from its arrival by SMTP to its fate in the server's log.

use super::accounts::{Accounts, cat, text};
use super::file::{Case, Fate, File};
use crate::backend::LayoutId;
use crate::backend::docker::server::Server;
use crate::images::problem;
use crate::problem::Problem;
use lab_invocation::evidence::{End, Stage, WitnessReport};
use lab_invocation::invocation::Stdin;
use lab_invocation::{Evidence, Identity, Invocation};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Who talks to the server.
const SENDER: &str = "bob";
/// A shell that can: it says all it has to say, since no server here minds that, and repeats the answers.
const SHELL: &str = "/bin/bash";
/// Its command.
const TALK: &str = "exec 3<>/dev/tcp/127.0.0.1/25 && cat >&3 && exec cat <&3";
/// How long a server may take to become ready, or to decide what becomes of a message.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a look into the log is put off for a witness that might come first.
const STEP: Duration = Duration::from_millis(50);
/// How long a second witness, or one that must not come, is waited for once the fate is known.
const AFTERMATH: Duration = Duration::from_millis(100);

/// A server that takes messages.
pub(super) struct Post<'a> {
    server: Server,
    layout: LayoutId,
    sender: Identity,
    /// Reports that came while something else was being done.
    heard: Vec<WitnessReport>,
    file: &'a File,
}

/// What became of a message.
pub(super) struct Delivered {
    /// What programs were given that the server started.
    pub(super) reports: Vec<WitnessReport>,
    /// Its fate, as its last log line has it.
    pub(super) fate: Fate,
    /// Its log lines.
    pub(super) log: String,
}

impl<'a> Post<'a> {
    /// Waits until the server is ready.
    pub(super) fn new(server: Server, layout: LayoutId, accounts: &Accounts, file: &'a File) -> Result<Self, Problem> {
        let (uid, gid) = accounts.user(SENDER)?;
        let sender = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() };
        let mut post = Self { server, layout, sender, heard: Vec::new(), file };
        let end = Instant::now() + PATIENCE;
        loop {
            let log = post.log()?;
            if log.contains(&file.ready) {
                return Ok(post);
            }
            post.listen(STEP)?;
            if Instant::now() > end || !post.heard.is_empty() {
                let what = format!("server {}: is not ready after {} s", file.server, PATIENCE.as_secs());
                return Err(Problem::unresolved(what).found(tail(&log)));
            }
        }
    }

    /// Sends one message and waits for its fate.
    pub(super) fn deliver(&mut self, case: &Case) -> Result<Delivered, Problem> {
        let address = format!("{}@lab.test", case.to);
        let stuck =
            |what: &str, found: String| Problem::unresolved(format!("message to {address}: {what}")).found(found);
        let argv = ["bash", "-c", TALK].map(Into::into).into();
        let stdin = Stdin::Bytes(dialogue(&address).as_str().into());
        let quiet = Invocation::quiet(SHELL.into(), self.sender.clone());
        let sent = self.run(&Invocation { argv, stdin, ..quiet })?;
        if sent.stage != Stage::Ran || sent.end != Some(End::Exited(0)) {
            let said = String::from_utf8_lossy(sent.stderr.bytes.as_slice()).into_owned();
            return Err(stuck("the server cannot be reached", format!("{:?} {:?} {said}", sent.stage, sent.end)));
        }
        let answers = String::from_utf8_lossy(sent.stdout.bytes.as_slice()).into_owned();
        match answers.lines().find(|line| line.starts_with(['4', '5'])) {
            None => {}
            // The answers after it are those to a message without a recipient.
            Some(answer) => {
                self.listen(AFTERMATH)?;
                let reports = std::mem::take(&mut self.heard);
                return Ok(Delivered { reports, fate: Fate::Refused, log: answer.to_owned() });
            }
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let log = self.log()?;
            let form = self.file.form;
            let lines: Vec<&str> = log.lines().filter(|line| form.concerns(line, &address)).collect();
            if let Some(fate) = lines.last().and_then(|line| form.fate(line, &address)) {
                let log = lines.join("\n");
                self.listen(AFTERMATH)?;
                return Ok(Delivered { reports: std::mem::take(&mut self.heard), fate, log });
            }
            if Instant::now() > end {
                return Err(stuck("its fate is not in the log", tail(&log)));
            }
            self.listen(STEP)?;
        }
    }

    fn log(&mut self) -> Result<String, Problem> {
        let path = &self.file.log;
        let evidence = self.run(&cat(path))?;
        text(path, &evidence)
    }

    fn run(&mut self, invocation: &Invocation) -> Result<Evidence, Problem> {
        let mut evidence = self.server.run(self.layout, invocation).map_err(problem)?;
        // A server may start its program at any time.
        self.heard.append(&mut evidence.witness);
        match evidence.witness_unfinished {
            0 => Ok(evidence),
            count => Err(Problem::unresolved(format!("{count} programs that the server started were not heard out"))),
        }
    }

    fn listen(&mut self, patience: Duration) -> Result<(), Problem> {
        self.heard.extend(self.server.listen(patience).map_err(problem)?);
        Ok(())
    }
}

/// What the client says.
fn dialogue(to: &str) -> String {
    let words = [
        "EHLO client.lab.test",
        "MAIL FROM:<bob@lab.test>",
        &format!("RCPT TO:<{to}>"),
        "DATA",
        "From: bob@lab.test",
        &format!("To: {to}"),
        "Subject: a case",
        "",
        "A case of the lab.",
        ".",
        "QUIT",
        "",
    ];
    words.join("\r\n")
}

/// The end of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
