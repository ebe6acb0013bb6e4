//! How do columns line up?

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// Lays out rows, the first of which is the header, in columns without lines, as kubectl does.
///
/// With a width (in characters), cells are wrapped to fit it; without, each row is one line.
#[must_use]
pub fn aligned(rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [["A", "BB"], ["long", "x"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows, None), "A     BB\nlong  x\n");
    }

    #[test]
    fn long_cells_wrap_at_the_width() {
        let rows = [["NAME", "WHY"], ["web", "one two three four five six seven"]]
            .map(|row| row.map(str::to_owned).to_vec());
        let text = aligned(&rows, Some(24));
        assert!(text.lines().all(|line| line.len() <= 24), "{text}");
        assert!(text.contains("seven"));
    }
}
