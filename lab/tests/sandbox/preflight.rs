//! What the backend says that it can do.

use crate::fixtures::*;
use lab::backend::Backend;
use lab::backend::namespace::Namespace;
use lab::capability::{Capability, Support};
use lab_invocation::protocol::Tier;

#[test]
fn root_can_do_everything_and_an_ordinary_user_all_but_large_numbers() {
    let Some(backend) = backend() else { return };
    let capabilities = backend.capabilities();
    // The member rule came with a kernel version; everything else is in every kernel that the lab runs on.
    let missing = capabilities.iter().filter(|(capability, _)| **capability != Capability::MemberRule);
    let missing: Vec<_> = missing.filter(|(_, support)| **support != Support::Yes).collect();
    let expected: &[Capability] = match backend.tier() {
        Ok(Tier::Root | Tier::FullMap) => &[],
        _ => &[Capability::FullGidMap, Capability::LargeIds],
    };
    assert_eq!(missing.iter().map(|(capability, _)| **capability).collect::<Vec<_>>(), expected, "{missing:#?}");
    assert_eq!(capabilities.len(), Capability::ALL.len());
}

#[test]
fn facts_of_the_host_are_there() {
    let Some(backend) = backend() else { return };
    let facts = backend.facts();
    assert!(facts.contains_key("fs.protected_symlinks") && facts.contains_key("capability bounding set"), "{facts:?}");
}

#[test]
fn an_agent_that_is_not_there_is_a_reason_for_every_capability() {
    let backend = Namespace::new(std::path::Path::new("/absent/lab-agent"));
    let capabilities = backend.capabilities();
    assert_eq!(capabilities.len(), Capability::ALL.len());
    for (capability, support) in capabilities {
        let Support::No { because, .. } = support else { panic!("{capability} cannot be there") };
        assert!(because.contains("/absent/lab-agent"), "{because}");
    }
    assert!(backend.worker().is_err());
}

#[test]
fn something_else_than_an_agent_is_an_error_and_no_hang() {
    let error = Namespace::new(std::path::Path::new("/bin/true")).tier().expect_err("true(1) is no agent");
    assert!(error.found.contains("has ended"), "{error}");
}
