//! What was installed, in words.

use super::Installed;
use crate::accounts::Accounts;
use crate::prove;
use crate::shown::shown;
use std::io::{self, Write};

/// One line for what was installed and one for what a run of it showed; equal proofs are said once.
pub(super) fn write(installed: &[Installed], accounts: &Accounts, out: &mut dyn Write) -> io::Result<()> {
    for program in installed {
        let (trusted_gid, trusted_name) = &program.values.trusted;
        writeln!(
            out,
            "installed  {}  {} {} {}  trusts {} {trusted_gid}",
            shown(&program.path),
            program.stat.shown_mode(),
            accounts.users.describe(program.stat.uid),
            accounts.groups.describe(program.stat.gid),
            trusted_name.escape_ascii(),
        )?;
    }
    for line in prove::summary(installed.iter().map(|program| (program.path.as_path(), &program.proof))) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
