//! What is new about an execution: how it behaved, with what differs each time left out. Two executions of one shape teach a
//! campaign nothing; it keeps an attempt whose shape it has not seen.

use lab_invocation::Evidence;
use lab_invocation::evidence::Capture;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// How much of a text counts, in bytes.
const COUNTED: usize = 240;

/// A number for the shape, the same for equal shapes within one build of the lab. `predicted` is the model's outcome.
pub(super) fn shape(predicted: &str, evidence: &Evidence) -> u64 {
    let mut hash = DefaultHasher::new();
    predicted.hash(&mut hash);
    format!("{:?} {:?}", evidence.stage, evidence.end).hash(&mut hash);
    text(&evidence.stderr).hash(&mut hash);
    text(&evidence.stdout).hash(&mut hash);
    evidence.syslog.first().map(|line| masked(line.as_slice())).hash(&mut hash);
    evidence.syslog.len().hash(&mut hash);
    for change in &evidence.changes {
        change.path.hash(&mut hash);
    }
    for script in &evidence.witness {
        script.exec_path.hash(&mut hash);
        bucket(script.argv.len()).hash(&mut hash);
        script.env.iter().map(|entry| name(entry.as_slice())).collect::<BTreeSet<_>>().hash(&mut hash);
        script.descriptors.iter().map(|descriptor| descriptor.number).collect::<Vec<_>>().hash(&mut hash);
        (script.umask, &script.cwd, &script.ignored, &script.blocked, &script.pending).hash(&mut hash);
        (script.timers_us.map(|left| left > 0), script.timer_slack_ns, script.dumpable, script.secure).hash(&mut hash);
        format!("{:?}", script.credentials.gid).hash(&mut hash);
        (script.capabilities, script.no_new_privs, bucket(script.stdin.bytes.0.len())).hash(&mut hash);
    }
    (evidence.witness_unfinished, evidence.strays).hash(&mut hash);
    hash.finish()
}

fn text(capture: &Capture) -> (Vec<u8>, bool) {
    (masked(capture.bytes.as_slice()), capture.truncated())
}

/// The beginning of a text, each number in it one digit.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for &byte in text.iter().take(COUNTED) {
        let byte = if byte.is_ascii_digit() { b'0' } else { byte };
        if byte != b'0' || out.last() != Some(&b'0') {
            out.push(byte);
        }
    }
    out
}

fn name(entry: &[u8]) -> &[u8] {
    entry.split(|&byte| byte == b'=').next().unwrap_or_default()
}

/// Small counts each by itself, large ones by their order of magnitude.
fn bucket(count: usize) -> u32 {
    match count {
        0..=3 => u32::try_from(count).unwrap_or(3),
        more => 4 + more.ilog2(),
    }
}
