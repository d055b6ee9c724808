//! Work of which the first is done last.

use super::in_order;
use rstest::rstest;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

/// The first item waits until all others are done, so that as many as there are workers must have been begun at a time.
#[test]
fn what_is_done_early_is_told_in_its_turn() {
    let (others, done) = (Mutex::new(0), Condvar::new());
    let work = |&item: &usize| {
        let mut count = others.lock().expect("no panic");
        if item == 0 {
            drop(done.wait_while(count, |count| *count < 4).expect("no panic"));
        } else {
            *count += 1;
            done.notify_all();
        }
        item * 10
    };
    let mut told = Vec::new();
    in_order(&[0, 1, 2, 3, 4], 2, &work, &mut |&item, came| told.push((item, came))).expect("all come to an end");
    assert_eq!(told, [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]);
}

#[rstest]
#[case::nothing(0, 3)]
#[case::one_at_a_time(5, 1)]
#[case::fewer_than_workers(2, 8)]
fn each_item_is_done_once(#[case] items: usize, #[case] jobs: usize) {
    let items: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
    let mut told = 0;
    in_order(&items, jobs, &|item| item.fetch_add(1, Ordering::Relaxed), &mut |_, before| {
        assert_eq!(before, 0);
        told += 1;
    })
    .expect("all come to an end");
    assert_eq!(told, items.len());
}
