//! Argument vectors. One may have hundreds of thousands of entries, which are then mostly the same one.

use crate::Bytes;
use bytemuck::TransparentWrapper;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An argument vector that keeps equal neighbours once, with their number: 690,000 empty arguments would take 16 MiB in
/// whoever holds a case, as a list of byte strings. Its text and its messages are those of a list.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arguments {
    /// No count is zero, and no neighbours are equal, so that equal vectors have equal runs.
    runs: Vec<(Vec<u8>, usize)>,
}

impl Arguments {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|(_, count)| count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Each one, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Bytes> + Clone {
        self.runs.iter().flat_map(|(word, count)| std::iter::repeat_n(Bytes::wrap_ref(word), *count))
    }

    /// The one at a place, from 0.
    pub fn get(&self, at: usize) -> Option<&Bytes> {
        let mut end = 0_usize;
        let run = self.runs.iter().find(|(_, count)| {
            end = end.saturating_add(*count);
            at < end
        });
        run.map(|(word, _)| Bytes::wrap_ref(word))
    }

    /// The first one.
    pub fn first(&self) -> Option<&Bytes> {
        self.get(0)
    }

    /// The last one.
    pub fn last(&self) -> Option<&Bytes> {
        self.runs.last().map(|(word, _)| Bytes::wrap_ref(word))
    }

    /// Different neighbours, each with how often it stands there.
    pub fn runs(&self) -> &[(Vec<u8>, usize)] {
        &self.runs
    }

    /// Adds one at the end.
    pub fn push(&mut self, word: Bytes) {
        self.repeat(word, 1);
    }

    /// Adds the same one so many times at the end.
    pub fn repeat(&mut self, word: Bytes, count: usize) {
        match self.runs.last_mut() {
            Some((last, already)) if *last == word.0 => *already = already.saturating_add(count),
            _ if count == 0 => {}
            _ => self.runs.push((word.0, count)),
        }
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    /// Each one, in a list.
    pub fn to_vec(&self) -> Vec<Bytes> {
        self.iter().cloned().collect()
    }

    /// Any other change, made in a list: for vectors that are not long.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut Vec<Bytes>) -> T) -> T {
        let mut list = self.to_vec();
        let result = change(&mut list);
        *self = list.into();
        result
    }
}

impl Extend<Bytes> for Arguments {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, words: I) {
        words.into_iter().for_each(|word| self.push(word));
    }
}

impl FromIterator<Bytes> for Arguments {
    fn from_iter<I: IntoIterator<Item = Bytes>>(words: I) -> Self {
        let mut all = Self::default();
        all.extend(words);
        all
    }
}

impl From<Vec<Bytes>> for Arguments {
    fn from(list: Vec<Bytes>) -> Self {
        list.into_iter().collect()
    }
}

impl<const N: usize> From<[Bytes; N]> for Arguments {
    fn from(list: [Bytes; N]) -> Self {
        list.into_iter().collect()
    }
}

impl<const N: usize> PartialEq<[Bytes; N]> for Arguments {
    fn eq(&self, other: &[Bytes; N]) -> bool {
        self.iter().eq(other)
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Not collect_seq: a message says beforehand how many there are, and this iterator does not know.
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for word in self.iter() {
            list.serialize_element(word)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Arguments;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of byte strings")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Arguments, A::Error> {
                let mut all = Arguments::default();
                while let Some(word) = list.next_element()? {
                    all.push(word);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::Bytes;

    fn words(text: &str) -> Arguments {
        text.split(' ').map(Bytes::from).collect()
    }

    #[test]
    fn equal_neighbours_are_kept_once_and_counted() {
        let mut many = words("a b");
        many.repeat("b".into(), 690_000);
        many.repeat("c".into(), 0);
        many.extend(["b", "a"].map(Bytes::from));
        assert_eq!(many.runs(), [(b"a".to_vec(), 1), (b"b".to_vec(), 690_002), (b"a".to_vec(), 1)]);
        assert_eq!((many.len(), many.iter().count()), (690_004, 690_004));
        let at = |place| many.get(place).map(Bytes::to_text);
        assert_eq!([at(0), at(1), at(690_002), at(690_003)].map(Option::unwrap_or_default), ["a", "b", "b", "a"]);
        assert_eq!(
            (at(690_004), many.first().cloned(), many.last().cloned()),
            (None, at(0).map(Into::into), Some("a".into()))
        );
    }

    #[test]
    fn a_vector_is_equal_however_it_was_made() {
        let mut edited = words("a x a");
        edited.edit(|list| list[1] = "a".into());
        let mut repeated = Arguments::default();
        repeated.repeat("a".into(), 3);
        assert_eq!(edited, repeated);
        assert_eq!(words("a a a"), repeated);
        repeated.clear();
        assert!(repeated.is_empty() && repeated.first().is_none());
    }
}
