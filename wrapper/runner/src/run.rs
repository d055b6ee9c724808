//! One run through the queue: each message by itself, so that none can stop another.

use crate::bounce::notification;
use crate::poison::Poison;
use crate::relay::{Fate, Smtp};
use crate::settle::{Schedule, is_due, settle};
use crate::spool::{Claim, List, Message, NotRemoved, Spool};
use nix::errno::Errno;
use std::fmt::{self, Display, Write as _};
use wrapper::refusal::Line;
use wrapper::report;

/// How a run goes.
pub(crate) struct Run<'a> {
    /// The queue.
    pub(crate) spool: &'a mut Spool,
    /// The server.
    pub(crate) relay: &'a mut Smtp,
    /// How long messages are tried.
    pub(crate) schedule: Schedule,
    /// Also those whose time has not come.
    pub(crate) all: bool,
    /// What this machine is called.
    pub(crate) host: &'a str,
    /// The largest message that is sent, in bytes.
    pub(crate) largest: usize,
    /// Seconds since 1970. Asked for each message: a run can last for hours, while another counts attempts.
    pub(crate) clock: fn() -> u64,
}

/// What a run did, in messages.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Out of the queue, and none of their recipients is left.
    pub(crate) done: u64,
    /// Of which the sender was told that somebody has not got them.
    pub(crate) returned: u64,
    /// Kept for a later run.
    pub(crate) kept: u64,
    /// Not yet to be tried again.
    pub(crate) not_due: u64,
    /// In use by another process.
    pub(crate) busy: u64,
    /// Under another name now, for somebody to look at.
    pub(crate) put_aside: u64,
    /// Left as they were, because something failed.
    pub(crate) failed: u64,
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, returned, kept, not_due, busy, put_aside, failed } = self;
        write!(
            f,
            "{done} done, {returned} returned, {kept} kept, {not_due} not due, {busy} busy, {put_aside} put aside, \
             {failed} failed"
        )
    }
}

/// Why a run did not come to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRun {
    /// The directory cannot be read.
    Unreadable(Errno),
    /// It cannot be written, so that nothing could be taken out of it.
    Unwritable(Errno),
    /// The server cannot be reached; what was not tried is as it was.
    Unreachable(String),
}

impl Run<'_> {
    /// Tries every message that is due.
    ///
    /// # Errors
    /// Why it ended before; `counts` says what it did until then.
    pub(crate) fn through(&mut self, counts: &mut Counts) -> Result<(), NotRun> {
        self.spool.try_to_write().map_err(NotRun::Unwritable)?;
        let List { ids, strange } = self.spool.list().map_err(NotRun::Unreadable)?;
        if strange > 0 {
            counts.failed += strange;
            let what = "names begin with qf and go on with what is no id of 1 to 18 letters and digits";
            tell("-", format_args!("{strange} {what}: left alone; give them another name, or remove them"));
        }
        for id in ids {
            let done = match self.spool.claim(&id) {
                Ok(Claim::Mine(message)) if !self.all && !is_due(&message.control, (self.clock)()) => {
                    counts.not_due += 1;
                    Ok(())
                }
                Ok(Claim::Mine(message)) => {
                    self.relay.reach().map_err(NotRun::Unreachable)?;
                    self.message(*message, counts)
                }
                Ok(Claim::Poisoned { poison, _locked }) => {
                    self.put_aside(&id, poison, counts);
                    Ok(())
                }
                Ok(Claim::Busy) => {
                    counts.busy += 1;
                    Ok(())
                }
                Ok(Claim::Gone) => Ok(()),
                Err(errno) => Err(errno),
            };
            if let Err(errno) = done {
                counts.failed += 1;
                tell(&id, format_args!("left as it is: {}; it is tried again by the next run", errno.desc()));
            }
        }
        Ok(())
    }

    fn message(&mut self, mut message: Message, counts: &mut Counts) -> Result<(), Errno> {
        let text = message.text(self.largest)?;
        let addresses: Vec<_> = message.control.recipients.iter().map(|recipient| &recipient.address).collect();
        let fates = match text {
            Some(text) => self.relay.deliver(message.control.sender.as_ref(), &addresses, &text),
            // RFC 3463, 3.4: message length exceeds administrative limit. It was not offered.
            None => {
                let why =
                    format!("5.3.4 the message has more than {} bytes, which are the most sent here", self.largest);
                vec![Fate::Failed(why); addresses.len()]
            }
        };
        let now = (self.clock)();
        log(&message, &fates, now);
        let mut told_somebody = fates.contains(&Fate::Delivered);
        let mut settled = settle(&message.control, fates, now, self.schedule);
        let mut aside = settled.nobody_to_tell;
        if let (Some(sender), false) = (&message.control.sender, settled.give_back.is_empty()) {
            let text = notification(&message.id, &message.control, sender, &settled.give_back, self.host, now);
            let told = self.relay.reach().map_or_else(Fate::Deferred, |()| {
                let told = self.relay.deliver(None, &[sender], &text).pop();
                told.unwrap_or_else(|| Fate::Deferred("the server did not say".into()))
            });
            match told {
                Fate::Delivered => {
                    counts.returned += 1;
                    told_somebody = true;
                }
                Fate::Deferred(_) if !self.schedule.is_over(&message.control, now) => {
                    settled.wait.append(&mut settled.give_back);
                }
                Fate::Deferred(why) | Fate::Failed(why) => {
                    let why =
                        |(at, said): &(usize, String)| (*at, format!("{said}; nor can the sender be told: {why}"));
                    aside.extend(settled.give_back.iter().map(why));
                }
            }
        }
        let left = if aside.is_empty() { &settled.wait } else { &aside };
        let Some((_, why)) = left.first() else {
            match self.spool.remove(&message) {
                Ok(()) => counts.done += 1,
                Err(NotRemoved::Message(errno)) => self.stop(&message.id, errno, counts),
                Err(NotRemoved::Body(errno)) => {
                    counts.done += 1;
                    tell(
                        &message.id,
                        format_args!("out of the queue, and df{} stays: {}; remove it", message.id, errno.desc()),
                    );
                }
            }
            return Ok(());
        };
        // Where one may still be reached the message stays for all who are left, and is put aside when none can be.
        let waits = !settled.wait.is_empty();
        let left: Vec<usize> = aside.iter().chain(&settled.wait).map(|(at, _)| *at).collect();
        let control = message.control.for_later(&left, now, why);
        let kept = self.spool.keep(&mut message, &control);
        let id = &message.id;
        match kept {
            Ok(()) => {}
            // Nobody has it, and everybody may get it the next time.
            Err(errno) if !told_somebody => return Err(errno),
            Err(errno) => {
                self.stop(id, errno, counts);
                return Ok(());
            }
        }
        if waits {
            counts.kept += 1;
            return Ok(());
        }
        self.spool.put_aside(id)?;
        counts.put_aside += 1;
        tell(id, format_args!("put aside as Qf{id}: {why}"));
        Ok(())
    }

    /// Keeps a message from being delivered again by each run to those who have it. A new name needs no room.
    fn stop(&mut self, id: &str, errno: Errno, counts: &mut Counts) {
        let why =
            format_args!("the server has it, at least for some, and the queue cannot be changed: {}", errno.desc());
        match self.spool.put_aside(id) {
            Ok(()) => {
                counts.put_aside += 1;
                tell(id, format_args!("put aside as Qf{id}: {why}; the log says who has it"));
            }
            Err(_) => {
                counts.failed += 1;
                tell(id, format_args!("{why}; it may be delivered again by the next run: mend the file system first"));
            }
        }
    }

    fn put_aside(&mut self, id: &str, poison: Poison, counts: &mut Counts) {
        match self.spool.put_aside(id) {
            Ok(()) => {
                counts.put_aside += 1;
                tell(
                    id,
                    format_args!("put aside as Qf{id}: {poison}; look at it, and give it back its name or remove it"),
                );
            }
            Err(errno) => {
                counts.failed += 1;
                tell(id, format_args!("cannot be put aside as Qf{id}: {}; it is no message: {poison}", errno.desc()));
            }
        }
    }
}

/// A line for each recipient, as mail logs have them. They are all that says who has got it, so the log is waited for.
fn log(message: &Message, fates: &[Fate], now: u64) {
    for (recipient, fate) in message.control.recipients.iter().zip(fates) {
        let mut line = Line::information();
        let delay = now.saturating_sub(message.control.created.unwrap_or(now));
        let to = String::from_utf8_lossy(recipient.address.as_bytes());
        // Writing to a `Line` does not fail, and nothing but printable ASCII gets in.
        let _ =
            write!(line, "{PROGRAM}: {}: to=<{to}>, ctladdr=uid {}, delay={delay}, ", message.id, message.submitter);
        let _ = match fate {
            Fate::Delivered => write!(line, "stat=Sent"),
            Fate::Deferred(why) => write!(line, "stat=Deferred: {why}"),
            Fate::Failed(why) => write!(line, "stat=Failed: {why}"),
        };
        report::log_in_turn(&line);
    }
}

/// What log and standard error call this program.
pub(crate) const PROGRAM: &str = "queue-runner";

/// Says something about a message, to the log and on standard error.
fn tell(id: &str, what: impl Display) {
    let mut line = Line::default();
    // As above.
    let _ = write!(line, "{PROGRAM}: {id}: {what}");
    report::log_in_turn(&line);
    report::tell(&line);
}
