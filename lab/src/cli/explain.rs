//! `lab explain`.

use super::common::{lab_name, session};
use crate::diagnose;
use crate::here;
use crate::incident::{Answer, Reader};
use crate::problem::Problem;
use crate::report::incident::incident;
use crate::report::output::{Output, WIDTH};
use crate::run::exit::Exit;
use crate::specimens;
use clap::Args;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const EXAMPLES: &str = "\
The name of a finding is a finding, also where a file is called so: `./NAME` is the file. `-` is standard input.
Of a text the first 64 MiB are read. Exit 0 if something was recognised, 11 if nothing was.

Examples:
  lab explain                     # the findings
  lab explain group-mismatch      # the page of one
  lab explain mail.log            # what a log, a bounce or a program's output says
  lab explain mail.log --here     # with what this machine shows: modes, mounts, groups, units
  lab explain - --json < mail.log # the answer as data, from standard input";

/// How much of a text is read.
const LIMIT: u64 = 64 << 20;

/// Which finding, or which text.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The code of a finding, as reports print it; or a file with pasted text; without one the findings are listed
    #[arg(value_name = "FINDING|FILE|-")]
    what: Option<OsString>,
    /// Print the answer to a text as JSON
    #[arg(long)]
    json: bool,
    /// Look at this machine, too: owners, modes and mounts of the files that matter, groups, units; reads only
    #[arg(long, requires = "what")]
    here: bool,
    /// A systemd unit whose settings matter, such as the one which sent the mail
    #[arg(long, value_name = "UNIT", requires = "here")]
    unit: Vec<String>,
}

/// Prints the page of a finding, or what a text says.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let page = match &arguments.what {
        None => None,
        Some(what) => {
            let Some(code) = what.to_str().filter(|code| diagnose::explain(code).is_some()) else {
                return text(what, arguments, out);
            };
            Some(code)
        }
    };
    if arguments.json || arguments.here {
        return Err(Problem::usage("--json and --here are for the answer to a text")
            .cure("name a file, or - for standard input"));
    }
    match page {
        Some(code) => print(code, out),
        None => list(out),
    }
    Ok(Exit::Passed)
}

fn list(out: &mut Output) {
    for code in diagnose::codes() {
        let title = diagnose::explain(code).map(|page| page.title).unwrap_or_default();
        out.line(format_args!("{code:<30}  {title}"));
    }
}

fn print(code: &str, out: &mut Output) {
    let Some(page) = diagnose::explain(code) else { return };
    // Where there is no suite, or a broken one, the page is still worth reading.
    let mut checked_by =
        session(None).map(|session| diagnose::checked_by(code, &session.suite.cases)).unwrap_or_default();
    checked_by.extend(specimens::showing(code));
    out.text(page.checked_by(checked_by));
}

fn text(what: &OsStr, arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let mut answer = if what == "-" {
        read(io::stdin().lock(), "standard input")?
    } else {
        read(open(Path::new(what))?, &what.to_string_lossy())?
    };
    if arguments.here {
        here::look(&mut answer, &arguments.unit);
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&answer)
            .map_err(|error| Problem::internal("the answer cannot be written as JSON").found(error))?;
        out.line(text);
    } else {
        out.text(incident(&answer, &lab_name(), WIDTH));
    }
    Ok(if answer.readings.is_empty() { Exit::Unresolved } else { Exit::Passed })
}

fn open(path: &Path) -> Result<File, Problem> {
    File::open(path).map_err(|error| {
        let codes: Vec<&str> = diagnose::codes().collect();
        Problem::usage(format!("`{}` is neither a finding nor a file that can be read", path.display()))
            .found(format!("{error}; the findings are {}", codes.join(", ")))
    })
}

fn read(from: impl Read, name: &str) -> Result<Answer, Problem> {
    let mut reader = Reader::new()?;
    // One byte more tells whether there is more.
    let mut from = from.take(LIMIT + 1);
    let mut buffer = vec![0; 64 << 10];
    let mut left = LIMIT;
    let mut cut = false;
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Problem::usage(format!("{name} cannot be read")).found(error)),
        };
        let kept = usize::try_from(left).map_or(length, |left| left.min(length));
        reader.push(buffer.get(..kept).unwrap_or_default());
        left -= kept as u64;
        cut |= kept < length;
    }
    let mut answer = reader.finish()?;
    if cut {
        answer.notes.push("only the first 64 MiB were read; give it the part that matters".to_owned());
    }
    Ok(answer)
}
