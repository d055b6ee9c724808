//! # NAME
//!
//! queue-writer - put mail of any user into a queue that only a group can write
//!
//! # SYNOPSIS
//!
//! **queue-writer** \[*option*\]... \[**--**\] *recipient*...
//!
//! **queue-writer** **-t** \[*option*\]... \[*recipient*\]...
//!
//! # DESCRIPTION
//!
//! queue-writer is what users and programs start as /usr/sbin/sendmail to send mail. It reads a message from standard input
//! and puts it into the client queue of sendmail(8), as files `df` and `qf` of version 8, from which sendmail's runner
//! (`sendmail -Ac -q`), or queue-runner(8), takes it. It delivers nothing itself.
//!
//! It is set-group-ID to the group of the queue, `smmsp` with sendmail. Any user may start it, root too. Which queue it
//! writes, and how much it takes, is sealed into the binary by wrapper-configure(8). There is no configuration file, no
//! option names a file or a directory, and the name by which it is called chooses nothing.
//!
//! A message that it has accepted, which is what exit status 0 says and nothing else does, is whole and on disk. Any other
//! status says that nothing was queued; the one exception says so itself (see DIAGNOSTICS).
//!
//! The header ends with an empty line or before the first line that is none of a header; a first line that begins with
//! `From` and a blank is left out. Date, From and Message-Id are added where they are missing; Bcc, Resent-Bcc and
//! Return-Path are taken out. A line may end with carriage return and line feed, and is stored with a line feed; every other
//! byte of the body stays as it is. A carriage return or NUL in the middle of a header line is refused.
//!
//! # OPTIONS
//!
//! Options come before recipients. Letters without a value may be joined, as in `-ti`.
//!
//! | option                    | meaning                                                                          |
//! |---------------------------|----------------------------------------------------------------------------------|
//! | -t                        | send to the addresses of To, Cc and Bcc as well; of Resent-To and so on, if there are |
//! | -i, -oi                   | a line of one dot does not end the message                                       |
//! | -f *address*, -r *address* | envelope sender, instead of the caller's user name; `<>`: the null sender        |
//! | -F *name*                 | the caller's full name, for a From that is missing                               |
//! | -B *type*                 | `7BIT` or `8BITMIME`                                                             |
//! | -N *when*                 | `never`, or `success`, `failure`, `delay` with commas: when to tell the sender   |
//! | -R *what*                 | `full` or `hdrs`: what of the message to send back                               |
//! | -V *id*                   | envelope id, xtext of RFC 3461                                                   |
//! | -bm, -Ac                  | what this program does anyway                                                    |
//! | -odq, -odi, -odb          | accepted: the runner delivers, whichever is asked for                            |
//! | -oem, -oee, -oep, -oeq, -oew | accepted: a fault is told on standard error and by the exit status            |
//! | -om, -m, -v, -L *tag*     | accepted                                                                         |
//!
//! `-bs` (SMTP on standard input), `-bd`, `-bp`, `-bv`, `-bt`, `-bi`, `-q` and `-Am` are other programs' and refused with
//! their names; any other option is refused.
//!
//! An argument may be a list of addresses with commas. An address has 1 to 255 bytes of printable ASCII, blanks only between
//! quotes. A program (`|`), a file (`/`) or a list in a file (`:include:`) is no address.
//!
//! # LIMITS
//!
//! Sealed are the most bytes and recipients of a message, the most messages and bytes of one user in the queue, what must
//! stay free on its file system, and the deadline. A header has at most 65536 bytes. A queue with more than 20000 files
//! takes none. Several submissions of one user at the same time may together exceed that user's limits by what each of them
//! adds. Inherited limits (setrlimit(2)) must be at least those of mail-wrapper(8).
//!
//! # PROMISES
//!
//! Each has an id, by which tests name it. Q19 is the promise of a reader of the queue, which this program is not.
//!
//! | id  | kept by                   | promise |
//! |-----|---------------------------|---------|
//! | Q1  | order of the steps        | status 0: both files and their names are on disk; a test fails every call |
//! | Q2  | the same, the lock        | another status: nothing that could be delivered is left |
//! | Q3  | signals read, not handled | no signal takes a committed message back; before that one ends it whole |
//! | Q4  | rename(2) last of all     | at no moment a message without its body |
//! | Q5  | O_EXCL, RENAME_NOREPLACE  | nothing is overwritten |
//! | Q6  | fchmod(2), then fstat(2)  | mode 0660, owner the caller, group the queue's, whatever the umask |
//! | Q7  | the null device is known  | a closed standard input is a fault, and no empty message |
//! | Q8  | it is never read          | the environment changes nothing |
//! | Q9  | no mode by argv\[0\]      | to be started without any argument is a usage fault |
//! | Q10 | types, and one writer     | nothing that a caller writes begins a record of the control file |
//! | Q11 | pieces of every length    | the body is what was written |
//! | Q12 | mode of the directory     | a queue that everybody can get at is refused |
//! | Q13 | owner, and Received       | who submitted a message is the kernel's word |
//! | Q14 | openat(2) from `/` on     | no other queue is written, and none in which others could write |
//! | Q15 | LIMITS                    | there is an end to what one user has; a full disk is status 75 |
//! | Q16 | deadline, and alarm(2)    | no submission lasts for ever |
//! | Q17 | setresgid(2), and a try   | the group is given up before anything is told, and cannot be had back |
//! | Q18 | PR_SET_DUMPABLE 0         | no memory image |
//! | Q19 | the reader                | one bad file stops no other: queue-runner(8); this program writes none that stops sendmail's |
//!
//! # EXIT STATUS
//!
//! Those of sysexits.h.
//!
//! | status | meaning                                                                                        |
//! |--------|------------------------------------------------------------------------------------------------|
//! | 0      | the message is queued                                                                          |
//! | 64     | the command line is wrong                                                                      |
//! | 65     | an address, the header or the size of the message is not acceptable                            |
//! | 66     | standard input is closed or cannot be read                                                     |
//! | 67     | the caller has no user name, and gave no sender                                                |
//! | 70     | a fault of this program                                                                        |
//! | 71     | the process could not be made safe, or a hard limit is too small                               |
//! | 74     | the file system failed                                                                         |
//! | 75     | there is no room, or too much of the caller's; or a signal or the deadline came: try again later |
//! | 78     | no sound policy is sealed; the set-group-ID bit did not act; the queue is not as it must be    |
//!
//! # DIAGNOSTICS
//!
//! A refusal is one line of printable ASCII on standard error and in syslog, facility mail, severity error. It repeats
//! nothing that the caller wrote but the letters of an unknown option. A message that is queued is logged with its id,
//! sender, uid, size, number of recipients and Message-Id, severity info.
//!
//! Where the file system fails both when a committed message is to be on disk and when it is to be taken back, the refusal
//! ends with the words "may be delivered all the same".
//!
//! A process that is killed, or ended with the machine, leaves a whole message if that was after the rename to `qf`, and
//! otherwise perhaps files whose names begin with `df` and `tf`. Without a `qf` they are no message; whoever looks after the
//! queue may remove them when they are older than the deadline.
//!
//! # ENVIRONMENT
//!
//! No variable has an effect.
//!
//! # FILES
//!
//! | file        | use                                                             |
//! |-------------|-----------------------------------------------------------------|
//! | *queue*     | the sealed directory, mode 2770, of the owner and group sealed  |
//! | /etc/passwd | the caller's name, for the sender                               |
//! | /etc/group  | read only to say what a group is called in a refusal            |
//! | /dev/log    | where submissions and refusals are logged                       |
//!
//! # SECURITY
//!
//! The owner of the files is the one thing in a queue that a caller cannot choose; the sender is what the caller says. The
//! files stay the caller's: who submitted a message can send the process any signal while it runs, and the members of the
//! group can change a message afterwards, as sendmail's runner does. A user whom /etc/passwd does not list, as one of a
//! directory service, has to say `-f`. Supplementary groups cannot be given up without privilege, and are not used.
//!
//! # SEE ALSO
//!
//! queue-runner(8), sendmail(8), wrapper-configure(8), mail-wrapper(8), mailq(1), credentials(7), rename(2), fsync(2)

#![no_main]
#![deny(unsafe_code)]

wrapper::program!(wrapper::policy::Kind::Queue, wrapper::queue::run);
