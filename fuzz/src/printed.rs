//! What does a terminal act on?

/// Whether a terminal acts on a character instead of showing it: control characters, and what
/// reorders or hides its neighbours.
#[must_use]
pub fn acts_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x61c | 0xfeff | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        )
}
