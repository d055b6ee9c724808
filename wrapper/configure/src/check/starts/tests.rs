use super::*;
use crate::check::testing::installation;
use crate::encode::Values;
use crate::fake_program::{mail_values, sealed};
use crate::program::Program;
use rstest::rstest;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use wrapper::script::FileKind as Kind;

/// Path, and kind, owner, group, mode.
type Entry = (&'static str, (Kind, u32, u32, u32));

/// A tree in memory.
struct Tree(BTreeMap<&'static str, (Kind, u32, u32, u32)>);

impl Tree {
    fn with(changes: &[Entry]) -> Self {
        let mut files: BTreeMap<_, _> =
            ["/", "/mm", "/mm/scripts"].into_iter().map(|path| (path, (Kind::Directory, 0, 38, 0o2775))).collect();
        files.insert("/mm/scripts/post", (Kind::Regular, 0, 38, 0o755));
        files.extend(changes.iter().copied());
        Self(files)
    }
}

impl Files for Tree {
    fn status(&self, path: &Path) -> Result<Status, Errno> {
        let (kind, uid, gid, mode) = *path.to_str().and_then(|path| self.0.get(path)).ok_or(Errno::ENOENT)?;
        Ok(Status { kind, uid, gid, mode })
    }

    fn link_target(&self, _: &Path) -> Result<PathBuf, Errno> {
        Err(Errno::EINVAL)
    }

    /// Only the prefix has one, where it is sticky.
    fn has_access_list(&self, path: &Path) -> Result<bool, Errno> {
        Ok(path == Path::new("/mm") && self.0["/mm"].3 & 0o1000 != 0)
    }
}

const SCRIPT: &str = "/mm/scripts/post";

/// One fault hides no other.
#[rstest]
#[case::sound(&[], &[])]
#[case::all_on_the_way(
    &[("/", (Kind::Directory, 0, 0, 0o775)), ("/mm", (Kind::Directory, 7, 38, 0o2777)), (SCRIPT, (Kind::Regular, 39, 8, 0o775))],
    &[("/", StartFault::GroupWritable { gid: 0 }), ("/mm", StartFault::Owner { uid: 7 }), ("/mm", StartFault::WorldWritable),
        (SCRIPT, StartFault::GroupWritable { gid: 8 })])]
#[case::access_list(&[("/mm", (Kind::Directory, 0, 38, 0o3775))], &[("/mm", StartFault::AccessList)])]
#[case::sticky(&[("/mm", (Kind::Directory, 0, 38, 0o1777))], &[("/mm", StartFault::WorldWritable), ("/mm", StartFault::AccessList)])]
#[case::a_file_on_the_way(&[("/mm", (Kind::Regular, 7, 38, 0o755))],
    &[("/mm", StartFault::Owner { uid: 7 }), ("/mm", StartFault::NotADirectory)])]
fn every_fault_is_found(#[case] changes: &[Entry], #[case] wanted: &[(&str, StartFault)]) {
    let program = Program::parse(Path::new("mailman"), sealed(&mail_values())).expect("a sealed program");
    let policy = program.policy().expect("sound");
    let found = faults(Path::new(SCRIPT), &policy, &Tree::with(changes));
    let found: Vec<(&str, StartFault)> =
        found.iter().map(|(path, fault)| (path.to_str().expect("text"), *fault)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn nothing_is_found_behind_what_is_not_there() {
    let program = Program::parse(Path::new("mailman"), sealed(&mail_values())).expect("a sealed program");
    let policy = program.policy().expect("sound");
    let found = faults(Path::new("/mm/bin/post"), &policy, &Tree::with(&[]));
    assert_eq!(found, [(PathBuf::from("/mm/bin"), StartFault::Unreachable(Errno::ENOENT))]);
}

#[rstest]
#[case::as_usual(b"#!/usr/bin/python3 -S\nimport os\n", Some("/usr/bin/python3"))]
#[case::blanks(b"#! \t/bin/sh\t-e\n", Some("/bin/sh"))]
#[case::no_line_feed(b"#!/bin/sh", Some("/bin/sh"))]
#[case::not_unicode(b"#!/bin/\xff\n", Some("/bin/\u{fffd}"))]
#[case::program(b"\x7fELF\x02\x01", None)]
fn first_lines_that_lead_somewhere(#[case] head: &[u8], #[case] wanted: Option<&str>) {
    let found = match interpreter(head) {
        FirstLine::Program => None,
        FirstLine::Interpreter(path) => Some(path.to_string_lossy().into_owned()),
        FirstLine::Unusable(found) => panic!("{found}"),
    };
    assert_eq!(found.as_deref(), wanted);
}

#[rstest]
#[case::empty(b"", "neither")]
#[case::text(b"import os\n", "neither")]
#[case::blank_before(b" #!/bin/sh\n", "neither")]
#[case::nothing(b"#!\n/bin/sh", "\"\"")]
#[case::relative(b"#!sh\n", "\"sh\"")]
#[case::escape(b"#!\x1b[2J\n", r"\x1b[2J")]
fn first_lines_that_do_not(#[case] head: &[u8], #[case] words: &str) {
    assert!(matches!(interpreter(head), FirstLine::Unusable(found) if found.contains(words)));
}

/// Interpreters that name each other end where the kernel ends.
#[test]
fn a_circle_of_interpreters_is_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("script");
    std::fs::write(&script, format!("#!{}\n", shown(&script))).expect("a script");
    // Wherever the directory lies, there is something to be found.
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o777)).expect("its mode");
    let values = Values { owner: (nix::unistd::geteuid().as_raw(), b"me".to_vec()), ..mail_values() };
    let program = Program::parse(Path::new("mailman"), sealed(&values)).expect("a sealed program");
    let policy = program.policy().expect("sound");
    let installation = installation(Path::new("/mm"));
    let mut troubles = Vec::new();
    let mut found = Search {
        policy: &policy,
        accounts: &installation.accounts,
        because: UNSEEN,
        findings: Vec::new(),
        troubles: &mut troubles,
    };
    found.look_at_interpreter(&script);
    let at_script: Vec<Row> = found.findings.iter().filter(|at| at.path == script).map(|at| at.row).collect();
    assert_eq!(at_script, [Row::Path], "it was followed, and is told once: {:?}", found.findings);
    assert!(found.findings.iter().all(|finding| finding.row == Row::Path), "{:?}", found.findings);
    assert!(found.troubles.is_empty(), "{:?}", found.troubles);
}
