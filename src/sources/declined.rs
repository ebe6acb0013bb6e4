//! What do the fast readers answer where they do not read?

use std::fmt;

/// It is for the full parser to read, and to say what is wrong, if anything is.
#[derive(Debug)]
pub(super) struct Declined;

/// What was read, unless it is for the full parser.
pub(super) type Result<T, E = Declined> = std::result::Result<T, E>;

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is for the full parser")
    }
}

impl std::error::Error for Declined {}

impl serde::de::Error for Declined {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
