//! Are the items of a YAML list on several threads what they are one by one?

use proptest::prelude::*;

use super::{items, line};

/// Enough for several chunks.
const N_ITEMS: usize = 2_000;

/// The lines of an item in a list whose dashes stand in the first column.
fn pod(index: usize) -> String {
    format!(
        "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: pod-{index}\n    namespace: web\n  spec:\n    \
         containers:\n    - args:\n      - {}\n      name: app\n",
        "x".repeat(index * 7 % 1_500)
    )
}

/// An item that is not as the others.
#[derive(Debug, Clone, Copy)]
enum Odd {
    /// Only the full parser reads it.
    Unusual,
    /// Nothing reads it.
    Broken,
    /// A fault of the object.
    Bad,
    /// It has no kind.
    Kindless,
    /// An anchor that a later item could mean.
    Anchor,
    /// A comment and blank lines are behind it.
    Spaced,
    /// A character that does not print.
    Unclean,
    /// A list in the list.
    List,
    /// A scalar in which a line looks like an item.
    Deceiving,
}

impl Odd {
    fn text(self, index: usize) -> String {
        let pod = pod(index);
        match self {
            Self::Unusual => format!("{pod}  status: {{phase: Running}}\n"),
            Self::Broken => format!("{pod}  status: \"\n"),
            Self::Bad => format!("{pod}  status: 7\n"),
            Self::Kindless => pod.replacen("  kind: Pod\n", "", 1),
            Self::Anchor => format!("{pod}  status: &status\n    phase: Running\n"),
            Self::Spaced => format!("{pod}\n# comment\n\n\n"),
            Self::Unclean => format!("{pod}  status: \"\u{feff}\"\n"),
            Self::List => {
                let inner = pod.replace('\n', "\n  ");
                format!("- apiVersion: v1\n  kind: List\n  items:\n  {}\n", inner.trim_end())
            }
            Self::Deceiving => {
                format!("{pod}  other: |\n    - apiVersion: v1\n    - kind: Secret\n    ---\n")
            }
        }
    }
}

fn odd() -> impl Strategy<Value = Vec<(usize, Odd)>> {
    let kind = prop::sample::select(vec![
        Odd::Unusual,
        Odd::Broken,
        Odd::Bad,
        Odd::Kindless,
        Odd::Anchor,
        Odd::Spaced,
        Odd::Unclean,
        Odd::List,
        Odd::Deceiving,
    ]);
    prop::collection::vec((0..N_ITEMS, kind), 0..6)
}

/// What was read, each with its line.
fn read(text: &str) -> Vec<(Option<usize>, String)> {
    items(text)
        .iter()
        .map(|item| (item.as_ref().ok().and_then(|item| item.source.line), line(item)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..Default::default() })]

    #[test]
    fn items_are_the_same(odd in odd(), indent in 0..3_usize, kind_first: bool, has_more: bool) {
        let item = |index| match odd.iter().find(|(place, _)| *place == index) {
            Some((_, odd)) => odd.text(index),
            None => pod(index),
        };
        let items: String = (0..N_ITEMS).map(item).collect();
        let deeper = " ".repeat(indent);
        let items = format!("{deeper}{}", items.trim_end().replace('\n', &format!("\n{deeper}"))) + "\n";
        let (head, tail) = if kind_first { ("kind: PodList\n", "") } else { ("", "kind: List\n") };
        let more = if has_more { "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n" } else { "" };
        let list = format!("apiVersion: v1\n{head}items:\n{items}{tail}{more}");
        let read_ahead = read(&list);
        prop_assert!(read_ahead.len() >= N_ITEMS);
        // A short list is read one by one.
        let mut one_by_one = Vec::new();
        let end = list.len() - tail.len() - more.len();
        let starts: Vec<usize> = memchr::memmem::find_iter(list.as_bytes(), &format!("\n{deeper}- "))
            .map(|at| at + 1)
            .step_by(100)
            .chain([end])
            .collect();
        let head = &list[..starts[0]];
        let mut n_lines = 0;
        for pair in starts.windows(2) {
            let part = &list[pair[0]..pair[1]];
            for (at, text) in read(&format!("{head}{part}{tail}")) {
                one_by_one.push((at.map(|at| at + n_lines), text));
            }
            n_lines += part.matches('\n').count();
        }
        if has_more {
            let n_lines = [head, tail].map(|part| part.matches('\n').count()).iter().sum::<usize>() + n_lines;
            one_by_one.push((Some(n_lines + 2), "skipped Secret /s".to_owned()));
        }
        prop_assert_eq!(read_ahead.len(), one_by_one.len());
        for (ahead, alone) in read_ahead.iter().zip(&one_by_one) {
            prop_assert_eq!(ahead.0, alone.0);
            // Errors tell the number and line of the item, which are its own there.
            if ahead.1.starts_with("error") {
                prop_assert!(alone.1.starts_with("error"), "{} is {}", ahead.1, alone.1);
            } else {
                prop_assert_eq!(&ahead.1, &alone.1);
            }
        }
    }
}
