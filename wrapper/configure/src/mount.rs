//! Mount options which keep a set-group-ID program from working.

use nix::sys::statvfs::{FsFlags, Statvfs, fstatvfs, statvfs};
use std::os::fd::AsFd;
use std::path::Path;

/// Options of the mount which a path lies on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// Set-user-ID and set-group-ID bits are ignored, silently.
    pub(crate) nosuid: bool,
    /// Nothing can be executed.
    pub(crate) noexec: bool,
}

impl MountOptions {
    /// Asks the kernel, see statvfs(3).
    ///
    /// # Errors
    /// As statvfs(3).
    pub(crate) fn of(path: &Path) -> nix::Result<Self> {
        statvfs(path).map(Self::from)
    }

    /// The same for an open file.
    ///
    /// # Errors
    /// As fstatvfs(3).
    pub(crate) fn of_open(file: impl AsFd) -> nix::Result<Self> {
        fstatvfs(file).map(Self::from)
    }

    /// Why a wrapper cannot work there, as a sentence; `None` where it can.
    pub(crate) const fn objection(self) -> Option<&'static str> {
        match self {
            Self { nosuid: true, .. } => Some(
                "mounted nosuid: the kernel ignores the set-group-ID bit there, which the mail and CGI wrappers \
                 rely on; use another file system, or mount this one with suid",
            ),
            Self { noexec: true, .. } => Some(
                "mounted noexec: no program can be started there; use another file system, or mount this one with exec",
            ),
            Self { .. } => None,
        }
    }
}

impl From<Statvfs> for MountOptions {
    fn from(found: Statvfs) -> Self {
        let flags = found.flags();
        Self { nosuid: flags.contains(FsFlags::ST_NOSUID), noexec: flags.contains(FsFlags::ST_NOEXEC) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::fit(MountOptions::default(), None)]
    #[case::nosuid(MountOptions { nosuid: true, noexec: false }, Some("nosuid"))]
    #[case::noexec(MountOptions { nosuid: false, noexec: true }, Some("noexec"))]
    #[case::both(MountOptions { nosuid: true, noexec: true }, Some("nosuid"))]
    fn objections(#[case] options: MountOptions, #[case] word: Option<&str>) {
        match (options.objection(), word) {
            (Some(text), Some(word)) => assert!(text.contains(word), "{text}"),
            (text, word) => assert_eq!(text, word),
        }
    }

    #[test]
    fn the_kernel_says_the_same_as_its_list_of_mounts() {
        // proc_pid_mountinfo(5): the fifth field is the mount point, the sixth its options. A later mount hides an
        // earlier one at the same place.
        let text = std::fs::read_to_string("/proc/self/mountinfo").expect("Linux has it");
        let mut mounts = std::collections::BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            mounts.insert(fields[4], fields[5].split(',').any(|option| option == "nosuid"));
        }
        // Others may lie below a mount that hides them.
        for point in ["/", "/proc"] {
            let options = MountOptions::of(Path::new(point)).expect("it is there");
            assert_eq!(Some(&options.nosuid), mounts.get(point), "{point}");
        }
        assert!(MountOptions::of(Path::new("/nonexistent")).is_err());
    }
}
