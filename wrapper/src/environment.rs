//! Which variables reach the script: those of the policy, and `PATH`.
//!
//! A list of what is forbidden cannot be right: shells, Python, Perl and the loader read dozens of names, and a script
//! started after a full switch of the group is not in secure-execution mode, so that nothing else would clean up.

use std::ffi::CStr;

/// The whole `PATH` of every script.
pub const PATH: &CStr = c"PATH=/usr/bin:/bin";

/// The environment of the script: `PATH`, then the kept variables in the order of the policy.
///
/// Where the caller gave a name twice the first counts, as in getenv(3). Entries without `=` or without a name are
/// never kept. Values are not looked at.
#[must_use]
pub fn for_script<'e>(given: impl Iterator<Item = &'e CStr>, kept: &[&str]) -> Vec<&'e CStr> {
    let mut found = vec![None; kept.len()];
    for entry in given {
        if let Some((_, first)) = kept.iter().zip(&mut found).find(|(name, _)| is_of(entry, name)) {
            first.get_or_insert(entry);
        }
    }
    std::iter::once(PATH).chain(found.into_iter().flatten()).collect()
}

fn is_of(entry: &CStr, name: &str) -> bool {
    entry.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
}

#[cfg(test)]
mod tests;
