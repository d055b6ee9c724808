use crate::sandbox::{HOME, inside, wrappers};
use crate::site::{ALICE, LIST, MAIL, Site, text};
use rstest::rstest;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Instant;

const PAGES: [&str; 11] = [
    "admin",
    "admindb",
    "confirm",
    "create",
    "edithtml",
    "listinfo",
    "options",
    "private",
    "rmlist",
    "roster",
    "subscribe",
];

/// alice, who has the group of Mailman as a supplementary group.
const MEMBER: [&str; 4] = ["setpriv", "--reuid=1000", "--regid=100", "--groups=38"];
/// alice, who has not.
const STRANGER: [&str; 4] = ["setpriv", "--reuid=1000", "--regid=100", "--clear-groups"];

#[test]
fn root_installs_twelve_wrappers_that_work() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let output = site.install_by(&[], &[]);
    insta::assert_snapshot!("install_report", text(&output));
    assert!(output.status.success());
    assert_eq!(site.get("mm/mail/mailman"), (0, LIST, 0o2755));
    assert_eq!(site.names("mm/mail"), ["mailman"]);
    assert_eq!(site.names("mm/cgi-bin"), PAGES);
    for page in PAGES {
        assert_eq!(site.get(&format!("mm/cgi-bin/{page}")), (0, LIST, 0o2755));
        let shown = text(&site.run(&["show", &format!("mm/cgi-bin/{page}")]));
        assert!(shown.contains(&format!("(--cgi-script):        {page}\n")), "{shown}");
    }
    assert_eq!(site.get("mm/mail"), (0, LIST, 0o2775));
    // The trusted group is admitted as far as the script, which is not there.
    let trusted = format!("{HOME}/mm/mail/mailman");
    let output = Command::new("setpriv")
        .args(["--reuid=1000", "--regid=8", "--clear-groups", &trusted, "post"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
}

#[rstest]
#[case::defer(&["--refusal=defer", "--only=mail"], "exit 75: the set-group-ID bit acts")]
#[case::own_group_is_trusted(&["--with-mail-gid=list", "--only=mail"], "exit 8: the set-group-ID bit acts")]
#[case::extension(&["--only=cgi", "--with-cgi-ext=.cgi"], "cgi-bin/admin.cgi and 10 others: refuses")]
fn settings_reach_what_is_installed(#[case] more: &[&str], #[case] words: &str) {
    if !inside() {
        return;
    }
    let output = Site::new().install_by(&[], more);
    assert!(output.status.success() && text(&output).contains(words), "{}", text(&output));
}

type Spoil = fn(&Site);

/// Nothing is installed into a directory that Mailman's configure or manual would refuse.
#[rstest]
#[case::no_prefix("no_prefix", |site: &Site| fs::remove_dir(site.path("mm")).expect("removed"), &[])]
#[case::prefix_of_another_group("prefix_of_another_group", |site: &Site| site.set("mm", 0, MAIL, 0o2775), &[])]
#[case::no_set_group_id("prefix_without_set_group_id", |site: &Site| site.set("mm", 0, LIST, 0o775), &[])]
#[case::closed("prefix_closed", |site: &Site| site.set("mm", 0, LIST, 0o2750), &[])]
#[case::a_file("prefix_is_a_file", |site: &Site| {
    fs::remove_dir(site.path("mm")).expect("removed");
    site.file("mm", 0, LIST, 0o2775);
}, &[])]
#[case::user_not_in_group("user_not_in_group", |_: &Site| {}, &["--with-username=www-data"])]
#[case::nosuid("prefix_nosuid", |site: &Site| mount(site, "nosuid"), &[])]
#[case::noexec("prefix_noexec", |site: &Site| mount(site, "noexec"), &[])]
#[case::var_prefix("var_prefix", |site: &Site| site.directory("var", 0, 0, 0o755),
    &["--with-var-prefix=/wrapper-configure-tests/var"])]
#[case::link_for_mail("mail_is_a_link", |site: &Site| {
    site.directory("elsewhere", 0, LIST, 0o2775);
    symlink("../elsewhere", site.path("mm/mail")).expect("a link");
}, &[])]
fn refused(#[case] name: &str, #[case] spoil: Spoil, #[case] more: &[&str]) {
    if !inside() {
        return;
    }
    let site = Site::new();
    spoil(&site);
    let from = format!("--from={}", wrappers().display());
    let user =
        more.iter().copied().find(|option| option.starts_with("--with-username=")).unwrap_or("--with-username=mailman");
    let mut arguments = vec!["install", &from, "--prefix=/wrapper-configure-tests/mm", user, "--with-groupname=list"];
    arguments.extend(["--group-file=group", "--passwd-file=passwd"]);
    arguments.extend(more.iter().filter(|option| **option != user));
    let output = site.run(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for directory in ["mm/mail", "mm/cgi-bin", "elsewhere"] {
        let empty = fs::read_dir(site.path(directory)).map_or(0, Iterator::count);
        assert_eq!(empty, 0, "something is left in {directory}");
    }
    insta::assert_snapshot!(format!("install_refused_{name}"), text(&output));
}

/// A bind mount of the prefix onto itself, with an option.
fn mount(site: &Site, option: &str) {
    let prefix = site.path("mm");
    let run = |arguments: &[&str]| {
        let status = Command::new("mount").args(arguments).arg(&prefix).status().expect("mount runs");
        assert!(status.success(), "mount {arguments:?}");
    };
    run(&["--bind", prefix.to_str().expect("text")]);
    run(&["-o", &format!("remount,bind,{option}")]);
}

#[test]
fn a_member_of_the_group_installs_without_privilege() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let output = site.install_by(&MEMBER, &["--only=mail"]);
    insta::assert_snapshot!("install_by_a_member", text(&output));
    assert!(output.status.success());
    assert_eq!(site.get("mm/mail/mailman"), (ALICE, LIST, 0o2755));
    assert_eq!(site.get("mm/mail"), (ALICE, LIST, 0o2775));
}

/// What cannot be proven from here is said, and is no failure.
#[rstest]
#[case::in_the_trusted_group("users", "100", "unproven", "you run as the trusted group users 100")]
#[case::in_the_own_group("mail", "38", "unproven", "that is the wrapper's own group")]
#[case::in_another_group("mail", "100", "proven", "refuses group users 100 with exit 2")]
fn what_a_member_can_prove(#[case] trusted: &str, #[case] gid: &str, #[case] word: &str, #[case] words: &str) {
    if !inside() {
        return;
    }
    let site = Site::new();
    let member = ["setpriv", "--reuid=1000", &format!("--regid={gid}"), "--groups=38"];
    let output = site.install_by(&member, &["--only=mail", &format!("--with-mail-gid={trusted}")]);
    assert!(output.status.success(), "{}", text(&output));
    let text = text(&output);
    let line = text.lines().find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("{word} in {text}"));
    assert!(line.contains(words), "{line}");
}

/// chmod(2) by the owner of a file who does not belong to its group reports success and leaves the bit out.
#[test]
fn a_bit_that_was_silently_left_out_is_reported_and_nothing_installed() {
    if !inside() {
        return;
    }
    let site = Site::new();
    site.set("mm", ALICE, LIST, 0o2775);
    let output = site.install_by(&STRANGER, &["--only=mail"]);
    insta::assert_snapshot!("install_lost_bit_of_a_directory", text(&output));
    assert_eq!((output.status.code(), site.names("mm")), (Some(1), vec![]));

    site.directory("mm/mail", ALICE, LIST, 0o2775);
    let output = site.install_by(&STRANGER, &["--only=mail"]);
    insta::assert_snapshot!("install_lost_bit_of_a_wrapper", text(&output));
    assert_eq!((output.status.code(), site.names("mm/mail")), (Some(1), vec![]));
}

#[test]
fn a_wrapper_that_does_not_work_is_found_out() {
    if !inside() {
        return;
    }
    let site = Site::new();
    // Set-group-ID does not act for a process that may gain no privileges: prctl(2).
    let output = site.install_by(&["setpriv", "--no-new-privs"], &["--only=mail"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let text = text(&output);
    assert!(text.contains("WRONG") && text.contains("not running set-group-ID (exit 9)"), "{text}");

    let output = site.install_by(&["setpriv", "--no-new-privs"], &["--only=mail", "--refusal=defer"]);
    let text = crate::site::text(&output);
    assert!(output.status.code() == Some(1) && text.contains("not running set-group-ID (exit 75)"), "{text}");

    // Nobody but root reaches it, though root's descriptor does.
    site.set("", 0, 0, 0o700);
    let output = site.install_by(&[], &["--only=mail"]);
    let text = crate::site::text(&output);
    let words = "cannot even start it (Permission denied: /wrapper-configure-tests is drwx------ 00700)";
    assert!(output.status.code() == Some(1) && text.contains(words), "{text}");
}

#[test]
fn what_is_to_be_installed_must_be_there_and_be_what_its_name_says() {
    if !inside() {
        return;
    }
    let site = Site::new();
    site.directory("built", 0, 0, 0o755);
    let install = || {
        let accounts = crate::site::ACCOUNTS;
        site.run(&[&["install", "--from=built", "--prefix=/wrapper-configure-tests/mm"], &accounts[..]].concat())
    };
    let mut texts = text(&install());
    fs::copy(wrappers().join("cgi-wrapper"), site.path("built/mail-wrapper")).expect("a copy");
    texts += &text(&install());
    fs::copy(wrappers().join("mail-wrapper"), site.path("built/mail-wrapper")).expect("a copy");
    texts += &text(&install());
    insta::assert_snapshot!("install_without_programs", texts);
    assert_eq!(site.names("mm"), [""; 0]);
}

/// At no moment is there anything but whole programs, sealed, with their owner, group and mode.
#[test]
fn killed_at_any_moment_it_leaves_whole_programs_or_none() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let from = format!("--from={}", wrappers().display());
    let begun = Instant::now();
    assert!(site.install_by(&[], &[]).status.success());
    let whole = begun.elapsed();
    fs::remove_dir_all(site.path("mm/mail")).expect("removed");
    fs::remove_dir_all(site.path("mm/cgi-bin")).expect("removed");

    let (mut complete, mut partly) = (0, 0);
    for moment in 0..16 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wrapper-configure"))
            .args(["install", &from, "--prefix=/wrapper-configure-tests/mm"])
            .args(crate::site::ACCOUNTS)
            .current_dir(HOME)
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        // A pipe that nobody writes to: waits without sleeping.
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let timeout = nix::poll::PollTimeout::try_from(whole * moment / 16).expect("short");
        let mut waited = [nix::poll::PollFd::new(std::os::fd::AsFd::as_fd(&reader), nix::poll::PollFlags::POLLIN)];
        assert_eq!(nix::poll::poll(&mut waited, timeout), Ok(0));
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        let before = complete;
        for (directory, kind) in [("mm/mail", "mail-wrapper"), ("mm/cgi-bin", "cgi-wrapper")] {
            if !site.path(directory).exists() {
                continue;
            }
            for name in site.names(directory) {
                let below = format!("{directory}/{name}");
                assert_eq!(site.get(&below), (0, LIST, 0o2755), "{below}");
                assert!(text(&site.run(&["show", &below])).contains("list 38"), "{below} is no sealed {kind}");
                assert!(!name.starts_with('.'), "{below}: a new name is given in one step");
                complete += 1;
            }
            fs::remove_dir_all(site.path(directory)).expect("removed");
        }
        partly += u32::from(complete - before < 12);
    }
    assert!(
        complete > 0 && partly > 0,
        "killed always too early or too late: {complete} programs, {partly} runs cut short"
    );
}
