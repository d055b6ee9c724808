//! `lab-agent`: the lab's one program inside the sandbox. Static, small, and started by the C runtime directly.
//!
//! | started as | it is |
//! |---|---|
//! | `lab-agent serve` | stage 0: makes the namespaces, then watches; its child, stage 1, is pid 1 inside and runs the cases |
//! | `lab-agent transitions` | likewise, but inside it answers questions about the kernel for `lab model check` |
//! | `lab-agent hold` | what a container runs while a lab uses it |
//! | `lab-agent contained` | what serves the lab there, without namespaces of its own |
//! | `lab-agent beside` | the same in a container whose files belong to a mail or web server |
//! | any other path | the witness: stands in for the script which a wrapper starts, and reports what it was given |
//!
//! | module | what it holds |
//! |---|---|
//! | [`stage0`] | namespaces, id maps, life line: nothing survives the lab |
//! | [`stage1`] | the server inside: layouts and runs |
//! | [`contained`] | the same without namespaces, in a container that ends with the lab |
//! | [`sweep`] | taking down what a case leaves behind |
//! | [`layout`] | trees and mounts, prepared once per layout; fresh directories and their differences, once per case |
//! | [`case`] | one start of a subject: plan, launcher, watch, evidence |
//! | [`challenge`] | whom the witness must try to become |
//! | [`witness`] | what the script's place is given |
//! | [`transitions`] | what the running kernel does with ids |
//! | [`idmaps`] | id maps of user namespaces inside the sandbox |
//! | [`cure`] | what an administrator can do where the kernel refuses a sandbox |
//! | [`host`] | facts of the host that change what a run proves |
//! | [`frame`] | messages on a stream socket |
//! | [`sys`] | the only unsafe code |

#![cfg_attr(not(test), no_main)]
#![cfg_attr(test, expect(dead_code, reason = "the entry point is not part of the test program"))]
#![deny(unsafe_code)]

mod case;
mod challenge;
mod contained;
mod cure;
mod failure;
mod frame;
mod host;
mod idmaps;
mod layout;
mod stage0;
mod stage1;
mod sweep;
mod sys;
mod transitions;
mod witness;

use layout::container::Whose;

/// What the kernel and the C runtime handed to this process.
pub(crate) struct Start {
    /// Argument vector.
    pub(crate) argv: Vec<&'static [u8]>,
    /// Raw environment.
    pub(crate) env: Vec<&'static [u8]>,
    /// AT_EXECFN: the path by which this program was executed.
    pub(crate) exec_path: &'static [u8],
    /// AT_SECURE.
    pub(crate) secure: bool,
    /// Whether descriptor 0, 1 or 2 was closed when the kernel started the program; the C runtime may have opened it since.
    pub(crate) was_closed: fn(std::os::fd::RawFd) -> bool,
}

/// File name under which the agent is the agent; under every other one it is the witness.
const NAME: &[u8] = b"lab-agent";

/// The whole program; its return value is the exit status.
pub(crate) fn run(start: &Start) -> i32 {
    if transitions::is_report(start) {
        return transitions::report(start);
    }
    let name = start.exec_path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if name != NAME {
        return witness::testify(start);
    }
    match start.argv.get(1).copied() {
        Some(b"serve") => stage0::serve(stage1::main),
        Some(b"hold") => contained::hold(start.argv.get(2..).unwrap_or_default()),
        Some(b"contained") => contained::serve(Whose::Layouts),
        Some(b"beside") => contained::serve(Whose::Server),
        Some(b"transitions") => stage0::serve(transitions::main),
        _ => {
            let usage =
                b"usage: lab-agent serve | transitions | hold | contained | beside (started by lab, with a stream to it)\n";
            // Without a standard error there is nobody to tell.
            let _ = write_all(rustix::stdio::stderr(), usage);
            2
        }
    }
}

/// Writes everything.
pub(crate) fn write_all(to: impl std::os::fd::AsFd, mut bytes: &[u8]) -> Result<(), rustix::io::Errno> {
    while !bytes.is_empty() {
        let count = rustix::io::write(&to, bytes)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}
