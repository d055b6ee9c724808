//! What was installed, in words.

use super::Installed;
use crate::accounts::Accounts;
use std::io::{self, Write};

/// One line for what was installed and one for what a run of it showed; equal proofs are said once.
pub(super) fn write(installed: &[Installed], accounts: &Accounts, out: &mut dyn Write) -> io::Result<()> {
    for program in installed {
        let (trusted_gid, trusted_name) = &program.values.trusted;
        writeln!(
            out,
            "installed  {}  {} {} {}  trusts {} {trusted_gid}",
            program.path.display(),
            program.stat.shown_mode(),
            accounts.users.describe(program.stat.uid),
            accounts.groups.describe(program.stat.gid),
            trusted_name.escape_ascii(),
        )?;
    }
    for (index, program) in installed.iter().enumerate() {
        let same = |other: &&Installed| other.proof == program.proof;
        if installed[..index].iter().any(|earlier| same(&earlier)) {
            continue;
        }
        let word = match (program.proof.holds(), program.proof.refutes()) {
            (true, _) => "proven",
            (false, true) => "WRONG",
            (false, false) => "unproven",
        };
        let others = installed[index + 1..].iter().filter(same).count();
        let subject = match others {
            0 => program.path.display().to_string(),
            1 => format!("{} and 1 other", program.path.display()),
            count => format!("{} and {count} others", program.path.display()),
        };
        writeln!(out, "{word:<9}  {subject}: {}", program.proof)?;
    }
    Ok(())
}
