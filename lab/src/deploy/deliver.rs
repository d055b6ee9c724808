//! One message, from its arrival by SMTP to its fate in the server's log; or one request, and its answer.

use super::accounts::{Accounts, cat, part, root, text};

use super::log;
use super::proven;
use crate::backend::LayoutId;
use crate::backend::docker::server::Server;
use crate::images::problem;
use crate::problem::Problem;
use crate::run::seal::Sealer;
use crate::scenario::deploy::{Case, Fate, File, Form, SENDER};
use lab_invocation::evidence::{End, Stage, WitnessReport};
use lab_invocation::invocation::Stdin;
use lab_invocation::{Evidence, Identity, Invocation, Layout};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A shell that can open a connection.
const SHELL: &str = "/bin/bash";
/// How it connects, with the port as its argument. Some servers say that they start before they listen.
const CONNECT: &str = r#"
tries=0
until exec 3<>/dev/tcp/127.0.0.1/$1; do
    tries=$((tries + 1))
    [ $tries -lt 40 ] || exit 1
    sleep 0.1
done 2>/dev/null
"#;
/// Its script: it says one line after the other and waits for each answer, because a client who talks out of turn is refused
/// by some servers. It repeats the answers, and stops at the first refusal.
const TALK: &str = r#"
answer() {
    local line
    while IFS= read -r -t 20 -u 3 line; do
        printf '%s\n' "$line"
        case $line in [45]*) exit 0 ;; ???' '*) return ;; esac
    done
    exit 1
}
answer
while IFS= read -r line; do
    printf '%s\r\n' "$line" >&3
    case $inside$line in
        DATA) answer; inside=message: ;;
        message:.) answer; inside= ;;
        message:*) ;;
        *) answer ;;
    esac
done
"#;
/// The same for a web server: it says everything, and repeats what comes until there is no more.
const ASK: &str = r#"
while IFS= read -r line; do printf '%s\r\n' "$line" >&3; done
cat <&3
"#;
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
    /// The server's log, as far as it was read.
    log: Log,
    file: &'a File,
}

/// What became of a message.
pub(super) struct Delivered {
    /// What programs were given that the server started.
    pub(super) reports: Vec<WitnessReport>,
    /// Its fate, as its last log line has it.
    pub(super) fate: Fate,
    /// Its log lines; of a request the answer, too.
    pub(super) log: String,
}

/// A log that grows. What of it was read is not asked for again, so that it may become longer than an output may be.
#[derive(Default)]
struct Log {
    bytes: u64,
    text: String,
}

impl<'a> Post<'a> {
    /// Waits until the server is ready.
    pub(super) fn new(server: Server, layout: LayoutId, accounts: &Accounts, file: &'a File) -> Result<Self, Problem> {
        let (uid, gid) = accounts.user(SENDER)?;
        let sender = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() };
        let mut post = Self { server, layout, sender, heard: Vec::new(), log: Log::default(), file };
        let end = Instant::now() + PATIENCE;
        loop {
            if post.log()?.contains(&file.ready) {
                return Ok(post);
            }
            post.listen(STEP)?;
            if !post.heard.is_empty() {
                let what = format!("server {}: it starts the wrapper before anything was sent", file.server);
                return Err(Problem::unresolved(what).found(tail(&post.log.text)));
            }
            if Instant::now() > end {
                let what = format!("server {}: is not ready after {} s", file.server, PATIENCE.as_secs());
                return Err(Problem::unresolved(what).found(tail(&post.log.text)));
            }
        }
    }

    /// Puts other files among the server's; from now on they are there.
    pub(super) fn furnish(&mut self, layout: &Layout, sealer: &Sealer) -> Result<(), Problem> {
        let (layout, probes) = self.server.put_with(layout, &|digest| sealer.blob(digest)).map_err(problem)?;
        proven(self.file, &probes)?;
        self.layout = layout;
        // They come with the next start in the layout.
        self.shell("true").map(drop)
    }

    /// Has root's shell do something, which must succeed; what it writes.
    pub(super) fn shell(&mut self, script: &str) -> Result<String, Problem> {
        let quiet = Invocation::quiet("/bin/sh".into(), root());
        let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin".into();
        let argv = ["sh", "-ec", script].map(Into::into).into();
        let done = self.run(&Invocation { argv, env: vec![path], deadline_ms: 20_000, ..quiet })?;
        if done.stage == Stage::Ran && done.end == Some(End::Exited(0)) {
            return Ok(String::from_utf8_lossy(done.stdout.bytes.as_slice()).into_owned());
        }
        let said = String::from_utf8_lossy(done.stderr.bytes.as_slice()).into_owned();
        let found = format!("{:?} {:?} {said}", done.stage, done.end);
        Err(Problem::unresolved(format!("server {}: `{script}` did not succeed", self.file.server)).found(found))
    }

    /// Sends one message and waits for its fate.
    pub(super) fn deliver(&mut self, case: &Case) -> Result<Delivered, Problem> {
        let address = format!("{}@lab.test", case.to);
        // What it says of an earlier message to the same address is not about this one.
        let before = self.log()?.len();
        if self.file.form == Form::Web {
            return self.request(case, before);
        }
        let stuck =
            |what: &str, found: String| Problem::unresolved(format!("message to {address}: {what}")).found(found);
        let argv = ["bash", "-c", &[CONNECT, TALK].concat(), "talk", "25"].map(Into::into).into();
        let stdin = Stdin::Bytes(dialogue(&address, case.bytes.unwrap_or(1)).as_str().into());
        let quiet = Invocation::quiet(SHELL.into(), self.sender.clone());
        let sent = self.run(&Invocation { argv, stdin, ..quiet })?;
        if sent.stage != Stage::Ran || sent.end != Some(End::Exited(0)) {
            let said = String::from_utf8_lossy(sent.stderr.bytes.as_slice()).into_owned();
            return Err(stuck("the server cannot be reached", format!("{:?} {:?} {said}", sent.stage, sent.end)));
        }
        let answers = String::from_utf8_lossy(sent.stdout.bytes.as_slice()).into_owned();
        match answers.lines().find(|line| line.starts_with(['4', '5'])) {
            None => {}
            Some(answer) => {
                self.listen(AFTERMATH)?;
                let reports = std::mem::take(&mut self.heard);
                return Ok(Delivered { reports, fate: Fate::Refused, log: answer.to_owned() });
            }
        }
        self.fate(before, &address)
    }

    /// Has the server try again what waits, and waits for the fate of the last message of a case.
    pub(super) fn retry(&mut self, case: &Case) -> Result<Delivered, Problem> {
        let before = self.log()?.len();
        let retry = self.file.retry.as_deref();
        self.shell(retry.ok_or_else(|| Problem::internal("a retry of a server that has none"))?)?;
        self.fate(before, &format!("{}@lab.test", case.to))
    }

    /// Makes one request.
    fn request(&mut self, case: &Case, before: usize) -> Result<Delivered, Problem> {
        let lost = |found: String| Problem::unresolved(format!("request for {}: no answer", case.to)).found(found);
        let first = [format!("GET {} HTTP/1.0", case.to), "Host: lab.test".to_owned()];
        let lines: Vec<&str> = first.iter().chain(&case.headers).map(String::as_str).chain(["", ""]).collect();
        let argv = ["bash", "-c", &[CONNECT, ASK].concat(), "ask", "80"].map(Into::into).into();
        let stdin = Stdin::Bytes(lines.join("\n").as_str().into());
        let quiet = Invocation::quiet(SHELL.into(), self.sender.clone());
        let asked = self.run(&Invocation { argv, stdin, deadline_ms: 20_000, ..quiet })?;
        let answer = String::from_utf8_lossy(asked.stdout.bytes.as_slice()).into_owned();
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let Some(status) = status.filter(|_| asked.end == Some(End::Exited(0))) else {
            return Err(lost(format!("{:?} {:?} {answer}", asked.stage, asked.end)));
        };
        self.listen(AFTERMATH)?;
        let log = format!("{answer}{}", self.log()?.get(before..).unwrap_or_default());
        Ok(Delivered { reports: std::mem::take(&mut self.heard), fate: Fate::Status(status), log })
    }

    fn fate(&mut self, before: usize, address: &str) -> Result<Delivered, Problem> {
        let end = Instant::now() + PATIENCE;
        loop {
            let form = self.file.form;
            if let Some((fate, log)) = log::fate(form, self.log()?, before, address) {
                self.listen(AFTERMATH)?;
                return Ok(Delivered { reports: std::mem::take(&mut self.heard), fate, log });
            }
            if Instant::now() > end {
                let stuck = Problem::unresolved(format!("message to {address}: its fate is not in the log"));
                return Err(stuck.found(tail(&self.log.text)));
            }
            self.listen(STEP)?;
        }
    }

    /// One of the server's files.
    pub(super) fn read(&mut self, path: &str) -> Result<String, Problem> {
        let evidence = self.run(&cat(path))?;
        text(path, &evidence)
    }

    /// The whole log.
    pub(super) fn log(&mut self) -> Result<&str, Problem> {
        loop {
            let from = format!("+{}", self.log.bytes.saturating_add(1));
            let argv = ["tail", "-c", &from, &self.file.log].map(Into::into).into();
            let evidence = self.run(&Invocation { argv, ..Invocation::quiet("/usr/bin/tail".into(), root()) })?;
            let new = part(&self.file.log, &evidence)?;
            self.log.bytes = self.log.bytes.saturating_add(new.len() as u64);
            self.log.text.push_str(&String::from_utf8_lossy(new));
            if !evidence.stdout.truncated() {
                return Ok(&self.log.text);
            }
        }
    }

    fn run(&mut self, invocation: &Invocation) -> Result<Evidence, Problem> {
        let mut evidence = self.server.run(self.layout, invocation).map_err(problem)?;
        // A server may start its program at any time.
        self.heard.append(&mut evidence.witness);
        all_heard(evidence.witness_unfinished)?;
        Ok(evidence)
    }

    fn listen(&mut self, patience: Duration) -> Result<(), Problem> {
        let (reports, unfinished) = self.server.listen(patience).map_err(problem)?;
        self.heard.extend(reports);
        all_heard(unfinished)
    }
}

/// A program that was started and of which nothing is known leaves everything open.
fn all_heard(unfinished: u32) -> Result<(), Problem> {
    match unfinished {
        0 => Ok(()),
        count => Err(Problem::unresolved(format!("{count} programs that the server started were not heard out"))),
    }
}

/// What the client says, with a body of at least so many bytes.
fn dialogue(to: &str, bytes: usize) -> String {
    let mut words = vec![
        "EHLO client.lab.test".to_owned(),
        "MAIL FROM:<bob@lab.test>".to_owned(),
        format!("RCPT TO:<{to}>"),
        "DATA".to_owned(),
        "From: bob@lab.test".to_owned(),
        format!("To: {to}"),
        format!("Message-ID: <{to}>"),
        "Subject: a case".to_owned(),
        String::new(),
    ];
    // As long as a line of a message may be: RFC 5322, 2.1.1.
    let line = format!("{:.<998}", "A case of the lab.");
    let lines = bytes.div_ceil(line.len());
    words.extend(std::iter::repeat_n(line, lines));
    words.extend([".", "QUIT", ""].map(str::to_owned));
    words.join("\n")
}

/// The end of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
