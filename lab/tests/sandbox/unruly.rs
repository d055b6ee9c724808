//! Subjects that do not end, or leave something behind.

use crate::fixtures::*;
use lab_invocation::evidence::{Capture, End};
use lab_invocation::{Evidence, Invocation};
use std::time::{Duration, Instant};

fn case(script: &str) -> Option<(Evidence, Duration)> {
    let mut worker = worker()?;
    let layout = shell_layout(|_| {});
    run(worker.as_mut(), &layout, &shell("exit 0"));
    let begun = Instant::now();
    let evidence = run(worker.as_mut(), &layout, &Invocation { deadline_ms: 300, ..shell(script) });
    let took = begun.elapsed();
    let after = run(worker.as_mut(), &layout, &shell("echo alive"));
    assert_eq!(after.stdout.bytes, "alive\n".into(), "the next case is undisturbed");
    Some((evidence, took))
}

#[test]
fn a_flood_is_drained_bounded_and_ended() {
    let Some((evidence, took)) =
        case("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    else {
        return;
    };
    assert_eq!(evidence.end, Some(End::TimedOut));
    assert_eq!(evidence.stdout.bytes.0.len(), Capture::LIMIT);
    assert!(evidence.stdout.truncated());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn ignoring_sigterm_does_not_help() {
    let Some((evidence, _)) = case("trap '' TERM HUP INT; while :; do sleep 1; done") else { return };
    assert_eq!(evidence.end, Some(End::TimedOut));
    assert!(evidence.strays >= 1, "the sleep it started was there, and was killed");
}

#[test]
fn a_daemon_is_killed_and_reported() {
    let Some((evidence, took)) = case("(setsid sleep 100 >/dev/null 2>&1 &) ; (sleep 100 &) ; echo done") else {
        return;
    };
    assert_eq!(evidence.end, Some(End::Exited(0)));
    assert_eq!(evidence.strays, 2);
    assert_eq!(evidence.stdout.bytes, "done\n".into());
    assert!(took < Duration::from_millis(2_000), "not waited for: {took:?}");
}

#[test]
fn a_child_that_ends_by_itself_is_no_stray() {
    let Some((evidence, _)) = case("(exit 3) ; true") else { return };
    assert_eq!((evidence.end, evidence.strays), (Some(End::Exited(0)), 0));
}

#[test]
fn a_fork_bomb_ends() {
    let Some((evidence, took)) = case("f() { sleep 5 & sleep 5 & sleep 5 & }; f; f; f; f; wait") else { return };
    assert_eq!((evidence.end, evidence.strays), (Some(End::TimedOut), 12));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn two_workers_at_once_do_not_disturb_each_other() {
    let Some(mut one) = worker() else { return };
    let Some(mut other) = worker() else { return };
    let layout = shell_layout(|_| {});
    std::thread::scope(|scope| {
        let threads = [(&mut one, "one"), (&mut other, "other")].map(|(worker, name)| {
            let layout = &layout;
            scope.spawn(move || {
                for round in 0..100 {
                    let evidence =
                        run(worker.as_mut(), layout, &shell(&format!("echo {name} {round} | tee /tmp/same")));
                    assert_eq!(evidence.stdout.bytes, format!("{name} {round}\n").into());
                    assert_eq!(evidence.changes.len(), 1);
                }
            })
        });
        for thread in threads {
            thread.join().expect("no disturbance");
        }
    });
}

#[test]
fn what_a_case_can_write_is_bounded_beside_what_its_layout_puts_there() {
    let Some(mut worker) = worker() else { return };
    let layout = shell_layout(|layout| {
        layout.nodes.push(owned(directory("/srv", 0o755)));
        layout.fresh.push("/srv".into());
        // More than the bound, in any build of the agent.
        let copies = 1 + (20 << 20) / agent().metadata().expect("the agent").len();
        layout.nodes.extend((0..copies).map(|number| witness(&format!("/srv/{number}"), 0, 0o755)));
    });
    // In portions of the agent's length, about one MiB.
    let writes = |portions: u32| {
        let script = "i=0; while [ $i -lt PORTIONS ]; do cat /srv/0 >> /srv/more || exit 3; i=$((i+1)); done";
        shell(&script.replace("PORTIONS", &portions.to_string()))
    };
    assert_eq!(run(worker.as_mut(), &layout, &writes(5)).end, Some(End::Exited(0)));
    assert_eq!(run(worker.as_mut(), &layout, &writes(100)).end, Some(End::Exited(3)));
}
