//! Does the reference have every subcommand, with its help and an example?

use super::document;
use crate::program::psp2psa;

/// The subcommands that the program's help lists, without `help` itself.
pub(crate) fn subcommands() -> Vec<String> {
    let help = psp2psa("--help").stdout();
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.map_while(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
}

/// What the blocks show is compared with the program where they are run.
#[test]
fn the_reference_has_every_subcommand_in_the_order_of_the_help() {
    let reference = document("docs/reference.md");
    let headings: Vec<_> = reference.lines().filter_map(|it| it.strip_prefix("## ")).collect();
    assert_eq!(headings, subcommands());
    let shown = reference.lines().filter_map(|it| it.strip_prefix("$ psp2psa "));
    let shown: Vec<_> = shown.filter_map(|it| it.strip_suffix(" --help")).collect();
    assert_eq!(shown, subcommands());
}

#[test]
fn every_subcommand_has_examples() {
    for name in subcommands() {
        let help = psp2psa(&format!("{name} --help")).stdout();
        let (_, examples) = help.split_once("\nExamples:\n").expect(&name);
        // An example is a line that says what for, and a command.
        let command = format!("\n  psp2psa {name}");
        assert!(examples.starts_with("  # ") && examples.contains(&command), "{name}");
        let is_laid_out = |line: &str| line.is_empty() || line.starts_with("  ");
        assert!(examples.lines().all(is_laid_out), "{name}: {examples}");
    }
}
