//! The programs as they are delivered: optimised, static, for musl. What holds of a debug build need not hold of them: an
//! optimiser that knows the unsealed section by heart would never look at the sealed one.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests start the programs, and those of a system")]

#[path = "../../lab/tests/support/required.rs"]
mod required;
mod support {
    pub(crate) mod binary;
    pub(crate) mod queue_seal;
    pub(crate) mod seal;
}

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use support::binary;
use support::queue_seal::queue;
use support::seal::{body, cgi, mail, number, section, with};
use wrapper::policy::{Kind, SECTION_NAME, Tag};

/// Where the built programs are, or why there are none.
static BUILT: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", &target]).output();
    let libraries = libraries.map_err(|error| format!("rustc: {error}"))?.stdout;
    if !Path::new(String::from_utf8_lossy(&libraries).trim()).exists() {
        return Err(format!("rustup target add {target} has not been run"));
    }
    // Below the directory of the tests, so that no other build of the same programs is in the way.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("static");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "wrapper", "--profile", "lab", "--target", &target, "--target-dir"])
        .arg(&directory)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.expect("cargo").success(), "the static build fails");
    Ok(directory.join(target).join("lab"))
});

fn program(kind: Kind) -> Option<PathBuf> {
    match &*BUILT {
        Ok(directory) => Some(directory.join(kind.program())),
        Err(reason) => {
            required::skip("tools", reason);
            None
        }
    }
}

/// Exit status and standard error or, of the CGI wrapper, output. As whoever runs the tests.
fn run(name: &str, bytes: &[u8]) -> (Option<i32>, String) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("mode");
    // By a shell, which tries again: another test's child may still have the file open for writing.
    let run = "for try in 1 2 3 4 5 6 7 8 9; do \"$0\"; status=$?; [ $status = 126 ] || exit $status; sleep 0.1; done";
    let ended = Command::new("/bin/sh").args(["-c", run]).arg(&path).stdin(Stdio::null()).output().expect("sh");
    let said = if ended.stdout.is_empty() { ended.stderr } else { ended.stdout };
    (ended.status.code(), String::from_utf8(said).expect("text"))
}

#[test]
fn sealing_changes_what_the_optimised_programs_do() {
    let kinds = [(Kind::Mail, mail(), [10, 9]), (Kind::Cgi, cgi(), [10, 9]), (Kind::Queue, queue(), [78, 78])];
    for (kind, records, [no_policy, bit_lost]) in kinds {
        let Some(program) = program(kind) else { return };
        let name = kind.program();
        let (status, said) = run(&format!("{name}-unsealed"), &std::fs::read(&program).expect("built"));
        assert_eq!((status, said.contains("has not been sealed")), (Some(no_policy), true), "{said}");

        // Two policies that differ in one number, and a group that nobody who runs tests has.
        for own in [4_000_000_001, 4_000_000_002] {
            let records = with(records.clone(), Tag::OwnGid, &[&number(own)]);
            let sealed = binary::sealed(&program, kind, &section(kind, &body(&records)));
            let (status, said) = run(&format!("{name}-sealed"), &sealed);
            assert_eq!((status, said.contains(&format!("not gid {own} (list)"))), (Some(bit_lost), true), "{said}");
        }

        let mut damaged = section(kind, &body(&records));
        damaged[40] ^= 1;
        let (status, said) = run(&format!("{name}-damaged"), &binary::sealed(&program, kind, &damaged));
        assert_eq!((status, said.contains("its checksum does not match")), (Some(no_policy), true), "{said}");
    }
}

#[test]
fn the_optimised_programs_are_static_small_and_have_the_section_read_only() {
    for kind in [Kind::Mail, Kind::Cgi, Kind::Queue] {
        let Some(program) = program(kind) else { return };
        let elf = std::fs::read(program).expect("built");
        let section = Section::find(&elf, SECTION_NAME).expect("the section");
        // SHF_WRITE and SHF_ALLOC of elf(5).
        assert_eq!((section.flags & 1, section.flags & 2, section.size), (0, 2, 4096));
        assert!(Section::find(&elf, ".interp").is_none(), "it needs a loader");
        assert!(elf.len() < 2 << 20, "{} bytes", elf.len());
    }
}

/// A section of a 64-bit little-endian file: elf(5).
struct Section {
    flags: u64,
    size: u64,
}

impl Section {
    fn find(elf: &[u8], name: &str) -> Option<Self> {
        let word = |at: usize| u64::from_le_bytes(elf[at..at + 8].try_into().expect("eight bytes"));
        let half = |at: usize| usize::from(u16::from_le_bytes([elf[at], elf[at + 1]]));
        let offset = |at: usize| usize::try_from(word(at)).expect("an offset");
        let (table, entry, count, names) = (offset(40), half(58), half(60), half(62));
        let names = offset(table + names * entry + 24);
        (0..count).map(|at| table + at * entry).find_map(|header| {
            let at = names + usize::try_from(word(header) & 0xffff_ffff).expect("an offset");
            let found = elf[at..].split(|&byte| byte == 0).next() == Some(name.as_bytes());
            found.then(|| Self { flags: word(header + 8), size: word(header + 32) })
        })
    }
}
