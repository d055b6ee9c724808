//! Whether an invocation can be delivered by execve(2), or only be tried in process.
//!
//! Two things that a fuzzer would like to try are not here, because nothing can hold them: the ids 4294967295, which
//! [`crate::Gid`] and [`crate::text::decode`] refuse, and saved ids, which exec overwrites.

use crate::{Bytes, Invocation};
use std::fmt;

/// Why it cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// An argument vector without `argv[0]`: Linux 5.18 and later deliver one empty argument instead.
    NoArguments,
    /// A NUL ends every string of execve(2).
    Nul {
        /// Where.
        place: Place,
    },
    /// One string is longer than MAX_ARG_STRLEN allows, 131071 bytes and the NUL.
    StringTooLong {
        /// Where.
        place: Place,
        /// Its length in bytes.
        length: usize,
    },
    /// All strings and pointers together are more than a quarter of the soft RLIMIT_STACK, or the strings more than all of it.
    TooLarge {
        /// Their size in bytes.
        size: u64,
        /// What execve(2) takes.
        limit: u64,
    },
}

/// A string of execve(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The path of the program.
    Program,
    /// This argument, from 0.
    Argument(usize),
    /// This entry of the environment, from 0.
    Variable(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("the program"),
            Self::Argument(at) => write!(f, "argument {at}"),
            Self::Variable(at) => write!(f, "environment entry {at}"),
        }
    }
}

impl fmt::Display for Undeliverable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoArguments => f.write_str("there is no argv[0], and Linux 5.18 and later put an empty one there"),
            Self::Nul { place } => write!(f, "{place} contains a NUL, which ends every string of execve(2)"),
            Self::StringTooLong { place, length } => {
                write!(f, "{place} has {length} bytes, and execve(2) takes at most {}", LONGEST_STRING - 1)
            }
            Self::TooLarge { size, limit } => {
                write!(f, "arguments and environment need {size} bytes, and execve(2) takes at most {limit}")
            }
        }
    }
}

/// MAX_ARG_STRLEN of execve(2), its NUL included, with pages of 4 KiB.
const LONGEST_STRING: usize = 131_072;
/// ARG_MAX of `linux/limits.h`, which is always granted.
const LEAST: u64 = 131_072;
/// Three quarters of 8 MiB, which is never exceeded.
const MOST: u64 = 6 << 20;
/// Soft RLIMIT_STACK where nothing else is said.
const USUAL_STACK: u64 = 8 << 20;
/// Its number. See getrlimit(2).
const RLIMIT_STACK: u32 = 3;

/// Why execve(2) does not deliver this invocation as it stands.
///
/// # Errors
/// The first reason.
pub fn deliverable(invocation: &Invocation) -> Result<(), Undeliverable> {
    if invocation.argv.is_empty() {
        return Err(Undeliverable::NoArguments);
    }
    let (mut bytes, mut pointers) = (0, 0);
    for (place, string) in strings(invocation) {
        if string.0.contains(&0) {
            return Err(Undeliverable::Nul { place });
        }
        let length = string.0.len();
        if length >= LONGEST_STRING {
            return Err(Undeliverable::StringTooLong { place, length });
        }
        bytes += length as u64 + 1;
        // The path has no pointer of its own.
        pointers += if place == Place::Program { 0 } else { 8 };
    }
    let stated = invocation.limits.iter().rev().find(|limit| limit.resource == RLIMIT_STACK);
    let stack = stated.map_or(Some(USUAL_STACK), |limit| limit.soft);
    let limit = stack.map_or(MOST, |stack| stack / 4).clamp(LEAST, MOST);
    if bytes + pointers > limit {
        return Err(Undeliverable::TooLarge { size: bytes + pointers, limit });
    }
    // The strings lie on the stack, in pages, and that may not outgrow its own limit.
    let pages = bytes.next_multiple_of(4096);
    match stack.filter(|stack| pages > *stack) {
        Some(limit) => Err(Undeliverable::TooLarge { size: pages, limit }),
        None => Ok(()),
    }
}

fn strings(invocation: &Invocation) -> impl Iterator<Item = (Place, &Bytes)> {
    let arguments = invocation.argv.iter().enumerate().map(|(at, argument)| (Place::Argument(at), argument));
    let variables = invocation.env.iter().enumerate().map(|(at, entry)| (Place::Variable(at), entry));
    std::iter::once((Place::Program, &invocation.program)).chain(arguments).chain(variables)
}

#[cfg(test)]
mod tests {
    use super::{Place, Undeliverable, deliverable};
    use crate::{Attempt, Bytes};

    fn with(change: impl FnOnce(&mut crate::Invocation)) -> Result<(), Undeliverable> {
        let mut invocation = Attempt::by_a_stranger().invocation;
        change(&mut invocation);
        deliverable(&invocation)
    }

    #[test]
    fn what_execve_takes_is_deliverable_and_what_it_does_not_says_why() {
        let long = |length| Bytes(vec![b'a'; length]);
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|it| it.argv.clear()), Err(Undeliverable::NoArguments));
        assert_eq!(with(|it| it.argv = [Bytes::default()].into()), Ok(()), "an empty argument is one");
        assert_eq!(with(|it| it.env[0].0.push(0)), Err(Undeliverable::Nul { place: Place::Variable(0) }));
        assert_eq!(with(|it| it.argv = [Bytes::default(), long(131_071)].into()), Ok(()));
        let too_long = Undeliverable::StringTooLong { place: Place::Argument(1), length: 131_072 };
        assert_eq!(with(|it| it.argv = [Bytes::default(), long(131_072)].into()), Err(too_long));
        assert_eq!(with(|it| it.argv.repeat(long(100_000), 20)), Ok(()));
        assert!(matches!(with(|it| it.argv.repeat(long(100_000), 21)), Err(Undeliverable::TooLarge { .. })));
        let limit = |soft| crate::invocation::Limit { resource: 3, soft, hard: None };
        let of_stack =
            |soft, count| with(|it| (it.argv, it.limits) = (vec![long(100_000); count].into(), vec![limit(soft)]));
        assert_eq!(of_stack(None, 62), Ok(()));
        assert!(matches!(of_stack(None, 63), Err(Undeliverable::TooLarge { limit: 6_291_456, .. })));
        assert!(matches!(of_stack(Some(65_536), 1), Err(Undeliverable::TooLarge { limit: 65_536, .. })));
        assert!(matches!(of_stack(Some(1 << 20), 3), Err(Undeliverable::TooLarge { limit: 262_144, .. })));
    }
}
