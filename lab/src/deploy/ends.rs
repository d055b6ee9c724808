//! What a server makes of the end of a program that it starts: each way to end is shown by a message of its own.

use super::remedy::Scene;
use crate::problem::Problem;
use crate::scenario::deploy::ends::Way;
use crate::scenario::deploy::{Case, Fate, PROGRAM};

/// Where the program notes that it was started.
const NOTE: &str = "/usr/local/mailman/started";
/// A message that is longer than any pipe of a server: 64 KiB is usual, and pipe(7) lets nobody but root have more than 1 MiB.
const LARGE: usize = 1 << 21;

/// How long the message is.
fn bytes(way: &Way) -> Option<usize> {
    matches!(way, Way::UnreadLarge | Way::RefusedLarge).then_some(LARGE)
}

/// Whether the program runs at all.
fn runs(way: &Way) -> bool {
    !matches!(way, Way::NotExecutable | Way::Missing)
}

/// For root's shell: makes the program.
fn script(way: &Way) -> String {
    let reads = "cat >/dev/null\\n";
    let end = match way {
        Way::Exits(status) => format!("{reads}exit {status}"),
        Way::Signal(_) => format!("{reads}kill -s {way} $$\\nexit 0"),
        Way::RefusedLarge => "exit 2".to_owned(),
        Way::Unread | Way::UnreadLarge | Way::NotExecutable | Way::Missing => "exit 0".to_owned(),
    };
    let mode = if *way == Way::NotExecutable { "644" } else { "755" };
    // Made anew, so that no server still has the one before it open.
    let mut script = format!("rm -f {PROGRAM}; : >{NOTE}; chmod 666 {NOTE}");
    if *way != Way::Missing {
        script.push_str(&format!(
            "; printf '#!/bin/sh\\necho started >>{NOTE}\\n{end}\\n' >{PROGRAM}; chmod {mode} {PROGRAM}"
        ));
    }
    script
}

/// Has the program end in each of these ways: what is not as stated.
pub(super) fn differences(
    scene: &mut impl Scene,
    case: &Case,
    fate: Fate,
    ways: &[Way],
) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    for way in ways {
        scene.shell(&script(way))?;
        let delivered = scene.deliver(&Case { bytes: bytes(way), ..case.clone() })?;
        let started = scene.read(NOTE)?.lines().count();
        if delivered.fate != fate {
            let (seen, log) = (delivered.fate, &delivered.log);
            found.push(format!("{way}: found {seen:?}, wanted {fate:?}, by its log\n{log}"));
        }
        // A fate that comes of something else says nothing about an end.
        let wanted = usize::from(runs(way));
        if started != wanted {
            found.push(format!("{way}: the program was started {started} times, wanted {wanted}"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
