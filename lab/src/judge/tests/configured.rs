//! A tool that says what it did, and a tree that says what it really did.

use super::{capture, case, differences, gid, sound};
use crate::case::Case;
use lab_invocation::evidence::{Change, ChangeKind, End, EntryState};
use lab_invocation::{Bytes, Evidence, Uid};
use rstest::rstest;

const SEALED: &str = "configure/group-lists/the-first-of-several";
const INSTALLED: &str = "configure/prefix/a-member-of-the-group";
const REFUSED_MOUNT: &str = "configure/prefix/mounted-nosuid";

/// The evidence of a tool which does what it must.
fn configured(case: &Case) -> Evidence {
    let identity = &case.invocation.identity;
    let (group, mode) = if case.id.0 == SEALED { (identity.effective_gid, 0o100_755) } else { (gid(38), 0o102_755) };
    let state = EntryState { owner: identity.effective_uid, group, mode, size: 100_000, head: Bytes::default() };
    let change = |path: &Bytes| Change { path: path.clone(), kind: ChangeKind::Added { state: state.clone() } };
    Evidence {
        stdout: capture(case.outcome.stdout.join(" ").as_bytes()),
        changes: case.outcome.changes.iter().flatten().map(change).collect(),
        ..sound(case)
    }
}

/// The file that the tool wrote, as it was found.
fn written(evidence: &mut Evidence) -> &mut EntryState {
    match evidence.changes.first_mut().map(|change| &mut change.kind) {
        Some(ChangeKind::Added { state }) => state,
        other => panic!("it wrote nothing: {other:?}"),
    }
}

/// What a broken tool does, and the file says nothing of it: the model knows what must be said and written.
#[rstest]
#[case::the_last_of_the_list(SEALED, |e: &mut Evidence| e.stdout = capture(b"trusts news 9"), &["stdout"])]
#[case::says_so_and_writes_nothing(SEALED, |e: &mut Evidence| e.changes.clear(), &["changes"])]
#[case::installs_and_does_not_prove(INSTALLED, |e: &mut Evidence| e.stdout = capture(b"trusts mail 8"), &["stdout"])]
#[case::says_a_longer_word(INSTALLED, |e: &mut Evidence| e.stdout = capture(b"trusts mail 8 unproven"), &["stdout"])]
#[case::says_a_longer_number(INSTALLED, |e: &mut Evidence| e.stdout = capture(b"trusts mail 80 proven"), &["stdout"])]
#[case::leaves_something_beside_it(INSTALLED, |e: &mut Evidence| {
    e.changes.push(Change { path: "/usr/local/mailman/mail/.mailman.new-1-0".into(), kind: ChangeKind::Removed });
}, &["changes"])]
#[case::installs_for_everybody_to_write(INSTALLED, |e: &mut Evidence| written(e).mode = 0o102_777, &["written"])]
#[case::installs_without_the_bit(INSTALLED, |e: &mut Evidence| written(e).mode = 0o100_755, &["written"])]
#[case::installs_for_another_group(INSTALLED, |e: &mut Evidence| written(e).group = gid(8), &["written"])]
#[case::installs_for_another_owner(INSTALLED, |e: &mut Evidence| written(e).owner = Uid::ROOT, &["written"])]
#[case::installs_a_directory(INSTALLED, |e: &mut Evidence| written(e).mode = 0o042_755, &["written"])]
#[case::installs_a_link(INSTALLED, |e: &mut Evidence| written(e).mode = 0o122_755, &["written"])]
#[case::takes_away_what_was_there(INSTALLED, |e: &mut Evidence| e.changes[0].kind = ChangeKind::Removed, &["written"])]
#[case::replaces_it_by_something_else(INSTALLED, |e: &mut Evidence| {
    let before = written(e).clone();
    let after = EntryState { mode: 0o104_755, ..before.clone() };
    e.changes[0].kind = ChangeKind::Modified { before, after };
}, &["written"])]
#[case::seals_with_a_bit(SEALED, |e: &mut Evidence| written(e).mode = 0o102_755, &["written"])]
#[case::seals_for_another_group(SEALED, |e: &mut Evidence| written(e).group = gid(8), &["written"])]
#[case::installs_where_the_bit_is_dead(REFUSED_MOUNT, |e: &mut Evidence| e.end = Some(End::Exited(0)), &["exit"])]
#[case::writes_and_then_refuses(REFUSED_MOUNT, |e: &mut Evidence| {
    e.changes.push(Change { path: "/usr/local/mailman/mail/mailman".into(), kind: ChangeKind::Removed });
}, &["changes"])]
#[case::refuses_for_another_reason(REFUSED_MOUNT, |e: &mut Evidence| e.stderr = capture(b"no such group"), &["stderr"])]
fn a_broken_tool_is_seen(#[case] id: &str, #[case] spoil: fn(&mut Evidence), #[case] fields: &[&str]) {
    for silent in [false, true] {
        let mut case = case(id);
        let mut evidence = configured(&case);
        if silent {
            *case.outcome = crate::case::Outcome::default();
        }
        assert_eq!(differences(&case, &evidence), [""; 0], "{id} is sound");
        spoil(&mut evidence);
        assert_eq!(differences(&case, &evidence), fields, "the file is silent: {silent}");
    }
}
