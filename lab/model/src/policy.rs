//! What our own wrappers are sealed with, in the model's terms.

use crate::Bytes;

/// A sealed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the program is.
    pub program: Program,
    /// The group whose processes are admitted.
    pub trusted: Group,
    /// The wrapper's own group, that of its file.
    pub own: Group,
    /// Uid of the sealed owner: who, besides root, may own what lies on the way to the script.
    pub owner: u32,
    /// `--prefix`; scripts lie in its `scripts`.
    pub prefix: Bytes,
    /// Interpreter with its flags; empty starts the script itself.
    pub interpreter: Vec<Bytes>,
    /// Names of environment variables that are handed on.
    pub keep: Vec<Bytes>,
    /// Exit codes.
    pub style: Style,
    /// Whether the sealed section is as it should be; if not, this says what is wrong with it.
    pub unsound: Option<String>,
}

/// What a program is, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Started by a mail server; the first argument is the command, that is the name of the script.
    Mail {
        /// The commands that exist.
        commands: Vec<Bytes>,
    },
    /// Started by a web server; arguments are ignored.
    Cgi {
        /// The one script name, which the driver gets as its argument.
        script: Bytes,
    },
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Number: it decides.
    pub gid: u32,
    /// Name: it explains.
    pub name: String,
}

/// Which exit codes a refusal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Mailman's own codes.
    #[default]
    Mailman,
    /// 75 (EX_TEMPFAIL of sysexits.h) where an administrator can repair the cause, so that no mail bounces meanwhile.
    Defer,
}

/// Mailman 2.1's commands: the scripts that `scripts/Makefile.in` installs for the mail wrapper.
pub const MAILMAN_COMMANDS: [&str; 10] =
    ["admin", "bounces", "confirm", "join", "leave", "owner", "post", "request", "subscribe", "unsubscribe"];
