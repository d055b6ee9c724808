//! Every refusal as its reader sees it, and the exit statuses which the manual page promises.

use super::QueueRefusal;
use crate::policy::{Limits, NAME_MAX, Owner, PATH_MAX, PolicyError, QueuePolicy};
use crate::process_state::UnsafeProcess;
use crate::queue::address::AddressFault;
use crate::queue::command_line::UsageFault;
use crate::queue::commit::{FILE_MODE, Fault, NotCommitted, Owned, STEPS, Step};
use crate::queue::directory::{Full, Unsound};
use crate::queue::envelope::{MessageFault, NotComposed};
use crate::queue::head::HeadFault;
use crate::queue::input::Unreadable;
use crate::queue::message::Stop;
use crate::refusal::{LINE_MAX, Refusal, SwitchFault};
use crate::sample::{LIST, gid};
use crate::surroundings::AccountName;
use nix::errno::Errno;
use std::collections::BTreeSet;

static POLICY: QueuePolicy<'static> = QueuePolicy {
    own: LIST,
    owner: Owner { uid: 39, name: "smmsp" },
    directory: "/var/spool/clientmqueue",
    limits: Limits::DEFAULT,
};

fn every() -> Vec<QueueRefusal<'static>> {
    let mut all = Vec::new();
    all.extend(
        [
            Refusal::Policy(PolicyError::Unsealed),
            Refusal::NotSetGroupId { found: gid(8), name: AccountName::Known("mail".into()), own: LIST },
            Refusal::NotSwitched(SwitchFault::Unread(Errno::EPERM)),
            Refusal::Process(UnsafeProcess::Step { what: "cancel timers", errno: Errno::EPERM }),
            Refusal::Process(UnsafeProcess::Place { path: "/dev/null", errno: Errno::ENOENT }),
            Refusal::Process(UnsafeProcess::Limit { name: "RLIMIT_FSIZE", found: 4096, needed: 1 << 20 }),
        ]
        .map(QueueRefusal::Start),
    );
    all.push(QueueRefusal::SetUserId { real: 1000, effective: 0 });
    let faults = [
        AddressFault::Empty,
        AddressFault::TooLong,
        AddressFault::Byte,
        AddressFault::Unbalanced,
        AddressFault::Blank,
        AddressFault::NotMail,
    ];
    let usage = [
        UsageFault::Unknown(*b"C "),
        UsageFault::Unknown(*b"oQ"),
        UsageFault::Unknown(*b"  "),
        UsageFault::Unknown([0x1b, b'\n']),
        UsageFault::Elsewhere { option: "-bp", program: "the queue is listed by mailq" },
        UsageFault::NoValue(b'f'),
        UsageFault::Value { option: b'R', rule: "full or hdrs" },
        UsageFault::Late,
        UsageFault::NoRecipient,
        UsageFault::TooMany,
        UsageFault::Address { sender: true, number: 1, fault: AddressFault::Empty },
    ];
    let recipients = faults.map(|fault| UsageFault::Address { sender: false, number: 2, fault });
    all.extend(usage.into_iter().chain(recipients).map(QueueRefusal::Usage));
    let input = [Unreadable::Closed, Unreadable::WriteOnly, Unreadable::Failed(Errno::EIO)];
    all.extend(input.map(QueueRefusal::Input));
    let directory = [
        Unsound::Unreachable(Errno::ENOENT),
        Unsound::Unreachable(Errno::EACCES),
        Unsound::NotADirectory,
        Unsound::Owner { uid: 1000 },
        Unsound::GroupWritable { gid: 8 },
        Unsound::WorldWritable,
        Unsound::Group { gid: 8 },
        Unsound::NotGroupWritable { mode: 0o2750 },
        Unsound::WorldAccessible { mode: 0o2777 },
        Unsound::Sticky { uid: 0 },
        Unsound::AccessList,
    ];
    all.extend(directory.map(|fault| QueueRefusal::Directory { path: "/var/spool", fault, policy: &POLICY }));
    let full = [
        Full::Files { limit: 20_000 },
        Full::Messages { limit: 1000 },
        Full::Bytes { limit: 1 << 30 },
        Full::Space { found: 1, wanted: 2 },
        Full::Unknown(Errno::EIO),
    ];
    all.extend(full.map(QueueRefusal::Full));
    let message = [
        MessageFault::HeadTooLong,
        MessageFault::Head(HeadFault::Byte { line: 3 }),
        MessageFault::Head(HeadFault::Name { line: 3 }),
        MessageFault::Address { field: "Cc", fault: AddressFault::Unbalanced },
        MessageFault::NoRecipient,
        MessageFault::TooMany { limit: 1000 },
    ];
    all.extend(message.map(|fault| QueueRefusal::NotComposed(NotComposed::Message(fault))));
    all.push(QueueRefusal::NotComposed(NotComposed::Nameless { uid: 4242 }));
    let stops = [Stop::Signal(15), Stop::Signal(99), Stop::Deadline, Stop::Failed(Errno::EIO)];
    all.extend(stops.map(QueueRefusal::Stopped));
    let step = |step: Step, errno| Fault::Step { step, errno };
    let owned = Owned { uid: 1000, gid: 38, mode: 0o100_000 | FILE_MODE, links: 1 };
    let mut faults: Vec<Fault> = STEPS.map(|each| step(each, Errno::EIO)).to_vec();
    let errnos = [
        Errno::ENOSPC,
        Errno::EDQUOT,
        Errno::EFBIG,
        Errno::ENFILE,
        Errno::EMFILE,
        Errno::ENOMEM,
        Errno::EAGAIN,
        Errno::EINTR,
        Errno::EEXIST,
        Errno::EROFS,
    ];
    faults.extend(errnos.map(|errno| step(Step::Commit, errno)));
    faults.extend([
        Fault::NoFreeName,
        Fault::Other { found: Owned { uid: 65534, ..owned }, wanted: owned },
        Fault::Stop(Stop::Signal(15)),
        Fault::Stop(Stop::Failed(Errno::EIO)),
        Fault::Message(MessageFault::TooLarge { limit: 50 << 20 }),
        Fault::Broken,
    ]);
    all.extend(faults.into_iter().map(|fault| QueueRefusal::NotCommitted(NotCommitted { fault, left: false })));
    let left = NotCommitted { fault: step(Step::SyncDirectory, Errno::EIO), left: true };
    all.push(QueueRefusal::NotCommitted(left));
    all
}

#[test]
fn every_refusal_of_the_queue_writer() {
    let text = |refusal: &QueueRefusal<'_>| {
        format!("{} {}\n", refusal.exit_code(), String::from_utf8_lossy(refusal.line().text()))
    };
    insta::assert_snapshot!("every_refusal_of_the_queue_writer", every().iter().map(text).collect::<String>());
}

/// Statuses below `# EXIT STATUS`, but for 0.
fn documented(page: &str) -> BTreeSet<u8> {
    let section = page.split("//! # EXIT STATUS\n").nth(1).expect("a section with that heading");
    let section = section.split("//! # ").next().expect("something");
    let rows = section.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| row.split('|').next()?.trim().parse().ok()).filter(|status| *status != 0).collect()
}

#[test]
fn the_manual_lists_the_exit_statuses() {
    let page = include_str!("../../bin/queue-writer.rs");
    let statuses: BTreeSet<u8> = every().iter().map(QueueRefusal::exit_code).collect();
    assert_eq!(documented(page), statuses);
    let row = page.lines().find(|line| line.starts_with("//! | 66 ")).expect("a row");
    assert_ne!(documented(&page.replace(row, "//!")), statuses, "a row that is missing is noticed");
}

/// A test that forgets a variant would also forget its status.
#[test]
fn every_means_every() {
    let number = |refusal: &QueueRefusal<'_>| match refusal {
        QueueRefusal::Start(_) => 0,
        QueueRefusal::SetUserId { .. } => 1,
        QueueRefusal::Usage(_) => 2,
        QueueRefusal::Input(_) => 3,
        QueueRefusal::Directory { .. } => 4,
        QueueRefusal::Full(_) => 5,
        QueueRefusal::NotComposed(_) => 6,
        QueueRefusal::Stopped(_) => 7,
        QueueRefusal::NotCommitted(_) => 8,
    };
    let variants: BTreeSet<u8> = every().iter().map(number).collect();
    assert_eq!(variants, (0..9).collect());
}

#[test]
fn the_longest_names_fit_into_a_line() {
    let leak = |byte: &str, length| -> &'static str { Box::leak(byte.repeat(length).into_boxed_str()) };
    let policy: &'static QueuePolicy<'static> = Box::leak(Box::new(QueuePolicy {
        own: crate::policy::Group { gid: gid(u32::MAX - 1), name: leak("g", NAME_MAX) },
        owner: Owner { uid: u32::MAX - 1, name: leak("o", NAME_MAX) },
        directory: leak("d", PATH_MAX),
        limits: Limits::DEFAULT,
    }));
    for refusal in every() {
        let refusal = match refusal {
            QueueRefusal::Directory { fault, .. } => QueueRefusal::Directory { path: policy.directory, fault, policy },
            other => other,
        };
        assert!(refusal.line().text().len() < LINE_MAX, "cut: {refusal}");
        assert!(refusal.line().text().iter().all(|byte| matches!(byte, b' '..=b'~')), "{refusal}");
    }
}
