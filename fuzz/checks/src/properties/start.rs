//! What is started.

use super::{Outcome, Question};
use crate::subject::Verdict;
use lab_invocation::attempt::Program;
use lab_invocation::{Attempt, Bytes};

/// All `PATH` that a script gets: the manual pages, ENVIRONMENT.
const PATH: &[u8] = b"PATH=/usr/bin:/bin";

/// P01. Whoever is admitted has the trusted gid as real gid; effective, saved and supplementary gids never count.
pub(super) fn the_real_gid_is_the_trusted_one(question: &Question<'_>) -> Outcome {
    let Verdict::Started { .. } = question.answer.verdict else { return Outcome::NotExercised };
    let (real, trusted) = (question.case.credentials.real.as_raw(), question.attempt.sealed.trusted.gid.as_raw());
    Outcome::held_if(real == trusted, || format!("started for real gid {real}, trusted is {trusted}"))
}

/// P02. The command that is started is, byte for byte, one of the sealed list.
pub(super) fn the_command_is_on_the_list(question: &Question<'_>) -> Outcome {
    let (Verdict::Started { .. }, Program::Mail(commands)) =
        (&question.answer.verdict, &question.attempt.sealed.program)
    else {
        return Outcome::NotExercised;
    };
    let asked = question.attempt.invocation.argv.get(1);
    let known = asked.is_some_and(|asked| commands.contains(asked));
    Outcome::held_if(known, || format!("started for the command {asked:?}, sealed are {commands:?}"))
}

/// P03. The environment is the constant PATH, and of the sealed names at most one entry each, the first that the caller
/// gave, unmodified.
pub(super) fn the_environment_is_on_the_list(question: &Question<'_>) -> Outcome {
    let Verdict::Started { env, .. } = &question.answer.verdict else { return Outcome::NotExercised };
    environment(question.attempt, env)
}

/// The same of any environment.
pub(crate) fn environment(attempt: &Attempt, env: &[Vec<u8>]) -> Outcome {
    let given = &attempt.invocation.env;
    let mut names: Vec<&[u8]> = Vec::new();
    for entry in env {
        let Some(end) = entry.iter().position(|byte| *byte == b'=') else {
            return Outcome::Broken(format!("an entry without a name: {}", entry.escape_ascii()));
        };
        let (name, _) = entry.split_at(end);
        if names.contains(&name) {
            return Outcome::Broken(format!("{} is there twice", name.escape_ascii()));
        }
        names.push(name);
        if name == b"PATH" {
            if entry != PATH {
                return Outcome::Broken(format!("{} instead of {}", entry.escape_ascii(), PATH.escape_ascii()));
            }
            continue;
        }
        if !attempt.sealed.keep.iter().any(|kept| kept.as_slice() == name) {
            return Outcome::Broken(format!("{} is not sealed", name.escape_ascii()));
        }
        let of_name = |given: &&Bytes| given.0.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="));
        if given.iter().find(of_name).map(Bytes::as_slice) != Some(entry) {
            return Outcome::Broken(format!("{} is not the first entry of its name", entry.escape_ascii()));
        }
    }
    Outcome::held_if(names.contains(&b"PATH".as_slice()), || "there is no PATH".to_owned())
}

/// P04. What is executed is the interpreter with its flags and the absolute path of the script, or that script, and the
/// arguments after the command reach it as they were given; a page gets its name and nothing of the caller's.
pub(super) fn the_arguments_are_those_that_were_given(question: &Question<'_>) -> Outcome {
    let Verdict::Started { program, argv, .. } = &question.answer.verdict else { return Outcome::NotExercised };
    let Attempt { sealed, invocation, .. } = question.attempt;
    let given = invocation.argv.to_vec();
    let (script, arguments) = match &sealed.program {
        Program::Mail(_) => {
            let [_, command, rest @ ..] = given.as_slice() else {
                return Outcome::Broken("started without a command".to_owned());
            };
            (command.clone(), rest)
        }
        Program::Cgi(page) => ("driver".into(), std::slice::from_ref(page)),
    };
    let script = [sealed.prefix.as_slice(), b"/scripts/", script.as_slice()].concat();
    let mut wanted: Vec<Vec<u8>> = Vec::new();
    if let Some((path, flags)) = &sealed.interpreter {
        wanted.extend(std::iter::once(path).chain(flags).map(|word| word.0.clone()));
    }
    wanted.push(script);
    wanted.extend(arguments.iter().map(|word| word.0.clone()));
    let same = *argv == wanted && wanted.first() == Some(program) && program.starts_with(b"/");
    let show =
        |list: &[Vec<u8>]| list.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect::<Vec<_>>().join(" ");
    Outcome::held_if(same, || {
        format!("executes {} with {}, wanted are {}", program.escape_ascii(), show(argv), show(&wanted))
    })
}
