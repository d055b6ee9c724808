//! What a gid or uid is called, for the text of a refusal; and what a uid is called, for the address of a sender.
//!
//! By reading /etc/group and /etc/passwd, not by getgrgid(3) and getpwuid(3): those would load modules chosen by a
//! configuration file, or ask a daemon that may not answer, in a privileged program. Who is known only to such a service is
//! nameless here. Name and number stand in the same places of both files.

use crate::credentials::Gid;
use crate::policy::NAME_MAX;
use crate::surroundings::AccountName;
use nix::libc::{O_NOCTTY, O_NONBLOCK};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The group file: group(5).
pub const GROUP_FILE: &str = "/etc/group";

/// The user file: passwd(5).
pub const USER_FILE: &str = "/etc/passwd";

/// Most that is read of one, in bytes. A larger one counts as unreadable unless the number comes before.
const MOST: u64 = 1 << 20;

/// The name of a group in the group file of the system.
#[must_use]
pub fn name_of(gid: Gid) -> AccountName {
    look_up(Path::new(GROUP_FILE), gid)
}

/// The name of a user in the user file of the system.
#[must_use]
pub fn name_of_user(uid: u32) -> AccountName {
    // 4294967295 is nobody's uid either.
    Gid::new(uid).map_or(AccountName::Nameless, |number| look_up(Path::new(USER_FILE), number))
}

fn look_up(path: &Path, gid: Gid) -> AccountName {
    open(path).and_then(|file| find(file, gid)).unwrap_or(AccountName::Unreadable)
}

fn open(path: &Path) -> io::Result<impl Read> {
    // Not blocking, in case it is a FIFO; not a terminal of ours, in case it is one.
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn find(file: impl Read, gid: Gid) -> io::Result<AccountName> {
    let mut file = file.take(MOST);
    let mut buffer = [0; 4096];
    let mut row = Row::default();
    loop {
        let read = file.read(&mut buffer)?;
        let whole = if read == 0 { &b"\n"[..] } else { buffer.get(..read).unwrap_or_default() };
        for byte in whole {
            if let Some(name) = row.take(*byte, gid) {
                return Ok(AccountName::Known(name));
            }
        }
        if read == 0 {
            // After the limit the end is not the end of the file.
            return Ok(if file.limit() == 0 { AccountName::Unreadable } else { AccountName::Nameless });
        }
    }
}

/// One row, `name:password:gid:members`, as far as it has been read.
#[derive(Default)]
struct Row {
    field: u8,
    name: Vec<u8>,
    /// `None` before the first digit.
    gid: Option<u64>,
    /// Its gid is not a number.
    broken: bool,
}

impl Row {
    /// Takes the next byte; gives the name as soon as the row is known to have that gid.
    fn take(&mut self, byte: u8, wanted: Gid) -> Option<String> {
        let matches = self.field == 2 && !self.broken && self.gid == Some(u64::from(wanted.as_raw()));
        match byte {
            b':' | b'\n' if matches && self.is_named() => return Some(printable(&self.name)),
            b'\n' => {
                // The memory stays: to give it back and take it again would be two system calls for each row.
                self.name.clear();
                *self = Self { name: std::mem::take(&mut self.name), ..Self::default() };
            }
            b':' => self.field = self.field.saturating_add(1),
            // One more than is printed, to tell a name that was cut.
            _ if self.field == 0 && self.name.len() <= NAME_MAX => self.name.push(byte),
            b'0'..=b'9' if self.field == 2 => {
                let digits = self.gid.unwrap_or(0).saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                self.gid = Some(digits);
            }
            _ if self.field == 2 => self.broken = true,
            _ => {}
        }
        None
    }

    /// Not a comment, and not a row that includes or excludes groups of another source.
    fn is_named(&self) -> bool {
        !matches!(self.name.first(), None | Some(b'#' | b'+' | b'-'))
    }
}

/// Printable ASCII of at most [`NAME_MAX`] bytes, whatever was in the file; a name that was cut ends in three dots.
fn printable(name: &[u8]) -> String {
    let kept = if name.len() > NAME_MAX { NAME_MAX - 3 } else { name.len() };
    let mut text: String =
        name.iter().take(kept).map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' }).collect();
    if kept < name.len() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests;
