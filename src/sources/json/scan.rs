//! Where do the tokens of JSON begin and end?
//!
//! Most bytes of a dump are blanks at the starts of lines and values that nothing asks for; both are
//! passed over in blocks. What is passed over is held against JSON's grammar all the same.

use std::borrow::Cow;

use crate::sources::declined::{Declined, Result};

/// How deep values may stand in each other; what is deeper is left to the full parser.
const MAX_DEPTH: u32 = 64;

/// Text that is read from its start.
pub(super) struct Scanner<'de> {
    /// What is built is a part of this.
    text: &'de str,
    bytes: &'de [u8],
    at: usize,
    depth: u32,
}

impl<'de> Scanner<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, depth: 0 }
    }

    /// A scanner of what may not be UTF-8, and is passed over only.
    pub(super) fn passing(bytes: &'de [u8]) -> Self {
        Self { text: "", bytes, at: 0, depth: 0 }
    }

    /// How much has been read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next byte that is no blank, which is not read yet.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8> {
        loop {
            match *self.bytes.get(self.at).ok_or(Declined)? {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.pass_indent();
                }
                byte => return Ok(byte),
            }
        }
    }

    /// Passes over spaces; without branches, as no two lines have the same number.
    #[inline]
    fn pass_indent(&mut self) {
        const SPACES: u128 = u128::from_ne_bytes([b' '; 16]);
        while let Some(block) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<32>) {
            let (first, second) = block.split_at(16);
            let others =
                |half: &[u8]| half.try_into().map_or(0, |half| u128::from_le_bytes(half) ^ SPACES);
            let (first, second) = (others(first), others(second));
            let (half, before) = if first == 0 { (second, 16) } else { (first, 0) };
            let n_spaces = before + half.trailing_zeros() as usize / 8;
            self.at += n_spaces;
            if n_spaces < block.len() {
                return;
            }
        }
    }

    /// Reads the byte that [`Self::peek`] has found.
    #[inline]
    pub(super) fn take(&mut self) {
        self.at += 1;
    }

    /// Reads that byte, which must come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek()? != byte {
            return Err(Declined);
        }
        self.take();
        Ok(())
    }

    /// Whether there is another part of a list or an object that ends with `close`, which is not read.
    #[inline]
    pub(super) fn has_next(&mut self, is_first: bool, close: u8) -> Result<bool> {
        match self.peek()? {
            byte if byte == close => Ok(false),
            b',' if !is_first => {
                self.take();
                // There is none behind a last comma.
                if self.peek()? == close { Err(Declined) } else { Ok(true) }
            }
            _ if is_first => Ok(true),
            _ => Err(Declined),
        }
    }

    /// Goes into a list or an object.
    pub(super) fn open(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Declined) } else { Ok(()) }
    }

    /// Leaves it.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
    }

    /// Reads a word whose first letter comes next.
    #[inline]
    pub(super) fn word(&mut self, word: &[u8]) -> Result<()> {
        let found = self.bytes.get(self.at..self.at + word.len());
        if found != Some(word) {
            return Err(Declined);
        }
        self.at += word.len();
        Ok(())
    }

    /// Goes on behind the quote that opens a string, to its next quote or backslash.
    #[inline]
    fn pass_text(&mut self) -> Result<u8> {
        const ONES: u128 = u128::from_ne_bytes([1; 16]);
        const HIGH: u128 = u128::from_ne_bytes([0x80; 16]);
        const QUOTES: u128 = u128::from_ne_bytes([b'"'; 16]);
        const BACKSLASHES: u128 = u128::from_ne_bytes([b'\\'; 16]);
        const SPACES: u128 = u128::from_ne_bytes([b' '; 16]);
        // A byte's high bit is set where the byte is zero, or below a space. A borrow can set bits of
        // later bytes wrongly, never that of the first.
        let zeros = |block: u128| block.wrapping_sub(ONES) & !block;
        while let Some(bytes) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let block = u128::from_le_bytes(*bytes);
            let controls = block.wrapping_sub(SPACES) & !block;
            let found = (zeros(block ^ QUOTES) | zeros(block ^ BACKSLASHES) | controls) & HIGH;
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                break;
            }
            self.at += bytes.len();
        }
        loop {
            match *self.bytes.get(self.at).ok_or(Declined)? {
                byte @ (b'"' | b'\\') => return Ok(byte),
                0..b' ' => return Err(Declined),
                _ => self.at += 1,
            }
        }
    }

    /// Reads a string whose opening quote comes next.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>> {
        self.take();
        let start = self.at;
        if self.pass_text()? == b'\\' {
            return self.unescaped(start).map(Cow::Owned);
        }
        let text = self.text.get(start..self.at).ok_or(Declined)?;
        self.take();
        Ok(Cow::Borrowed(text))
    }

    /// The string that started there, whose first backslash comes next.
    fn unescaped(&mut self, start: usize) -> Result<String> {
        let mut string = self.text.get(start..self.at).ok_or(Declined)?.to_owned();
        loop {
            let character = self.escape()?;
            // Half of a pair is no character.
            string.push(char::from_u32(character).ok_or(Declined)?);
            let start = self.at;
            let end = self.pass_text()?;
            string.push_str(self.text.get(start..self.at).ok_or(Declined)?);
            if end == b'"' {
                self.take();
                return Ok(string);
            }
        }
    }

    /// Reads an escape whose backslash comes next; what it stands for.
    fn escape(&mut self) -> Result<u32> {
        let escaped = *self.bytes.get(self.at + 1).ok_or(Declined)?;
        self.at += 2;
        let character = match escaped {
            b'"' | b'\\' | b'/' => escaped,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.hex(),
            _ => return Err(Declined),
        };
        Ok(character.into())
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Declined)?;
        self.at += 4;
        digits.iter().try_fold(0, |number, &digit| {
            let digit = char::from(digit).to_digit(16).ok_or(Declined)?;
            Ok(number << 4 | digit)
        })
    }

    /// Reads a whole number that comes next, and whether it is below zero. Others are left to the
    /// full parser.
    pub(super) fn integer(&mut self) -> Result<(u64, bool)> {
        let start = self.at;
        self.pass_number()?;
        let number = self.text.get(start..self.at).ok_or(Declined)?;
        let (digits, is_negative) = match number.strip_prefix('-') {
            Some(digits) => (digits, true),
            None => (number, false),
        };
        Ok((digits.parse().map_err(|_| Declined)?, is_negative))
    }

    /// Passes over a number that comes next.
    fn pass_number(&mut self) -> Result<()> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let n_leading_zeros = usize::from(self.bytes.get(self.at) == Some(&b'0'));
        let n_digits = self.pass_digits();
        if n_digits == 0 || n_leading_zeros == 1 && n_digits > 1 {
            return Err(Declined);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.pass_digits() == 0 {
                return Err(Declined);
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.pass_digits() == 0 {
                return Err(Declined);
            }
        }
        Ok(())
    }

    fn pass_digits(&mut self) -> usize {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    #[inline]
    fn pass_string(&mut self) -> Result<()> {
        self.take();
        while self.pass_text()? == b'\\' {
            self.escape()?;
        }
        self.take();
        Ok(())
    }

    /// Passes over the key of an object, and what separates it from its value.
    #[inline]
    fn pass_key(&mut self) -> Result<()> {
        if self.peek()? != b'"' {
            return Err(Declined);
        }
        self.pass_string()?;
        self.expect(b':')
    }

    /// Passes over a value.
    pub(super) fn pass_value(&mut self) -> Result<()> {
        // The lists and objects that are open, the innermost in the lowest bit: 1 for an object.
        let mut objects = 0_u64;
        let depth = self.depth;
        loop {
            let mut is_first = false;
            match self.peek()? {
                b'"' => self.pass_string()?,
                open @ (b'{' | b'[') => {
                    self.open()?;
                    self.take();
                    objects = objects << 1 | u64::from(open == b'{');
                    is_first = true;
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.pass_number()?,
            }
            // Behind a value, or within a new list or object.
            loop {
                if self.depth == depth {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                let close = if is_object { b'}' } else { b']' };
                if self.has_next(is_first, close)? {
                    if is_object {
                        self.pass_key()?;
                    }
                    break;
                }
                self.take();
                self.close();
                objects >>= 1;
                is_first = false;
            }
        }
    }
}
