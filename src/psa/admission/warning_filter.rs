//! Which warnings does a client get of those that admission gives?
//!
//! They travel as HTTP headers, so the server keeps them few, short and printable.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/endpoints/filters/warning.go`, and `NewWarningHeader` in
//! `staging/src/k8s.io/apimachinery/pkg/util/net/http.go` (v1.36).

use std::collections::BTreeSet;

/// How many characters all warnings together may have before each is cut.
const MAX_TOTAL: usize = 4096;

/// How many characters a warning keeps when it is cut.
const MAX_CUT: usize = 256;

/// The warnings that arrive: each text once, none with a control character; where they are longer than
/// 4,096 characters together, all are cut to 256, and those behind 4,096 are left out.
#[must_use]
pub fn arriving(warnings: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut written = Vec::new();
    let mut total = 0;
    let mut is_cutting = false;
    for (index, text) in warnings.iter().enumerate() {
        if is_cutting && total >= MAX_TOTAL {
            break;
        }
        if text.is_empty() || !seen.insert(text) {
            continue;
        }
        let Some((header, length)) = header(text, is_cutting) else { continue };
        if is_cutting || total + length <= MAX_TOTAL {
            total += length;
            written.push(header);
            continue;
        }
        // What was written is written again, shorter.
        is_cutting = true;
        seen.clear();
        let again = warnings[..=index].iter().filter(|text| !text.is_empty());
        let again =
            again.filter(|text| seen.insert(text)).filter_map(|text| self::header(text, true));
        (written, total) = again.fold((Vec::new(), 0), |(mut written, total), (text, length)| {
            written.push(text);
            (written, total + length)
        });
    }
    written
}

/// The text as a header has it, with the number of its characters; `None` where no header can.
fn header(text: &str, is_cut: bool) -> Option<(String, usize)> {
    let max = if is_cut { MAX_CUT } else { usize::MAX };
    let text: String = text.chars().take(max).collect();
    let length = text.chars().count();
    (!text.contains(char::is_control)).then_some((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(texts: &[&str]) -> Vec<String> {
        arriving(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn repeated_empty_and_unprintable_texts_do_not_arrive() {
        assert_eq!(
            filtered(&["a", "", "b", "a", "c\nd", "e\u{85}", "ü \u{200b}\""]),
            ["a", "b", "ü \u{200b}\""]
        );
    }

    #[test]
    fn long_warnings_arrive_whole_up_to_the_limit() {
        let long = "é".repeat(4095);
        assert_eq!(filtered(&[&long, "x"]), [long.clone(), "x".to_owned()]);
        // One more and everything is cut, what was written already too.
        assert_eq!(filtered(&[&long, "x", "y"]), ["é".repeat(256), "x".to_owned(), "y".to_owned()]);
    }

    #[test]
    fn one_warning_alone_may_be_too_long() {
        assert_eq!(filtered(&[&"a".repeat(5000)]), ["a".repeat(256)]);
    }

    #[test]
    fn a_control_character_behind_the_cut_does_no_harm_any_more() {
        let text = format!("{}\n", "a".repeat(300));
        assert_eq!(filtered(&[&text]), [""; 0]);
        assert_eq!(filtered(&[&text, &"b".repeat(5000)]), ["a".repeat(256), "b".repeat(256)]);
    }

    #[test]
    fn cut_warnings_end_behind_the_limit() {
        let texts: Vec<String> = (0..40).map(|n| format!("{n:02}{}", "x".repeat(400))).collect();
        let arrived = arriving(&texts);
        // 4,096 is 16 times 256.
        assert_eq!(arrived.len(), 16);
        assert!(arrived.iter().all(|text| text.len() == 256));
        let texts: Vec<String> = (0..40).map(|n| format!("{n:02}{}", "x".repeat(253))).collect();
        assert_eq!(arriving(&texts).len(), 17);
    }
}
