//! What says nothing of the tool, which has no sealed policy and starts no script: left in a file it would be believed
//! to be tested.

use super::Context;
use crate::case::TOOL;
use crate::scenario::raw;
use std::ops::Range;

/// Reports every such key of a file about the tool, once, wherever it stands.
pub(super) fn check(context: &mut Context<'_>, raw: &raw::Scenario) {
    if raw.subject.program.value != TOOL {
        return;
    }
    let matrix = raw.matrix.as_ref().and_then(|matrix| matrix.value.trusts.as_ref());
    let tables = raw.case.iter().filter_map(|case| match &case.value.given {
        Some(raw::GivenRef::Table(given)) => Some(&**given),
        _ => None,
    });
    let givens: Vec<&raw::Given> = raw.given.0.iter().map(|(_, given)| given).chain(tables).collect();
    let in_givens = givens.iter().filter_map(|given| given.trusts.as_ref());
    let trusts = raw.subject.trusts.iter().chain(in_givens).map(|group| &group.span);
    for span in trusts.chain(matrix.map(|axis| &axis.span)) {
        useless(
            context,
            span,
            "trusts",
            "it trusts nobody: what it is to seal is among its arguments, as --with-mail-gid",
        );
    }
    for policy in givens.iter().filter_map(|given| given.policy.as_ref()) {
        useless(context, &policy.span, "policy", "it has no sealed policy, and finds the wrappers as they were built");
    }
    for script in raw.outcome.0.iter().filter_map(|(_, outcome)| outcome.script.as_ref()) {
        useless(
            context,
            &script.span,
            "script",
            "it starts no script: say what it prints and writes by `stdout`, `stderr` and `changes`",
        );
    }
}

fn useless(context: &mut Context<'_>, span: &Range<usize>, key: &str, why: &str) {
    let title = format!("`{key}` says nothing of {TOOL}");
    context.error(span, title, "take it out").help.push(why.to_owned());
}
