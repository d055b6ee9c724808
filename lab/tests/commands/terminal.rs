//! The lab on a terminal.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::Read;
use std::process::{Child, Command};

/// A lab whose terminal is the slave side of a pseudo-terminal; the other side comes with it.
pub(crate) fn on_a_terminal(arguments: &[&str], environment: &[(&str, &str)]) -> (Child, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("its slave side is ours");
    unlockpt(&master).expect("its slave side opens");
    let name = ptsname(&master, Vec::new()).expect("its name").into_string().expect("text");
    let slave = || File::options().read(true).write(true).open(&name).expect("the slave side");
    // Only the leader of a session can have a terminal; setsid(1) makes it one and then becomes the lab.
    let child = Command::new("setsid")
        .arg("--ctty")
        .arg(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .envs(environment.iter().copied())
        .env_remove("GITHUB_ACTIONS")
        .stdin(slave())
        .stdout(slave())
        .stderr(slave())
        .spawn()
        .expect("setsid(1)");
    (child, File::from(master))
}

/// Reads until a text has come, or everything if it does not come. A terminal that nobody holds open gives an error.
pub(crate) fn read_until(terminal: &mut File, text: &str) -> String {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    while !String::from_utf8_lossy(&all).contains(text) {
        match terminal.read(&mut some) {
            Ok(count) if count > 0 => all.extend_from_slice(&some[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}
