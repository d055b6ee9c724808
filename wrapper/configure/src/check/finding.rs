//! What `check` can find, and what can be done about it.

use crate::stat::{OTHER_WRITE, Stat};
use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};

/// One rule about an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    TopDirectory,
    Group,
    Directory,
    PythonFile,
    Article,
    PrivateReadable,
    PrivateSearchable,
    PrivateOwner,
    PrivateDatabase,
    PrivateMailbox,
    CgiSetGroupId,
    MailSetGroupId,
    ListFile,
    PasswordFile,
    AliasFile,
    AliasOwner,
    WrapperFile,
    WrapperOwner,
    WrapperExecute,
    WrapperWritable,
    SealedPolicy,
    SealedAccount,
    MountOptions,
    Path,
    WorldWritable,
    SetUserId,
    StraySetGroupId,
    CgiPage,
    CgiTrustedGroup,
    ScriptFile,
    Proof,
}

impl Row {
    /// Every rule: first those of Mailman's check_perms in its order, then those which it never had.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 31] = [
        Self::TopDirectory,
        Self::Group,
        Self::Directory,
        Self::PythonFile,
        Self::Article,
        Self::PrivateReadable,
        Self::PrivateSearchable,
        Self::PrivateOwner,
        Self::PrivateDatabase,
        Self::PrivateMailbox,
        Self::CgiSetGroupId,
        Self::MailSetGroupId,
        Self::ListFile,
        Self::PasswordFile,
        Self::AliasFile,
        Self::AliasOwner,
        Self::WrapperFile,
        Self::WrapperOwner,
        Self::WrapperExecute,
        Self::WrapperWritable,
        Self::SealedPolicy,
        Self::SealedAccount,
        Self::MountOptions,
        Self::Path,
        Self::WorldWritable,
        Self::SetUserId,
        Self::StraySetGroupId,
        Self::CgiPage,
        Self::CgiTrustedGroup,
        Self::ScriptFile,
        Self::Proof,
    ];

    /// Its name in reports and in the manual page.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TopDirectory => "top-directory",
            Self::Group => "group",
            Self::Directory => "directory",
            Self::PythonFile => "python-file",
            Self::Article => "article",
            Self::PrivateReadable => "private-archive-readable",
            Self::PrivateSearchable => "private-archive-searchable",
            Self::PrivateOwner => "private-archive-owner",
            Self::PrivateDatabase => "private-archive-database",
            Self::PrivateMailbox => "private-archive-mailbox",
            Self::CgiSetGroupId => "cgi-set-group-id",
            Self::MailSetGroupId => "mail-set-group-id",
            Self::ListFile => "list-file",
            Self::PasswordFile => "password-file",
            Self::AliasFile => "alias-file",
            Self::AliasOwner => "alias-database-owner",
            Self::WrapperFile => "wrapper-file",
            Self::WrapperOwner => "wrapper-owner",
            Self::WrapperExecute => "wrapper-execute",
            Self::WrapperWritable => "wrapper-writable",
            Self::SealedPolicy => "sealed-policy",
            Self::SealedAccount => "sealed-account",
            Self::MountOptions => "mount-options",
            Self::Path => "path",
            Self::WorldWritable => "world-writable",
            Self::SetUserId => "set-user-id",
            Self::StraySetGroupId => "stray-set-group-id",
            Self::CgiPage => "cgi-page",
            Self::CgiTrustedGroup => "cgi-trusted-group",
            Self::ScriptFile => "script-file",
            Self::Proof => "proof",
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What `--fix` does about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cure {
    /// Adds and takes away mode bits.
    Mode { set: u32, clear: u32 },
    /// Changes the owner.
    Owner(u32),
    /// Changes the group.
    Group(u32),
    /// Adds mode bits to a wrapper, set-group-ID among them, once its owner, group and policy are proven.
    Wrapper { set: u32 },
    /// Nothing: somebody has to, and this is how.
    ByHand(String),
}

impl Cure {
    /// Adds mode bits.
    pub(crate) const fn set(bits: u32) -> Self {
        assert!(bits & OTHER_WRITE == 0, "no rule asks for a file that others may write");
        Self::Mode { set: bits, clear: 0 }
    }

    /// Takes mode bits away.
    pub(crate) const fn clear(bits: u32) -> Self {
        Self::Mode { set: 0, clear: bits }
    }
}

/// One place where the installation is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule.
    pub(crate) row: Row,
    /// Where.
    pub(crate) path: PathBuf,
    /// The file that was looked at, so that only that one is changed.
    pub(crate) identity: Option<(u64, u64)>,
    /// What is there, numbers with names.
    pub(crate) found: String,
    /// What should be there.
    pub(crate) wanted: String,
    /// What can be done.
    pub(crate) cure: Cure,
}

impl Finding {
    /// About a file.
    pub(crate) fn of(row: Row, path: &Path, stat: &Stat, found: String, wanted: String, cure: Cure) -> Self {
        Self { row, path: path.to_owned(), identity: Some(stat.identity), found, wanted, cure }
    }

    /// About something that no change of the file's owner, group or mode can mend.
    pub(crate) fn by_hand(row: Row, path: &Path, found: String, wanted: &str, cure: String) -> Self {
        Self { row, path: path.to_owned(), identity: None, found, wanted: wanted.to_owned(), cure: Cure::ByHand(cure) }
    }

    /// About a mode.
    pub(crate) fn mode(row: Row, path: &Path, stat: &Stat, wanted: String, cure: Cure) -> Self {
        Self::of(row, path, stat, stat.shown_mode(), wanted, cure)
    }

    /// The mode bits which are missing for it to be at least `least`; nothing where none is.
    pub(crate) fn least(row: Row, path: &Path, stat: &Stat, least: u32) -> Option<Self> {
        let missing = least & !stat.mode;
        (missing != 0).then(|| Self::mode(row, path, stat, format!("at least {least:05o}"), Cure::set(missing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_its_own_name() {
        let names: BTreeSet<&str> = Row::ALL.iter().map(|row| row.name()).collect();
        assert_eq!(names.len(), Row::ALL.len());
    }

    #[test]
    #[should_panic(expected = "no rule asks")]
    fn no_cure_makes_a_file_writable_for_others() {
        let _ = Cure::set(0o0666);
    }
}
