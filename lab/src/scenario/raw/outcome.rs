//! `[outcome.NAME]`: what is expected. What it mentions is exact, save the lists under `stderr`, `stdout` and
//! `syslog`, which mean: says each, as whole words. What it does not mention is recorded but not judged.

use super::value::{ByteString, NameOrNumber, Octal};
use super::{At, Named};
use schemars::JsonSchema;
use serde::Deserialize;

/// A named expected behaviour.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Outcome {
    /// Exit status.
    pub exit: Option<At<i64>>,
    /// Killed by this signal, as its script is where the subject became that.
    pub signal: Option<At<String>>,
    /// execve(2) itself fails with this errno.
    pub exec_error: Option<At<String>>,
    /// The C runtime may give up before `main`, in any way; no script starts.
    #[serde(default)]
    pub ended_before_main: bool,
    /// Standard error says each of these, as whole words: `mail 8` is not said by `mail 80`.
    #[serde(default)]
    pub stderr: Vec<At<String>>,
    /// Standard output says each of these, as whole words.
    #[serde(default)]
    pub stdout: Vec<At<String>>,
    /// One syslog datagram says each of these, as whole words.
    #[serde(default)]
    pub syslog: Vec<At<String>>,
    /// Neither standard error, nor standard output, nor the system log contains any of these.
    #[serde(default)]
    pub says_nothing_of: Vec<At<ByteString>>,
    /// Standard error is one line of printable ASCII, at most 900 bytes long; so is each datagram of the system log.
    #[serde(default)]
    pub one_line: bool,
    /// Nothing arrives at the system log.
    #[serde(default)]
    pub syslog_is_empty: bool,
    /// The whole standard error.
    pub stderr_is: Option<At<ByteString>>,
    /// The whole standard output.
    pub stdout_is: Option<At<ByteString>>,
    /// The script, if the wrapper starts it.
    pub script: Option<At<Script>>,
    /// Paths that change in the watched directories: these and no others.
    pub changes: Option<Vec<At<String>>>,
}

/// What is expected of the script.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Script {
    /// Whether it starts, exactly once, or not at all.
    pub started: Option<bool>,
    /// Real group.
    pub real_gid: Option<At<NameOrNumber>>,
    /// Effective group.
    pub effective_gid: Option<At<NameOrNumber>>,
    /// Saved group.
    pub saved_gid: Option<At<NameOrNumber>>,
    /// Real, effective and saved user.
    pub uid: Option<At<NameOrNumber>>,
    /// Supplementary groups, the whole set.
    pub groups: Option<Vec<At<NameOrNumber>>>,
    /// Path by which it was executed.
    pub path: Option<At<ByteString>>,
    /// The whole argument vector.
    pub argv: Option<Vec<At<ByteString>>>,
    /// What follows the command is what the invoker gave: in place of `argv`, where it is long or unreadable.
    #[serde(default)]
    pub args_as_given: bool,
    /// The environment is the invoker's with the wrapper's own PATH: in place of `env`.
    #[serde(default)]
    pub env_as_given: bool,
    /// The whole environment.
    pub env: Option<Named<At<ByteString>>>,
    /// All open descriptors.
    pub open_fds: Option<Vec<At<i64>>>,
    /// Descriptor 0 can be read, 1 and 2 can be written.
    pub standard_fds_usable: Option<bool>,
    /// File mode creation mask.
    pub umask: Option<Octal>,
    /// Working directory.
    pub cwd: Option<At<ByteString>>,
    /// Ignored signals, the whole set.
    pub ignored_signals: Option<Vec<At<String>>>,
    /// Blocked signals, the whole set.
    pub blocked_signals: Option<Vec<At<String>>>,
    /// Pending signals, the whole set.
    pub pending_signals: Option<Vec<At<String>>>,
    /// Soft and hard RLIMIT_CORE, in bytes.
    pub core_limit: Option<At<i64>>,
    /// Soft limits by name: `{ fsize = 1048576 }`.
    pub soft_limits: Option<Named<At<i64>>>,
    /// no_new_privs is set.
    pub no_new_privs: Option<bool>,
    /// All three interval timers are off.
    pub timers_off: Option<bool>,
    /// Timer slack in nanoseconds.
    pub timer_slack: Option<At<i64>>,
    /// No ambient and no inheritable capability.
    pub no_capabilities: Option<bool>,
    /// No identity comes back when the script asks for it.
    pub nothing_regained: Option<bool>,
    /// Standard input as the script reads it.
    pub stdin: Option<At<ByteString>>,
}
