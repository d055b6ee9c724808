//! What can be delivered is what the model says execve(2) takes: two rules of two crates, written apart.

use lab_invocation::deliverable::deliverable;
use lab_invocation::invocation::Limit;
use lab_invocation::{Attempt, Bytes, Invocation};
use lab_model::arguments;

/// A start with arguments of `total` bytes, none longer than `longest`, under a soft RLIMIT_STACK.
fn start(total: usize, longest: usize, stack: Option<u64>) -> Invocation {
    let mut invocation = Attempt::by_a_stranger().invocation;
    let whole = std::iter::repeat_n(longest, total / longest);
    let lengths = whole.chain([total % longest]).filter(|length| *length > 0);
    invocation.argv = lengths.map(|length| Bytes(vec![b'a'; length])).collect();
    invocation.limits = vec![Limit { resource: 3, soft: stack, hard: None }];
    invocation
}

fn fits(invocation: &Invocation, stack: Option<u64>) -> bool {
    let env = Bytes::vectors(&invocation.env);
    arguments::fit(&invocation.program.0, invocation.argv.iter().map(|word| &word.0), env, stack)
}

#[test]
fn the_largest_that_the_model_takes_is_deliverable_and_one_byte_more_is_not() {
    for stack in [None, Some(65_536), Some(131_072), Some(1 << 20), Some(8 << 20)] {
        for longest in [1000, 131_071, 8 << 20] {
            let (mut taken, mut refused) = (1_usize, 8 << 20);
            while refused - taken > 1 {
                let middle = taken.midpoint(refused);
                if fits(&start(middle, longest, stack), stack) { taken = middle } else { refused = middle }
            }
            let at = format!("{taken} bytes in arguments of {longest}, stack {stack:?}");
            assert!(taken > 10_000, "{at}: the search found no edge");
            assert_eq!(deliverable(&start(taken, longest, stack)), Ok(()), "{at}");
            assert!(deliverable(&start(refused, longest, stack)).is_err(), "{at}, and one more");
        }
    }
}
