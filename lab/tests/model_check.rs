//! The model against the running kernel; and a model with one wrong rule against the same answers, which the check must
//! notice every time.
//!
//! Needs root, or an ordinary user with subordinate ids. Without, the tests are skipped, and say so; `LAB_REQUIRE`
//! turns that into a failure.

#[path = "support/required.rs"]
mod required;

use lab::model_check::{Checked, Model, Oracle, check_each, sendmail_programs};
use lab::problem::{Kind, Problem};
use lab::run::programs::Programs;
use lab::run::tree::Tree;
use lab_invocation::trial::Call;
use lab_model::Process;
use lab_model::capability::Securebits;
use lab_model::exec::{Circumstances, Executed, Image, Kernel};
use lab_model::ids::Ids;
use lab_model::process::Errno;
use std::path::{Path, PathBuf};

fn agent() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("lab/ lies in the checkout").to_path_buf();
    let programs = Programs::provide(&Tree::Checkout { root }, &["lab-agent"], &mut |_| ()).expect("the agent builds");
    programs.path("lab-agent").expect("cargo names it").to_path_buf()
}

/// The result, or `None` with a printed reason where this machine allows nothing and nothing is required.
fn unless_impossible<T>(result: Result<T, Problem>) -> Option<T> {
    match result {
        Ok(found) => Some(found),
        Err(problem) => {
            assert_eq!(problem.kind, Kind::Unresolved, "{problem}");
            required::skip("namespace", problem);
            None
        }
    }
}

type ChangeCall = fn(&mut Process, &Call) -> i64;
type ChangeExec = fn(Process, Image, Circumstances, Kernel) -> Result<Executed, Errno>;

/// A model with one wrong rule.
struct Wrong {
    rule: &'static str,
    call: Option<ChangeCall>,
    exec: Option<ChangeExec>,
}

impl Wrong {
    const fn call(rule: &'static str, call: ChangeCall) -> Self {
        Self { rule, call: Some(call), exec: None }
    }

    const fn exec(rule: &'static str, exec: ChangeExec) -> Self {
        Self { rule, call: None, exec: Some(exec) }
    }
}

impl Oracle for Wrong {
    fn call(&self, process: &mut Process, call: &Call) -> i64 {
        match self.call {
            Some(wrong) => wrong(process, call),
            None => Model.call(process, call),
        }
    }

    fn exec(
        &self,
        process: &Process,
        image: &Image,
        circumstances: Circumstances,
        kernel: Kernel,
    ) -> Result<Executed, Errno> {
        match self.exec {
            Some(wrong) => wrong(process.clone(), image.clone(), circumstances, kernel),
            None => Model.exec(process, image, circumstances, kernel),
        }
    }
}

const WRONG_CALLS: &[Wrong] = &[
    Wrong::call("setuid takes the effective id for a choice", |process, call| match *call {
        Call::SetUid(id) if id == process.uid.effective => {
            let answer = Model.call(process, call);
            if answer < 0 { 0 } else { answer }
        }
        _ => Model.call(process, call),
    }),
    Wrong::call("setreuid leaves the saved id", |process, call| {
        let saved = process.uid.saved;
        let answer = Model.call(process, call);
        if matches!(call, Call::SetReUid(..)) {
            process.uid.saved = saved;
        }
        answer
    }),
    Wrong::call("setresgid that changes nothing moves the file-system id all the same", |process, call| {
        let answer = Model.call(process, call);
        if matches!(call, Call::SetResGid(..)) && answer == 0 {
            process.gid.fs = process.gid.effective;
        }
        answer
    }),
    Wrong::call("setfsuid reports a refusal", |process, call| {
        let before = process.uid.fs;
        let answer = Model.call(process, call);
        if matches!(call, Call::SetFsUid(id) if *id != process.uid.fs) && process.uid.fs == before {
            -1
        } else {
            answer
        }
    }),
    Wrong::call("capabilities do not follow uids", |process, call| {
        let capabilities = process.capabilities;
        let answer = Model.call(process, call);
        process.capabilities = capabilities;
        answer
    }),
    Wrong::call("KEEP_CAPS keeps nothing", |process, call| {
        let securebits = process.securebits;
        process.securebits = securebits.without(Securebits::KEEP_CAPS);
        let answer = Model.call(process, call);
        process.securebits = securebits;
        answer
    }),
    Wrong::call("NO_SETUID_FIXUP does nothing", |process, call| {
        let securebits = process.securebits;
        process.securebits = securebits.without(Securebits::NO_SETUID_FIXUP);
        let answer = Model.call(process, call);
        process.securebits = securebits;
        answer
    }),
    Wrong::call("anybody may drop all groups", |process, call| match call {
        Call::SetGroups(groups) if groups.as_slice().is_empty() => {
            process.groups.clear();
            0
        }
        _ => Model.call(process, call),
    }),
    Wrong::call("an id without a mapping is EPERM", |process, call| match Model.call(process, call) {
        -22 => -1,
        answer => answer,
    }),
];

const WRONG_EXECS: &[Wrong] = &[
    Wrong::exec("nosuid does nothing", |process, mut image, circumstances, kernel| {
        image.mount.nosuid = false;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("a mount of another namespace is like any other", |process, mut image, circumstances, kernel| {
        image.mount.foreign = false;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec(
        "a file system of another user namespace is like any other",
        |process, mut image, circumstances, kernel| {
            image.mount.foreign_owner = false;
            Model.exec(&process, &image, circumstances, kernel)
        },
    ),
    Wrong::exec("set-group-ID acts without group-execute", |process, mut image, circumstances, kernel| {
        image.mode |= 0o010;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("the owner need not be mapped", |process, mut image, circumstances, kernel| {
        if image.mode & 0o4000 == 0 {
            image.owner = Some(process.uid.real);
        }
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("members are like everybody, as before 6.16", |process, image, circumstances, _| {
        Model.exec(&process, &image, circumstances, Kernel { major: 6, minor: 15 })
    }),
    Wrong::exec("no_new_privs does nothing", |mut process, image, circumstances, kernel| {
        let no_new_privs = std::mem::take(&mut process.no_new_privs);
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.process.no_new_privs = no_new_privs;
        Ok(executed)
    }),
    Wrong::exec("a shared working directory does nothing", |process, image, mut circumstances, kernel| {
        circumstances.shares_fs = false;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("a tracer does nothing", |process, image, mut circumstances, kernel| {
        circumstances.tracer = None;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("the saved gid survives", |process, image, circumstances, kernel| {
        let saved = process.gid.saved;
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.process.gid = Ids { saved, ..executed.process.gid };
        Ok(executed)
    }),
    Wrong::exec("AT_SECURE only where an id was gained", |process, image, circumstances, kernel| {
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        let gained = executed.process.gid.effective != process.gid.effective
            || executed.process.uid.effective != process.uid.effective;
        executed.secure &= gained;
        Ok(executed)
    }),
    Wrong::exec("the parent-death signal survives", |process, image, circumstances, kernel| {
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.process.parent_death_signal = process.parent_death_signal;
        Ok(executed)
    }),
    Wrong::exec("ambient capabilities go with any set-id bit", |process, image, circumstances, kernel| {
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        if image.mode & 0o6000 != 0 {
            executed.process.capabilities.ambient = lab_model::capability::CapSet::EMPTY;
        }
        Ok(executed)
    }),
    Wrong::exec("a program with a gained id is dumpable", |process, image, circumstances, kernel| {
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.process.dumpable = true;
        Ok(executed)
    }),
    Wrong::exec("an unlimited stack stays unlimited", |process, image, circumstances, kernel| {
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.stack_limited = false;
        Ok(executed)
    }),
    Wrong::exec("file capabilities give nothing", |process, mut image, circumstances, kernel| {
        image.capabilities = None;
        Model.exec(&process, &image, circumstances, kernel)
    }),
    Wrong::exec("root gets all capabilities whatever NOROOT says", |mut process, image, circumstances, kernel| {
        let securebits = process.securebits;
        process.securebits = securebits.without(Securebits::NOROOT);
        let mut executed = Model.exec(&process, &image, circumstances, kernel)?;
        executed.process.securebits = securebits.without(Securebits::KEEP_CAPS);
        Ok(executed)
    }),
];

#[test]
fn the_model_agrees_with_the_kernel_and_a_wrong_one_does_not() {
    let wrong: Vec<&Wrong> = WRONG_CALLS.iter().chain(WRONG_EXECS).collect();
    let mut oracles: Vec<&dyn Oracle> = vec![&Model];
    oracles.extend(wrong.iter().map(|&wrong| wrong as &dyn Oracle));
    let Some(mut checked) = unless_impossible(check_each(&agent(), 2, &oracles)) else { return };
    let right = checked.remove(0);
    assert_eq!(right.mismatches(), 0, "{right}");
    assert!(right.tried() >= 2 * 18_576, "{right}");
    assert!(right.sections.iter().all(|section| section.tried > 0), "{right}");
    let exec = |checked: &Checked| checked.sections.last().map_or(0, |section| section.mismatches);
    for (wrong, checked) in wrong.iter().zip(&checked) {
        let (in_exec, everywhere) = (exec(checked), checked.mismatches());
        let noticed = if wrong.exec.is_some() { in_exec } else { everywhere - in_exec };
        assert!(noticed > 0, "not noticed: {}", wrong.rule);
        assert_eq!(noticed, everywhere, "{}: noticed where it plays no part", wrong.rule);
        assert!(checked.sections.iter().any(|section| !section.examples.is_empty()), "{}: no example", wrong.rule);
    }
}

#[test]
fn sendmails_programs_find_what_they_found_on_linux() {
    let Some(programs) = unless_impossible(sendmail_programs(&agent())) else { return };
    let found: Vec<_> = programs.iter().map(|program| (program.name, program.passes())).collect();
    let wanted = [
        ("t_setuid", true),
        ("t_setuid, CAP_SETUID withheld", false),
        ("t_seteuid", true),
        ("t_setreuid", true),
        ("t_setgid by setgid", false),
        ("t_setgid by setregid", true),
        ("t_dropgid by setgid", false),
        ("t_dropgid by setegid", false),
        ("t_dropgid by setregid", true),
        ("t_dropgid by setresgid", true),
        ("t_exclopen", true),
    ];
    assert_eq!(found, wanted.map(|(name, passes)| (name, Some(passes))));
    for program in &programs {
        assert!(program.agrees(), "{program}");
    }
}
