//! `show`: the policy of a program, in words or as JSON.

use crate::cli;
use crate::encode::option;
use crate::program::Program;
use crate::queue;
use crate::shown::{PathFields, shown};
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use wrapper::policy::{Kind, Policy, PolicyError, RefusalStyle, Tag, Task};

/// Version of the JSON document; changes when a field changes its meaning or goes away.
const JSON_FORMAT: u32 = 1;

/// A program which refuses everybody.
#[derive(Debug)]
pub(crate) struct NotSealed {
    path: PathBuf,
    kind: Kind,
    error: PolicyError,
}

impl fmt::Display for NotSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, error } = self;
        let (path, program) = (shown(path), kind.program());
        match error {
            PolicyError::Unsealed => write!(f, "{path}: a {program} without a policy")?,
            damaged => write!(f, "{path}: a {program} with a policy that cannot be used: {damaged}")?,
        }
        let status = if *kind == Kind::Queue { 78 } else { 10 };
        write!(f, "; it refuses everybody with exit {status} until `wrapper-configure seal` has written one")
    }
}

impl Error for NotSealed {}

/// The document that `show --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a, Fields> {
    format: u32,
    #[serde(flatten)]
    path: PathFields<'a>,
    kind: &'static str,
    /// Why the program refuses everybody; absent where it has a sound policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Fields>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields<'a> {
    trusted: Named<'a>,
    own: Named<'a>,
    owner: Named<'a>,
    prefix: &'a str,
    interpreter: Option<Interpreter<'a>>,
    commands: Option<&'a [&'a str]>,
    cgi_script: Option<&'a str>,
    keep_environment: &'a [&'a str],
    refusal: &'static str,
}

#[derive(Serialize)]
struct Named<'a> {
    id: u32,
    name: &'a str,
}

#[derive(Serialize)]
struct Interpreter<'a> {
    path: &'a str,
    flags: &'a [&'a str],
}

/// Runs `show`.
///
/// # Errors
/// The file is no wrapper, or refuses everybody.
pub(crate) fn run(arguments: &cli::Show, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let program = Program::read(&arguments.binary)?;
    if program.kind() == Kind::Queue {
        let policy = program.queue_policy();
        return print(arguments, &program, &policy, queue::Fields::of, queue::write_words, out);
    }
    print(arguments, &program, &program.policy(), fields, write_words, out)
}

/// A policy of one of the two forms.
fn print<'a, Policy, Fields: Serialize>(
    arguments: &cli::Show,
    program: &'a Program,
    policy: &'a Result<Policy, PolicyError>,
    fields: fn(&'a Policy) -> Fields,
    write_words: fn(&Policy, &mut dyn Write) -> std::io::Result<()>,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    if arguments.json {
        let kind = match program.kind() {
            Kind::Mail => "mail",
            Kind::Cgi => "cgi",
            Kind::Queue => "queue",
        };
        let error = policy.as_ref().err().map(ToString::to_string);
        let path = PathFields::of(program.path());
        let document = Document { format: JSON_FORMAT, path, kind, error, policy: policy.as_ref().ok().map(fields) };
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        out.write_all(&text)?;
    }
    match policy {
        Ok(policy) if !arguments.json => write_words(policy, out)?,
        Ok(_) => {}
        Err(error) => {
            return Err(Box::new(NotSealed { path: program.path().to_owned(), kind: program.kind(), error: *error }));
        }
    }
    Ok(())
}

fn fields<'a>(policy: &'a Policy<'a>) -> Fields<'a> {
    let (commands, cgi_script) = match &policy.task {
        Task::Mail { commands } => (Some(commands.as_slice()), None),
        Task::Cgi { script } => (None, Some(*script)),
    };
    Fields {
        trusted: Named { id: policy.trusted.gid.as_raw(), name: policy.trusted.name },
        own: Named { id: policy.own.gid.as_raw(), name: policy.own.name },
        owner: Named { id: policy.owner.uid, name: policy.owner.name },
        prefix: policy.prefix,
        interpreter: policy.interpreter.as_ref().map(|i| Interpreter { path: i.path, flags: &i.flags }),
        commands,
        cgi_script,
        keep_environment: &policy.variables,
        refusal: match policy.refusal {
            RefusalStyle::Mailman => "mailman",
            RefusalStyle::Defer => "defer",
        },
    }
}

/// One line a field: where the value comes from, then the value, numbers with names.
fn write_words(policy: &Policy<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let kind = policy.task.kind();
    let mut line = |tag, value: &dyn fmt::Display| {
        let label = format!("compiled in ({}):", option(tag, kind));
        writeln!(out, "{label:<34} {value}")
    };
    line(Tag::TrustedGid, &format_args!("{} {}", policy.trusted.name, policy.trusted.gid))?;
    line(Tag::OwnGid, &format_args!("{} {}", policy.own.name, policy.own.gid))?;
    line(Tag::OwnerUid, &format_args!("{} {}", policy.owner.name, policy.owner.uid))?;
    line(Tag::Prefix, &policy.prefix)?;
    match &policy.interpreter {
        Some(interpreter) => line(Tag::Interpreter, &interpreter.path)?,
        None => line(Tag::Interpreter, &"none: each script is a program of its own")?,
    }
    if let Some(interpreter) = policy.interpreter.as_ref().filter(|interpreter| !interpreter.flags.is_empty()) {
        line(Tag::InterpreterFlag, &interpreter.flags.join(" "))?;
    }
    match &policy.task {
        Task::Mail { commands } => line(Tag::Command, &commands.join(" "))?,
        Task::Cgi { script } => line(Tag::CgiScript, script)?,
    }
    match policy.variables.as_slice() {
        [] => line(Tag::Variable, &"none")?,
        names => line(Tag::Variable, &names.join(" "))?,
    }
    line(
        Tag::Refusal,
        &match (policy.refusal, kind) {
            (RefusalStyle::Mailman, Kind::Mail) => {
                "mailman: refused mail bounces from Exim, OpenSMTPD, Postfix and Sendmail; qmail tries again"
            }
            (RefusalStyle::Mailman, Kind::Cgi | Kind::Queue) => "mailman",
            (RefusalStyle::Defer, _) => "defer: mail waits while an administrator can repair the cause",
        },
    )
}
