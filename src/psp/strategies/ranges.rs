//! Which ids lie in a policy's ranges?

use std::fmt;

use crate::objects::psp::{IdStrategy, Range};

use super::StrategyError;

/// The ranges of a rule that cannot do without: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct Ranges {
    first: Range,
    rest: Vec<Range>,
}

impl Ranges {
    pub(super) fn of(strategy: &IdStrategy, field: &'static str) -> Result<Self, StrategyError> {
        match strategy.ranges.split_first() {
            Some((first, rest)) => Ok(Self { first: first.clone(), rest: rest.to_vec() }),
            None => Err(StrategyError::NoRanges { field, rule: strategy.rule.clone() }),
        }
    }

    /// The id that is written where none is set: the first range's smallest, even where that range
    /// is upside down and holds nothing.
    pub(super) fn default_id(&self) -> i64 {
        self.first.min
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        [&self.first].into_iter().chain(&self.rest).any(|range| range.contains(id))
    }
}

impl Range {
    /// Whether an id or port lies in the range; in a range whose `min` is over its `max` nothing
    /// does.
    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        (self.min..=self.max).contains(&id)
    }
}

/// Prints the ranges as Go prints a list of structs: `[{1000 1999} {3000 3000}]`.
impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{{{} {}}}", self.first.min, self.first.max)?;
        for Range { min, max } in &self.rest {
            write!(f, " {{{min} {max}}}")?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_hostile_ranges() {
        let strategy = IdStrategy {
            rule: "MustRunAs".to_owned(),
            ranges: vec![
                Range { min: 10, max: -10 },
                Range { min: i64::MIN, max: -1 },
                Range { min: i64::MAX, max: i64::MAX },
            ],
        };
        let ranges = Ranges::of(&strategy, "spec.fsGroup").unwrap();
        assert_eq!(ranges.default_id(), 10);
        for (id, expected) in
            [(10, false), (0, false), (-1, true), (i64::MIN, true), (i64::MAX, true)]
        {
            assert_eq!(ranges.contains(id), expected, "{id}");
        }
        assert_eq!(
            ranges.to_string(),
            "[{10 -10} {-9223372036854775808 -1} {9223372036854775807 9223372036854775807}]"
        );
    }
}
