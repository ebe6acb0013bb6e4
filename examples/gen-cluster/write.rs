//! Objects as kubectl prints them.

use std::error::Error;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Yaml,
    JsonLines,
}

/// Writes objects one after another into a list.
pub(crate) struct Writer<W> {
    form: Form,
    output: W,
    is_first: bool,
}

impl<W: Write> Writer<W> {
    pub(crate) fn start(name: &str, mut output: W) -> Result<Self, Box<dyn Error>> {
        let form = match name.rsplit('.').next() {
            Some("json") => Form::Json,
            Some("yaml" | "yml") => Form::Yaml,
            Some("jsonl") => Form::JsonLines,
            _ => return Err("the output must end in .json, .yaml or .jsonl, perhaps .gz".into()),
        };
        output.write_all(match form {
            Form::Json => b"{\n    \"apiVersion\": \"v1\",\n    \"items\": [",
            Form::Yaml => b"apiVersion: v1\nitems:\n",
            Form::JsonLines => b"",
        })?;
        Ok(Self { form, output, is_first: true })
    }

    pub(crate) fn object(&mut self, object: &Value) -> io::Result<()> {
        match self.form {
            Form::Json => {
                let mut text = Vec::with_capacity(1 << 15);
                let formatter = PrettyFormatter::with_indent(b"    ");
                object.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
                self.output.write_all(if self.is_first { b"" } else { b"," })?;
                for line in text.split(|byte| *byte == b'\n') {
                    self.output.write_all(b"\n        ")?;
                    self.output.write_all(line)?;
                }
            }
            Form::Yaml => {
                self.output.write_all(b"-")?;
                write_yaml(&mut self.output, object, 1, true)?;
            }
            Form::JsonLines => {
                serde_json::to_writer(&mut self.output, object)?;
                self.output.write_all(b"\n")?;
            }
        }
        self.is_first = false;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<W, Box<dyn Error>> {
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
        serde_json::to_writer(output, text).map_err(io::Error::from)
    }
}
