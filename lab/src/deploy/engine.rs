//! Scenarios of an engine: the real wrapper is what a container starts, with options of the engine and nothing of the lab.

use super::remedy::{OWNER, PREFIX};
use super::{Outcome, accounts};
use crate::backend::docker::alone::{Alone, Ended};
use crate::backend::docker::server::Server;
use crate::backend::docker::{Options, Settings, settings};
use crate::case::{Group, Kind, Policy, Sealing, Style, Subject};
use crate::images::{Image, problem};
use crate::problem::Problem;
use crate::run::programs::Programs;
use crate::run::seal::Sealer;
use crate::scenario::deploy::{GROUP, PROGRAM};
use crate::scenario::engine::{Case, File};
use lab_invocation::layout::Order;
use lab_invocation::{Gid, Uid};
use testcontainers::bollard::models::HostConfig;

/// The program that is sealed.
const WRAPPER: &str = "mail-wrapper";
/// The script that it starts.
const SCRIPT: &str = "post";

/// Runs the cases of one file, each in a container of its own: what they came to, and what kept the rest from being asked.
pub fn run(programs: &Programs, run: &str, base: &Image, file: &File) -> (Vec<Outcome>, Option<Problem>) {
    let mut outcomes = Vec::new();
    let problem = ask(programs, run, base, file, &mut outcomes).err();
    (outcomes, problem)
}

fn ask(programs: &Programs, run: &str, base: &Image, file: &File, outcomes: &mut Vec<Outcome>) -> Result<(), Problem> {
    let settings = settings(programs.path("lab-agent")?, Options::of_run(run.to_owned())).map_err(problem)?;
    let image = (base.repository.as_str(), base.tag.as_str());
    let accounts = accounts(&mut Server::start(&settings, image, None, None).map_err(problem)?)?;
    let mut sealer = Sealer::new(programs)?;
    sealer.add(WRAPPER, programs.path(WRAPPER)?, false)?;
    let own = Group { gid: accounts.gid(GROUP)?, name: GROUP.to_owned() };
    for (place, case) in file.cases.iter().enumerate() {
        let trusts = Group { gid: accounts.gid(&case.trusts)?, name: case.trusts.clone() };
        let digest = sealer.seal(&subject(trusts, own.clone(), accounts.user(OWNER)?.0))?;
        let sealed = sealer.blob(digest).and_then(|blob| blob.whole());
        let wrapper = sealed.ok_or_else(|| Problem::internal("a wrapper that was sealed a moment ago"))?;
        let ended = container(&settings, base, case, &wrapper, own.gid, &format!("lab-case:{run}-{place}"))?;
        outcomes.push(Outcome {
            name: case.name.clone(),
            control: case.control,
            differences: differences(case, &ended),
            seen: None,
            ways: vec![format!("exit {}", ended.exit)],
            mismatch: None,
            without_bit: None,
            untried: false,
        });
    }
    Ok(())
}

fn subject(trusts: Group, own: Group, owner: Uid) -> Subject {
    let group = own.gid;
    Subject {
        program: WRAPPER.to_owned(),
        policy: Policy {
            kind: Kind::Mail,
            trusts,
            own,
            owner: (owner, OWNER.to_owned()),
            prefix: PREFIX.into(),
            interpreter: None,
            commands: vec![SCRIPT.into()],
            script: None,
            keep: None,
            refusal: Style::Mailman,
            condition: Sealing::default(),
        },
        path: PROGRAM.into(),
        owner: Uid::ROOT,
        group,
        mode: 0o2755,
        order: Order::default(),
        links: Vec::new(),
    }
}

/// Starts it, and waits for its end.
fn container(
    settings: &Settings,
    base: &Image,
    case: &Case,
    wrapper: &[u8],
    own: Gid,
    name: &str,
) -> Result<Ended, Problem> {
    let script = format!("#!/bin/sh\n{}\n", case.script.as_deref().unwrap_or("id"));
    let wish = &case.options;
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let command = match &case.command {
        Some(command) => ["/bin/sh", "-ec", command].map(str::to_owned).into(),
        None => [PROGRAM, SCRIPT, "list"].map(str::to_owned).into(),
    };
    let alone = |image: &str, files| {
        let host = HostConfig {
            group_add: some(&wish.group_add),
            init: Some(wish.init),
            readonly_rootfs: Some(wish.read_only),
            cap_drop: some(&wish.cap_drop),
            security_opt: some(&wish.security_opt),
            tmpfs: Some(wish.tmpfs.clone().into_iter().collect()),
            ..HostConfig::default()
        };
        settings.run_alone(Alone { image, files, command, user: wish.user.clone(), host })
    };
    let tar = |files: &[(&str, u32, Gid, &[u8])]| archive(files).map_err(|error| Problem::internal(error.to_string()));
    let ended = match &case.dockerfile {
        None => {
            let at = format!("{PREFIX}/scripts/{SCRIPT}");
            let files = [(PROGRAM, 0o2755, own, wrapper), (&at, 0o755, own, script.as_bytes())];
            alone(&base.reference(), Some(tar(&files)?))
        }
        Some(lines) => {
            let dockerfile = settings.dockerfile_from(&base.reference()) + lines;
            // Owner and mode as a checkout, or an installation, has them.
            let files = [
                ("Dockerfile", 0o644, Gid::ROOT, dockerfile.as_bytes()),
                ("mailman", 0o2755, own, wrapper),
                (SCRIPT, 0o755, own, script.as_bytes()),
            ];
            settings.with_image(name, &tar(&files)?, |image| alone(image, None))
        }
    };
    ended.map_err(problem)
}

/// A tar archive of files of root's: path, mode, group, content.
fn archive(files: &[(&str, u32, Gid, &[u8])]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, mode, group, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(u64::from(group.as_raw()));
        archive.append_data(&mut header, path.trim_start_matches('/'), *bytes)?;
    }
    archive.into_inner()
}

/// What is not as stated.
fn differences(case: &Case, ended: &Ended) -> Vec<String> {
    let output = &ended.output;
    let mut found = Vec::new();
    if ended.exit != case.exit {
        found.push(format!("exit: found {}, wanted {}, with\n{output}", ended.exit, case.exit));
    }
    let says = |words: &&String| output.contains(words.as_str());
    let missing = case.says.iter().filter(|words| !says(words));
    found.extend(missing.map(|words| format!("says: `{words}` is not in\n{output}")));
    let wrong = case.never.iter().filter(says);
    found.extend(wrong.map(|words| format!("never: `{words}` is in\n{output}")));
    found
}

#[cfg(test)]
mod tests {
    use super::{Ended, differences};
    use crate::scenario::engine::parse;
    use rstest::rstest;

    const CASE: &str = r#"
title = "t"
why = "w"
source = "s"
[[case]]
name = "control"
control = true
trusts = "mail"
exit = 9
says = ["not running"]
never = ["gid="]
"#;

    #[rstest]
    #[case::as_stated(9, "it is not running set-group-ID", "")]
    #[case::another_status(2, "it is not running set-group-ID", "exit: found 2, wanted 9")]
    #[case::silent(9, "", "says: `not running` is not in")]
    #[case::too_much(9, "gid=8 and not running", "never: `gid=` is in")]
    fn what_is_not_as_stated_is_said(#[case] exit: i64, #[case] output: &str, #[case] words: &str) {
        let file = parse("a.toml", CASE).expect("it is sound");
        let found = differences(&file.cases[0], &Ended { exit, output: output.to_owned() });
        assert_eq!(found.is_empty(), words.is_empty(), "{found:#?}");
        assert!(found.iter().all(|difference| difference.starts_with(words)), "{found:#?}");
    }
}
