//! From the form of a file to its cases: names become numbers, defaults are filled in, and everything that cannot be
//! right is reported with its place.

mod accounts;
mod conditions;
mod draft;
mod installation;
mod matrix;
mod outcome;
mod placeholder;
mod subject;
mod tool;
mod tree;

use super::context::Context;
use super::raw;
use super::raw::form::At;
use crate::capability::Capability;
use crate::case::{Case, CaseId, ScenarioInfo, TOOL};
use draft::Draft;
use lab_invocation::Identity;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// The cases of one file, each with the place where its outcome is named.
pub(super) struct Lowered {
    pub(super) info: Arc<ScenarioInfo>,
    pub(super) cases: Vec<(Case, Range<usize>)>,
}

/// What a case is made of, before it is one.
struct Plan<'a> {
    name: String,
    cell: Option<(String, String)>,
    control: bool,
    invoker: &'a At<raw::Invoker>,
    trusts: Option<At<raw::value::NameOrNumber>>,
    given: Vec<&'a raw::Given>,
    outcome: &'a At<String>,
    needs: BTreeSet<Capability>,
    source: Vec<String>,
}

/// Lowers one file. Errors are left in the context; what could be made is returned.
pub(super) fn lower(context: &mut Context<'_>, id: &str, raw: &raw::Scenario) -> Lowered {
    head(context, raw);
    tool::check(context, raw);
    let sources = raw.source.iter().map(|source| source.value.clone()).collect();
    let info = Arc::new(ScenarioInfo {
        id: id.to_owned(),
        title: raw.title.value.trim().to_owned(),
        why: raw.why.value.trim().to_owned(),
        sources,
        matrix: raw.matrix.as_ref().and_then(|matrix| matrix::shape(context, matrix)),
    });
    let mut plans = matrix::plans(context, raw);
    plans.extend(listed(context, raw));
    for (name, outcome) in &raw.outcome.0 {
        outcome::check(context, name, outcome);
    }
    let mut cases = Vec::new();
    for plan in &plans {
        if let Some(case) = case(context, raw, &info, plan) {
            cases.push((case, plan.outcome.span.clone()));
        }
    }
    // A misspelt name would also show as one that nobody uses.
    if context.reports.is_empty() {
        whole_file(context, raw, &plans);
    }
    Lowered { info, cases }
}

fn head(context: &mut Context<'_>, raw: &raw::Scenario) {
    for (what, text) in [("title", &raw.title), ("why", &raw.why)] {
        if text.value.trim().is_empty() {
            context
                .error(&text.span, format!("`{what}` is empty"), "a case which nobody can justify is not kept")
                .help
                .push(format!("say in `{what}` what the file asks and why anybody should care"));
        }
    }
    if raw.title.value.trim().lines().count() > 1 {
        context.error(&raw.title.span, "`title` has more than one line", "one line: the question");
    }
    if raw.invoker.0.is_empty() {
        context
            .error(&(0..0), "no invoker", "the file says nowhere who starts the subject")
            .help
            .push("add a table [invoker] with at least one line".to_owned());
    }
}

/// Cases of `[[case]]`.
fn listed<'a>(context: &mut Context<'_>, raw: &'a raw::Scenario) -> Vec<Plan<'a>> {
    let mut plans: Vec<Plan<'a>> = Vec::new();
    let mut seen: Vec<(String, Range<usize>)> = Vec::new();
    for At { value: case, .. } in &raw.case {
        let slug = slug(&case.name.value);
        if slug.is_empty() {
            context.error(&case.name.span, "a case needs a name with a letter or digit in it", "this name");
            continue;
        }
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == slug) {
            let first = first.clone();
            let report = context.error(&case.name.span, format!("two cases are named \"{slug}\""), "the second one");
            report.context.push((first, "the first one".to_owned()));
            continue;
        }
        seen.push((slug, case.name.span.clone()));
        let Some(invoker) = invoker_of(context, raw, case) else { continue };
        let needs = capabilities(context, &case.needs);
        let given = match &case.given {
            None => Vec::new(),
            Some(raw::GivenRef::Table(given)) => vec![&**given],
            Some(raw::GivenRef::Names(names)) => {
                names.iter().filter_map(|name| given_named(context, raw, name)).collect()
            }
        };
        plans.push(Plan {
            name: case.name.value.clone(),
            cell: None,
            control: case.control,
            invoker,
            trusts: None,
            given,
            outcome: &case.outcome,
            needs,
            source: case.source.iter().map(|source| source.value.clone()).collect(),
        });
    }
    plans
}

fn invoker_of<'a>(context: &mut Context<'_>, raw: &'a raw::Scenario, case: &raw::Case) -> Option<&'a At<raw::Invoker>> {
    match (&case.invoker, raw.invoker.0.as_slice()) {
        (Some(name), _) => match raw.invoker.get(&name.value) {
            Some((_, invoker)) => Some(invoker),
            None => {
                context.unknown("invoker", name, raw.invoker.names());
                None
            }
        },
        (None, [(_, only)]) => Some(only),
        (None, several) => {
            if !several.is_empty() {
                context
                    .error(&case.name.span, "the case does not say who starts the subject", "this case")
                    .help
                    .push("the file has several invokers: add `invoker = \"NAME\"` to the case".to_owned());
            }
            None
        }
    }
}

fn given_named<'a>(context: &mut Context<'_>, raw: &'a raw::Scenario, name: &At<String>) -> Option<&'a raw::Given> {
    let found = raw.given.get(&name.value).map(|(_, given)| given);
    if found.is_none() {
        context.unknown("given", name, raw.given.names());
    }
    found
}

fn capabilities(context: &mut Context<'_>, names: &[At<String>]) -> BTreeSet<Capability> {
    let mut set = BTreeSet::new();
    for name in names {
        match Capability::ALL.iter().find(|capability| capability.name() == name.value) {
            Some(capability) => {
                set.insert(*capability);
            }
            None => context.unknown("capability", name, Capability::ALL.iter().map(|capability| capability.name())),
        }
    }
    set
}

/// What only the whole file can get wrong: names that nobody uses, a list without control, refusals that no admitted
/// case makes believable.
fn whole_file(context: &mut Context<'_>, raw: &raw::Scenario, plans: &[Plan<'_>]) {
    if plans.is_empty() {
        let report = context.error(&raw.title.span, "the file has no case", "this scenario");
        report.help.push("add a [matrix] or at least one [[case]]".to_owned());
        return;
    }
    for (name, _) in &raw.outcome.0 {
        if !plans.iter().any(|plan| plan.outcome.value == name.value) {
            context.error(&name.span, format!("no case expects the outcome \"{}\"", name.value), "defined here");
        }
    }
    for (name, invoker) in &raw.invoker.0 {
        if !plans.iter().any(|plan| std::ptr::eq(plan.invoker, invoker)) {
            context.error(&name.span, format!("no case uses the invoker \"{}\"", name.value), "defined here");
        }
    }
    for (name, given) in &raw.given.0 {
        if !plans.iter().any(|plan| plan.given.iter().any(|other| std::ptr::eq(*other, given))) {
            context.error(&name.span, format!("no case uses the given \"{}\"", name.value), "defined here");
        }
    }
    if !raw.case.is_empty() && !plans.iter().any(|plan| plan.control) {
        let report = context.error(&raw.case[0].value.name.span, "the file has no control", "the first of its cases");
        report.help.push("mark one case `control = true`: it must hold for the others to mean anything".to_owned());
    }
    let starts = |plan: &Plan<'_>, wanted: bool| {
        let outcome = raw.outcome.get(&plan.outcome.value).map(|(_, outcome)| outcome);
        outcome.and_then(|outcome| outcome.script.as_ref()).is_some_and(|script| script.value.started == Some(wanted))
    };
    if raw.subject.program.value != TOOL
        && let Some(refused) = plans.iter().find(|plan| starts(plan, false))
        && !plans.iter().any(|plan| starts(plan, true))
    {
        let title = "no case of the file expects that the script starts";
        let report = context.error(&refused.outcome.span, title, "so this refusal proves nothing");
        report.help.push("add a control whose outcome has `script = { started = true }`".to_owned());
    }
}

fn case(context: &mut Context<'_>, raw: &raw::Scenario, info: &Arc<ScenarioInfo>, plan: &Plan<'_>) -> Option<Case> {
    let outcome = match raw.outcome.get(&plan.outcome.value) {
        Some((_, outcome)) => outcome,
        None => {
            context.unknown("outcome", plan.outcome, raw.outcome.names());
            return None;
        }
    };
    let before = context.reports.len();
    let identity = identity(context, plan.invoker);
    let subject = subject::resolve(context, &raw.subject, plan);
    let (identity, subject) = (identity?, subject?);
    let mut draft = Draft::new(context.accounts, &raw.subject, subject, identity);
    draft.needs.extend(&plan.needs);
    for given in &plan.given {
        draft.apply(context, given);
    }
    draft.derive_needs();
    let layout = draft.layout();
    draft.names = context.accounts.names_in(&layout);
    let outcome = outcome::lower(context, outcome, &draft);
    if context.reports.len() > before {
        return None;
    }
    let name = match &plan.cell {
        Some((row, column)) => format!("{row}×{column}"),
        None => slug(&plan.name),
    };
    let (needs, names) = (draft.needs.clone(), draft.names.clone());
    let (subject, invocation) = draft.finish();
    Some(Case {
        id: CaseId(format!("{}/{name}", info.id)),
        name: plan.name.clone(),
        scenario: Arc::clone(info),
        cell: plan.cell.clone(),
        control: plan.control,
        sources: plan.source.clone(),
        needs,
        expected: plan.outcome.value.clone(),
        outcome: outcome.into(),
        names,
        layout: layout.into(),
        invocation: invocation.into(),
        subject,
        profile: None,
    })
}

fn identity(context: &mut Context<'_>, invoker: &At<raw::Invoker>) -> Option<Identity> {
    match &invoker.value {
        raw::Invoker::Named(name) => {
            let found = context.accounts.identities.get(name).map(|(identity, _)| identity.clone());
            if found.is_none() {
                let name = At { value: name.clone(), span: invoker.span.clone() };
                let accounts = context.accounts;
                context.unknown("identity", &name, accounts.identities.keys().map(String::as_str));
            }
            found
        }
        raw::Invoker::Table(identity) => {
            let uid = context.uid(&identity.user);
            let gid = context.gid(&identity.group);
            let effective_uid = identity.effective_user.as_ref().map_or(uid, |user| context.uid(user));
            let effective_gid = identity.effective.as_ref().map_or(gid, |group| context.gid(group));
            let groups = identity.supplementary.as_ref().map(|list| context.gids(&list.items()));
            Some(Identity {
                uid: uid?,
                effective_uid: effective_uid?,
                gid: gid?,
                effective_gid: effective_gid?,
                groups: groups.unwrap_or_default(),
            })
        }
    }
}

/// A name as it is written in case ids: small letters, digits and single hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
