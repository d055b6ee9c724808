//! The floor: the same wrapper and script without a sandbox. A shell makes a mount namespace with a tmpfs that nobody else
//! can write to, because the wrapper demands such a path; in it this program, as the invoker, spawns the wrapper.

use crate::mix::{ROUNDS, Ready, median};
use lab::problem::Problem;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// Argument by which this program starts itself in the namespace.
pub(crate) const INNER: &str = "__floor";

/// gid 8 is `mail` and gid 38 `list` in the scenarios' databases; the numbers are all that counts here.
pub(crate) const TRUSTED: u32 = 8;
pub(crate) const INVOKER: u32 = 100;

/// Status of the script of an admitted start: the witness, which looks at everything as in a case, and then finds no lab
/// to report to. Connecting and reporting are the sandbox's cost and no part of the floor.
pub(crate) const WITNESS_ALONE: &[i32] = &[125];

/// Status of a refusal: a mismatch (2), or a nameless gid (8) on a host whose group file lacks [`INVOKER`].
pub(crate) const REFUSED: &[i32] = &[2, 8];

/// Medians in microseconds.
pub(crate) struct Floor {
    /// One start, over admitted and refused ones.
    pub(crate) case_us: f64,
    /// A refused one.
    pub(crate) refusal_us: f64,
    /// An empty static program.
    pub(crate) empty_us: f64,
}

/// The files that the floor is measured with.
pub(crate) struct Ground {
    dir: tempfile::TempDir,
    agent: PathBuf,
}

impl Ground {
    /// Puts everything into place.
    pub(crate) fn new(ready: &Ready) -> Result<Self, Problem> {
        let dir = tempfile::tempdir().map_err(failed("no temporary directory"))?;
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("group"), "mail:x:8:\nlist:x:38:\n").map_err(failed("group file"))?;
        std::fs::write(at("passwd"), "list:x:38:38::/:/bin/false\n").map_err(failed("passwd file"))?;
        std::fs::write(at("empty.rs"), "fn main() {}\n").map_err(failed("source of the empty program"))?;
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut compile = Command::new(rustc);
        compile.args(["-O", "-Cpanic=abort", "--target", &target, "-o"]).arg(at("empty")).arg(at("empty.rs"));
        finish(&mut compile, "compile the empty program")?;
        let mut seal = Command::new(ready.programs.path("wrapper-configure")?);
        seal.arg("seal").arg(ready.programs.path("mail-wrapper")?).arg("--output").arg(at("mailman"));
        seal.args(["--with-mail-gid=mail", "--with-username=list", "--with-groupname=list", "--prefix=/mnt"]);
        seal.args(["--with-python=none"]);
        seal.arg(format!("--group-file={}", at("group").display()));
        seal.arg(format!("--passwd-file={}", at("passwd").display()));
        finish(&mut seal, "seal the wrapper")?;
        let agent = ready.programs.path("lab-agent")?.to_owned();
        Ok(Self { dir, agent })
    }

    /// Where the sealed wrapper is, as `mailman`, with the databases it was sealed by.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The witness.
    pub(crate) fn agent(&self) -> &Path {
        &self.agent
    }

    /// Times it.
    pub(crate) fn measure(&self) -> Result<Floor, Problem> {
        let itself = std::env::current_exe().map_err(failed("its own path"))?;
        let script = r#"
            set -e
            mount -t tmpfs -o mode=755 floor /mnt
            mkdir /mnt/scripts /mnt/mail
            cp "$1/mailman" /mnt/mail/mailman && chown 0:38 /mnt/mail/mailman && chmod 2755 /mnt/mail/mailman
            cp "$1/empty" /mnt/empty && cp "$2" /mnt/scripts/post && cp "$3" /mnt/bench
            exec /mnt/bench __floor"#;
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--propagation", "private", "sh", "-c", script, "floor"]);
        unshare.arg(self.dir.path()).arg(&self.agent).arg(itself);
        let printed = finish(&mut unshare, "enter a mount namespace (this bench needs root)")?;
        let figures: Vec<f64> = printed.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
        match figures[..] {
            [case_us, refusal_us, empty_us] => Ok(Floor { case_us, refusal_us, empty_us }),
            _ => Err(Problem::internal("the floor cannot be measured").found(printed)),
        }
    }
}

fn failed(what: &str) -> impl FnOnce(std::io::Error) -> Problem {
    let what = format!("the floor cannot be measured: {what}");
    move |error| Problem::internal(what).found(error)
}

pub(crate) fn finish(command: &mut Command, what: &str) -> Result<String, Problem> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Problem::internal(format!("the floor cannot be measured: {what}")).found(error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // The program's own half, started in the namespace, says on standard output what stopped it.
    let said = [output.stdout, output.stderr].concat();
    Err(Problem::internal(format!("the floor cannot be measured: {what}")).found(String::from_utf8_lossy(&said)))
}

/// In the namespace. Without an argument it becomes the trusted and then another identity; with one it spawns.
pub(crate) fn inner(arguments: &[OsString]) -> ExitCode {
    if let [path, wanted] = arguments {
        return spawn(path.as_ref(), wanted);
    }
    let of = |gid: u32, path: &str, wanted: &[i32]| {
        let wanted: Vec<String> = wanted.iter().map(i32::to_string).collect();
        let mut times = Command::new("/mnt/bench");
        times.args([INNER, path, &wanted.join(" ")]).uid(INVOKER).gid(gid);
        finish(&mut times, path)
            .map_err(|problem| println!("{problem}"))
            .ok()
            .map(|printed| printed.split_whitespace().filter_map(|time| time.parse().ok()).collect::<Vec<f64>>())
    };
    let wrapper = "/mnt/mail/mailman";
    let (Some(mut admitted), Some(mut refused), Some(mut empty)) =
        (of(TRUSTED, wrapper, WITNESS_ALONE), of(INVOKER, wrapper, REFUSED), of(TRUSTED, "/mnt/empty", &[0]))
    else {
        return ExitCode::FAILURE;
    };
    admitted.extend(&refused);
    println!("{} {} {}", median(&mut admitted), median(&mut refused), median(&mut empty));
    ExitCode::SUCCESS
}

/// Starts one program over and over. Anything but one of the wanted statuses makes the floor void.
fn spawn(path: &Path, wanted: &OsString) -> ExitCode {
    let wanted = wanted.to_string_lossy();
    let wanted: Vec<i32> = wanted.split(' ').filter_map(|status| status.parse().ok()).collect();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        // No pre_exec and no ids: the standard library then uses posix_spawn, which is vfork.
        let status = Command::new(path)
            .args(["post", "announce"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let took = begun.elapsed().as_secs_f64() * 1e6;
        match status {
            Ok(status) if status.code().is_some_and(|code| wanted.contains(&code)) => println!("{took:.1}"),
            other => {
                println!("{}: {other:?}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
