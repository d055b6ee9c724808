//! The command line. Options of Mailman's configure keep their names, so that an old command line can be pasted.

use crate::man::Page;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Seals set-group-ID wrappers with the group they trust, installs them, and checks an installation.
#[derive(Debug, Parser)]
#[command(name = "wrapper-configure", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "`wrapper-configure man wrapper-configure` prints the manual page.")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a policy into a copy of a wrapper; needs no privilege
    Seal(Box<Seal>),
    /// Print the policy which a wrapper holds
    Show(Show),
    /// Seal the wrappers, put them in place set-group-ID, and prove that they work
    Install(Box<Install>),
    /// Compare an installation with what it should be
    ///
    /// Exit status: 0 nothing found, 1 something found, 2 something could not be looked at.
    Check(Check),
    /// Print a manual page for man(1), or write them all
    Man(Man),
}

/// `seal`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wrapper-configure seal mail-wrapper -o sealed --with-mail-gid='mailman mail' --with-groupname=list
  wrapper-configure seal cgi-wrapper -o listinfo --cgi-script=listinfo --with-groupname=list
  wrapper-configure seal queue-writer -o sealed --queue-directory=/var/spool/clientmqueue \\
      --with-username=smmsp --with-groupname=smmsp")]
pub(crate) struct Seal {
    /// The wrapper, as built or sealed before
    pub(crate) binary: PathBuf,
    /// The sealed program; an existing file is replaced in one step; - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// For a CGI wrapper: the one script that it starts, such as admin or listinfo
    #[arg(long, value_name = "NAME")]
    pub(crate) cgi_script: Option<OsString>,
    /// What is sealed into a queue writer.
    #[command(flatten)]
    pub(crate) queue: Queue,
    /// What is sealed.
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What is sealed into a queue writer, besides its owner and its group.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "For a queue writer")]
pub(crate) struct Queue {
    /// Directory of the queue, such as /var/spool/clientmqueue
    #[arg(long, value_name = "DIR")]
    pub(crate) queue_directory: Option<PathBuf>,
    /// Most bytes of a message [default: 52428800]
    #[arg(long, value_name = "BYTES")]
    pub(crate) message_bytes: Option<u64>,
    /// Most recipients of a message [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) recipients: Option<u64>,
    /// Most messages of one user in the queue [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) user_messages: Option<u64>,
    /// Most bytes of one user in the queue [default: 1073741824]
    #[arg(long, value_name = "BYTES")]
    pub(crate) user_bytes: Option<u64>,
    /// Bytes of the file system that must stay free [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub(crate) free_bytes: Option<u64>,
    /// Seconds until a submission is given up [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) deadline: Option<u64>,
}

/// What is sealed, in the words of Mailman's configure.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Group or groups which may start the mail wrapper: names or numbers, separated by blanks; the first that
    /// exists is taken [default: mailman other mail daemon]
    #[arg(long, value_name = "GROUPS", help_heading = "Who may start it")]
    pub(crate) with_mail_gid: Option<OsString>,
    /// The same for a CGI wrapper [default: www www-data nobody]
    #[arg(long, value_name = "GROUPS", help_heading = "Who may start it")]
    pub(crate) with_cgi_gid: Option<OsString>,
    /// User who may own scripts, besides root
    #[arg(long, value_name = "USER", default_value = "mailman", help_heading = "Who may start it")]
    pub(crate) with_username: OsString,
    /// The wrapper's own group, which its file belongs to and its scripts run as
    #[arg(long, value_name = "GROUP", default_value = "mailman", help_heading = "Who may start it")]
    pub(crate) with_groupname: OsString,

    /// Directory of scripts/
    #[arg(long, value_name = "DIR", default_value = "/usr/local/mailman", help_heading = "Where things are")]
    pub(crate) prefix: PathBuf,
    /// Directory of mail/ and cgi-bin/ [default: the prefix]
    #[arg(long, value_name = "DIR", help_heading = "Where things are")]
    pub(crate) exec_prefix: Option<PathBuf>,
    /// Directory of lists/, archives/ and the other data [default: the prefix; without DIR: /var/mailman]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "/var/mailman")]
    #[arg(help_heading = "Where things are")]
    pub(crate) with_var_prefix: Option<PathBuf>,
    /// Extension of installed CGI programs, with its dot, such as .cgi
    #[arg(long, value_name = "EXT", help_heading = "Where things are")]
    pub(crate) with_cgi_ext: Option<OsString>,

    /// Interpreter of the scripts, or `none` where a script is a program of its own
    #[arg(long, value_name = "PATH", default_value = "none", help_heading = "What it starts")]
    pub(crate) with_python: OsString,
    /// Argument between interpreter and script, repeatable; an empty one means no argument [default: -S]
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true, help_heading = "What it starts")]
    pub(crate) interpreter_flag: Vec<OsString>,
    /// Command which the mail wrapper accepts, repeatable [default: Mailman's ten]
    #[arg(long = "command", value_name = "NAME", help_heading = "What it starts")]
    pub(crate) commands: Vec<OsString>,
    /// Variable of the environment that reaches the script, repeatable; an empty one means none [default: none for
    /// the mail wrapper, Mailman's 22 for a CGI wrapper]
    #[arg(long, value_name = "NAME", help_heading = "What it starts")]
    pub(crate) keep_environment: Vec<OsString>,
    /// Exit statuses of a refusal; defer makes a mail server try again later instead of bouncing
    #[arg(long, value_enum, default_value_t = Refusal::Mailman, help_heading = "What it starts")]
    pub(crate) refusal: Refusal,

    /// Where names and numbers come from.
    #[command(flatten)]
    pub(crate) databases: Databases,
    /// Options of Mailman's configure which mean nothing here.
    #[command(flatten)]
    pub(crate) foreign: Foreign,
}

/// Style of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Refusal {
    /// Mailman's own, which bounce
    Mailman,
    /// 75 where an administrator can repair the cause (mail wrapper only)
    Defer,
}

/// Where names and numbers come from.
#[derive(Debug, Args)]
pub(crate) struct Databases {
    /// Group database, as group(5)
    #[arg(long, value_name = "FILE", default_value = "/etc/group", help_heading = "Names and numbers")]
    pub(crate) group_file: PathBuf,
    /// User database, as passwd(5)
    #[arg(long, value_name = "FILE", default_value = "/etc/passwd", help_heading = "Names and numbers")]
    pub(crate) passwd_file: PathBuf,
}

/// Options which Mailman's configure has and which are refused with the reason, so that nobody believes in vain that
/// they did something.
#[derive(Debug, Args)]
pub(crate) struct Foreign {
    #[arg(long, hide = true, num_args = 0..=1)]
    with_mailhost: Option<Option<OsString>>,
    #[arg(long, hide = true, num_args = 0..=1)]
    with_urlhost: Option<Option<OsString>>,
    #[arg(long, hide = true, num_args = 0..=1)]
    with_gcc: Option<Option<OsString>>,
    #[arg(long, hide = true, num_args = 0..=1)]
    without_permcheck: Option<Option<OsString>>,
}

impl Foreign {
    /// Reason why the first one given is refused.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        let Self { with_mailhost, with_urlhost, with_gcc, without_permcheck } = self;
        [
            (
                with_mailhost,
                "--with-mailhost sets Mailman's default mail domain, which no wrapper reads; \
                 set DEFAULT_EMAIL_HOST in Mailman's mm_cfg.py",
            ),
            (
                with_urlhost,
                "--with-urlhost sets Mailman's default web host, which no wrapper reads; \
                 set DEFAULT_URL_HOST in Mailman's mm_cfg.py",
            ),
            (
                with_gcc,
                "--with-gcc chooses a C compiler, and nothing is compiled here: the policy is written into the \
                        finished program",
            ),
            (
                without_permcheck,
                "--without-permcheck would install a set-group-ID program where others can replace it; \
                 to write the sealed program to a file without installing it, use `wrapper-configure seal`",
            ),
        ]
        .into_iter()
        .find_map(|(given, reason)| given.is_some().then_some(reason))
    }
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wrapper-configure show sealed               # in words
  wrapper-configure show --json sealed")]
pub(crate) struct Show {
    /// The wrapper
    pub(crate) binary: PathBuf,
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
}

/// `install`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wrapper-configure install --with-mail-gid=mail --with-groupname=list
  wrapper-configure install --only=mail --with-mail-gid=mail --with-groupname=list --refusal=defer")]
pub(crate) struct Install {
    /// Directory of mail-wrapper and cgi-wrapper [default: that of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Leave the other kind of wrapper out
    #[arg(long, value_enum)]
    pub(crate) only: Option<Only>,
    /// What is sealed.
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// One kind of wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// The mail wrapper
    Mail,
    /// The CGI wrappers
    Cgi,
}

/// `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wrapper-configure check /usr/local/mailman
  wrapper-configure check --prove --web-user=www-data /usr/local/mailman
  wrapper-configure check --fix /usr/local/mailman   # change what a rule asks for, and say so")]
pub(crate) struct Check {
    /// The prefix of the installation
    pub(crate) prefix: PathBuf,
    /// Change owner, group and mode where a rule asks for it, and say each change
    #[arg(long)]
    pub(crate) fix: bool,
    /// Run the wrappers as well, as a caller whom they must refuse
    #[arg(long)]
    pub(crate) prove: bool,
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
    /// User whom the web server runs as: it owns archives/private, which is then closed to others
    #[arg(long, value_name = "USER")]
    pub(crate) web_user: Option<OsString>,
    /// User of Mailman [default: what the mail wrapper is sealed with]
    #[arg(long, value_name = "USER")]
    pub(crate) with_username: Option<OsString>,
    /// Group of Mailman [default: what the mail wrapper is sealed with]
    #[arg(long, value_name = "GROUP")]
    pub(crate) with_groupname: Option<OsString>,
    /// Directory of mail/ and cgi-bin/ [default: the prefix]
    #[arg(long, value_name = "DIR")]
    pub(crate) exec_prefix: Option<PathBuf>,
    /// Directory of lists/, archives/ and the other data [default: the prefix]
    #[arg(long, value_name = "DIR")]
    pub(crate) with_var_prefix: Option<PathBuf>,
    /// Extension of installed CGI programs, with its dot, such as .cgi
    #[arg(long, value_name = "EXT")]
    pub(crate) with_cgi_ext: Option<OsString>,
    /// Where names and numbers come from.
    #[command(flatten)]
    pub(crate) databases: Databases,
}

/// `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wrapper-configure man mail-wrapper | man -l -
  wrapper-configure man --output=/usr/local/share/man/man8")]
pub(crate) struct Man {
    /// Program [default: wrapper-configure, or all with --output]
    #[arg(value_enum)]
    pub(crate) program: Option<Page>,
    /// Directory to write PROGRAM.8 into, instead of printing
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
