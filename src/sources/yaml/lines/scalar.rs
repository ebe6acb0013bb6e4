//! What does a scalar say, and where does it end?

use std::borrow::Cow;

use super::plain::{self, Plain};
use super::{Declined, Key, Line, Lines, Result};

/// A value without a collection's content.
#[derive(Debug)]
pub(super) enum Scalar<'t> {
    Plain(Plain, &'t str),
    Text(Cow<'t, str>),
    EmptyMap,
    EmptyList,
}

/// How far a quoted scalar goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// Its closing quote stands there.
    Closed(usize),
    /// It goes on behind the line.
    Open,
}

/// How a block scalar is written.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// How much deeper than its key it is indented, where it says so.
    indent: Option<usize>,
    is_literal: bool,
    /// Whether it ends in a line end; `None` for as many as there are.
    ends_in_line: Option<bool>,
}

impl<'t> Lines<'t> {
    /// Reads the scalar that fills the rest of its line; `column` is that of its collection.
    pub(super) fn scalar(&mut self, start: usize, end: usize, column: usize) -> Result<Scalar<'t>> {
        let text = &self.text[start..end];
        let scalar = match text.as_bytes() {
            b"{}" => Scalar::EmptyMap,
            b"[]" => Scalar::EmptyList,
            [b'"' | b'\'', ..] => Scalar::Text(self.quoted_text(start, end)?),
            [b'|' | b'>', ..] => return self.block_text(start, end, column).map(Scalar::Text),
            _ => {
                plain::check(text.as_bytes())?;
                Scalar::Plain(plain::resolve(text)?, text)
            }
        };
        self.go_behind(end)?;
        Ok(scalar)
    }

    /// The text of a key.
    pub(super) fn key_text(&self, key: Key) -> Result<Cow<'t, str>> {
        let text = &self.text[key.start..key.end];
        let text = if text.starts_with(['"', '\'']) {
            self.quoted_text(key.start, key.end)?
        } else {
            self.check_key(key)?;
            text.into()
        };
        if text == "<<" { Err(Declined) } else { Ok(text) }
    }

    /// Declines what is more than a text as a key.
    pub(super) fn check_key(&self, key: Key) -> Result<()> {
        let text = &self.text[key.start..key.end];
        if text.starts_with(['"', '\'']) {
            // A quoted one has been looked at when it was found.
            return if text.contains("<<") { Err(Declined) } else { Ok(()) };
        }
        match plain::resolve(text)? {
            Plain::Text => Ok(()),
            _ => Err(Declined),
        }
    }

    /// Passes over a scalar that is not read; it may go on over deeper lines.
    pub(super) fn pass_scalar(&mut self, start: usize, end: usize, column: usize) -> Result<()> {
        let text = &self.text[start..end];
        match text.as_bytes() {
            b"{}" | b"[]" => self.go_behind(end),
            [quote @ (b'"' | b'\''), ..] => self.pass_quoted(*quote, start + 1, end, column),
            [b'|' | b'>', ..] => self.pass_block(start, end, column),
            bytes => {
                plain::check(bytes)?;
                plain::check_unread(text)?;
                self.go_behind(end)?;
                match self.line {
                    Some(line) if line.column > column => self.pass_plain_lines(end + 1, column),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Where the line behind a line end starts.
    fn behind(&self, end: usize) -> Result<usize> {
        if self.bytes().get(end) == Some(&b'\n') { Ok(end + 1) } else { Err(Declined) }
    }

    /// The further lines of a plain scalar.
    fn pass_plain_lines(&mut self, mut from: usize, column: usize) -> Result<()> {
        loop {
            let line = self.raw_line_at(from)?;
            let Some(line) = line.filter(|line| line.column > column && line.start < line.end)
            else {
                break;
            };
            let text = &self.bytes()[line.start..line.end];
            if text[0] == b'-' {
                return Err(Declined);
            }
            plain::check(text)?;
            from = line.end + 1;
        }
        self.line = self.line_at(from)?;
        match self.line {
            Some(line) if line.column > column => Err(Declined),
            _ => Ok(()),
        }
    }

    /// Looks for the end of a quoted scalar from `at` on, before `end`; what it says goes into
    /// `into`.
    pub(super) fn quoted(
        &self,
        quote: u8,
        mut at: usize,
        end: usize,
        mut into: Option<&mut String>,
    ) -> Result<Quoted> {
        let bytes = self.bytes();
        loop {
            let rest = &bytes[at..end];
            let found = if quote == b'"' {
                memchr::memchr2(b'"', b'\\', rest)
            } else {
                memchr::memchr(b'\'', rest)
            };
            let Some(found) = found.map(|found| at + found) else { return Ok(Quoted::Open) };
            if let Some(text) = &mut into {
                text.push_str(&self.text[at..found]);
            }
            at = found + 1;
            let c = match (bytes[found], bytes.get(at)) {
                (b'\'', Some(b'\'')) => '\'',
                (b'\\', Some(b'\n')) => return Ok(Quoted::Open),
                (b'\\', Some(escape)) => {
                    let (c, length) = self.escaped(*escape, at + 1)?;
                    at += length;
                    c
                }
                (b'\\', None) => return Err(Declined),
                _ => return Ok(Quoted::Closed(found)),
            };
            at += 1;
            if let Some(text) = &mut into {
                text.push(c);
            }
        }
    }

    /// What an escape stands for, and how many digits follow it.
    fn escaped(&self, escape: u8, digits: usize) -> Result<(char, usize)> {
        let length = match escape {
            b'n' => return Ok(('\n', 0)),
            b't' => return Ok(('\t', 0)),
            b'r' => return Ok(('\r', 0)),
            b'0' => return Ok(('\0', 0)),
            b'e' => return Ok(('\u{1b}', 0)),
            b'"' | b'\\' | b'/' | b' ' => return Ok((char::from(escape), 0)),
            b'x' => 2,
            b'u' => 4,
            _ => return Err(Declined),
        };
        let digits = self.bytes().get(digits..digits + length).ok_or(Declined)?;
        let mut code = 0;
        for digit in digits {
            code = code * 16 + char::from(*digit).to_digit(16).ok_or(Declined)?;
        }
        // Half of a pair is for the full parser.
        char::from_u32(code).map(|c| (c, length)).ok_or(Declined)
    }

    /// The text of a quoted scalar that fills `start..end`.
    fn quoted_text(&self, start: usize, end: usize) -> Result<Cow<'t, str>> {
        let quote = self.bytes()[start];
        let inner = self.bytes().get(start + 1..end.saturating_sub(1)).ok_or(Declined)?;
        let (special, other) = if quote == b'"' { (b'"', b'\\') } else { (b'\'', b'\'') };
        if memchr::memchr2(special, other, inner).is_none() {
            let closed = self.bytes()[end - 1] == quote;
            return if closed { Ok(self.text[start + 1..end - 1].into()) } else { Err(Declined) };
        }
        let mut text = String::with_capacity(inner.len());
        match self.quoted(quote, start + 1, end, Some(&mut text))? {
            Quoted::Closed(close) if close + 1 == end => Ok(text.into()),
            _ => Err(Declined),
        }
    }

    fn pass_quoted(
        &mut self,
        quote: u8,
        mut start: usize,
        mut end: usize,
        column: usize,
    ) -> Result<()> {
        loop {
            match self.quoted(quote, start, end, None)? {
                Quoted::Closed(close) if close + 1 == end => return self.go_behind(end),
                Quoted::Closed(_) => return Err(Declined),
                Quoted::Open => {}
            }
            let line = self.line_at(end + 1)?.filter(|line| line.column > column);
            Line { start, end, .. } = line.ok_or(Declined)?;
        }
    }

    fn block(&self, start: usize, end: usize) -> Result<Block> {
        let (is_literal, rest) = match &self.bytes()[start..end] {
            [b'|', rest @ ..] => (true, rest),
            [_, rest @ ..] => (false, rest),
            [] => return Err(Declined),
        };
        let (indent, rest) = match rest {
            [digit @ b'1'..=b'9', rest @ ..] => (Some(usize::from(digit - b'0')), rest),
            rest => (None, rest),
        };
        let ends_in_line = match rest {
            [] => Some(true),
            b"-" => Some(false),
            b"+" => None,
            _ => return Err(Declined),
        };
        Ok(Block { indent, is_literal, ends_in_line })
    }

    /// The extent of a block scalar's lines and their indent; reading goes on behind them.
    fn block_lines(
        &mut self,
        end: usize,
        column: usize,
        block: Block,
    ) -> Result<(std::ops::Range<usize>, usize)> {
        let bytes = self.bytes();
        let from = self.behind(end)?;
        let mut at = from;
        let mut indent = block.indent.map(|indent| column + indent);
        let mut is_empty = true;
        while at < bytes.len() {
            if bytes[at] == b'\n' {
                at += 1;
                continue;
            }
            let Some(line) = self.raw_line_at(at)? else { break };
            let has_text = line.start < line.end;
            let indent = match indent {
                Some(indent) => indent,
                None if has_text && line.column > column => *indent.insert(line.column),
                // It is empty, or what is before its text is blank but not empty.
                None => return Err(Declined),
            };
            if line.column < indent {
                if has_text && line.column <= column {
                    break;
                }
                return Err(Declined);
            }
            is_empty = false;
            at = line.end + 1;
        }
        if is_empty {
            return Err(Declined);
        }
        self.line = self.line_at(at)?;
        indent.map(|indent| (from..at, indent)).ok_or(Declined)
    }

    fn pass_block(&mut self, start: usize, end: usize, column: usize) -> Result<()> {
        let block = self.block(start, end)?;
        if block.indent.is_some() && self.bytes()[start - 2] != b':' {
            return Err(Declined);
        }
        self.block_lines(end, column, block).map(|_| ())
    }

    /// The text of a literal block scalar.
    fn block_text(&mut self, start: usize, end: usize, column: usize) -> Result<Cow<'t, str>> {
        let block = self.block(start, end)?;
        let (true, None, Some(ends_in_line)) = (block.is_literal, block.indent, block.ends_in_line)
        else {
            return Err(Declined);
        };
        let (range, indent) = self.block_lines(end, column, block)?;
        let mut text = String::with_capacity(range.len());
        for line in self.text[range].split_inclusive('\n') {
            text.push_str(line.get(indent..).unwrap_or("\n"));
        }
        let length = text.trim_end_matches('\n').len();
        text.truncate(length);
        if ends_in_line {
            text.push('\n');
        }
        Ok(text.into())
    }
}
