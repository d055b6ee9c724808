//! Which wrong rules of admission fit what was seen of a caller who had to be refused for its group. One case often fits
//! several; a finding is then no more than possible.

use super::facts::Facts;

/// The wrong rules that would let this caller in.
pub(super) struct Ways {
    /// Looking through the supplementary groups.
    pub(super) member: bool,
    /// Comparing the wrapper's own effective gid.
    pub(super) effective: bool,
    /// Another known mistake, in words.
    pub(super) other: Option<String>,
}

impl Ways {
    /// Those which fit; `None` where the case does not want its caller refused for its group, the subject did not let it
    /// past that question, or the observations are missing.
    pub(super) fn in_for(facts: &Facts<'_>) -> Option<Self> {
        let (invoker, trusted) = (facts.invoker()?, facts.trusted());
        if !facts.wants_mismatch() || !facts.came_past_the_caller() || invoker.gid.real == trusted {
            return None;
        }
        Some(Self {
            member: invoker.groups.contains(&trusted),
            effective: facts.effective_after_exec()? == trusted,
            other: other(facts),
        })
    }

    /// How many fit.
    pub(super) fn count(&self) -> usize {
        usize::from(self.member) + usize::from(self.effective) + usize::from(self.other.is_some())
    }
}

fn other(facts: &Facts<'_>) -> Option<String> {
    let real = facts.real()?;
    let (trusted, wanted) = (facts.trusted(), &facts.case.subject.policy.trusts.name);
    let name = facts.case.names.groups.get(&real);
    if let Some(name) = name.filter(|name| *name == wanted) {
        return Some(format!("gid {real} has the trusted name {name:?} too, and names are compared"));
    }
    let alike = |name: &&String| name.starts_with(wanted.as_str()) || wanted.starts_with(name.as_str());
    if let Some(name) = name.filter(alike) {
        return Some(format!("{name:?} and the trusted name {wanted:?} begin alike, and only a beginning is compared"));
    }
    if real.as_raw() & 0xffff == trusted.as_raw() & 0xffff {
        return Some(format!("gid {real} cut to 16 bits is {}", trusted.as_raw() & 0xffff));
    }
    if real == facts.own() {
        return Some(format!("the wrapper's own group, {}, is admitted beside the trusted one", facts.group(real)));
    }
    if facts.group_by_user() == Some(trusted) {
        return Some(format!(
            "by the user database the caller's group is {}, and the caller is looked up there",
            facts.group(trusted)
        ));
    }
    if facts.invoker().is_some_and(|invoker| invoker.uid.real.as_raw() == 0) {
        return Some("the caller is root, and root is admitted whatever its group".to_owned());
    }
    None
}
