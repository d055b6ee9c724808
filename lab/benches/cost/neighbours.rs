//! What the same isolation costs with the tools that people reach for first.

use crate::mix::median;
use crate::table::Table;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Few rounds: these cost milliseconds.
const ROUNDS: usize = 15;

const OVERLAY: &str = r#"
    set -e
    mount -t tmpfs case /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
    exec chroot --userspec=100:8 /mnt/root /bin/true"#;

/// Times them, where they can be had.
pub(crate) fn measure(table: &mut Table, isolated_us: f64) {
    let mut row = |what: &str, command: &mut dyn FnMut() -> Command| match time(command) {
        Ok(us) => {
            table.row(what, us / 1000.0, "ms");
            table.row(&format!("{what} / isolated case"), us / isolated_us, "×");
        }
        Err(because) => table.missing(what, &because),
    };
    row("unshare and overlay by a shell script", &mut || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--propagation", "private", "sh", "-c"]);
        command.arg(OVERLAY);
        command
    });
    row("docker run", &mut || {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--pull", "never", "--network", "none", "--user", "100:8"]);
        command.args(["debian:bookworm-slim", "/bin/true"]);
        command
    });
}

/// Median microseconds, or why there is none.
fn time(command: &mut dyn FnMut() -> Command) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let output = command().stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it failed").trim().to_owned());
        }
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&mut times))
}
