//! By whose rules a start is judged: our own wrappers', or those of a wrapper which we did not write, given as data.

use crate::Bytes;
use crate::decision::Outcome;
use crate::policy::Group;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Whose rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of our own wrappers: sealed policy, caller before arguments, the full switch.
    Sealed,
    /// Those of a foreign wrapper.
    Foreign(Box<Foreign>),
}

/// A wrapper which we did not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// How it tells a trusted caller.
    pub compare: Compare,
    /// Whom it trusts.
    pub trusted: Trusted,
    /// Real gids which it admits without looking further (Debian's mail wrapper: 0 to 99, and 65534).
    pub always_admitted: Vec<RangeInclusive<u32>>,
    /// What it checks, in this order.
    pub checks: Vec<Check>,
    /// Commands it knows; asked by [`Check::Command`].
    pub commands: Vec<Bytes>,
    /// What it does when the set-group-ID bit did not act.
    pub bit_lost: BitLost,
    /// Which ids it has when it starts the script.
    pub switch: Switch,
    /// What it starts: argument vector with [`START_COMMAND`] standing for the command and [`START_REST`] for what follows it.
    pub starts: Vec<Bytes>,
    /// Names that its C library removes from the environment in secure mode, before it looks at any.
    pub secure_removes: Vec<Bytes>,
    /// Which environment entries it hands on.
    pub environment: Environment,
    /// Entries it adds at the end.
    pub adds: Vec<Bytes>,
    /// Exit status by outcome.
    pub exits: BTreeMap<Outcome, u8>,
}

/// In [`Foreign::starts`]: replaced by the first argument.
pub const START_COMMAND: &[u8] = b"{command}";
/// As a whole word of [`Foreign::starts`]: replaced by the arguments after the first.
pub const START_REST: &[u8] = b"{rest}";

/// How a trusted caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The name that the group database has for the real gid is compared with the trusted names; a gid without a name
    /// is [`Outcome::Nameless`], and so is everybody when the database cannot be read.
    Name,
    /// The real gid is compared with the trusted numbers; no look-up.
    Gid,
}

/// Whom a foreign wrapper trusts, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// Compiled in, one or several.
    Groups(Vec<Group>),
    /// Read from a file when it starts; `None` if that cannot be read, which counts as [`Outcome::Nameless`].
    RunTimeFile(Option<Vec<Group>>),
}

/// One check of a foreign wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// There is a first argument: [`Outcome::Usage`].
    Usage,
    /// The first argument is a known command: [`Outcome::UnknownCommand`].
    Command,
    /// The caller is trusted: [`Outcome::Mismatch`], [`Outcome::Nameless`].
    Caller,
}

/// What happens when the set-group-ID bit did not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitLost {
    /// Nothing: the script runs with the caller's group.
    PassesOn,
    /// It refuses, before everything else.
    Refuses,
}

/// What becomes of the group ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// `setregid(getegid(), -1)`: real and saved become the effective one.
    RealToEffective,
    /// Nothing.
    Nothing,
}

/// Which environment entries are handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// All but entries of these names (every entry, duplicates and malformed ones included).
    AllBut(Vec<Bytes>),
    /// Only entries of these names; duplicates survive.
    Only(Vec<Bytes>),
}
