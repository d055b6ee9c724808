//! The decision: data in, data out. It starts nothing and ends nothing, so that a fuzzer or a model can ask it too.

use crate::caller::{self, Admitted};
use crate::credentials::Credentials;
use crate::environment;
use crate::policy::{Interpreter, Policy, Task};
use crate::refusal::Refusal;
use crate::surroundings::Surroundings;
use std::borrow::Cow;
use std::ffi::{CStr, CString};

/// What to start.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The proof that there may be such a plan.
    pub admitted: Admitted,
    /// Absolute paths which nobody untrusted may be able to change: the interpreter, if there is one, and the script.
    pub files: Vec<String>,
    /// The file to execute: the first of `files`.
    pub path: CString,
    /// Its arguments. The first is `path`, whatever the caller called this program.
    pub argv: Vec<Cow<'a, CStr>>,
    /// Its environment.
    pub environment: Vec<&'a CStr>,
}

/// Decides what a caller with these credentials, arguments and environment gets under a sound policy.
///
/// # Errors
/// The refusals of [`caller::check_caller`], and for an admitted caller of the mail wrapper those of its arguments. The
/// CGI wrapper looks at none: a web server makes them from the query.
pub fn decide<'a, 'p>(
    credentials: &Credentials,
    argv: &[&'a CStr],
    environ: &[&'a CStr],
    policy: &'p Policy<'p>,
    surroundings: &impl Surroundings,
) -> Result<Plan<'a>, Refusal<'p>> {
    let admitted = caller::check_caller(policy, credentials, surroundings)?;
    let (script, arguments) = match &policy.task {
        Task::Mail { commands } => mail_command(commands, argv)?,
        Task::Cgi { script } => ("driver", vec![word(script)]),
    };
    let script = format!("{}/scripts/{script}", policy.prefix);
    let mut words = Vec::new();
    let mut files = Vec::new();
    if let Some(Interpreter { path, flags }) = &policy.interpreter {
        words.push(word(path));
        words.extend(flags.iter().copied().map(word));
        files.push((*path).to_owned());
    }
    words.push(word(&script));
    words.extend(arguments);
    let path = policy.interpreter.as_ref().map_or(c_string(&script), |interpreter| c_string(interpreter.path));
    files.push(script);
    Ok(Plan { admitted, files, path, argv: words, environment: environment::for_script(environ, &policy.variables) })
}

/// The command of the policy which the caller asked for, byte for byte, and what came after it.
fn mail_command<'a, 'p>(
    commands: &'p [&'p str],
    argv: &[&'a CStr],
) -> Result<(&'p str, Vec<Cow<'a, CStr>>), Refusal<'p>> {
    let [_, asked, arguments @ ..] = argv else {
        return Err(Refusal::NoCommand { commands });
    };
    match commands.iter().find(|command| command.as_bytes() == asked.to_bytes()) {
        Some(command) => Ok((command, arguments.iter().map(|word| Cow::Borrowed(*word)).collect())),
        None => Err(Refusal::UnknownCommand { commands }),
    }
}

fn word<'a>(text: &str) -> Cow<'a, CStr> {
    Cow::Owned(c_string(text))
}

/// Text of a policy, in which the decoder has allowed no NUL. A text with one becomes the empty one, which no file has.
fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
