//! How is a mapping laid out in lines?
//!
//! Only block style as people and tools write it is understood. What is not, is refused; and what is
//! misunderstood shows when the edited text is read again.

use super::reason::Reason;

/// A line of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// All of it.
    pub(super) text: &'t str,
    /// It without its end.
    pub(super) content: &'t str,
    /// How many blanks it begins with.
    pub(super) indent: usize,
}

impl<'t> Line<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let content = text.strip_suffix('\n').unwrap_or(text);
        let content = content.strip_suffix('\r').unwrap_or(content);
        Self { text, content, indent: content.len() - content.trim_start_matches(' ').len() }
    }

    /// How it ends; empty at the end of a file.
    pub(super) fn end(&self) -> &'t str {
        &self.text[self.content.len()..]
    }

    /// Whether it is empty or a comment.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.content.trim_start().chars().next(), None | Some('#'))
    }

    /// Whether it begins with an item of a list.
    fn is_item(&self) -> bool {
        let rest = self.content[self.indent..].strip_prefix('-');
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }
}

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    /// The line of the key.
    pub(super) first: usize,
    /// The last line that belongs to it and is neither empty nor a comment.
    pub(super) last: usize,
    /// What stands behind the colon.
    pub(super) value: Value,
}

/// A value within the line of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) form: Form,
    /// Where it begins and ends in the line; both behind the colon where there is none.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing, or a comment.
    Absent,
    /// `null` or `~`.
    Null,
    /// `{}`.
    EmptyMap,
    /// Text without quotes.
    Plain,
    /// Text within these quotes.
    Quoted(char),
    /// A collection in flow style.
    Flow,
    /// Anything else, such as a block of text.
    Other,
}

/// The entries of the mapping that the lines from `from` to before `to` hold; with how far it is
/// indented. Lines are counted from `number`.
pub(super) fn entries<'t>(
    lines: &[Line<'t>],
    (from, to): (usize, usize),
    number: usize,
) -> Result<(usize, Vec<Entry<'t>>), Reason> {
    let mut indent = None;
    let mut entries: Vec<Entry<'t>> = Vec::new();
    for (n, line) in lines.iter().enumerate().take(to).skip(from) {
        if line.is_blank() {
            continue;
        }
        let indent = *indent.get_or_insert(line.indent);
        match entries.last_mut() {
            Some(entry) if line.indent > indent || (line.indent == indent && line.is_item()) => {
                entry.last = n;
            }
            _ if line.indent == indent => {
                let at = number + n;
                let is_flow = line.content[line.indent..].starts_with('{');
                let refused =
                    if is_flow { Reason::Flow { line: at } } else { Reason::Layout { line: at } };
                let (key, value) = key_and_value(line).ok_or(refused)?;
                entries.push(Entry { key, first: n, last: n, value });
            }
            _ => return Err(Reason::Layout { line: number + n }),
        }
    }
    Ok((indent.unwrap_or(0), entries))
}

fn key_and_value<'t>(line: &Line<'t>) -> Option<(&'t str, Value)> {
    let text = &line.content[line.indent..];
    let (key, rest) = match text.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, rest) = text[1..].split_once(quote)?;
            // An escape may mean anything.
            let is_simple = !key.contains('\\');
            is_simple.then_some((key, rest.trim_start().strip_prefix(':')?))?
        }
        '{' | '[' | '?' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' => return None,
        _ => {
            let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
                let next = text[at + 1..].chars().next();
                next.is_none_or(|c| c == ' ' || c == '\t')
            })?;
            (text[..colon].trim_end(), &text[colon + 1..])
        }
    };
    let is_apart = rest.is_empty() || rest.starts_with([' ', '\t']);
    is_apart.then(|| (key, value(rest, line.content.len() - rest.len())))
}

/// The value in what stands behind a colon, at the byte `at` of its line.
fn value(rest: &str, at: usize) -> Value {
    let text = rest.trim_start();
    let start = at + rest.len() - text.len();
    let comment = text
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| *at == 0 || text[..*at].ends_with([' ', '\t']));
    let bare = text[..comment.unwrap_or(text.len())].trim_end();
    let of = |form, text: &str| Value { form, start, end: start + text.len() };
    match bare.chars().next() {
        None => Value { form: Form::Absent, start: at, end: at },
        Some(quote @ ('"' | '\'')) => match text[1..].find(quote) {
            Some(end) => {
                let (inside, behind) = (&text[1..=end], text[end + 2..].trim_start());
                let is_simple =
                    !inside.contains('\\') && (behind.is_empty() || behind.starts_with('#'));
                let form = if is_simple { Form::Quoted(quote) } else { Form::Other };
                of(form, &text[..end + 2])
            }
            None => of(Form::Other, bare),
        },
        Some('{' | '[') => {
            let inside = bare.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            let is_empty = inside.is_some_and(|inside| inside.trim().is_empty());
            of(if is_empty { Form::EmptyMap } else { Form::Flow }, bare)
        }
        Some('&' | '*' | '!' | '|' | '>' | '%' | '@' | '`') => of(Form::Other, bare),
        Some(_) if matches!(bare, "~" | "null" | "Null" | "NULL") => of(Form::Null, bare),
        Some(_) => of(Form::Plain, bare),
    }
}
