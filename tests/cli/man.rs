//! Do the man pages say what `--help` says?

#[path = "../../examples/man-pages/pages.rs"]
mod pages;

use crate::program::psp2psa;

/// The pages by the name of their command; the program's own is called `psp2psa`.
fn pages() -> Vec<(String, String)> {
    let pages = pages::pages("2026-11-22").unwrap();
    let text = |page: pages::Page| {
        // A dash that must not become a hyphen, and an apostrophe that must not become a quote.
        let text = String::from_utf8(page.text).unwrap().replace("\\-", "-").replace("\\*(Aq", "'");
        (page.file_name.strip_suffix(".1").unwrap().to_owned(), text)
    };
    pages.into_iter().map(text).collect()
}

/// The options that a help text lists.
fn options(help: &str) -> Vec<&str> {
    // What stands further in says what they do.
    help.lines()
        .filter(|line| line.len() - line.trim_start().len() <= 6)
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")))
        .collect()
}

#[test]
fn every_command_has_a_page() {
    let help = psp2psa("--help").stdout();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let mut expected = vec!["psp2psa".to_owned()];
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        if command != "help" {
            expected.push(format!("psp2psa-{command}"));
        }
    }
    let names: Vec<_> = pages().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, expected);
}

#[test]
fn pages_have_their_sections_and_every_option() {
    for (name, text) in pages() {
        let headings: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .map(|heading| heading.trim_matches('"'))
            .collect();
        for heading in
            ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"]
        {
            assert!(headings.contains(&heading), "{name}: {heading} in {headings:?}");
        }
        let command = name.strip_prefix("psp2psa").unwrap().trim_start_matches('-');
        let help = psp2psa(command).arg("--help").stdout();
        let options = options(&help);
        assert!(options.contains(&"--help"), "{name}");
        for option in options {
            assert!(text.contains(&format!("\\fB{option}\\fR")), "{name}: {option}");
        }
    }
}

#[test]
fn a_page_reads_as_the_help_does() {
    let (_, text) = pages().into_iter().find(|(name, _)| name == "psp2psa-completion").unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}
