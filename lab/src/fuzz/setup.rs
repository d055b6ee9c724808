//! A subject by its name: a program of the project, a specimen in the place of one, or a foreign wrapper of a profile.

use super::execute::Target;
use super::ground::Ground;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::run::programs::{PACKAGES, Programs};
use crate::run::session::{Given, Session, asked, plan};
use crate::specimens;
use std::sync::Arc;

/// Whether a name is that of a wrapper, not of a specimen.
pub fn is_wrapper(subject: &str) -> bool {
    crate::case::WRAPPERS.contains(&subject)
}

/// Packages whose programs a campaign on this subject needs.
pub fn packages(subject: &str) -> Vec<&'static str> {
    let specimens = (!is_wrapper(subject)).then_some(specimens::PACKAGE);
    PACKAGES.iter().copied().chain(specimens).collect()
}

/// The program which a subject is, or in whose place it stands.
///
/// # Errors
/// There is no such subject.
pub fn program(subject: &str) -> Result<String, Problem> {
    if is_wrapper(subject) {
        return Ok(subject.to_owned());
    }
    let specimen = specimens::all()?.into_iter().find(|specimen| specimen.name == subject);
    specimen.map(|specimen| specimen.program).ok_or_else(|| {
        Problem::usage(format!("there is no subject `{subject}`"))
            .cure("name mail-wrapper, cgi-wrapper or a specimen, such as checks-effective-gid")
    })
}

/// Installs a subject. With a profile it is the foreign wrapper that stands for the program of this name.
///
/// # Errors
/// There is no such subject, or it cannot be sealed.
pub fn target(
    subject: &str,
    profile: Option<Profile>,
    session: &Session,
    programs: &Programs,
    backend: Arc<dyn Backend>,
) -> Result<Target, Problem> {
    let program = program(subject)?;
    let mut given = Given::new();
    if program != subject {
        given.insert(program.clone(), programs.path(subject)?.to_owned());
    }
    let ground = Ground::of(&program, profile.as_ref(), &session.suite.accounts)?;
    let control = asked(&ground.control, profile.as_ref());
    if let Some(because) = &control.unsupported {
        return Err(Problem::usage(format!("the wrapper of this profile cannot stand for {program}")).found(because));
    }
    let (plan, _) = plan(vec![control], programs, &given, profile.as_ref())?;
    let capabilities = backend.capabilities();
    let subject = match &profile {
        Some(profile) => format!("{}-{subject}", profile.name),
        None => subject.to_owned(),
    };
    Ok(Target { subject, ground, profile, plan, backend, capabilities })
}
