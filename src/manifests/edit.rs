//! What is a document once it has these labels, every other byte as it was?

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::document::Document;
use super::layout::{Entry, Form, Line, entries};
use super::reason::Reason;
use crate::sources::parse_yaml_strictly;

/// The body of a Namespace's document with these labels set, by as few lines as possible.
///
/// What comes out has been read again: it is the same object, plus exactly these labels.
///
/// # Errors
/// Where that cannot be had by changing a few lines.
pub fn edited(
    document: &Document<'_>,
    labels: &BTreeMap<String, String>,
) -> Result<String, Reason> {
    is_plain(document)?;
    let before = parsed(document)?;
    let lines: Vec<Line<'_>> = lines(document).collect();
    let text = with_labels(&lines, document.line, labels)?;
    let after = parsed(&Document { body: &text, ..*document });
    if after.is_ok_and(|after| expected(before, labels).is_some_and(|expected| after == expected)) {
        Ok(text)
    } else {
        Err(Reason::NotAsMeant { line: document.line })
    }
}

/// What a document says, if no key stands in it twice.
///
/// # Errors
/// Where it is no YAML.
pub(super) fn parsed(document: &Document<'_>) -> Result<Json, Reason> {
    parse_yaml_strictly(document.body).map_err(|(line, reason)| {
        let line = line.map(|line| line + document.line - 1);
        Reason::Syntax { line, reason }
    })
}

/// The object with the labels.
fn expected(mut object: Json, labels: &BTreeMap<String, String>) -> Option<Json> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let present = metadata.entry("labels").or_insert(Json::Null);
    if present.is_null() {
        *present = Json::Object(Map::new());
    }
    let present = present.as_object_mut()?;
    present.extend(labels.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))));
    Some(object)
}

fn lines<'t>(document: &Document<'t>) -> impl Iterator<Item = Line<'t>> {
    document.body.split_inclusive('\n').map(Line::of)
}

/// Refuses what makes lines depend on each other, or on something else than YAML.
pub(super) fn is_plain(document: &Document<'_>) -> Result<(), Reason> {
    for (n, line) in lines(document).enumerate() {
        let at = document.line + n;
        if line.content.contains("{{") {
            return Err(Reason::Template { line: at });
        }
        if line.content.contains('\r') {
            return Err(Reason::CarriageReturn { line: at });
        }
        if line.is_blank() {
            continue;
        }
        if line.content[line.indent..].starts_with('\t') {
            return Err(Reason::Tab { line: at });
        }
        if has_anchor(line.content) {
            return Err(Reason::Anchor { line: at });
        }
    }
    Ok(())
}

/// Whether a key or value of the line begins as an anchor, alias, tag or merge key does. Texts that
/// only look so are taken for one, too.
fn has_anchor(content: &str) -> bool {
    let is_anchor = |text: &str| {
        let mut signs = text.trim_start().chars();
        let first = signs.next();
        matches!(first, Some('&' | '*' | '!')) && signs.next().is_some_and(|c| !c.is_whitespace())
    };
    let mut text = content.trim_start();
    while let Some(rest) = text.strip_prefix("- ").or_else(|| text.strip_prefix("? ")) {
        text = rest.trim_start();
    }
    let is_merge = ["<<", "\"<<\"", "'<<'"]
        .iter()
        .any(|key| text.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')));
    let value = [": ", ":\t"].iter().find_map(|colon| text.split_once(colon));
    is_merge || is_anchor(text) || value.is_some_and(|(_, value)| is_anchor(value))
}

/// Lines to be changed.
#[derive(Debug, Default)]
struct Changes {
    /// What stands in a line instead of its content.
    replaced: BTreeMap<usize, String>,
    /// The lines that come in.
    inserted: Vec<String>,
    /// The line behind which they come.
    after: usize,
}

fn find<'e, 't>(entries: &'e [Entry<'t>], key: &str) -> Option<&'e Entry<'t>> {
    entries.iter().find(|entry| entry.key == key)
}

fn with_labels(
    lines: &[Line<'_>],
    number: usize,
    labels: &BTreeMap<String, String>,
) -> Result<String, Reason> {
    let whole = (0, lines.len());
    let (indent, roots) = entries(lines, whole, number)?;
    let metadata = find(&roots, "metadata").filter(|_| indent == 0);
    let metadata = metadata.ok_or(Reason::Layout { line: number })?;
    let children = children(lines, metadata, number)?;
    let (step, children) = children.ok_or(Reason::Layout { line: number + metadata.first })?;
    let Some(present) = find(&children, "labels") else {
        // Beside the name, where people look for them.
        let name = find(&children, "name").or(children.last());
        let after = name.ok_or(Reason::Layout { line: number + metadata.first })?.last;
        let mut inserted = vec![format!("{}labels:", " ".repeat(step))];
        inserted.extend(labels.iter().map(|(key, value)| line_of(2 * step, key, value)));
        let changes = Changes { inserted, after, ..Changes::default() };
        return Ok(applied(lines, &changes));
    };
    let changes = in_labels(lines, number, present, step, labels)?;
    Ok(applied(lines, &changes))
}

/// The entries below a key that has nothing beside it; `None` where nothing is below it either.
fn children<'t>(
    lines: &[Line<'t>],
    entry: &Entry<'t>,
    number: usize,
) -> Result<Option<(usize, Vec<Entry<'t>>)>, Reason> {
    let line = number + entry.first;
    let is_alone = entry.first == entry.last;
    match entry.value.form {
        Form::Absent if !is_alone => {
            let (indent, entries) = entries(lines, (entry.first + 1, entry.last + 1), number)?;
            // A list may stand as far to the left as its key; a mapping may not.
            let is_below = indent > lines[entry.first].indent;
            is_below.then_some(Some((indent, entries))).ok_or(Reason::Layout { line })
        }
        Form::Absent | Form::Null | Form::EmptyMap if is_alone => Ok(None),
        Form::Flow => Err(Reason::Flow { line }),
        _ => Err(Reason::Layout { line }),
    }
}

/// The changes where there is a key for labels.
fn in_labels(
    lines: &[Line<'_>],
    number: usize,
    present: &Entry<'_>,
    step: usize,
    labels: &BTreeMap<String, String>,
) -> Result<Changes, Reason> {
    let mut changes = Changes { after: present.first, ..Changes::default() };
    let Some((indent, entries)) = children(lines, present, number)? else {
        if present.value.form != Form::Absent {
            let without = replaced(lines[present.first].content, present, "");
            changes.replaced.insert(present.first, without);
        }
        let of = |(key, value): (&String, &String)| line_of(2 * step, key, value);
        changes.inserted = labels.iter().map(of).collect();
        return Ok(changes);
    };
    for (key, value) in labels {
        let Some(entry) = find(&entries, key) else {
            changes.inserted.push(line_of(indent, key, value));
            continue;
        };
        let is_one_line = entry.first == entry.last;
        let text = match entry.value.form {
            Form::Quoted(quote) => format!("{quote}{value}{quote}"),
            Form::Plain | Form::Null => value.clone(),
            Form::Absent => format!(" {value}"),
            Form::EmptyMap | Form::Flow | Form::Other => String::new(),
        };
        if text.is_empty() || !is_one_line {
            return Err(Reason::Layout { line: number + entry.first });
        }
        let line = replaced(lines[entry.first].content, entry, &text);
        changes.replaced.insert(entry.first, line);
    }
    let is_alike = |entry: &&Entry<'_>| entry.key.starts_with("pod-security.kubernetes.io/");
    let last = entries.iter().rfind(is_alike).or(entries.last());
    changes.after = last.map_or(present.first, |entry| entry.last);
    Ok(changes)
}

fn line_of(indent: usize, key: &str, value: &str) -> String {
    format!("{}{key}: {value}", " ".repeat(indent))
}

/// A line with another value; blanks before a missing one go with it.
fn replaced(content: &str, entry: &Entry<'_>, value: &str) -> String {
    let (before, behind) = (&content[..entry.value.start], &content[entry.value.end..]);
    let before = if value.is_empty() { before.trim_end() } else { before };
    [before, value, behind].concat()
}

/// The text with the changes, each line with its own end.
fn applied(lines: &[Line<'_>], changes: &Changes) -> String {
    let usual = lines.iter().map(Line::end).find(|end| !end.is_empty()).unwrap_or("\n");
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        text.push_str(changes.replaced.get(&n).map_or(line.content, String::as_str));
        if n != changes.after {
            text.push_str(line.end());
            continue;
        }
        // The last line stays without an end, if it has none.
        let end = if line.end().is_empty() { usual } else { line.end() };
        for line in &changes.inserted {
            text.push_str(end);
            text.push_str(line);
        }
        text.push_str(line.end());
    }
    text
}
