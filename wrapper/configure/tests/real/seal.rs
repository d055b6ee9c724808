use crate::sandbox::{inside, wrappers};
use crate::site::{ACCOUNTS, Site, text};
use rstest::rstest;
use std::fs;
use std::process::Command;

fn seal(site: &Site, program: &str, more: &[&str]) -> std::process::Output {
    let binary = wrappers().join(program);
    let binary = binary.to_str().expect("a path of this workspace");
    site.run(&[&["seal", binary, "--output=sealed"], &ACCOUNTS[..], more].concat())
}

#[rstest]
#[case::mail("mail", "mail-wrapper", &["--with-mail-gid=mailman mail"])]
#[case::mail_with_everything("mail_with_everything", "mail-wrapper", &[
    "--with-mail-gid=8", "--with-python=/usr/bin/python3", "--interpreter-flag=-S", "--interpreter-flag=-I",
    "--command=post", "--command=bounces", "--keep-environment=LANG", "--refusal=defer", "--prefix=/var//lib/mailman/",
])]
#[case::cgi("cgi", "cgi-wrapper", &["--cgi-script=listinfo", "--with-python=/usr/bin/python3"])]
#[case::queue("queue", "queue-writer", &["--queue-directory=/var//spool/clientmqueue/", "--recipients=5"])]
fn what_was_sealed_is_shown(#[case] name: &str, #[case] program: &str, #[case] more: &[&str]) {
    if !inside() {
        return;
    }
    let site = Site::new();
    let output = seal(&site, program, more);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(site.get("sealed"), (0, 0, 0o755), "no set-id bit comes from seal");
    let words = site.run(&["show", "sealed"]);
    insta::assert_snapshot!(format!("show_{name}"), format!("{}\n{}", text(&output), text(&words)));
    let json = site.run(&["show", "sealed", "--json"]);
    insta::assert_snapshot!(format!("show_json_{name}"), text(&json));
}

/// Every way to be refused, as a person sees it; nothing is written.
#[rstest]
#[case::none_exists("none_exists", "mail-wrapper", &["--with-mail-gid=postfix exim 4242"])]
#[case::defaults_do_not_exist("defaults_do_not_exist", "mail-wrapper", &["--group-file=mm/empty"])]
#[case::not_a_number("not_a_number", "mail-wrapper", &["--with-mail-gid=33x"])]
#[case::blank("blank", "mail-wrapper", &["--with-mail-gid= 33"])]
#[case::octal("octal", "mail-wrapper", &["--with-mail-gid=033"])]
#[case::wraps("wraps", "mail-wrapper", &["--with-mail-gid=4294967329"])]
#[case::minus_one("minus_one", "mail-wrapper", &["--with-mail-gid=-1"])]
#[case::comma("comma", "mail-wrapper", &["--with-mail-gid=mail,list"])]
#[case::no_such_user("no_such_user", "mail-wrapper", &["--with-username=nobody-here"])]
#[case::no_group_file("no_group_file", "mail-wrapper", &["--group-file=nowhere"])]
#[case::relative_prefix("relative_prefix", "mail-wrapper", &["--prefix=mailman"])]
#[case::command_with_path("command_with_path", "mail-wrapper", &["--command=../sh"])]
#[case::loader_variable("loader_variable", "mail-wrapper", &["--keep-environment=LD_PRELOAD"])]
#[case::flags_alone("flags_alone", "mail-wrapper", &["--interpreter-flag=-S"])]
#[case::mail_host("mail_host", "mail-wrapper", &["--with-mailhost=example.org"])]
#[case::url_host("url_host", "mail-wrapper", &["--with-urlhost=example.org"])]
#[case::gcc("gcc", "mail-wrapper", &["--with-gcc=no"])]
#[case::no_permission_check("no_permission_check", "mail-wrapper", &["--without-permcheck"])]
#[case::extension_without_dot("extension_without_dot", "cgi-wrapper", &["--cgi-script=admin", "--with-cgi-ext=cgi"])]
#[case::cgi_group_for_mail("cgi_group_for_mail", "mail-wrapper", &["--with-cgi-gid=www-data"])]
#[case::mail_group_for_cgi("mail_group_for_cgi", "cgi-wrapper", &["--cgi-script=admin", "--with-mail-gid=mail"])]
#[case::cgi_without_script("cgi_without_script", "cgi-wrapper", &[])]
#[case::queue_without_directory("queue_without_directory", "queue-writer", &[])]
#[case::queue_with_a_relative_path("queue_with_a_relative_path", "queue-writer", &["--queue-directory=q"])]
#[case::queue_with_a_limit_too_high("queue_with_a_limit_too_high", "queue-writer", &["--queue-directory=/q", "--recipients=10001"])]
#[case::mail_group_for_a_queue("mail_group_for_a_queue", "queue-writer", &["--queue-directory=/q", "--with-mail-gid=mail"])]
#[case::queue_for_mail("queue_for_mail", "mail-wrapper", &["--queue-directory=/q"])]
#[case::cgi_that_defers("cgi_that_defers", "cgi-wrapper", &["--cgi-script=admin", "--refusal=defer"])]
fn refused(#[case] name: &str, #[case] program: &str, #[case] more: &[&str]) {
    if !inside() {
        return;
    }
    let site = Site::new();
    site.file("mm/empty", 0, 0, 0o644);
    fs::write(site.path("mm/empty"), "").expect("written");
    // An option may be given once: leave that of the site out where the case has its own.
    let given = |option: &str| more.iter().any(|m| m.split('=').next() == option.split('=').next());
    let accounts: Vec<&str> = ACCOUNTS.into_iter().filter(|option| !given(option)).collect();
    let binary = wrappers().join(program);
    let binary = binary.to_str().expect("a path of this workspace");
    let output = site.run(&[&["seal", binary, "--output=sealed"], &accounts[..], more].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(site.names(""), ["group", "mm", "passwd"], "nothing is written");
    insta::assert_snapshot!(format!("seal_refused_{name}"), text(&output));
}

#[test]
fn what_is_no_wrapper_is_neither_sealed_nor_shown() {
    if !inside() {
        return;
    }
    let site = Site::new();
    fs::write(site.path("script"), "#!/bin/sh\n").expect("a file");
    fs::write(site.path("cut"), &fs::read(wrappers().join("mail-wrapper")).expect("built")[..100_000]).expect("a file");
    let mut texts = String::new();
    for path in ["script", "cut", "mm", "nowhere"] {
        let (show, seal) =
            (site.run(&["show", path]), site.run(&[&["seal", path, "--output=sealed"], &ACCOUNTS[..]].concat()));
        assert_eq!((show.status.code(), seal.status.code()), (Some(1), Some(1)));
        texts += &text(&show);
    }
    fs::copy(wrappers().join("mail-wrapper"), site.path("unsealed")).expect("a copy");
    texts += &text(&site.run(&["show", "unsealed"]));
    texts += &text(&site.run(&["show", "unsealed", "--json"]));
    insta::assert_snapshot!("show_what_is_no_wrapper", texts);
}

/// The compiler must not have replaced the section by what it was at build time.
#[test]
fn the_program_reads_what_was_sealed() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let run = |path: &str| Command::new(site.path(path)).output().expect("it runs");
    fs::copy(wrappers().join("mail-wrapper"), site.path("unsealed")).expect("a copy");
    assert_eq!(run("unsealed").status.code(), Some(10));
    for (group, name) in [("mail", "(mail)"), ("users", "(users)")] {
        let accounts =
            ["--with-username=mailman", "--with-groupname=root", "--group-file=group", "--passwd-file=passwd"];
        let binary = wrappers().join("mail-wrapper");
        let binary = binary.to_str().expect("a path of this workspace");
        let gid = format!("--with-mail-gid={group}");
        let output = site.run(&[&["seal", binary, "--output=sealed", &gid], &accounts[..]].concat());
        assert!(output.status.success(), "{}", text(&output));
        // It is not installed, but root's own group is the sealed one, so that it comes to the question of trust.
        let output = run("sealed");
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(name), "{}", text(&output));
    }
}

#[test]
fn a_sealed_program_can_be_sealed_again() {
    if !inside() {
        return;
    }
    let site = Site::new();
    assert!(seal(&site, "mail-wrapper", &["--with-mail-gid=mail", "--keep-environment=LANG"]).status.success());
    let first = fs::read(site.path("sealed")).expect("sealed");
    let again = |group: &str| {
        let gid = format!("--with-mail-gid={group}");
        site.run(&[&["seal", "sealed", "--output=sealed", &gid], &ACCOUNTS[..]].concat())
    };
    assert!(again("users").status.success());
    let shown = text(&site.run(&["show", "sealed"]));
    assert!(shown.contains("users 100") && !shown.contains("LANG"), "{shown}");
    assert!(again("mail").status.success());
    let output = site.run(
        &[&["seal", "sealed", "--output=sealed", "--with-mail-gid=mail", "--keep-environment=LANG"], &ACCOUNTS[..]]
            .concat(),
    );
    assert!(output.status.success());
    assert!(fs::read(site.path("sealed")).expect("sealed") == first, "sealing depends on nothing but the settings");
}

#[test]
fn a_name_that_the_database_has_twice_is_noted() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let twice = "mail:x:8:\nmail:x:9:\nlist:x:38:\nroot:x:0:\nnogroup:x:65534:\n";
    fs::write(site.path("group"), twice).expect("a file");
    let mut texts = String::new();
    for group in ["mail", "root", "nogroup"] {
        texts += &text(&seal(&site, "mail-wrapper", &[&format!("--with-mail-gid={group}")]));
    }
    insta::assert_snapshot!("seal_notes", texts);
}

#[rstest]
fn help(#[values("", "seal", "show", "install", "check", "man")] command: &str) {
    if !inside() {
        return;
    }
    let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
    let name = if command.is_empty() { "help".to_owned() } else { format!("help_{command}") };
    insta::assert_snapshot!(name, text(&Site::new().run(&arguments)));
}
