//! What the subject is sealed with, and what groups are called: seldom changed, and mostly into something sound.

use super::{Edit, identity};
use crate::attempt::{Group, GroupFile, Program};
use crate::random::Random;
use crate::tokens::Tokens;
use crate::{Attempt, Bytes};

pub(super) const EDITS: [Edit; 6] = [trust, style, program, interpreter, keep, names];

fn trust(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = identity::gid(attempt, random);
    *(if random.one_in(2) { &mut attempt.sealed.trusted.gid } else { &mut attempt.sealed.own.gid }) = gid;
}

/// Only the mail wrapper has the other one.
fn style(attempt: &mut Attempt, _: &mut Random, _: &Tokens) {
    attempt.sealed.defer ^= matches!(attempt.sealed.program, Program::Mail(_));
}

fn program(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let sealed = &mut attempt.sealed;
    match &mut sealed.program {
        Program::Mail(commands) if commands.len() > 1 && random.one_in(2) => {
            commands.remove(random.below(commands.len()));
        }
        Program::Mail(commands) => {
            let page = random.choose(commands).cloned().unwrap_or_else(|| "listinfo".into());
            (sealed.program, sealed.defer) = (Program::Cgi(page), false);
        }
        Program::Cgi(_) => sealed.program = Program::Mail(["admin", "post"].map(Bytes::from).into()),
    }
}

fn interpreter(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let flags = if random.one_in(2) { Vec::new() } else { vec!["-S".into()] };
    attempt.sealed.interpreter = match attempt.sealed.interpreter {
        Some(_) => None,
        None => Some(("/usr/bin/python3".into(), flags)),
    };
}

fn keep(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let keep = &mut attempt.sealed.keep;
    match random.choose(&tokens.variables) {
        Some(name) if random.one_in(2) && !keep.contains(name) => keep.push(name.clone()),
        _ if !keep.is_empty() => {
            keep.remove(random.below(keep.len()));
        }
        _ => {}
    }
}

/// The group file loses a row, gets one for a gid that matters, or cannot be read.
fn names(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = identity::gid(attempt, random);
    let name = random.choose(&["mail", "list", "x"]).copied().unwrap_or("x").into();
    attempt.group_file = match std::mem::replace(&mut attempt.group_file, GroupFile::Unreadable) {
        GroupFile::Unreadable => GroupFile::Rows(vec![Group { gid, name }]),
        GroupFile::Rows(_) if random.one_in(4) => GroupFile::Unreadable,
        GroupFile::Rows(mut rows) => {
            match rows.iter().position(|row| row.gid == gid) {
                Some(at) => drop(rows.remove(at)),
                None => rows.push(Group { gid, name }),
            }
            GroupFile::Rows(rows)
        }
    };
}
