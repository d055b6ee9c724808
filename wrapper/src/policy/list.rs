//! A few texts, without memory of their own.

use std::ops::Deref;

/// At most `N` texts of a section.
///
/// Not a `Vec`: the policy says how to refuse, also a process that has no memory to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List<'s, const N: usize> {
    /// Empty ones behind the last.
    texts: [&'s str; N],
    length: usize,
}

impl<'s, const N: usize> List<'s, N> {
    /// The texts.
    #[must_use]
    pub fn as_slice(&self) -> &[&'s str] {
        self.texts.get(..self.length).unwrap_or_default()
    }

    /// Adds one; gives it back if the list is full.
    ///
    /// # Errors
    /// If there are `N` already.
    pub fn push(&mut self, text: &'s str) -> Result<(), Full> {
        *self.texts.get_mut(self.length).ok_or(Full)? = text;
        self.length += 1;
        Ok(())
    }
}

/// There is no room for another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl<const N: usize> Default for List<'_, N> {
    fn default() -> Self {
        Self { texts: [""; N], length: 0 }
    }
}

impl<'s, const N: usize> Deref for List<'s, N> {
    type Target = [&'s str];

    fn deref(&self) -> &Self::Target {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, List};

    fn list(texts: &[&'static str]) -> List<'static, 2> {
        let mut list = List::default();
        for text in texts {
            list.push(text).expect("there is room");
        }
        list
    }

    #[test]
    fn lists_are_equal_if_their_texts_are() {
        assert!(list(&[]) == list(&[]));
        assert!(list(&["a", "b"]) == list(&["a", "b"]));
        assert!(list(&["a", "b"]) != list(&["b", "a"]));
        assert!(list(&["a"]) != list(&["a", ""]), "room that is not used is no text");
    }

    #[test]
    fn a_full_list_stays_as_it_is() {
        let mut list = list(&["a", "b"]);
        assert_eq!(list.push("c"), Err(Full));
        assert_eq!(*list, ["a", "b"]);
    }
}
