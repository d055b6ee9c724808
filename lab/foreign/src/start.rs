//! The order of everything: arguments, then the caller, then the group, then the script.

use crate::rules::{COMMANDS, KEPT, PYTHON, Rules};
use crate::say::{Refusal, say};
use crate::{Departure, caller, sys};
use std::ffi::{CStr, CString, c_int};

/// Exit status if the group could not be taken on.
const IDS_NOT_SET: u8 = 3;
/// Exit status if the interpreter could not be started.
const NOT_STARTED: u8 = 4;
/// Exit status without a command.
const USAGE: u8 = 5;
/// Exit status for a command that is not in the list.
const UNKNOWN_COMMAND: u8 = 6;

/// The mail wrapper; comes back only with the exit status of a refusal.
#[must_use]
pub fn mail(rules: &Rules, departure: Departure, argv: &[CString]) -> c_int {
    let refusal = try_mail(rules, departure, argv);
    say(&refusal, c"Mailman mail-wrapper", false);
    refusal.status.into()
}

/// The CGI wrapper, for the page `listinfo`; it looks at no argument.
#[must_use]
pub fn cgi(rules: &Rules, departure: Departure, _: &[CString]) -> c_int {
    let refusal = match caller::check(rules, departure) {
        Ok(()) => run(rules, departure, c"driver", &[c"listinfo".to_owned()]),
        Err(refusal) => refusal,
    };
    say(&refusal, c"Mailman cgi-wrapper (listinfo)", true);
    refusal.status.into()
}

fn try_mail(rules: &Rules, departure: Departure, argv: &[CString]) -> Refusal {
    let check = || caller::check(rules, departure);
    if departure == Departure::ChecksCallerFirst
        && let Err(refusal) = check()
    {
        return refusal;
    }
    let Some(command) = argv.get(1) else {
        let name = argv.first().map(|name| name.to_bytes()).unwrap_or_default();
        return Refusal::new(USAGE, [b"Usage: ", name, b" program [args...]"].concat());
    };
    if !COMMANDS.contains(&command.as_c_str()) {
        return Refusal::new(UNKNOWN_COMMAND, [b"Illegal command: ", command.to_bytes()].concat());
    }
    match check() {
        Ok(()) => run(rules, departure, command, argv.get(2..).unwrap_or_default()),
        Err(refusal) => refusal,
    }
}

/// Takes on the group and becomes the interpreter. Whether the set-group-ID bit acted is not asked.
fn run(rules: &Rules, departure: Departure, script: &CStr, rest: &[CString]) -> Refusal {
    if departure != Departure::StaysHalfPrivileged && !sys::take_on_effective_gid() {
        return Refusal::new(IDS_NOT_SET, std::io::Error::last_os_error().to_string());
    }
    let path = [rules.scripts.to_bytes(), script.to_bytes()].concat();
    let mut argv = vec![PYTHON.to_owned(), c"-S".to_owned(), CString::new(path).unwrap_or_default()];
    argv.extend_from_slice(rest);
    let mut environ: Vec<CString> = sys::environment().into_iter().filter(|entry| kept(entry, departure)).collect();
    environ.push(rules.adds.to_owned());
    let error = sys::become_program(PYTHON, &argv, &environ);
    Refusal::new(NOT_STARTED, error.to_string())
}

fn kept(entry: &CStr, departure: Departure) -> bool {
    let is = |name: &CStr| entry.to_bytes().strip_prefix(name.to_bytes()).is_some_and(|rest| rest.starts_with(b"="));
    if departure == Departure::KeepsEnvironment {
        return ![c"PYTHONPATH", c"PYTHONHOME", c"PATH"].into_iter().any(is);
    }
    KEPT.into_iter().any(is)
}
