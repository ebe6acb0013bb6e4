//! What stands in the man pages?
//!
//! One page for the program and one for each command, with what `--help` says. clap_mangen lays out
//! names, synopses and options; what stands behind them in the help becomes sections of its own.

use std::io;

use clap::builder::PossibleValue;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// A man page.
pub(crate) struct Page {
    /// As in `psp2psa-plan.1`.
    pub(crate) file_name: String,
    /// In the language of man(7).
    pub(crate) text: Vec<u8>,
}

/// The page of the program, and then those of its commands in the order of the help.
pub(crate) fn pages(date: &str) -> io::Result<Vec<Page>> {
    let mut program = psp2psa::cli::command().disable_help_subcommand(true);
    program.build();
    let exit_codes = program.get_after_help().map(ToString::to_string).unwrap_or_default();
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    let names: Vec<_> = commands.iter().map(page_name).collect();
    let mut pages = vec![page(&program, date, &exit_codes, &names)?];
    for command in &commands {
        pages.push(page(command, date, &exit_codes, &[page_name(&program)])?);
    }
    Ok(pages)
}

/// As in `psp2psa-plan`.
fn page_name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(
    command: &clap::Command,
    date: &str,
    exit_codes: &str,
    see_also: &[String],
) -> io::Result<Page> {
    let name = page_name(command);
    let mut text = Vec::new();
    let man = Man::new(command.clone().mut_args(with_values_in_help))
        .title(name.to_uppercase())
        .date(date)
        .source(concat!("psp2psa ", env!("CARGO_PKG_VERSION")))
        .manual("psp2psa manual");
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    rest(command, exit_codes, see_also).to_writer(&mut text)?;
    Ok(Page { file_name: format!("{name}.1"), text })
}

/// The sections behind the options.
fn rest(command: &clap::Command, exit_codes: &str, see_also: &[String]) -> Roff {
    let after_help = command.get_after_long_help().or_else(|| command.get_after_help());
    let mut roff = Roff::new();
    for (heading, lines) in sections(&after_help.map(ToString::to_string).unwrap_or_default()) {
        if heading == "Examples" {
            examples(&mut roff, &lines);
        }
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in sections(exit_codes)
        .iter()
        .flat_map(|(_, lines)| lines)
        .filter_map(|line| line.split_once("  "))
    {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    for (index, other) in see_also.iter().enumerate() {
        let comma = if index + 1 < see_also.len() { "," } else { "" };
        roff.text([bold(other.as_str()), roman(format!("(1){comma}"))]);
    }
    roff
}

/// The parts of a text behind a help: headings that end with a colon, and indented lines.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
            sections.push((heading, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line.strip_prefix("  ").unwrap_or(line));
        }
    }
    for (_, lines) in &mut sections {
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
    }
    sections
}

/// The section of examples, whose lines stay as they are.
fn examples(roff: &mut Roff, lines: &[&str]) {
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in lines {
        if line.is_empty() {
            roff.control("sp", []);
        } else {
            roff.text([roman(*line)]);
        }
    }
    roff.control("fi", []);
}

/// The option with the values that it takes at the end of its text: clap_mangen would give a line
/// and two empty ones to each.
fn with_values_in_help(option: clap::Arg) -> clap::Arg {
    let takes_values = option.get_num_args().is_none_or(|count| count.takes_values());
    let values = option.get_possible_values();
    if !takes_values || values.is_empty() {
        return option;
    }
    let line = |value: &PossibleValue| match value.get_help() {
        Some(help) => format!("\n\n{}: {help}", value.get_name()),
        None => format!("\n\n{}", value.get_name()),
    };
    let text = if values.iter().any(|value| value.get_help().is_some()) {
        values.iter().map(line).collect()
    } else {
        let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        format!("\n\nPossible values: {}", names.join(", "))
    };
    let help = option.get_long_help().or_else(|| option.get_help());
    let text = format!("{}{text}", help.map(ToString::to_string).unwrap_or_default());
    option.hide_possible_values(true).long_help(text)
}
