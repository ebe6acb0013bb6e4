//! The answers of Kubernetes' own evaluator, compared exactly.

use std::io::{BufRead as _, BufReader};

use serde::Deserialize;

use super::{allows, evaluate};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

/// A line of the recording.
#[derive(Deserialize)]
struct Recorded {
    id: String,
    pod: PodTemplateSpec,
    want: Want,
}

#[derive(Deserialize)]
struct Want {
    baseline: Vec<Span>,
    restricted: Vec<Span>,
}

/// The answer from one version until that of the next span.
#[derive(Deserialize)]
struct Span {
    from: String,
    allowed: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    detail: String,
}

#[test]
fn answers_equal_those_of_kubernetes_at_every_version() {
    #[expect(clippy::disallowed_methods, reason = "a test reads its recording")]
    let file = std::fs::File::open("testdata/vectors/psa-open.jsonl.gz").unwrap();
    let lines: Vec<_> =
        BufReader::new(flate2::read::GzDecoder::new(file)).lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 4000);

    let differences: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> =
            lines.chunks(1000).map(|part| scope.spawn(|| differences_in(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let shown: Vec<_> = differences.iter().take(10).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), shown.join("\n"));
}

fn differences_in(lines: &[String]) -> Vec<String> {
    let mut differences = Vec::new();
    for line in lines {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        compare(&recorded, Level::Baseline, &recorded.want.baseline, &mut differences);
        compare(&recorded, Level::Restricted, &recorded.want.restricted, &mut differences);
    }
    differences
}

fn compare(recorded: &Recorded, level: Level, spans: &[Span], differences: &mut Vec<String>) {
    for minor in 0..=Version::LATEST.minor() {
        let version = Version::v1(minor);
        let span = spans.iter().rfind(|span| span.from.parse::<Version>().unwrap() <= version);
        let span = span.expect("the first span is from v1.0");
        let ours = evaluate(level, version, &recorded.pod);
        let is_equal = ours.is_allowed() == span.allowed
            && allows(level, version, &recorded.pod) == span.allowed
            && ours.reason() == span.reason
            && ours.detail() == span.detail;
        if !is_equal {
            differences.push(format!(
                "{} at {level}:{version}\n  want {} {}\n  ours {} {}",
                recorded.id,
                span.reason,
                span.detail,
                ours.reason(),
                ours.detail(),
            ));
        }
    }
}
