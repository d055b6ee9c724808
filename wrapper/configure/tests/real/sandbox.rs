//! A private root directory for each test, in which it is root: of the machine, or of a user namespace.

use crate::required;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Tells a test that it is inside.
const INSIDE: &str = "WRAPPER_CONFIGURE_TEST_INSIDE";
/// Directory of static wrappers that are already built.
const WRAPPERS: &str = "WRAPPER_CONFIGURE_TEST_WRAPPERS";

/// Where tests work; it exists only inside.
pub(crate) const HOME: &str = "/wrapper-configure-tests";

/// Everything of the machine is bound below an empty root directory, whose owner is root also where the machine's is
/// not mapped.
const ENTER: &str = r#"
set -eu
room=$1
shift
mount -t tmpfs -o mode=755 room "$room"
for each in /*; do
    if [ -L "$each" ]; then
        cp -P "$each" "$room/"
    elif [ -d "$each" ]; then
        mkdir "$room$each"
        mount --rbind "$each" "$room$each"
    fi
done
mkdir "$room/wrapper-configure-tests"
exec chroot "$room" "$@"
"#;

/// Whether this is the inside. If not, runs the same test inside and passes its failure on; the caller returns then.
pub(crate) fn inside() -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let name = test_name();
    let room = tempfile::tempdir().expect("a directory for the private root");
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user", "--map-auto"]);
    }
    command.args(["--", "/bin/sh", "-c", ENTER, "enter"]).arg(room.path());
    command.arg(std::env::current_exe().expect("this test")).args(["--exact", &name, "--nocapture"]);
    // Otherwise each test asks cargo, which an ordinary user's namespace may not have.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = command.env(INSIDE, "1").env(WRAPPERS, wrappers()).env("INSTA_WORKSPACE_ROOT", workspace).output();
    let text = match &output {
        Ok(output) => format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => format!("unshare: {error}"),
    };
    if output.is_ok_and(|output| output.status.success()) {
        assert!(text.contains("1 passed"), "{name} did not run inside:\n{text}");
    } else if text.contains("running 1 test") {
        panic!("{text}");
    } else {
        required::skip("namespace", format!("there is no mount namespace: {text}"));
    }
    false
}

/// libtest names the thread of a test after it; with one test at a time it may run in the main thread.
fn test_name() -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => panic!("the name of this test is not known; run it without --test-threads=1"),
    }
}

/// Directory with a static mail-wrapper and cgi-wrapper, built on first use.
pub(crate) fn wrappers() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| std::env::var_os(WRAPPERS).map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let target_directory = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let machine = std::env::consts::ARCH;
    let mut reasons = String::new();
    // Static glibc where the machine has no musl target.
    for (target, flags) in [("musl", ""), ("gnu", "-Ctarget-feature=+crt-static")] {
        let target = format!("{machine}-unknown-linux-{target}");
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--profile=lab",
                "--package",
                "wrapper",
                "--bins",
                "--target",
                &target,
                "--target-dir",
            ])
            .arg(target_directory)
            .env("RUSTFLAGS", flags)
            .output()
            .expect("cargo, which runs this test");
        if output.status.success() {
            return target_directory.join(target).join("lab");
        }
        reasons += &String::from_utf8_lossy(&output.stderr);
    }
    panic!("the wrappers cannot be built: {reasons}");
}
