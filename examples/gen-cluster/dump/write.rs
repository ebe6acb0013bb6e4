//! Objects as kubectl prints them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::stencil::{Drawn, Stencil};

/// How objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One List, indented.
    Json,
    /// One List, in block style.
    Yaml,
    /// An object a line.
    JsonLines,
}

/// Writes objects one after another into a list.
pub(crate) struct Writer<W> {
    form: Form,
    output: W,
    is_first: bool,
}

impl<W: Write> Writer<W> {
    pub(crate) fn start(form: Form, mut output: W) -> io::Result<Self> {
        output.write_all(match form {
            Form::Json => b"{\n    \"apiVersion\": \"v1\",\n    \"items\": [",
            Form::Yaml => b"apiVersion: v1\nitems:\n",
            Form::JsonLines => b"",
        })?;
        Ok(Self { form, output, is_first: true })
    }

    pub(crate) fn object(&mut self, object: &Value) -> io::Result<()> {
        self.separate()?;
        render(self.form, object, &mut self.output)
    }

    /// The text of an object with holes.
    pub(crate) fn stencil(&self, object: &Value) -> io::Result<Stencil> {
        let mut text = Vec::with_capacity(1 << 15);
        render(self.form, object, &mut text)?;
        String::from_utf8(text).map(|text| Stencil::new(&text)).map_err(io::Error::other)
    }

    pub(crate) fn fill(&mut self, stencil: &Stencil, drawn: &[Drawn]) -> io::Result<()> {
        self.separate()?;
        let write_string = match self.form {
            Form::Json | Form::JsonLines => write_quoted,
            Form::Yaml => write_scalar,
        };
        stencil.fill(&mut self.output, drawn, write_string)
    }

    /// Writes what stands between two objects.
    fn separate(&mut self) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        if self.form == Form::Json && !is_first { self.output.write_all(b",") } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.output.write_all(match self.form {
            Form::Json => {
                b"\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \
                \"resourceVersion\": \"\",\n        \"selfLink\": \"\"\n    }\n}\n"
            }
            Form::Yaml => b"kind: List\nmetadata:\n  resourceVersion: \"\"\n  selfLink: \"\"\n",
            Form::JsonLines => b"",
        })?;
        Ok(self.output)
    }
}

/// Writes one object, as it stands in its list.
fn render(form: Form, object: &Value, output: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Json => {
            let mut text = Vec::with_capacity(1 << 15);
            let formatter = PrettyFormatter::with_indent(b"    ");
            object.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
            for line in text.split(|byte| *byte == b'\n') {
                output.write_all(b"\n        ")?;
                output.write_all(line)?;
            }
            Ok(())
        }
        Form::Yaml => {
            output.write_all(b"-")?;
            write_yaml(output, object, 1, true)
        }
        Form::JsonLines => {
            serde_json::to_writer(&mut *output, object)?;
            output.write_all(b"\n")
        }
    }
}

/// Writes what follows a key or a dash, in block style; lists are not indented below their key.
fn write_yaml(
    output: &mut dyn Write,
    value: &Value,
    depth: usize,
    is_behind_dash: bool,
) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (n, (key, value)) in map.iter().enumerate() {
                match (n, is_behind_dash) {
                    (0, true) => output.write_all(b" ")?,
                    (0, false) => write!(output, "\n{indent}")?,
                    _ => output.write_all(indent.as_bytes())?,
                }
                write_scalar(output, key)?;
                output.write_all(b":")?;
                write_yaml(output, value, depth + 1, false)?;
            }
        }
        Value::Array(list) if !list.is_empty() => {
            output.write_all(b"\n")?;
            let indent = "  ".repeat(depth - 1);
            for value in list {
                write!(output, "{indent}-")?;
                write_yaml(output, value, depth, true)?;
            }
        }
        Value::String(text) => {
            output.write_all(b" ")?;
            write_scalar(output, text)?;
            output.write_all(b"\n")?;
        }
        value => writeln!(output, " {value}")?,
    }
    Ok(())
}

/// Writes a string, quoted where it could be taken for something else.
fn write_scalar(output: &mut dyn Write, text: &str) -> io::Result<()> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c))
        && !text.ends_with(':')
        && text.len() > 5;
    let is_word = text.len() > 1
        && text.chars().all(|c| c.is_ascii_alphabetic())
        && !["true", "false", "yes", "no", "on", "off", "null"]
            .contains(&text.to_ascii_lowercase().as_str());
    if is_plain || is_word {
        output.write_all(text.as_bytes())
    } else {
        // JSON's strings are YAML's double-quoted ones.
        write_quoted(output, text)
    }
}

fn write_quoted(output: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(output, text).map_err(io::Error::from)
}
