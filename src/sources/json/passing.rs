//! Where does an object end that is too large to be in memory?

/// What of an object has been passed over, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Passing {
    n_open: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Passing {
    /// Where the object ends within the next piece; `None` where it goes on.
    pub(super) fn end_in(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.is_in_string && !self.is_escaped {
                at += memchr::memchr2(b'"', b'\\', &piece[at..])?;
                self.is_escaped = piece[at] == b'\\';
                self.is_in_string = self.is_escaped;
                at += 1;
                continue;
            }
            at += 1;
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.n_open += 1,
                b'}' | b']' => {
                    self.n_open = self.n_open.saturating_sub(1);
                    if self.n_open == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_where_the_first_bracket_is_closed_wherever_it_is_cut() {
        let text = br#"{"a}": ["\\", "\"]}", {"b": [[]]}], "c": 1}, {"d": 2}"#;
        let end = text.len() - r#", {"d": 2}"#.len();
        for cut in 0..end {
            let mut passing = Passing::default();
            let (first, second) = text.split_at(cut);
            assert_eq!(passing.end_in(first), None, "{cut}");
            assert_eq!(passing.end_in(second), Some(end - cut), "{cut}");
        }
    }
}
