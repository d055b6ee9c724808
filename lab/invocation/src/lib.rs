//! One start of a subject, and what was seen of it: the plain data which the lab, its agent inside the sandbox
//! and the fuzzer hand to each other. No I/O, no judgement, nothing that knows how a wrapper decides.
//!
//! | module | what it holds |
//! |---|---|
//! | [`bytes`] | byte strings as the kernel sees them, with a canonical text form |
//! | [`arguments`] | argument vectors, which may be long |
//! | [`ids`] | user and group numbers, identities that can be delivered, credentials that were observed |
//! | [`layout`] | the file tree and mounts that a subject is installed in |
//! | [`invocation`] | everything the invoker chooses: ids, argv, environment, descriptors, limits, signals … |
//! | [`evidence`] | everything that was observed of one start, each observation with its source |
//! | [`protocol`] | the messages between the lab and its agent |
//! | [`attempt`] | an invocation together with what the subject is sealed with: what a fuzzer varies |
//! | [`text`] | the canonical text of an attempt |
//! | [`deliverable`] | why an invocation cannot be delivered by execve(2) |
//! | [`mutate`] | a seeded change of an attempt, with [`tokens`] from dictionaries and chance from [`random`] |
//! | [`trial`] | questions to the running kernel, for `lab model check` |

#![forbid(unsafe_code)]

pub mod arguments;
pub mod attempt;
pub mod bytes;
pub mod deliverable;
pub mod evidence;
pub mod ids;
pub mod invocation;
pub mod layout;
pub mod mutate;
pub mod protocol;
pub mod random;
pub mod text;
pub mod tokens;
pub mod trial;

pub use arguments::Arguments;
pub use attempt::Attempt;
pub use bytes::Bytes;
pub use evidence::Evidence;
pub use ids::{Credentials, Gid, Identity, Uid};
pub use invocation::Invocation;
pub use layout::Layout;
