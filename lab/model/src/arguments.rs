//! How large the arguments and environment of a program may be. See execve(2), "Limits on size of arguments and
//! environment"; `fs/exec.c`, `bprm_stack_limits`.

/// Longest single string in bytes, its final NUL included: `MAX_ARG_STRLEN`, 32 pages of 4 KiB.
pub const LONGEST_STRING: usize = 131_072;

/// What the total never falls below: `ARG_MAX` of `include/uapi/linux/limits.h`, in bytes.
const LEAST_TOTAL: u64 = 131_072;
/// Three quarters of `_STK_LIM` (8 MiB), in bytes.
const MOST_TOTAL: u64 = 6 * 1024 * 1024;

/// Whether execve(2) takes these, when the soft RLIMIT_STACK is `stack` bytes (`None`: unlimited), or answers E2BIG.
pub fn fit<'a>(
    path: &[u8],
    argv: impl Iterator<Item = &'a Vec<u8>> + Clone,
    env: &[Vec<u8>],
    stack: Option<u64>,
) -> bool {
    let lengths = || argv.clone().map(Vec::len).chain(env.iter().map(Vec::len));
    if lengths().any(|length| length >= LONGEST_STRING) {
        return false;
    }
    let limit = stack.map_or(MOST_TOTAL, |stack| (stack / 4).min(MOST_TOTAL)).max(LEAST_TOTAL);
    // An empty vector is filled with one empty string, which needs its pointer.
    let pointers = (argv.clone().count().max(1) + env.len()) as u64 * 8;
    let bytes: u64 = lengths().map(|length| length as u64 + 1).sum::<u64>() + path.len() as u64 + 1;
    // The pages that hold the strings are part of the stack, and it may not outgrow its own limit.
    let on_stack = stack.is_none_or(|stack| bytes.next_multiple_of(4096) <= stack);
    on_stack && limit.checked_sub(pointers).is_some_and(|room| room > 0 && bytes <= room)
}

#[cfg(test)]
mod tests {
    use super::fit;
    use rstest::rstest;

    #[rstest]
    #[case::longest_string(131_071, 1, Some(8 << 20), true)]
    #[case::one_byte_too_long(131_072, 1, Some(8 << 20), false)]
    #[case::a_quarter_of_the_stack(100_000, 20, Some(8 << 20), true)]
    #[case::more_than_a_quarter(100_000, 21, Some(8 << 20), false)]
    #[case::unlimited_stack_means_six_mebibytes(100_000, 62, None, true)]
    #[case::more_than_six_mebibytes(100_000, 63, None, false)]
    #[case::one_mebibyte_of_stack(100_000, 2, Some(1 << 20), true)]
    #[case::a_small_stack_still_leaves_128_kibibytes(100_000, 1, Some(131_072), true)]
    #[case::but_not_more(100_000, 2, Some(131_072), false)]
    #[case::nor_more_than_the_stack_itself(100_000, 1, Some(65_536), false)]
    fn sizes(#[case] length: usize, #[case] count: usize, #[case] stack: Option<u64>, #[case] fits: bool) {
        let argv = vec![vec![b'a'; length]; count];
        assert_eq!(fit(b"/w", argv.iter(), &[], stack), fits);
    }
}
