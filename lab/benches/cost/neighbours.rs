//! What the same two starts cost with the tools that people reach for first: the same wrapper and witness, by the same
//! identities, each start in a copy of the tree that nothing of the one before it can have changed.

use crate::floor::{Ground, INVOKER, REFUSED, TRUSTED, WITNESS_ALONE, finish};
use crate::mix::median;
use crate::table::Table;
use lab::problem::Problem;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Few rounds: these cost milliseconds, or hundreds of them.
const ROUNDS: usize = 10;

/// The image, which exists as long as the bench.
const IMAGE: &str = "lab-bench-cost:once";

/// What is started; the tree is the root directory.
const START: [&str; 3] = ["/mnt/mail/mailman", "post", "announce"];

const TREE: &str = r#"
    set -e
    mkdir -p "$1/etc" "$1/dev" "$1/mnt/scripts" "$1/mnt/mail"
    chmod 755 "$1"
    touch "$1/dev/null"
    cp "$2/group" "$2/passwd" "$1/etc/"
    cp "$3" "$1/mnt/scripts/post"
    cp "$2/mailman" "$1/mnt/mail/mailman" && chown 0:38 "$1/mnt/mail/mailman" && chmod 2755 "$1/mnt/mail/mailman""#;

const OVERLAY: &str = r#"
    set -e
    mount -t tmpfs case /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
    mount --bind /dev/null /mnt/root/dev/null
    identity=$2
    shift 2
    exec env -i "PATH=$PATH" chroot --userspec="$identity" /mnt/root "$@""#;

/// Times them, where they can be had.
pub(crate) fn measure(table: &mut Table, ground: &Ground, isolated_us: f64) -> Result<(), Problem> {
    let tree = ground.dir().join("tree");
    let mut make = Command::new("sh");
    make.args(["-c", TREE, "tree"]).args([&tree, ground.dir(), ground.agent()]);
    finish(&mut make, "lay out the tree of the neighbours")?;
    let mut row = |what: &str, times: Result<f64, String>| match times {
        Ok(us) => {
            table.row(what, us / 1000.0, "ms");
            table.row(&format!("{what} / isolated case"), us / isolated_us, "×");
        }
        Err(because) => table.missing(what, &because),
    };
    row(
        "unshare and overlay by a shell script",
        time(&|gid| {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--propagation", "private"]);
            command.args(["sh", "-c", OVERLAY, "case"]).arg(&tree).arg(format!("{INVOKER}:{gid}")).args(START);
            command
        }),
    );
    row("docker run", docker(&tree));
    Ok(())
}

/// Median microseconds of `docker run` from an image that is the tree.
fn docker(tree: &Path) -> Result<f64, String> {
    let import = format!("tar -C \"$1\" -c . | docker import - {IMAGE}");
    finish(Command::new("sh").args(["-c", &import, "image"]).arg(tree), "make the image")
        .map_err(|problem| problem.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "))?;
    let times = time(&|gid| {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--pull", "never", "--network", "none"]);
        command.args(["--user", &format!("{INVOKER}:{gid}"), IMAGE]).args(START);
        command
    });
    let removed = finish(Command::new("docker").args(["rmi", IMAGE]), "remove the image");
    times.and_then(|us| removed.map(|_| us).map_err(|problem| problem.to_string()))
}

/// Median microseconds over an admitted and a refused start, or why there is none.
///
/// Both tools end with the witness's status too when they fail themselves, and then they say why: the witness says nothing,
/// and a refusal begins with the wrapper's name.
fn time(command: &dyn Fn(u32) -> Command) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for (gid, wanted, speaks) in [(TRUSTED, WITNESS_ALONE, false), (INVOKER, REFUSED, true)] {
            let begun = Instant::now();
            let output = command(gid).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
            let took = begun.elapsed().as_secs_f64() * 1e6;
            let said = String::from_utf8_lossy(&output.stderr);
            let status = output.status.code().is_some_and(|code| wanted.contains(&code));
            if !status || said.starts_with("mail-wrapper: ") != speaks || said.is_empty() == speaks {
                let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim();
                return Err(format!("{}, and it said: {first}", output.status));
            }
            times.push(took);
        }
    }
    Ok(median(&mut times))
}
