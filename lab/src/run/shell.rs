//! A shell in the place of a case's subject: the host's programs beside the case's files, and the case's invoker.

use crate::backend::libraries;
use crate::case::Case;
use lab_invocation::invocation::{Stdin, Transition};
use lab_invocation::layout::{Node, NodeKind, Order};
use lab_invocation::{Arguments, Bytes, Gid, Invocation, Layout, Uid};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What of the host is there: programs, libraries and what they read everywhere. See file-hierarchy(7).
const HOST: [&str; 15] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/terminfo",
];

/// Where a shell looks for programs.
const PATH: &str = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

/// The shell of every Linux.
const SHELL: &str = "/bin/sh";

/// Binds the host's programs and libraries into a layout, read-only, wherever the layout itself has nothing.
pub fn furnish(layout: &mut Layout) {
    let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
    let nodes = layout.nodes.iter().map(|node| &node.path);
    for path in nodes.chain(layout.mounts.iter().map(|mount| &mount.at)) {
        taken.extend(Path::new(OsStr::from_bytes(path.as_slice())).ancestors().map(Path::to_owned));
    }
    HOST.iter().for_each(|path| add(layout, &taken, Path::new(path)));
}

/// One place of the host. A directory in which the layout has something is taken entry by entry, and what the layout has
/// stays as it is.
fn add(layout: &mut Layout, taken: &BTreeSet<PathBuf>, path: &Path) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    if !taken.contains(path) {
        match std::fs::read_link(path) {
            Ok(target) if metadata.is_symlink() => link(layout, path, &target),
            _ => libraries::bind(layout, path),
        }
    } else if is_directory(layout, path) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| add(layout, taken, entry));
    }
}

/// Whether the layout has a plain directory there: what is mounted over would hide what is added.
fn is_directory(layout: &Layout, path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    layout.nodes.iter().any(|node| node.path.as_slice() == path && node.kind == NodeKind::Directory)
        && layout.mounts.iter().all(|mount| mount.at.as_slice() != path)
}

fn link(layout: &mut Layout, path: &Path, target: &Path) {
    layout.nodes.push(Node {
        path: path.as_os_str().as_bytes().into(),
        owner: Uid::ROOT,
        group: Gid::ROOT,
        mode: 0o777,
        kind: NodeKind::Symlink(target.as_os_str().as_bytes().into()),
        order: Order::default(),
    });
}

/// What the user runs in place of the subject.
#[derive(Clone, Debug)]
pub enum Wanted<'a> {
    /// A shell on the user's terminal.
    Terminal,
    /// A shell which reads these bytes.
    Script(Bytes),
    /// A command with arguments, found as a shell finds it, which reads these bytes.
    Command(&'a [OsString], Bytes),
}

/// Starts a shell as the case's invoker: with his ids, capabilities, umask, working directory and whatever keeps the
/// set-group-ID bit from acting. What a case arranges for the start of the subject alone (arguments, environment,
/// descriptors, limits, signals, faults) would not leave a shell to work with, and is left out.
pub fn invocation(case: &Case, wanted: &Wanted<'_>, variables: &[(&str, OsString)]) -> Invocation {
    let given = &case.invocation;
    let mut argv = Arguments::from([SHELL.into()]);
    let identity = &given.identity;
    if identity.uid != identity.effective_uid || identity.gid != identity.effective_gid {
        // Without it shells give up a borrowed id at once.
        argv.push("-p".into());
    }
    let mut stdin = Bytes::default();
    match wanted {
        Wanted::Terminal => argv.push("-i".into()),
        Wanted::Script(script) => stdin = script.clone(),
        Wanted::Command(words, input) => {
            argv.extend(["-c", "exec \"$@\"", "sh"].map(Bytes::from));
            argv.extend(words.iter().map(|word| word.as_bytes().into()));
            stdin = input.clone();
        }
    }
    let mut env: Vec<Bytes> = vec![PATH.into(), "HOME=/tmp".into()];
    env.extend(variables.iter().map(|(name, value)| Bytes([name.as_bytes(), b"=", value.as_bytes()].concat())));
    Invocation {
        argv,
        env,
        stdin: Stdin::Bytes(stdin),
        umask: given.umask,
        cwd: given.cwd.clone(),
        transition: Transition { foreign_mount: false, by_descriptor: false, ..given.transition.clone() },
        capabilities: given.capabilities.clone(),
        deadline_ms: A_DAY_MS,
        ..Invocation::quiet(SHELL.into(), identity.clone())
    }
}

/// How long a shell may be used, in milliseconds; nobody counts on more.
const A_DAY_MS: u32 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::{Wanted, furnish, invocation};
    use crate::backend::libraries::bind;
    use crate::run::sample::case;
    use lab_invocation::layout::NodeKind;
    use lab_invocation::{Gid, Layout};
    use std::path::Path;

    #[test]
    fn what_the_case_has_stays_and_the_rest_comes_from_the_host() {
        let mut whole = Layout::default();
        furnish(&mut whole);
        let mut layout = Layout::default();
        bind(&mut layout, Path::new("/usr/bin/env"));
        let before = layout.clone();
        furnish(&mut layout);
        assert!(layout.nodes.starts_with(&before.nodes) && layout.mounts.starts_with(&before.mounts));
        let mounted =
            |layout: &Layout, path: &str| layout.mounts.iter().filter(|mount| mount.at == path.into()).count();
        assert_eq!((mounted(&whole, "/usr/bin"), mounted(&whole, "/usr/bin/env")), (1, 0));
        assert_eq!((mounted(&layout, "/usr/bin"), mounted(&layout, "/usr/bin/env")), (0, 1));
        let has = |path: &str| layout.nodes.iter().any(|node| node.path == path.into());
        assert!(has("/usr/bin/sleep") && has("/usr/share") && !has("/usr/local"));
    }

    #[test]
    fn the_invoker_is_the_case_s_and_his_arguments_are_not() {
        let mut case = case("a/b", "c");
        case.invocation.umask = 0o77;
        case.invocation.alarm_seconds = Some(1);
        case.invocation.argv.push("post".into());
        let words = ["id".into(), "-g".into()];
        let shell = invocation(&case, &Wanted::Command(&words, "x".into()), &[("TERM", "dumb".into())]);
        assert_eq!((shell.umask, shell.alarm_seconds), (0o77, None));
        assert_eq!(shell.identity, case.invocation.identity);
        assert_eq!(shell.argv, ["/bin/sh", "-c", "exec \"$@\"", "sh", "id", "-g"].map(Into::into));
        assert!(shell.env.contains(&"TERM=dumb".into()));
        case.invocation.identity.effective_gid = Gid::new(38).expect("a gid");
        assert_eq!(invocation(&case, &Wanted::Terminal, &[]).argv, ["/bin/sh", "-p", "-i"].map(Into::into));
    }

    #[test]
    fn links_of_the_host_are_links() {
        let mut layout = Layout::default();
        furnish(&mut layout);
        for node in &layout.nodes {
            let host = Path::new(std::ffi::OsStr::new(std::str::from_utf8(node.path.as_slice()).expect("text")));
            assert_eq!(host.is_symlink(), matches!(node.kind, NodeKind::Symlink(_)), "{}", host.display());
        }
    }
}
