//! Each row of the decision, for our own wrappers and for a wrapper like Mailman's.

mod foreign;
mod sealed;

use crate::decision::Decision;
use crate::exec::{Circumstances, Kernel};
use crate::files::{Entry, EntryKind, Files, Mount};
use crate::group_database::GroupDatabase;
use crate::ids::Ids;
use crate::policy::{Group, MAILMAN_COMMANDS, Policy, Program, Style};
use crate::process::Process;
use crate::rules::Rules;
use crate::start::{Installation, Invoker, Room, Start};
use crate::{Bytes, decide};

const LIST: u32 = 38;
const MAIL: u32 = 8;
const EXIM: u32 = 101;

/// A sound start of the mail wrapper by Exim; a test changes one thing.
struct Scene {
    installation: Installation,
    invoker: Invoker<'static>,
    policy: Policy,
    rules: Rules,
    kernel: Kernel,
}

impl Scene {
    fn quiet() -> Self {
        let program = Entry { kind: EntryKind::Program, owner: 0, group: LIST, mode: 0o2755 };
        let script = Entry { kind: EntryKind::Program, owner: LIST, group: LIST, mode: 0o755 };
        let driver = script.clone();
        let directory = Entry { kind: EntryKind::Directory, owner: 0, group: LIST, mode: 0o2775 };
        let entries = [
            ("/p/mail/mailman", program),
            ("/p/scripts", directory),
            ("/p/scripts/post", script),
            ("/p/scripts/driver", driver),
            ("/usr/bin/python", Entry { kind: EntryKind::Program, owner: 0, group: 0, mode: 0o755 }),
        ];
        let rows = [("root", 0), ("mail", MAIL), ("list", LIST), ("exim", EXIM), ("nogroup", 65534)];
        Self {
            installation: Installation {
                path: bytes("/p/mail/mailman"),
                files: Files {
                    entries: entries.into_iter().map(|(path, entry)| (bytes(path), entry)).collect(),
                    mounts: Vec::new(),
                },
                groups: GroupDatabase::Rows(rows.map(|(name, gid)| (name.to_owned(), gid)).to_vec()),
                device_null: true,
            },
            invoker: Invoker {
                process: caller(MAIL),
                circumstances: Circumstances::default(),
                foreign_mount: false,
                argv: ["mailman", "post", "announce"].map(bytes).to_vec().into(),
                env: ["HOME=/x", "HOST=h", "HOST=i"].map(bytes).to_vec().into(),
                room: Room::quiet(),
            },
            policy: Policy {
                program: Program::Mail { commands: MAILMAN_COMMANDS.map(bytes).to_vec() },
                trusted: Group { gid: MAIL, name: "mail".into() },
                own: Group { gid: LIST, name: "list".into() },
                owner: LIST,
                prefix: bytes("/p"),
                interpreter: Vec::new(),
                keep: Vec::new(),
                style: Style::Mailman,
                unsound: None,
            },
            rules: Rules::Sealed,
            kernel: Kernel::LATEST,
        }
    }

    fn decide(&self) -> Decision {
        let Self { installation, invoker, policy, rules, kernel } = self;
        decide(&Start { installation, invoker, policy, rules, kernel: *kernel })
    }

    fn entry(&mut self, path: &str) -> &mut Entry {
        self.installation.files.entries.get_mut(path.as_bytes()).expect("the scene has it")
    }

    fn mount(&mut self, nosuid: bool, noexec: bool) {
        let at = bytes("/p");
        self.installation.files.mounts.push(Mount { at, shows: None, nosuid, noexec, shows_group: None });
    }
}

fn bytes(text: &str) -> Bytes {
    text.as_bytes().to_vec()
}

/// An ordinary process with this group.
fn caller(gid: u32) -> Process {
    Process::with_ids(Ids::all(EXIM), Ids::all(gid), [gid])
}
