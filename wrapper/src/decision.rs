//! The decision: data in, data out. It starts nothing and ends nothing, so that a fuzzer or a model can ask it too.

use crate::caller::{self, Admitted};
use crate::credentials::Credentials;
use crate::environment;
use crate::policy::{Fault, Policy, PolicyError, Tag, Task};
use crate::refusal::{Refusal, StartFault};
use crate::surroundings::{AccountName, Surroundings};
use nix::errno::Errno;
use std::borrow::Cow;
use std::ffi::{CStr, CString};

/// What to start.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The proof that there may be such a plan.
    pub admitted: Admitted,
    /// Absolute path of the program that reads the script, if the script is not executed itself.
    pub interpreter: Option<CString>,
    /// Absolute path of the script.
    pub script: CString,
    /// All arguments. The first is the path of what is executed, whatever the caller called this program.
    pub argv: Vec<Cow<'a, CStr>>,
    /// The environment.
    pub environment: Vec<&'a CStr>,
}

impl Plan<'_> {
    /// The file to execute.
    #[must_use]
    pub fn program(&self) -> &CStr {
        self.interpreter.as_ref().unwrap_or(&self.script)
    }
}

/// Decides what a caller with these credentials, arguments and environment gets under a sound policy.
///
/// # Errors
/// The refusals of [`caller::check_caller`], before an argument or variable is looked at; for an admitted caller of the
/// mail wrapper those of its arguments, and that there is no memory for them. The CGI wrapper looks at no argument: a web
/// server makes them from the query.
pub fn decide<'a, 'p>(
    credentials: &Credentials,
    mut argv: impl Iterator<Item = &'a CStr> + Clone,
    environ: impl Iterator<Item = &'a CStr>,
    policy: &'p Policy<'p>,
    surroundings: &impl Surroundings,
) -> Result<Plan<'a>, Refusal<'p>> {
    let admitted = caller::check_caller(policy, credentials, surroundings)?;
    let (script, page, given) = match &policy.task {
        Task::Mail { commands } => (mail_command(commands, &mut argv)?, None, Some(argv)),
        Task::Cgi { script } => ("driver", Some(c_string(script, Tag::CgiScript)?), None),
    };
    let script = c_string(&format!("{}/scripts/{script}", policy.prefix), Tag::Prefix)?;
    let mut interpreter = None;
    let mut words = Vec::new();
    if let Some(sealed) = &policy.interpreter {
        interpreter = Some(c_string(sealed.path, Tag::Interpreter)?);
        words.extend(interpreter.clone());
        for flag in sealed.flags.iter() {
            words.push(c_string(flag, Tag::InterpreterFlag)?);
        }
    }
    words.push(script.clone());
    words.extend(page);
    // There may be several hundred thousand: memory for all at once, and a refusal if there is none.
    let given = given.into_iter().flatten();
    let mut argv = Vec::new();
    argv.try_reserve_exact(words.len() + given.clone().count()).map_err(|_| Refusal::NotStarted {
        path: crate::script::path(&script),
        fault: StartFault::Exec(Errno::ENOMEM),
        name: AccountName::Nameless,
        owner: policy.owner,
        own: policy.own,
    })?;
    argv.extend(words.into_iter().map(Cow::Owned));
    argv.extend(given.map(Cow::Borrowed));
    Ok(Plan { admitted, interpreter, script, argv, environment: environment::for_script(environ, &policy.variables) })
}

/// The command of the policy which the caller asked for, byte for byte. What comes after it is left.
fn mail_command<'a, 'p>(
    commands: &'p [&'p str],
    argv: &mut impl Iterator<Item = &'a CStr>,
) -> Result<&'p str, Refusal<'p>> {
    // The first argument is the name of this program.
    let asked = argv.nth(1).ok_or(Refusal::NoCommand { commands })?;
    let known = commands.iter().find(|command| command.as_bytes() == asked.to_bytes());
    known.copied().ok_or(Refusal::UnknownCommand { commands })
}

/// Text of a policy. The decoder lets none with a NUL pass.
fn c_string(text: &str, tag: Tag) -> Result<CString, Refusal<'static>> {
    CString::new(text).map_err(|_| PolicyError::Field { tag, fault: Fault::Value }.into())
}

#[cfg(test)]
mod tests;
