//! What of a text acts, and what is only shown?
//!
//! Small readers, each of which knows only what our own reports use. What it does not know makes it
//! panic, as an injected part would.

/// The tags of a page with the names of their attributes, whose values must be quoted.
///
/// Styles and scripts count with their whole text.
#[must_use]
pub fn html(page: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        assert!(!text.contains('>'), "a `>` that ends nothing: {text}");
        let (content, behind) = tag_of(tag);
        let name = content.split([' ', '\n']).next().unwrap_or_default();
        parts.push(format!("{name} {}", attributes(&content[name.len()..])));
        rest = behind;
        if name == "style" || name == "script" {
            let (raw, behind) = rest.split_once(&format!("</{name}>")).expect("it is closed");
            parts.push(raw.to_owned());
            rest = behind;
        }
    }
    parts
}

/// What stands between `<` and the `>` that ends the tag, and what is behind.
fn tag_of(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return (&text[..at], &text[at + 1..]),
            '<' if !is_quoted => break,
            _ => {}
        }
    }
    panic!("a tag without an end: {}", text.chars().take(80).collect::<String>());
}

/// The names of the attributes; what leads somewhere leads only into the page.
fn attributes(text: &str) -> String {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let name = &rest[..end];
        assert!(!name.starts_with("on"), "{text}");
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let (value, behind) = value.split_once('"').expect("a value ends");
            let is_local = value.starts_with('#') || value == "data:,";
            assert!(name != "href" || is_local, "{text}");
            rest = behind;
        }
        names.push(name);
        rest = rest.trim_start();
    }
    names.join(" ")
}

/// The blocks of a Markdown text, each as its marks: headings, items, rows with the number of their
/// cells, fences; and in each the number of code spans and of what else is no text.
#[must_use]
pub fn markdown(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) => {
                if line.len() == ticks.len() && ticks.len() >= open.len() {
                    fence = None;
                    parts.push("fence ends".to_owned());
                }
            }
            // What has another tick in its line is code within a paragraph.
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => {
                fence = Some(ticks);
                parts.push(format!("fence {}", line.trim_start_matches('`')));
            }
            None => parts.push(marks(line)),
        }
    }
    assert!(fence.is_none(), "a fence without an end");
    parts
}

/// What begins the line, and what in it is a mark: unescaped, and outside code.
fn marks(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let mut marks = String::new();
    let lead = text.split(' ').next().unwrap_or_default();
    if !lead.is_empty() && lead.chars().all(|c| "#-+=|".contains(c)) {
        marks.push_str(lead);
    }
    let mut rest = text;
    while let Some(at) = rest.find(|c| "\\`|<>*_[]&".contains(c)) {
        let mark = rest[at..].chars().next().unwrap_or_default();
        rest = &rest[at + 1..];
        match mark {
            '\\' => rest = rest.strip_prefix(|c: char| c.is_ascii_punctuation()).unwrap_or(rest),
            // An entity is text.
            '&' => {
                let end = rest.find(';').filter(|end| *end < 8);
                rest = &rest[end.expect("an `&` begins an entity") + 1..];
            }
            '`' => {
                let n = 1 + rest.len() - rest.trim_start_matches('`').len();
                let ticks = "`".repeat(n);
                rest = &rest[n - 1..];
                let end = end_of_code(rest, &ticks).expect("code ends on its line");
                rest = &rest[end..];
                marks.push('`');
            }
            mark => marks.push(mark),
        }
    }
    marks
}

/// Where the code ends that as many backticks as `ticks` close, and no more.
fn end_of_code(text: &str, ticks: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let n = text[at..].len() - text[at..].trim_start_matches('`').len();
        at += n;
        if n == ticks.len() {
            return Some(at);
        }
    }
    None
}

/// What a shell acts on in a script: the first word of each command, operators, and expansions.
/// Other words do not count.
#[must_use]
pub fn shell(script: &str) -> Vec<String> {
    let mut shell = Shell { text: script.chars().collect(), at: 0, parts: Vec::new() };
    shell.read();
    shell.parts
}

/// A reader of scripts.
struct Shell {
    text: Vec<char>,
    at: usize,
    parts: Vec<String>,
}

impl Shell {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn read(&mut self) {
        let mut is_first = true;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => self.at += 1,
                '\n' | ';' | '&' | '|' | '(' | ')' => {
                    self.parts.push(c.to_string());
                    self.at += 1;
                    is_first = true;
                }
                '<' | '>' => {
                    self.parts.push(c.to_string());
                    self.at += 1;
                }
                // A comment ends with its line, whatever it says.
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => {
                    let word = self.word();
                    if is_first {
                        self.parts.push(word);
                    }
                    is_first = false;
                }
            }
        }
    }

    /// Reads a word; adds what is expanded in it.
    fn word(&mut self) -> String {
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\\' => {
                    if self.text.get(self.at + 1) == Some(&'\n') {
                        self.parts.push("line goes on".to_owned());
                    }
                    self.at += 2;
                }
                '\'' => {
                    self.at += 1;
                    while self.peek().expect("a quote ends") != '\'' {
                        self.at += 1;
                    }
                    self.at += 1;
                }
                '"' => self.double_quoted(),
                _ => self.plain(c),
            }
        }
        self.text[start..self.at.min(self.text.len())].iter().collect()
    }

    fn double_quoted(&mut self) {
        self.at += 1;
        loop {
            match self.peek().expect("a quote ends") {
                '"' => break,
                '\\' => self.at += 2,
                // What is within an expansion is the scripts' own, and is text here.
                c @ ('$' | '`') => self.plain(c),
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    /// A character that counts where it is not quoted.
    fn plain(&mut self, c: char) {
        if "$`*?[~!{}".contains(c) {
            self.parts.push(c.to_string());
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_in_a_script_is_seen() {
        let quoted = shell("label 'x; y' \"z\" # $(no)\n");
        assert_eq!(quoted, ["label", "\n"]);
        for script in ["label x; y z\n", "label $(x) z\n", "label 'x'`y`\n", "label \"$x\"\n"] {
            assert_ne!(shell(script), quoted, "{script}");
        }
    }

    #[test]
    fn what_acts_in_a_page_is_seen() {
        let text = html("<p class=\"a\">&#60;b&#62;</p>");
        assert_eq!(text, ["p class", "/p "]);
        assert_ne!(html("<p class=\"a\"><b></b></p>"), text);
        assert_ne!(html("<p class=\"a\" id=\"x\">y</p>"), text);
    }

    #[test]
    fn what_acts_in_markdown_is_seen() {
        let text = markdown("| \\*a\\|b\\* &lt;i&gt; |\n");
        assert_eq!(text, ["|||"]);
        for line in ["| *a* |", "| a|b |", "| <i> |", "| `a` |", "| [a](b) |", "# | a |"] {
            assert_ne!(markdown(line), text, "{line}");
        }
        assert_eq!(markdown("```diff\n# <i>\n```\n"), ["fence diff", "fence ends"]);
    }
}
