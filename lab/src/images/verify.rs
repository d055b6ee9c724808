//! Looking at an image from inside: what a carrier does to a set-group-ID file shows only there.

use super::{Image, problem};
use crate::backend::docker::server::Server;
use crate::backend::docker::{Options, Settings, settings};
use crate::deploy::{accounts, installed};
use crate::problem::Problem;
use crate::scenario::deploy::{GROUP, PROGRAM};
use lab_invocation::evidence::Stage;
use lab_invocation::{Gid, Identity, Invocation, Uid};
use std::collections::BTreeSet;
use std::path::Path;

/// Who starts the probe: a user that every image has.
const USER: &str = "alice";
/// Mode of the installed probe.
const MODE: u32 = 0o2755;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it is as it must be.
    pub sound: bool,
}

/// Looks at images, in containers of their own, with the program file `agent`.
///
/// # Errors
/// There is no engine, an image is not there, or its container does not start.
pub fn verify(agent: &Path, run: &str, image: &Image) -> Result<Vec<Finding>, Problem> {
    let settings = settings(agent, Options::of_run(run.to_owned())).map_err(problem)?;
    look(&settings, image)
}

fn look(settings: &Settings, image: &Image) -> Result<Vec<Finding>, Problem> {
    let mut server = Server::start(settings, (&image.repository, &image.tag), None, None).map_err(problem)?;
    let accounts = accounts(&mut server)?;
    let own = accounts.gid(GROUP)?;
    let (layout, probes) = server.put(&installed(PROGRAM, own)).map_err(problem)?;
    let (uid, gid) = accounts.user(USER)?;
    let identity = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() };
    let evidence = server.run(layout, &Invocation::quiet(PROGRAM.into(), identity)).map_err(problem)?;
    if evidence.stage != Stage::Ran {
        return Err(Problem::unresolved(format!("image {}: the probe did not run", image.name))
            .found(format!("{:?}", evidence.stage)));
    }
    let finding = |what, found: String, sound| Finding { what, found, sound };
    let mut findings = Vec::new();
    match &evidence.installed {
        Some(file) => {
            let sound = file.owner == Uid::ROOT && file.group == own;
            findings.push(finding("owner", format!("{}:{}", file.owner, file.group), sound));
            findings.push(finding("mode", format!("{:o}", file.mode), file.mode == MODE));
            let flags = file.mount;
            findings.push(finding("mount", format!("{flags:?}"), !flags.nosuid && !flags.noexec));
        }
        None => findings.push(finding("file", "it is not there".to_owned(), false)),
    }
    let bare = evidence.invoker.no_new_privs;
    findings.push(finding("no_new_privs", bare.to_string(), !bare));
    let [report] = evidence.witness.as_slice() else {
        findings.push(finding("probe", format!("{} reports", evidence.witness.len()), false));
        return Ok(findings);
    };
    let gained: Gid = report.credentials.gid.effective;
    findings.push(finding("probe, set-group-ID", format!("{gid} became {gained}"), gained == own));
    let contrast = probes.positive && !probes.negative && probes.witness;
    findings.push(finding("probe, nosuid", format!("gained: {}", probes.negative), contrast));
    Ok(findings)
}
