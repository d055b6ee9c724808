//! Work that is done side by side and told in its order.

use crate::problem::Problem;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// Does the work of each item, so many at a time, and tells what came of them in the order of the items, each as soon as
/// all before it are told.
///
/// # Errors
/// A worker has not come to an end.
///
/// # Panics
/// As the work does.
pub fn in_order<I: Sync, O: Send>(
    items: &[I],
    jobs: usize,
    work: &(impl Fn(&I) -> O + Sync),
    tell: &mut dyn FnMut(&I, O),
) -> Result<(), Problem> {
    let next = AtomicUsize::new(0);
    let one = |done: Sender<(usize, O)>| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return };
            // Nobody listens once telling has panicked.
            if done.send((place, work(item))).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for done in std::iter::repeat_n(sender, jobs.min(items.len())) {
            scope.spawn(|| one(done));
        }
        let mut early = BTreeMap::new();
        let mut told = 0;
        for (place, came) in receiver {
            early.insert(place, came);
            while let (Some(item), Some(came)) = (items.get(told), early.remove(&told)) {
                tell(item, came);
                told += 1;
            }
        }
        if told == items.len() { Ok(()) } else { Err(Problem::internal("a worker has not come to an end")) }
    })
}

#[cfg(test)]
mod tests;
