//! How does the template engine make text of the input safe where it prints it?
//!
//! `askama.toml` binds these to the endings `.html` and `.md`, so every `{{ … }}` of such a template
//! goes through here; a template that means markup says `|safe`.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::objects::source::printable;

/// Text in an HTML element or a quoted attribute: no markup, and nothing that reorders or hides its
/// neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct HtmlText;

impl Escaper for HtmlText {
    fn write_escaped_str<W: Write>(&self, dest: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(dest, &printable(text))
    }
}

/// Text in a paragraph or a table's cell of GitHub's Markdown: no emphasis, link, code, table or HTML.
#[derive(Debug, Clone, Copy)]
pub(super) struct MarkdownText;

impl Escaper for MarkdownText {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        // An address becomes a link without any mark, unless a sign of it is written as an entity.
        // Printable text has neither NUL nor \u{1}, so they can stand for such signs.
        let text = printable(text).replace("://", "\0//").replace("www.", "www\u{1}");
        for c in text.chars() {
            match c {
                '\0' => dest.write_str("&#58;")?,
                '\u{1}' => dest.write_str("&#46;")?,
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '&' => dest.write_str("&amp;")?,
                '@' => dest.write_str("&#64;")?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                    dest.write_char('\\')?;
                    dest.write_char(c)?;
                }
                c => dest.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Text for Markdown that no template writes.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    // Writing to a String cannot fail.
    let _ = MarkdownText.write_escaped_str(&mut escaped, text);
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escaper: impl Escaper, text: &str) -> String {
        let mut out = String::new();
        escaper.write_escaped_str(&mut out, text).unwrap();
        out
    }

    #[test]
    fn html_holds_no_markup_and_shows_what_hides() {
        let text = escaped(HtmlText, "<b title='\"'>&\u{202e}");
        assert_eq!(text, "&#60;b title=&#39;&#34;&#39;&#62;&#38;\\u{202e}");
    }

    #[test]
    fn markdown_holds_no_marks() {
        for (text, want) in [
            ("shop-1.web", "shop-1.web"),
            ("a|b", "a\\|b"),
            ("`<i>`", "\\`&lt;i&gt;\\`"),
            ("*x* _y_ [z](u)", "\\*x\\* \\_y\\_ \\[z\\](u)"),
            ("a\nb", "a\\\\u{a}b"),
            ("a@b", "a&#64;b"),
        ] {
            assert_eq!(escaped(MarkdownText, text), want);
        }
    }

    #[test]
    fn markdown_makes_no_link_of_an_address() {
        for text in ["http://x.example", "www.x.example"] {
            let written = escaped(MarkdownText, text);
            assert!(!written.contains("://") && !written.contains("www."), "{written}");
        }
    }
}
