//! Whom a specimen admits. The flawed ones show the honest check other credentials than the kernel gave them.

use crate::Flaw;
use nix::errno::Errno;
use nix::unistd;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use wrapper::credentials::{Credentials, Gid, Regains};
use wrapper::policy::Policy;
use wrapper::refusal::{Refusal, SwitchFault};
use wrapper::surroundings::{AccountName, Surroundings, System};
use wrapper::sys;

/// What the kernel says about this process.
pub(crate) fn read() -> Result<Credentials, Refusal<'static>> {
    let unread = |errno| Refusal::NotSwitched(SwitchFault::Unread(errno));
    let gids = unistd::getresgid().map_err(unread)?;
    let uids = unistd::getresuid().map_err(unread)?;
    let [capabilities, _] = sys::capabilities().map_err(unread)?;
    let gid = |gid: unistd::Gid| Gid::new(gid.as_raw()).ok_or(unread(Errno::EINVAL));
    let regains = if uids.real.is_root() || uids.effective.is_root() {
        Some(Regains::Root)
    } else {
        // CAP_SETGID, number 6.
        (capabilities.permitted & (1 << 6) != 0).then_some(Regains::Capability)
    };
    Ok(Credentials { real: gid(gids.real)?, effective: gid(gids.effective)?, regains })
}

/// What the check of this specimen sees instead of `honest`.
pub(crate) fn as_seen_by<'p>(flaw: Flaw, honest: Credentials, policy: &Policy<'p>) -> Result<Credentials, Refusal<'p>> {
    let mut seen = honest;
    let trusted = policy.trusted;
    match flaw {
        Flaw::ChecksEffectiveGid => seen.real = honest.effective,
        Flaw::ChecksSupplementaryGroups => {
            let groups = unistd::getgroups().unwrap_or_default();
            if groups.iter().any(|group| group.as_raw() == trusted.gid.as_raw()) {
                seen.real = trusted.gid;
            }
        }
        Flaw::AsksUserDatabase if reaches_the_comparison(&honest, policy) => {
            seen.real = group_by_user().unwrap_or(honest.real);
        }
        Flaw::ComparesNames if reaches_the_comparison(&honest, policy) => match System.name_of(honest.real) {
            AccountName::Known(name) if name == trusted.name => seen.real = trusted.gid,
            name => return Err(Refusal::Mismatch { found: honest.real, name, trusted }),
        },
        Flaw::ComparesNamePrefix => {
            if matches!(System.name_of(honest.real), AccountName::Known(name) if name.starts_with(trusted.name)) {
                seen.real = trusted.gid;
            }
        }
        Flaw::CutsGidTo16Bits => seen.real = Gid::new(honest.real.as_raw() & 0xffff).unwrap_or(honest.real),
        Flaw::AdmitsOwnGroup if honest.real == policy.own.gid => seen.real = trusted.gid,
        Flaw::TrustsRoot => seen.regains = None,
        _ => {}
    }
    Ok(seen)
}

/// The questions before that of the real gid are asked as they must be.
fn reaches_the_comparison(honest: &Credentials, policy: &Policy<'_>) -> bool {
    let ambiguous = policy.trusted.gid == Gid::OVERFLOW && !System.maps_every_gid();
    honest.effective == policy.own.gid && !ambiguous
}

/// Fourth field of the caller's first row in passwd(5). What getpwuid(3) does, without its waiting for a FIFO or for
/// nscd, which would be another flaw.
fn group_by_user() -> Option<Gid> {
    let flags = libc::O_NONBLOCK;
    let mut text = Vec::new();
    File::options().read(true).custom_flags(flags).open("/etc/passwd").ok()?.read_to_end(&mut text).ok()?;
    let uid = unistd::getuid().to_string();
    let rows = text.split(|byte| *byte == b'\n').filter_map(|row| std::str::from_utf8(row).ok());
    let mut fields = rows.map(|row| row.split(':').skip(2)).find(|fields| fields.clone().next() == Some(&*uid))?;
    Gid::new(fields.nth(1)?.parse().ok()?)
}

/// What the check asks of the system.
pub(crate) struct Around(pub(crate) Flaw);

impl Surroundings for Around {
    fn maps_every_gid(&self) -> bool {
        self.0 == Flaw::TrustsOverflowGid || System.maps_every_gid()
    }

    fn name_of(&self, gid: Gid) -> AccountName {
        System.name_of(gid)
    }
}
