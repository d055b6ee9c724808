//! The one question: may whoever started this process start it?

use crate::credentials::{Credentials, Gid};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::surroundings::Surroundings;

/// Proof that the caller is the one whom the policy trusts. Nothing is started without it.
#[derive(Debug)]
pub struct Admitted(());

#[cfg(test)]
impl Admitted {
    /// For tests of what comes after the check.
    pub(crate) const fn assumed() -> Self {
        Self(())
    }
}

/// Checks the caller, before anything that it wrote is looked at.
///
/// Numbers decide. The effective gid of a caller, its supplementary groups and the names of groups never do.
///
/// # Errors
/// The first that applies: the trusted gid cannot be told from unmapped ones; the set-group-ID bit did not act; the real
/// gid is another than the trusted one, or one without a name; the caller could take any group back.
pub fn check_caller<'p>(
    policy: &Policy<'p>,
    credentials: &Credentials,
    surroundings: &impl Surroundings,
) -> Result<Admitted, Refusal<'p>> {
    let Policy { trusted, own, .. } = *policy;
    if trusted.gid == Gid::OVERFLOW && !surroundings.maps_every_gid() {
        return Err(Refusal::AmbiguousTrust { trusted });
    }
    if credentials.effective != own.gid {
        let name = surroundings.name_of(credentials.effective);
        return Err(Refusal::NotSetGroupId { found: credentials.effective, name, own });
    }
    if credentials.real != trusted.gid {
        let name = surroundings.name_of(credentials.real);
        return Err(Refusal::Mismatch { found: credentials.real, name, trusted });
    }
    match credentials.regains {
        Some(how) => Err(Refusal::CannotGiveUp { how, trusted }),
        None => Ok(Admitted(())),
    }
}

#[cfg(test)]
mod tests;
