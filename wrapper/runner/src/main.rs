//! # NAME
//!
//! queue-runner - hand the messages of a client queue to this machine's mail server
//!
//! # SYNOPSIS
//!
//! **queue-runner** [**--queue** *directory*] [**--user** *user*] [**--relay** *address*:*port*] [**--host** *name*]
//! [**--return-after** *days*] [**--largest** *mebibytes*] [**--all**]
//!
//! # DESCRIPTION
//!
//! queue-runner goes once through the queue that queue-writer(8), or sendmail(8) as a submission program, has filled, and
//! hands each message to a mail server over SMTP. It is started by a timer, or by cron(8), or by hand. Started as root it
//! becomes the user of the queue at once, and cannot become root again; nobody else but that user may start it. It needs no
//! set-id bit.
//!
//! A message that the server has accepted for every recipient is removed. Recipients that the server refuses for now (4xx,
//! or no answer) wait: after 5 minutes at first, then twice as long each time, at most 4 hours. Of recipients that it
//! refuses for good (5xx), or for more than the days of **--return-after**, the sender gets a notification (RFC 3464), unless
//! the sender asked for none (NOTIFY). It is on its way before the recipients leave the queue. Where there is no sender to
//! tell, or the server does not take the notification, the message is put aside; where it does not take the notification for
//! now, that is when the days of **--return-after** are over. A message that is larger than **--largest** is not offered, and
//! its recipients count as refused for good.
//!
//! Nothing is delivered where the queue cannot be written. If that turns out when the server has a message already, for all
//! or some of its recipients, the message is put aside, so that they do not get it again with each run.
//!
//! A message that cannot be one is put aside: its `qf` is called `Qf`, under which no runner looks at it, nothing is
//! removed, and the reason is told. The others are delivered. That is so of a `qf` or `df` that is no regular file, has a
//! second name, belongs to another group or can be written by others; of a `qf` of somebody else than the owner of `df` and
//! the user of the queue; of a missing `df`; and of a `qf` that is no control file of version 8, to its end, with a sender
//! and recipients that can be addresses. A message that another process has
//! locked, or has just created, is left to it. A name `qf` and more than an id of 18 letters and digits is told, and left alone.
//!
//! The header is sent as it stands in `qf`, without Bcc and Resent-Bcc, which sendmail leaves to its runner, too, and without
//! fields that depend on another mailer. An address in it that has no domain is left as it is.
//!
//! Who submitted a message is the owner of `df`. The log has that uid, whatever the message says.
//!
//! # OPTIONS
//!
//! | option                       | meaning                                                                       |
//! |------------------------------|-------------------------------------------------------------------------------|
//! | --queue *directory*          | absolute path; /var/spool/mqueue-client, as Debian has it, unless given       |
//! | --user *user*                | owner of the queue, whose group the queue has; `smmsp` unless given           |
//! | --relay *address*:*port*     | the server, as a number; 127.0.0.1:25 unless given. There is no encryption: name one of this machine |
//! | --host *name*                | what this machine is called, in EHLO, and as the domain of an address that has none; what the kernel says unless given |
//! | --return-after *days*        | 5 unless given; 0: after the first try                                        |
//! | --largest *mebibytes*        | the largest message that is sent, 100 unless given: one is held in memory while it is sent |
//! | --all                        | also those whose time has not come                                            |
//!
//! # EXIT STATUS
//!
//! Those of sysexits.h. On standard output the run ends with one line that says how many messages were done, returned,
//! kept, not due, busy, put aside and failed.
//!
//! | status | meaning                                                                              |
//! |--------|--------------------------------------------------------------------------------------|
//! | 0      | it went through the whole queue                                                      |
//! | 64     | the command line is wrong                                                            |
//! | 67     | there is no such user                                                                |
//! | 71     | it could not become the user of the queue                                            |
//! | 74     | the queue cannot be read or written                                                  |
//! | 75     | the server cannot be reached, and the rest of the queue is as it was; or a message was left as it was, because the file system failed |
//! | 77     | started by somebody who may not                                                      |
//! | 78     | the queue is not as it must be: writable for others, of another owner or group, or sticky and not its user's; or its user is root |
//!
//! # FILES
//!
//! | file      | use                                                                          |
//! |-----------|------------------------------------------------------------------------------|
//! | *queue*   | `qf` and `df` are a message, `tf` is an envelope while it is written anew, `Qf` is what was put aside |
//! | /dev/log  | facility mail, tag queue-runner: a line for each recipient of each attempt, and each message that is put aside |
//!
//! # BUGS
//!
//! A machine that stops between the server's "accepted" and the removal of the message delivers it twice; it is never lost.
//! The same is so of a notification. A carriage return in a body is sent as it is. Options of RFC 3461 are not handed on to the server, and
//! of them only NOTIFY is asked for here: a notification is not put off, is not about success, and has the header only. Recipients
//! that a server takes no more of in one message (452) wait as others do.
//!
//! # SEE ALSO
//!
//! queue-writer(8), sendmail(8), mailq(1), wrapper-configure(8)

mod bounce;
mod control;
mod identity;
mod poison;
mod relay;
mod run;
mod settle;
mod spool;

use clap::Parser;
use clap::error::ErrorKind;
use identity::{NotQueueUser, QueueUser};
use nix::unistd::{chdir, gethostname};
use relay::Smtp;
use run::{Counts, NotRun, PROGRAM, Run};
use settle::Schedule;
use spool::Spool;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wrapper::policy::value;
use wrapper::queue::envelope::is_host_name;
use wrapper::refusal::Line;
use wrapper::report;

/// Hands the messages of a client queue to this machine's mail server, once through the queue.
#[derive(Debug, Parser)]
#[command(name = "queue-runner", version, max_term_width = 100)]
#[command(after_help = "`wrapper-configure man queue-runner` prints the manual page.")]
struct Cli {
    /// The queue
    #[arg(long, value_name = "DIR", default_value = "/var/spool/mqueue-client", value_parser = directory)]
    queue: String,
    /// Its owner, who the process becomes
    #[arg(long, value_name = "USER", default_value = "smmsp")]
    user: String,
    /// The mail server
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:25")]
    relay: SocketAddr,
    /// What this machine is called [default: what the kernel says]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<String>,
    /// Days after which a message that could not be delivered is returned
    #[arg(long, value_name = "DAYS", default_value_t = 5, value_parser = clap::value_parser!(u16))]
    return_after: u16,
    /// Largest message that is sent
    #[arg(long, value_name = "MEBIBYTES", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    largest: u16,
    /// Also messages whose time has not come
    #[arg(long)]
    all: bool,
}

fn directory(text: &str) -> Result<String, String> {
    value::path(text.as_bytes())
        .map(str::to_owned)
        .ok_or_else(|| "an absolute path is wanted, without //, . and ..".into())
}

fn host(text: &str) -> Result<String, String> {
    if is_host_name(text) { Ok(text.to_owned()) } else { Err("a host name of RFC 1123 is wanted".into()) }
}

/// Why there was no run.
enum Refused {
    Identity(NotQueueUser),
    /// What is wrong with the queue, or with a directory above it, and how to mend it.
    Queue(String),
    Run(SocketAddr, NotRun),
    /// Messages that were left as they were, so many.
    Left(u64),
}

impl Refused {
    /// Exit status of sysexits.h.
    const fn status(&self) -> u8 {
        match self {
            Self::Identity(NotQueueUser::Unknown { .. }) => 67,
            Self::Identity(NotQueueUser::Other { .. }) => 77,
            Self::Identity(NotQueueUser::NotSwitched { .. }) => 71,
            Self::Identity(NotQueueUser::Root { .. }) | Self::Queue(_) => 78,
            Self::Run(_, NotRun::Unreadable(_) | NotRun::Unwritable(_)) => 74,
            Self::Run(_, NotRun::Unreachable(_)) | Self::Left(_) => 75,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(fault) => fault.fmt(f),
            Self::Queue(fault) => f.write_str(fault),
            Self::Run(_, NotRun::Unreadable(errno)) => write!(f, "the queue cannot be read: {}", errno.desc()),
            Self::Run(_, NotRun::Unwritable(errno)) => write!(
                f,
                "the queue cannot be written: {}; nothing was delivered, since it could not be taken out of the queue",
                errno.desc()
            ),
            Self::Run(relay, NotRun::Unreachable(why)) => write!(
                f,
                "the mail server at {relay} cannot be reached: {why}; what was not tried is as it was: start the server, or \
                 name another with --relay"
            ),
            Self::Left(1) => f.write_str("one message was left as it was, as told above"),
            Self::Left(messages) => write!(f, "{messages} messages were left as they were, as told above"),
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // A reader who has left does not read why.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(64) };
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => {
            let mut line = Line::default();
            // Writing to a `Line` does not fail.
            let _ = write!(line, "{PROGRAM}: {refused}");
            report::log(&line);
            report::tell(&line);
            ExitCode::from(refused.status())
        }
    }
}

fn run(cli: Cli) -> Result<(), Refused> {
    // Before anything else: what follows reads what users wrote.
    let user = QueueUser::become_user(&cli.user).map_err(Refused::Identity)?;
    // Nothing is opened from here, and no file system is kept in use. A root that cannot be entered is no root.
    let _ = chdir("/");
    let mut spool = Spool::open(&cli.queue, user).map_err(Refused::Queue)?;
    let own = || gethostname().ok().and_then(|name| name.into_string().ok()).filter(|name| is_host_name(name));
    let host = cli.host.or_else(own).unwrap_or_else(|| "localhost".into());
    let mut relay = Smtp::new(cli.relay, host.clone());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let schedule = Schedule { return_after: Duration::from_secs(u64::from(cli.return_after) * 86_400) };
    let mut counts = Counts::default();
    let largest = usize::from(cli.largest) * 1024 * 1024;
    let mut run = Run { spool: &mut spool, relay: &mut relay, schedule, all: cli.all, host: &host, largest, clock };
    let ended = run.through(&mut counts);
    // Whoever does not read it has the log.
    let _ = writeln!(io::stdout(), "{PROGRAM}: {counts}");
    ended.map_err(|fault| Refused::Run(cli.relay, fault))?;
    if counts.failed > 0 { Err(Refused::Left(counts.failed)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Cli, NotQueueUser, NotRun, Refused};
    use clap::CommandFactory;
    use nix::errno::Errno;
    use nix::unistd::Uid;
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("main.rs");

    /// One of each status that there is a way to.
    fn every() -> Vec<Refused> {
        let (name, relay) = (String::new, "127.0.0.1:25".parse().expect("an address"));
        let identity = [
            NotQueueUser::Unknown { name: name(), errno: None },
            NotQueueUser::Root { name: name() },
            NotQueueUser::Other { name: name(), uid: Uid::from_raw(1) },
            NotQueueUser::NotSwitched { call: "", errno: None },
        ];
        let run = [NotRun::Unreadable(Errno::EIO), NotRun::Unwritable(Errno::EIO), NotRun::Unreachable(name())];
        let identity = identity.into_iter().map(Refused::Identity);
        let run = run.into_iter().map(|fault| Refused::Run(relay, fault));
        identity.chain(run).chain([Refused::Queue(name()), Refused::Left(1)]).collect()
    }

    /// First words of the rows below a heading of the manual.
    fn rows(page: &str, heading: &str) -> BTreeSet<String> {
        let section = page.split(&format!("//! # {heading}\n")).nth(1).expect("a section with that heading");
        let section = section.split("//! # ").next().expect("something");
        let rows = section.lines().filter_map(|line| line.strip_prefix("//! | "));
        let first = rows.filter_map(|row| row.split(['|', ' ']).next().map(str::to_owned));
        first.filter(|word| !["status", "option", "0"].contains(&word.as_str())).collect()
    }

    #[test]
    fn the_manual_lists_the_exit_statuses() {
        // clap's own is that of a wrong command line.
        let every = every();
        let statuses = every.iter().map(Refused::status).chain([64]);
        assert_eq!(rows(PAGE, "EXIT STATUS"), statuses.map(|status| status.to_string()).collect());
    }

    #[test]
    fn the_manual_lists_the_options() {
        let command = Cli::command();
        let options = command.get_arguments().filter_map(|option| option.get_long());
        let options: BTreeSet<String> = options.map(|option| format!("--{option}")).collect();
        assert_eq!(rows(PAGE, "OPTIONS"), options);
        let synopsis = PAGE.split("//! # DESCRIPTION").next().expect("something");
        assert!(options.iter().all(|option| synopsis.contains(&format!("**{option}**"))), "{synopsis}");
    }
}
