//! How does a report of headings, lists and diffs become text for a terminal, or Markdown?

use super::table::aligned;
use crate::objects::source::printable;

/// A report in parts, written once for every format.
#[derive(Debug, Default)]
pub struct Outline(Vec<Block>);

#[derive(Debug)]
enum Block {
    Heading(usize, String),
    Paragraph(String),
    Command([String; 3]),
    Item(usize, String),
    Table(Vec<Vec<String>>),
    Diff(String),
}

impl Outline {
    /// Begins a part; depth 1 is the title.
    pub fn heading(&mut self, depth: usize, text: impl Into<String>) {
        self.0.push(Block::Heading(depth, text.into()));
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: impl Into<String>) {
        self.0.push(Block::Paragraph(text.into()));
    }

    /// Adds a paragraph with words to be typed in its middle.
    pub fn command(&mut self, before: &str, command: &str, after: &str) {
        self.0.push(Block::Command([before, command, after].map(str::to_owned)));
    }

    /// Adds an item to a list; those of depth 1 belong to the item before them.
    pub fn item(&mut self, depth: usize, text: impl Into<String>) {
        self.0.push(Block::Item(depth, text.into()));
    }

    /// Adds a table, the first row of which is its header.
    pub fn table(&mut self, rows: Vec<Vec<String>>) {
        self.0.push(Block::Table(rows));
    }

    /// Adds lines of a diff.
    pub fn diff(&mut self, text: impl Into<String>) {
        self.0.push(Block::Diff(text.into()));
    }

    /// The report for a terminal: each statement on a line of its own, so that grep finds it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (index, block) in self.0.iter().enumerate() {
            let follows_heading = index.checked_sub(1).is_some_and(
                |before| matches!(self.0[before], Block::Heading(depth, _) if depth > 1),
            );
            if index > 0 && !follows_heading && !self.continues(index) {
                text.push('\n');
            }
            let part = match block {
                Block::Heading(2, title) => printable(title).to_uppercase() + "\n",
                Block::Heading(_, title) => printable(title).into_owned() + "\n",
                Block::Paragraph(line) => indented(&printable(line)),
                Block::Command([before, command, after]) => {
                    indented(&printable(&format!("{before}`{command}`{after}")))
                }
                Block::Item(depth, line) => {
                    format!("{}{}\n", "  ".repeat(depth + 1), printable(line))
                }
                Block::Table(rows) => indented(&aligned(&printable_rows(rows), None)),
                // Printable line by line already.
                Block::Diff(diff) => indented(diff),
            };
            text.push_str(&part);
        }
        text
    }

    /// The report as Markdown, which shows names from the input as they are and acts on none.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, block) in self.0.iter().enumerate() {
            if index > 0 && !self.continues(index) {
                text.push('\n');
            }
            let part = match block {
                Block::Heading(depth, title) => {
                    format!("{} {}\n", "#".repeat(*depth), escaped(title))
                }
                Block::Paragraph(line) => format!("{}\n", escaped(line)),
                Block::Command([before, command, after]) => {
                    format!("{}{}{}\n", escaped(before), code(command), escaped(after))
                }
                Block::Item(depth, line) => format!("{}- {}\n", "  ".repeat(*depth), escaped(line)),
                Block::Table(rows) => markdown_table(rows),
                Block::Diff(diff) => {
                    let fence = fence_around(diff);
                    format!("{fence}diff\n{diff}{fence}\n")
                }
            };
            text.push_str(&part);
        }
        text
    }

    /// Whether a block belongs to the one before it without a line between.
    fn continues(&self, index: usize) -> bool {
        let is_item = |block: Option<&Block>| matches!(block, Some(Block::Item(..)));
        is_item(self.0.get(index)) && is_item(index.checked_sub(1).and_then(|it| self.0.get(it)))
    }
}

fn printable_rows(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let cells = |row: &Vec<String>| row.iter().map(|cell| printable(cell).into_owned()).collect();
    rows.iter().map(cells).collect()
}

fn markdown_table(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let Some((header, rows)) = rows.split_first() else { return String::new() };
    let rule = format!("|{}\n", " --- |".repeat(header.len()));
    line(header) + &rule + &rows.iter().map(line).collect::<String>()
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// The text with every character escaped that Markdown, or HTML within it, would act on.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text to be shown as it is, whatever backticks it has.
fn code(text: &str) -> String {
    let text = printable(text);
    if text.contains('`') {
        let fence = "`".repeat(longest_run_of_backticks(&text) + 1);
        format!("{fence} {text} {fence}")
    } else {
        format!("`{text}`")
    }
}

fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A fence that is longer than any run of backticks within.
fn fence_around(text: &str) -> String {
    "`".repeat(longest_run_of_backticks(text).max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_is_code() {
        for (command, want) in
            [("a -n b", "See `a -n b`.\n"), ("a -n ``", "See ``` a -n `` ```.\n")]
        {
            let mut outline = Outline::default();
            outline.command("See ", command, ".");
            assert_eq!(outline.markdown(), want);
        }
    }

    #[test]
    fn markdown_acts_on_no_name() {
        let mut outline = Outline::default();
        outline.heading(1, "a<b>*c*");
        outline.item(0, "[x](javascript:y) `z` |");
        outline.diff("+```\n");
        let want =
            "# a&lt;b&gt;\\*c\\*\n\n- \\[x\\](javascript:y) \\`z\\` \\|\n\n````diff\n+```\n````\n";
        assert_eq!(outline.markdown(), want);
    }
}
