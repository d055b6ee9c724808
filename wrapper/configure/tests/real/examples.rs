//! The examples of `--help` do what they say, typed as they stand there.

use crate::sandbox::{self, HOME, wrappers};
use crate::site::{LIST, Site, WWW_DATA, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// Runs a line of a shell with the programs of the project in the search path.
fn shell(line: &str) -> Output {
    Command::new("/bin/sh")
        .args(["-euc", line])
        .env("PATH", format!("{HOME}/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
        .env_remove("COLUMNS")
        .current_dir(HOME)
        .output()
        .expect("a shell")
}

#[track_caller]
fn must(line: &str) -> String {
    let output = shell(line);
    assert!(output.status.success(), "{line}\n{}", text(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// The machine of the examples: accounts in their usual files, an empty prefix in its usual place.
fn furnish(site: &Site) {
    site.directory("bin", 0, 0, 0o755);
    fs::copy(env!("CARGO_BIN_EXE_wrapper-configure"), site.path("bin/wrapper-configure")).expect("a copy");
    for name in ["mail-wrapper", "cgi-wrapper", "queue-writer"] {
        for place in [site.path("bin"), site.path("")] {
            fs::copy(wrappers().join(name), place.join(name)).expect("a copy");
        }
    }
    // Stands in for man(1), which not every machine has.
    fs::write(site.path("bin/man"), "#!/bin/sh\nexec grep -q '^.TH'\n").expect("a file");
    fs::set_permissions(site.path("bin/man"), fs::Permissions::from_mode(0o755)).expect("root may");
    must("echo smmsp:x:25: >> group; echo smmsp:x:25:25::/:/bin/false >> passwd");
    must("mount --bind group /etc/group; mount --bind passwd /etc/passwd; mount -t tmpfs -o mode=755 site /usr/local");
    must("mkdir -p /usr/local/share/man/man8");
    // What Mailman itself installs, as far as `check` misses it.
    must(&format!(
        "cd /usr/local; mkdir -p mailman/scripts mailman/archives/private; cd mailman/scripts
         for name in driver admin bounces confirm join leave owner post request subscribe unsubscribe; do
             echo '#!/bin/sh' > $name
             chmod 755 $name
         done
         cd /usr/local; chown -R 0:{LIST} mailman; chown {WWW_DATA} mailman/archives/private
         chmod 2775 mailman mailman/scripts mailman/archives; chmod 2770 mailman/archives/private"
    ));
}

#[test]
fn every_command_has_examples_that_work() {
    if !sandbox::inside() {
        return;
    }
    let site = Site::new();
    furnish(&site);
    let mut commands = Vec::new();
    for line in must("wrapper-configure --help").lines().skip_while(|line| *line != "Commands:").skip(1) {
        match line.split_whitespace().next() {
            Some("help") => {}
            Some(name) if line.starts_with("  ") => commands.push(name.to_owned()),
            _ => break,
        }
    }
    assert_eq!(commands.len(), 5, "{commands:?}");
    for command in commands {
        let help = must(&format!("wrapper-configure {command} --help"));
        let examples: Vec<&str> =
            help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty()).collect();
        assert!(!examples.is_empty(), "wrapper-configure {command} --help has no examples:\n{help}");
        // A line that goes on ends as it does for a shell.
        for example in examples.join("\n").replace("\\\n", "").lines() {
            assert!(example.contains(&format!("wrapper-configure {command} ")), "{command}: {example}");
            must(example);
        }
    }
    assert!(fs::metadata("/usr/local/mailman/mail/mailman").is_ok_and(|file| file.permissions().mode() & 0o2000 != 0));
    assert!(fs::metadata("/usr/local/share/man/man8/mail-wrapper.8").is_ok());
}
