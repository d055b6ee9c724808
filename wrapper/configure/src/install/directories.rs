//! The directories of the wrappers, each opened once: what is judged is what is written.

use super::judge;
use super::prefix::{self, Fault, NotReady, Rule};
use crate::shown::shown;
use crate::stat::{FileKind, Stat};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, fchown};
use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Mode of the directories made here, as Mailman's make install has them.
const DIRECTORY_MODE: u32 = 0o2775;

/// Directories that are open. Those made here are removed again if nothing was put into them.
#[derive(Default)]
pub(super) struct Directories {
    open: Vec<(PathBuf, OwnedFd)>,
    made: Vec<PathBuf>,
}

impl Directories {
    /// Opens a directory, and makes it if it is not there. One that is there must be as the rule wants it: members of the
    /// group can write in the prefix, and must not lead root to another directory.
    ///
    /// # Errors
    /// It is unsound, or cannot be made or opened.
    pub(super) fn open(&mut self, path: &Path, rule: &Rule<'_>) -> Result<&OwnedFd, Box<dyn Error>> {
        let at = match self.open.iter().position(|(known, _)| known == path) {
            Some(at) => at,
            None => {
                let opened = self.open_new(path, rule)?;
                self.open.push((path.to_owned(), opened));
                self.open.len() - 1
            }
        };
        Ok(&self.open[at].1)
    }

    fn open_new(&mut self, path: &Path, rule: &Rule<'_>) -> Result<OwnedFd, Box<dyn Error>> {
        let named = |errno: Errno| format!("cannot make {}: {}", shown(path), errno.desc());
        let made = match mkdirat(AT_FDCWD, path, Mode::from_bits_truncate(0o755)) {
            Ok(()) => true,
            Err(Errno::EEXIST) => false,
            Err(errno) => return Err(named(errno).into()),
        };
        let unsound = |faults: Vec<Fault>| NotReady(faults.into_iter().map(|fault| (path.to_owned(), fault)).collect());
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = match openat(AT_FDCWD, path, flags, Mode::empty()) {
            Ok(opened) => opened,
            Err(Errno::ELOOP) => return Err(unsound(vec![Fault::NotADirectory(FileKind::Link)]).into()),
            Err(errno) => return Err(unsound(vec![Fault::Hidden(errno.desc().to_owned())]).into()),
        };
        let stat = Stat::from(fstat(&opened).map_err(named)?);
        if !made {
            let faults = prefix::judge(&stat, rule);
            return if faults.is_empty() { Ok(opened) } else { Err(unsound(faults).into()) };
        }
        self.made.push(path.to_owned());
        fchown(&opened, None, (stat.gid != rule.own_gid).then(|| Gid::from_raw(rule.own_gid))).map_err(named)?;
        fchmod(&opened, Mode::from_bits_truncate(DIRECTORY_MODE)).map_err(named)?;
        let stat = Stat::from(fstat(&opened).map_err(named)?);
        judge(path, &stat, DIRECTORY_MODE, rule.own_gid, rule.accounts)?;
        Ok(opened)
    }

    /// Keeps what was made: there is something in it now.
    pub(super) fn keep(&mut self) {
        self.made.clear();
    }
}

impl Drop for Directories {
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            // The error which led here is the one to report.
            let _ = std::fs::remove_dir(directory);
        }
    }
}
