//! # NAME
//!
//! wrapper-configure - seal, install and check set-group-ID wrappers
//!
//! # SYNOPSIS
//!
//! **wrapper-configure seal** *binary* **--output** *file* [*setting*]...
//!
//! **wrapper-configure show** *binary* [**--json**]
//!
//! **wrapper-configure install** [**--from** *directory*] [**--only mail**|**cgi**] [*setting*]...
//!
//! **wrapper-configure check** *prefix* [**--fix**] [**--prove**] [**--web-user** *user*] [**--json**]
//! [**--with-username** *user*] [**--with-groupname** *group*] [**--exec-prefix** *dir*] [**--with-var-prefix** *dir*]
//! [**--with-cgi-ext** *.ext*] [**--group-file** *file*] [**--passwd-file** *file*]
//!
//! **wrapper-configure man** [*program*] [**--output** *directory*]
//!
//! # DESCRIPTION
//!
//! mail-wrapper(8), cgi-wrapper(8) and queue-writer(8) decide by a policy that is sealed into their binary and is nowhere else.
//! wrapper-configure writes that policy, puts the wrappers in place, and finds out whether they are as they should be. It
//! runs with the rights of whoever starts it and never needs a set-id bit itself.
//!
//! **seal** resolves the settings and writes them into a copy of *binary*. The copy is judged by the decoder of the wrappers
//! before it is written, and appears under its name in one step. It has no set-id bit: it does nothing until it is
//! installed. `--output -` is standard output.
//!
//! **show** prints the policy of *binary*.
//!
//! **install** looks at the prefixes as Mailman's configure does: each must be a directory of the group `--with-groupname`,
//! set-group-ID, with permissions of at least 02775, on a file system that is not mounted nosuid; and `--with-username` must
//! belong to that group. Nor may such a directory, or a `mail` or `cgi-bin` that is there already, be writable for others
//! or belong to anybody but root, whoever runs **install** and that user. It then installs `mail/mailman` and the eleven
//! programs of `cgi-bin`, mode 2755, owned by root if root runs it, else by whoever does, who must be a member of the group.
//! Every file is finished, with owner, group and mode, before it gets its name. A run that is killed while it replaces a
//! program can leave the new one as `.`*name*`.new-`*process*`-`*number* beside it; the next run removes that.
//!
//! In the end each wrapper is started by a caller whom it must refuse: for root a process of uid 65534 and a gid without a
//! name, for others they themselves. What is started is the file that was written, by its descriptor (which needs /proc),
//! not what has its name by then. An exit status of 2 or 8 and the words of that refusal prove that the set-group-ID bit
//! acts. A caller of the trusted group cannot prove that, and the report then says so. Each proof leaves the line of a
//! refusal in the mail log.
//!
//! **check** compares an installation with the rules below. What it should belong to is read from the sealed mail wrapper,
//! unless `--with-username` and `--with-groupname` say it; the options of **install** that say where things and accounts are
//! must be those that it was installed with. With `--prove` every wrapper is run as well, as **install** does
//! it; one that somebody untrusted can have written is not. With `--fix` owner, group and mode are changed where a rule asks for it, each change is printed, and a second run has
//! nothing to change. `--fix` follows no symbolic link, touches no file that has a second name, never makes anything
//! writable for others, and gives the set-group-ID bit only to a sealed wrapper of root, of whoever runs it or of
//! `--with-username`, whose group and policy are right. It changes nothing where others can write above the prefix, where
//! group and user are known only from a mail wrapper that others may write, or where no sealed wrapper of those owners, which
//! nobody else may write, names the prefix and the group: that is no installation. File names in reports are printable ASCII,
//! every other byte `\xNN` and a backslash `\\`; in JSON `path-hex` has the bytes of a name that is not printed as it is.
//!
//! **man** prints this page or another for man(1), as in `wrapper-configure man mail-wrapper | man -l -`.
//!
//! # SETTINGS
//!
//! The options of Mailman's configure keep their names. A *groups* is a list of names and numbers separated by blanks, of
//! which the first that exists is taken; what is sealed is its number, and its name for messages. Numbers are decimal
//! without sign, blank or leading zero. Names and numbers come from `--group-file` and `--passwd-file`; accounts that live
//! elsewhere can be listed with `getent group` and `getent passwd`.
//!
//! | option                  | default                     | meaning                                                     |
//! |-------------------------|-----------------------------|-------------------------------------------------------------|
//! | --with-mail-gid=groups  | mailman other mail daemon   | the one group whose processes may start the mail wrapper    |
//! | --with-cgi-gid=groups   | www www-data nobody         | the same for the CGI wrappers                               |
//! | --with-username=user    | mailman                     | besides root, who may own scripts                           |
//! | --with-groupname=group  | mailman                     | the wrapper's own group, which scripts run as               |
//! | --prefix=dir            | /usr/local/mailman          | where `scripts` is                                          |
//! | --exec-prefix=dir       | the prefix                  | where `mail` and `cgi-bin` are                              |
//! | --with-var-prefix=dir   | the prefix                  | where lists, archives and queues are                        |
//! | --with-cgi-ext=.ext     | none                        | extension of installed CGI programs, with its dot           |
//! | --with-python=path      | none                        | interpreter of the scripts; `none`: they are programs       |
//! | --interpreter-flag=flag | -S with an interpreter      | argument before the script, repeatable; empty for none      |
//! | --command=name          | Mailman's ten               | command of the mail wrapper, repeatable                     |
//! | --cgi-script=name       | no default                  | **seal**: the page of a CGI wrapper                         |
//! | --queue-directory=dir   | no default                  | **seal**: the queue of a queue writer                       |
//! | --message-bytes=bytes   | 52428800                    | **seal**: most bytes of a message                           |
//! | --recipients=number     | 1000                        | **seal**: most recipients of a message                      |
//! | --user-messages=number  | 1000                        | **seal**: most messages of one user in the queue            |
//! | --user-bytes=bytes      | 1073741824                  | **seal**: most bytes of one user in the queue               |
//! | --free-bytes=bytes      | 67108864                    | **seal**: what must stay free on the queue's file system    |
//! | --deadline=seconds      | 86400                       | **seal**: when a submission is given up                     |
//! | --keep-environment=name | none; CGI: Mailman's 22     | variable that reaches the script, repeatable; empty for none |
//! | --refusal=style         | mailman                     | `defer`: the mail server tries again later                  |
//! | --group-file=file       | /etc/group                  | as group(5)                                                 |
//! | --passwd-file=file      | /etc/passwd                 | as passwd(5)                                                |
//!
//! A queue writer takes its group and the owner of its queue from `--with-groupname` and `--with-username`, and of the
//! wrappers' settings nothing else. **install** and **check** know nothing of it yet: it is installed by hand, mode 2755, and
//! finds out itself, at each start, whether its directory is as it should be.
//!
//! `--with-mailhost`, `--with-urlhost`, `--with-gcc` and `--without-permcheck` are refused with the reason.
//!
//! # RULES
//!
//! The first sixteen are those of Mailman's check_perms. *At least* means that more bits are no finding.
//!
//! | rule                       | what it asks                                                                          |
//! |----------------------------|---------------------------------------------------------------------------------------|
//! | top-directory              | the prefixes and `logs` have at least mode 02775                                      |
//! | group                      | everything belongs to Mailman's group                                                 |
//! | directory                  | at least 02775; queues, `archives/private` and databases in it at least 02770         |
//! | python-file                | `.py`, `.pyc` and `.pyo` have at least 0644                                           |
//! | article                    | archived articles have at least 0660                                                  |
//! | private-archive-readable   | `archives/private` is not readable for others                                         |
//! | private-archive-searchable | nor searchable, once it belongs to the web server's user (`--web-user`)               |
//! | private-archive-owner      | with `--web-user`: it belongs to that user                                            |
//! | private-archive-database   | nothing for others in `archives/private/*/database`                                   |
//! | private-archive-mailbox    | mailboxes of archives have at least 0660                                              |
//! | cgi-set-group-id           | CGI programs that the group may execute are set-group-ID                              |
//! | mail-set-group-id          | so is the mail wrapper                                                                |
//! | list-file                  | the files of a list have at least 0660                                                |
//! | password-file              | `data/adm.pw` and `data/creator.pw` have exactly 0640                                 |
//! | alias-file                 | `data/aliases`, `data/virtual-mailman` and their databases have at least 0660         |
//! | alias-database-owner       | the databases belong to Mailman's user, whose group Postfix then takes                |
//! | wrapper-file               | each wrapper is there, a regular file with one name                                   |
//! | wrapper-owner              | it belongs to root or Mailman's user                                                  |
//! | wrapper-execute            | all may execute it; without the group's bit set-group-ID is ignored                   |
//! | wrapper-writable           | only its owner may write it                                                           |
//! | sealed-policy              | its policy is sound, and of this group and prefix                                     |
//! | sealed-account             | the sealed groups and user still have those names and numbers                         |
//! | mount-options              | its file system is mounted neither nosuid nor noexec                                  |
//! | path                       | nobody else can exchange what leads to a wrapper, or what the wrapper starts (below)  |
//! | world-writable             | nothing is writable for others                                                        |
//! | set-user-id                | nothing is set-user-ID                                                                |
//! | stray-set-group-id         | nothing but the wrappers is set-group-ID                                              |
//! | cgi-page                   | programs of `cgi-bin` are pages of Mailman, each under its name and `--with-cgi-ext`   |
//! | cgi-trusted-group          | all of them trust the same group                                                      |
//! | script-file                | what the wrappers start is there: scripts, `driver`, their interpreter                |
//! | proof                      | with `--prove`: a wrapper without another finding works                               |
//!
//! What a wrapper starts is held to the wrapper's own rule, so that what is no finding is not refused later: on the way to
//! each script and to the interpreter only root, the sealed owner and the sealed group may be able to write; sticky
//! directories and access control lists are no exception. Where no interpreter is sealed, the one which the first line of a
//! script names is held to the same, though no wrapper looks at it. What an interpreter loads in its turn is not looked at.
//!
//! # EXIT STATUS
//!
//! | status | meaning                                                                                                  |
//! |--------|----------------------------------------------------------------------------------------------------------|
//! | 0      | done; **check**: nothing found                                                                           |
//! | 1      | refused or failed; **install**: installed, but a wrapper does not work; **check**: something found       |
//! | 2      | wrong usage; **check**: something could not be looked at                                                 |
//!
//! # FILES
//!
//! | file                        | use                                                          |
//! |-----------------------------|--------------------------------------------------------------|
//! | *exec-prefix*/mail/mailman  | the mail wrapper                                             |
//! | *exec-prefix*/cgi-bin/*page* | the CGI wrappers                                            |
//! | /etc/group, /etc/passwd     | names and numbers                                            |
//!
//! # SEE ALSO
//!
//! mail-wrapper(8), cgi-wrapper(8), queue-writer(8), getent(1), group(5), passwd(5), mount(8)

// Reading order: `cli` says what can be asked for; `settings` makes values of it, with `groups` and `accounts`;
// `encode` makes a policy section, which `program` and `elf` put where it belongs and `place` writes in one step;
// `install` and `check` use all that, and `prove` runs what is installed.

#![forbid(unsafe_code)]

mod accounts;
mod check;
mod cli;
mod elf;
mod encode;
#[cfg(test)]
mod fake_program;
mod groups;
mod id;
mod install;
mod layout;
mod mailman;
mod man;
mod mount;
mod opened;
mod place;
mod program;
mod prove;
mod queue;
mod seal;
mod settings;
mod show;
mod shown;
mod stat;
mod status;

use clap::Parser;
use status::Status;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let outcome = run(&cli.command, &mut std::io::stdout().lock(), &mut std::io::stderr().lock());
    let status = outcome.unwrap_or_else(|error| {
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(std::io::stderr(), "wrapper-configure: {error}");
        match cli.command {
            cli::Command::Check(_) => Status::UsageOrNotLookedAt,
            _ => Status::FailedOrFound,
        }
    });
    ExitCode::from(status as u8)
}

fn run(command: &cli::Command, out: &mut dyn Write, notes: &mut dyn Write) -> Result<Status, Box<dyn Error>> {
    match command {
        cli::Command::Seal(arguments) => seal::run(arguments, out, notes)?,
        cli::Command::Show(arguments) => show::run(arguments, out)?,
        cli::Command::Install(arguments) => return install::run(arguments, out, notes),
        cli::Command::Check(arguments) => return check::run(arguments, out),
        cli::Command::Man(arguments) => man::run(arguments, out)?,
    }
    Ok(Status::Done)
}
