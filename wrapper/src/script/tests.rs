//! The way to a script through file systems that are wrong in one place each.

use super::{Checked, FileKind, Files, RealFiles, Status, check_files, execute};
use crate::caller::Admitted;
use crate::credentials::Switched;
use crate::decision::Plan;
use crate::group_names;
use crate::refusal::{Refusal, StartFault};
use crate::sample::{LIST, OWNER, gid, mail_policy};
use crate::surroundings::AccountName;
use crate::sys::Disposition;
use crate::sys::tests::{all_signals_are, in_child};
use nix::errno::Errno;
use rstest::rstest;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};

const SCRIPT: &str = "/usr/local/mailman/scripts/post";

/// A tree by path. What a link points to is with it.
struct Tree(BTreeMap<PathBuf, (Status, &'static str)>);

impl Tree {
    /// An installation as `make install` leaves it: directories group-writable by the own group.
    fn sound() -> Self {
        let mut tree = Self(BTreeMap::new());
        for path in ["/", "/usr", "/usr/bin", "/usr/local"] {
            tree.put(path, FileKind::Directory, 0, 0, 0o755);
        }
        for path in ["/usr/local/mailman", "/usr/local/mailman/scripts"] {
            tree.put(path, FileKind::Directory, OWNER.uid, LIST.gid.as_raw(), 0o2775);
        }
        tree.put(SCRIPT, FileKind::Regular, OWNER.uid, LIST.gid.as_raw(), 0o664);
        tree.put("/usr/bin/python3", FileKind::Regular, 0, 0, 0o755);
        tree
    }

    fn put(&mut self, path: &str, kind: FileKind, uid: u32, gid: u32, mode: u32) {
        self.0.insert(path.into(), (Status { kind, uid, gid, mode }, ""));
    }

    fn link(&mut self, path: &str, target: &'static str) {
        self.0.insert(path.into(), (Status { kind: FileKind::Link, uid: 0, gid: 0, mode: 0o777 }, target));
    }

    fn check(&self, files: &[&str]) -> Option<(PathBuf, StartFault)> {
        match check_files(&Switched::assumed(), plan(files), &mail_policy(), self) {
            Ok(Checked(_)) => None,
            Err(Refusal::NotStarted { path, fault, name: _, owner: OWNER, own: LIST }) => Some((path, fault)),
            Err(other) => panic!("{other:?} is not about a file"),
        }
    }
}

impl Files for Tree {
    fn status(&self, path: &Path) -> Result<Status, Errno> {
        self.0.get(path).map(|(status, _)| *status).ok_or(Errno::ENOENT)
    }

    fn link_target(&self, path: &Path) -> Result<PathBuf, Errno> {
        match self.0.get(path) {
            Some((_, "unreadable")) => Err(Errno::EACCES),
            Some((_, target)) => Ok(target.into()),
            None => Err(Errno::ENOENT),
        }
    }

    /// Whatever has the sticky bit, which the check does not look at.
    fn has_access_list(&self, path: &Path) -> Result<bool, Errno> {
        match self.status(path)?.mode & 0o5000 {
            0o5000 => Err(Errno::EIO),
            0o1000 => Ok(true),
            _ => Ok(false),
        }
    }
}

/// A plan that executes the first of these.
fn plan(files: &[&str]) -> Plan<'static> {
    let mut files = files.iter().rev().map(|file| CString::new(*file).expect("no NUL"));
    Plan {
        admitted: Admitted::assumed(),
        script: files.next().expect("a script"),
        interpreter: files.next(),
        argv: Vec::new(),
        environment: Vec::new(),
    }
}

#[test]
fn a_sound_installation_passes() {
    assert_eq!(Tree::sound().check(&["/usr/bin/python3", SCRIPT]), None);
}

#[rstest]
#[case::stranger_owns_the_script(SCRIPT, FileKind::Regular, 1000, 38, 0o600, StartFault::Owner { uid: 1000 })]
#[case::stranger_owns_a_directory("/usr/local", FileKind::Directory, 1000, 38, 0o500, StartFault::Owner { uid: 1000 })]
#[case::stranger_owns_a_link("/usr/local", FileKind::Link, 1000, 38, 0o777, StartFault::Owner { uid: 1000 })]
#[case::caller_writes_the_root("/", FileKind::Directory, 0, 8, 0o775, StartFault::GroupWritable { gid: 8 })]
#[case::root_group_writes("/usr/local", FileKind::Directory, 0, 0, 0o775, StartFault::GroupWritable { gid: 0 })]
#[case::everybody_writes_the_script(SCRIPT, FileKind::Regular, 0, 38, 0o666, StartFault::WorldWritable)]
#[case::everybody_writes_a_directory("/usr", FileKind::Directory, 0, 0, 0o757, StartFault::WorldWritable)]
#[case::sticky_is_no_excuse("/usr", FileKind::Directory, 0, 0, 0o1777, StartFault::WorldWritable)]
#[case::access_list("/usr/local/mailman", FileKind::Directory, 0, 38, 0o1775, StartFault::AccessList)]
#[case::access_list_unread(
    "/usr/local/mailman",
    FileKind::Directory,
    0,
    38,
    0o5775,
    StartFault::Unreachable(Errno::EIO)
)]
#[case::script_is_a_directory(SCRIPT, FileKind::Directory, 0, 0, 0o755, StartFault::NotAFile)]
#[case::script_is_a_fifo(SCRIPT, FileKind::Other, 0, 0, 0o644, StartFault::NotAFile)]
#[case::directory_is_a_file("/usr/local/mailman", FileKind::Regular, 0, 0, 0o644, StartFault::NotADirectory)]
#[case::directory_is_a_device("/usr/local", FileKind::Other, 0, 0, 0o644, StartFault::NotAFile)]
fn one_wrong_place_is_found(
    #[case] path: &str,
    #[case] kind: FileKind,
    #[case] uid: u32,
    #[case] gid: u32,
    #[case] mode: u32,
    #[case] fault: StartFault,
) {
    let mut tree = Tree::sound();
    tree.put(path, kind, uid, gid, mode);
    assert_eq!(tree.check(&[SCRIPT]), Some((path.into(), fault)));
}

#[rstest]
#[case::owner_of_the_installation(SCRIPT, FileKind::Regular, OWNER.uid, 8, 0o755)]
#[case::other_group_may_read("/usr/local", FileKind::Directory, 0, 8, 0o755)]
#[case::access_list_without_write("/usr/local", FileKind::Directory, 0, 38, 0o1755)]
fn what_nobody_else_can_write_passes(
    #[case] path: &str,
    #[case] kind: FileKind,
    #[case] uid: u32,
    #[case] gid: u32,
    #[case] mode: u32,
) {
    let mut tree = Tree::sound();
    tree.put(path, kind, uid, gid, mode);
    assert_eq!(tree.check(&[SCRIPT]), None);
}

#[test]
fn every_file_of_the_plan_is_checked() {
    let mut tree = Tree::sound();
    tree.put("/usr/bin/python3", FileKind::Regular, 1000, 0, 0o755);
    assert!(tree.check(&["/usr/bin/python3", SCRIPT]).is_some());
    assert!(tree.check(&[SCRIPT, "/usr/bin/python3"]).is_some());
    assert_eq!(tree.check(&[SCRIPT]), None);
}

#[test]
fn what_is_not_there_is_named() {
    let mut tree = Tree::sound();
    tree.0.remove(Path::new("/usr/local/mailman/scripts"));
    let missing = StartFault::Unreachable(Errno::ENOENT);
    assert_eq!(tree.check(&[SCRIPT]), Some(("/usr/local/mailman/scripts".into(), missing)));
}

#[test]
fn links_are_followed_and_what_they_lead_through_is_checked() {
    let mut tree = Tree::sound();
    tree.link("/usr/local", "../opt/./software//");
    tree.put("/opt", FileKind::Directory, 0, 0, 0o755);
    tree.link("/opt/software", "/srv");
    tree.put("/srv", FileKind::Directory, 0, 0, 0o755);
    tree.link("/srv/mailman", "/usr/lists");
    tree.put("/usr/lists", FileKind::Directory, 0, 0, 0o755);
    tree.put("/usr/lists/scripts", FileKind::Directory, 0, 0, 0o755);
    tree.link("/usr/lists/scripts/post", "admin");
    tree.put("/usr/lists/scripts/admin", FileKind::Regular, 0, 0, 0o755);
    assert_eq!(tree.check(&[SCRIPT]), None);
    for (path, kind) in
        [("/opt", FileKind::Directory), ("/srv", FileKind::Directory), ("/usr/lists/scripts/admin", FileKind::Regular)]
    {
        let sound = tree.0[Path::new(path)];
        tree.put(path, kind, 0, 0, 0o777);
        assert_eq!(tree.check(&[SCRIPT]), Some((path.into(), StartFault::WorldWritable)));
        tree.0.insert(path.into(), sound);
    }
}

#[test]
fn dots_of_a_link_lead_to_where_it_really_is() {
    let mut tree = Tree::sound();
    // From /usr/local/mailman/scripts three levels up, and not above the root.
    tree.link(SCRIPT, "../../../../../../usr/bin/python3");
    assert_eq!(tree.check(&[SCRIPT]), None);
}

#[test]
fn a_link_that_cannot_be_read_is_named() {
    let mut tree = Tree::sound();
    tree.link(SCRIPT, "unreadable");
    assert_eq!(tree.check(&[SCRIPT]), Some((SCRIPT.into(), StartFault::Unreachable(Errno::EACCES))));
}

#[test]
fn links_have_a_limit() {
    let mut tree = Tree::sound();
    let link = |tree: &mut Tree, count: usize| {
        for at in 1..count {
            let target: &'static str = Box::leak(format!("link{}", at + 1).into_boxed_str());
            tree.link(&format!("/usr/bin/link{at}"), target);
        }
        tree.link(&format!("/usr/bin/link{count}"), "python3");
    };
    link(&mut tree, 40);
    assert_eq!(tree.check(&["/usr/bin/link1"]), None);
    link(&mut tree, 41);
    let loops = StartFault::Unreachable(Errno::ELOOP);
    assert_eq!(tree.check(&["/usr/bin/link1"]), Some(("/usr/bin/link1".into(), loops)));
    tree.link("/usr/bin/link1", "link1");
    assert_eq!(tree.check(&["/usr/bin/link1"]), Some(("/usr/bin/link1".into(), loops)));
}

#[test]
fn the_real_file_system_is_seen_as_it_is() {
    let kind = |path: &str| RealFiles.status(Path::new(path)).map(|status| status.kind);
    assert_eq!(kind("/"), Ok(FileKind::Directory));
    assert_eq!(kind("/dev/null"), Ok(FileKind::Other));
    assert_eq!(kind("/proc/self/exe"), Ok(FileKind::Link));
    assert_eq!(kind("/proc/self/status"), Ok(FileKind::Regular));
    assert_eq!(kind("/proc/self/nowhere"), Err(Errno::ENOENT));
    let null = RealFiles.status(Path::new("/dev/null")).expect("there");
    assert_eq!((null.uid, null.gid, null.mode), (0, 0, 0o666));
    assert_eq!(RealFiles.link_target(Path::new("/proc/self")), Ok(std::process::id().to_string().into()));
    assert_eq!(RealFiles.has_access_list(Path::new("/proc/self/nowhere")), Err(Errno::ENOENT));
    assert_eq!(RealFiles.has_access_list(Path::new("/")), Ok(false));
}

#[test]
fn a_plan_is_executed_with_its_arguments_and_environment_and_every_signal_at_its_default() {
    let look = c"[ \"$0 $1 $A\" = 'zero one two' ] && grep -q '^SigIgn:.0*$' /proc/self/status";
    let argv = [c"sh", c"-c", look, c"zero", c"one"].map(Cow::Borrowed).to_vec();
    let sound = Plan { argv, environment: vec![c"PATH=/usr/bin:/bin", c"A=two"], ..plan(&["/bin/sh", SCRIPT]) };
    assert!(in_child(|| {
        crate::sys::dispose_of_signals(Disposition::Ignore).expect("possible");
        let _ = execute(&Checked(sound), &mail_policy());
        false
    }));
}

/// Whoever is uid 1 and gid 1 here: no system is without them.
#[rstest]
#[case::user(1, 38, 0o600, group_names::name_of_user(1))]
#[case::group(0, 1, 0o660, group_names::name_of(gid(1)))]
fn who_could_change_it_is_named(#[case] uid: u32, #[case] group: u32, #[case] mode: u32, #[case] called: AccountName) {
    let mut tree = Tree::sound();
    tree.put(SCRIPT, FileKind::Regular, uid, group, mode);
    let refused = check_files(&Switched::assumed(), plan(&[SCRIPT]), &mail_policy(), &tree);
    assert!(matches!(called, AccountName::Known(_)), "{called:?}");
    assert!(matches!(refused, Err(Refusal::NotStarted { name, .. }) if name == called));
}

#[test]
fn an_exec_that_fails_is_a_refusal_and_signals_stay_ignored() {
    let missing = Checked(plan(&["/proc/self/nowhere"]));
    let policy = mail_policy();
    assert!(in_child(|| {
        let refusal = execute(&missing, &policy);
        let (fault, name) = (StartFault::Exec(Errno::ENOENT), AccountName::Nameless);
        refusal == Refusal::NotStarted { path: "/proc/self/nowhere".into(), fault, name, owner: OWNER, own: LIST }
            && all_signals_are(Disposition::Ignore)
    }));
}
