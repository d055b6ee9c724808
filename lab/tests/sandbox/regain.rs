//! The witness tries to become whom it should not be able to become.

use crate::fixtures::*;
use lab_invocation::evidence::{IdKind, Regained};
use lab_invocation::layout::Order;

fn regained(invocation: &lab_invocation::Invocation, layout: &lab_invocation::Layout) -> Option<Vec<(IdKind, u32)>> {
    let mut worker = worker()?;
    let evidence = run(worker.as_mut(), layout, invocation);
    let found = report(&evidence).regained.iter().map(|Regained { kind, number, .. }| (*kind, *number));
    Some(found.collect())
}

#[test]
fn a_program_that_kept_its_caller_gets_the_callers_group_back() {
    // Real 8, effective and saved 38: the real one may become effective again.
    let Some(found) = regained(&invocation(), &layout()) else { return };
    assert_eq!(found, [(IdKind::Gid, GID)]);
}

#[test]
fn an_invoker_without_any_set_id_program_regains_nothing() {
    let mut layout = layout();
    layout.nodes.last_mut().expect("the program").mode = 0o755;
    let Some(found) = regained(&invocation(), &layout) else { return };
    assert_eq!(found, [], "not the file's group, not his supplementary groups, not root");
}

#[test]
fn root_regains_everything_that_it_is_challenged_with() {
    let mut invocation = invocation();
    (invocation.identity.uid, invocation.identity.effective_uid) = (uid(0), uid(0));
    let Some(found) = regained(&invocation, &layout()) else { return };
    assert_eq!(found, [(IdKind::Gid, 0), (IdKind::Gid, GID)]);
}

#[test]
fn a_set_user_id_program_gets_its_callers_uid_back() {
    let mut layout = layout();
    let program = layout.nodes.last_mut().expect("the program");
    (program.owner, program.mode, program.order) = (uid(77), 0o4755, Order::ChownThenChmod);
    let Some(found) = regained(&invocation(), &layout) else { return };
    assert_eq!(found, [(IdKind::Uid, UID)]);
}
