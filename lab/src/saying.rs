//! Whether a text says some words: as words, so that "unproven" does not say "proven", nor "mail 80" "mail 8".

/// Whether `words` stand in `text` with no part of a longer word before or after them. No words are nowhere.
pub fn says(text: &[u8], words: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (words.first(), words.last()) else { return false };
    text.windows(words.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let after = text.get(at + words.len());
        let joined = |inner: u8, outer: Option<&u8>| in_word(inner) && outer.is_some_and(|&outer| in_word(outer));
        window == words && !joined(first, before) && !joined(last, after)
    })
}

/// Bytes of letters outside ASCII are parts of words too.
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::says;
    use rstest::rstest;

    #[rstest]
    #[case::alone("proven", "proven", true)]
    #[case::among_others("it is proven: refuses", "proven", true)]
    #[case::end_of_a_longer_word("unproven", "proven", false)]
    #[case::beginning_of_a_longer_word("mail 80", "mail 8", false)]
    #[case::before_a_line_end("trusts mail 8\n", "trusts mail 8", true)]
    #[case::the_second_time("mail 80, mail 8", "mail 8", true)]
    #[case::compound("mail-admin", "mail", false)]
    #[case::underscore("no_mail", "mail", false)]
    #[case::letter_outside_ascii("m\u{e9}mail", "mail", false)]
    #[case::option("seal with --with-mail-gid=mail", "--with-mail-gid", true)]
    #[case::in_brackets("gid 8 (mail)", "mail", true)]
    #[case::part_of_a_path("/usr/local/mailman", "/usr", true)]
    #[case::part_of_a_name_of_a_path("/usr/local/mailman", "/usr/local/mail", false)]
    #[case::no_word("a/b", "/", true)]
    #[case::nothing("text", "", false)]
    #[case::longer_than_the_text("a", "ab", false)]
    fn only_whole_words_are_said(#[case] text: &str, #[case] words: &str, #[case] said: bool) {
        assert_eq!(says(text.as_bytes(), words.as_bytes()), said);
    }
}
