//! Is every command of a document run, or at least one that the program takes?

use super::{Document, documents};
use crate::program::psp2psa;

/// A block of code.
struct Block<'t> {
    language: &'t str,
    lines: Vec<&'t str>,
}

fn blocks(document: &Document) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = document.text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let code = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            blocks.push(Block { language, lines: code.collect() });
        }
    }
    blocks
}

#[test]
fn console_blocks_run() {
    let cases = trycmd::TestCases::new();
    // Help is laid out to the width of the terminal.
    cases.env("COLUMNS", "100");
    for document in documents() {
        cases.case(document.path);
    }
}

#[test]
fn blocks_that_show_output_are_run() {
    for document in documents() {
        for block in blocks(&document) {
            let path = document.path.display();
            assert!(
                !block.language.is_empty(),
                "{path}: a block says no language: {:?}",
                block.lines
            );
            let has_prompt = block.lines.iter().any(|line| line.starts_with("$ "));
            assert_eq!(has_prompt, block.language == "console", "{path}: {:?}", block.lines);
        }
    }
}

/// What stands in blocks that are not run, as they need a cluster, and in sentences, is right as far as
/// flags and values go; so are the examples of the help.
#[test]
fn commands_that_are_not_run_are_taken() {
    let mut n_commands = 0;
    for document in documents() {
        let mut all = Vec::new();
        for block in blocks(&document) {
            if block.language == "sh" || document.path.ends_with("docs/reference.md") {
                all.extend(commands(&block.lines));
            }
        }
        all.extend(commands(&code_in_prose(&document.text)));
        n_commands += all.len();
        for command in all {
            let mut run = psp2psa("");
            for argument in &command {
                run = run.arg(argument);
            }
            let run = run.arg("--help").run();
            assert_eq!(run.code, 0, "{}: {command:?}: {}", document.path.display(), run.stderr);
        }
    }
    assert!(n_commands > 100, "{n_commands}");
}

/// The commands that stand within sentences, as far as they are whole.
fn code_in_prose(text: &str) -> Vec<&str> {
    let text = text.split("```").step_by(2);
    let code = text.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let is_whole = |code: &&str| {
        let arguments = code.strip_prefix("psp2psa ");
        arguments.is_some_and(|it| it.starts_with(char::is_lowercase) && !it.contains('…'))
    };
    code.filter(is_whole).collect()
}

/// The arguments of each run of the program in lines of shell.
fn commands(lines: &[&str]) -> Vec<Vec<String>> {
    let text = lines.join("\n").replace("\\\n", " ");
    let mut commands = Vec::new();
    for line in text.lines().map(|line| line.trim_start_matches("$ ")) {
        let line = line.replace("<(", " ").replace(')', " ");
        // Prose of the help has apostrophes, and is no shell.
        let Some(words) = shlex::split(&line) else { continue };
        let mut words = words.into_iter();
        // What only speaks of the program begins otherwise.
        let is_command = line.trim_start().starts_with(|c: char| c.is_ascii_lowercase());
        while is_command && words.by_ref().any(|word| word == "psp2psa") {
            let is_end = |word: &String| {
                ["|", ">", ">>", "<", "&&", "||", ";", "&"].contains(&word.as_str())
            };
            commands.push(words.by_ref().take_while(|word| !is_end(word)).collect());
        }
    }
    commands
}
