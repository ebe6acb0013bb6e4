//! Are the labels those of the stage?

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{Finding, Kind};
use super::reference::PlannedNamespace;
use crate::level::Level;
use crate::objects::names::is_namespace_name;
use crate::psa::policy::{Mode, PolicyVersion};
use crate::rollout::Stage;

const STAGES: [Stage; 3] = [Stage::Warn, Stage::Enforce, Stage::EnforceAfter];

/// How far the labels of a namespace are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reached {
    /// The rollout does not label it.
    LeftOut,
    /// No stage has labelled it.
    None,
    /// It warns and audits.
    Warn,
    /// It enforces what is safe with PSP.
    Enforce,
    /// It enforces what is safe without PSP, which is stricter.
    After,
}

impl Reached {
    /// The stage; `None` where there is none.
    #[must_use]
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::LeftOut | Self::None => None,
            Self::Warn => Some(Stage::Warn),
            Self::Enforce => Some(Stage::Enforce),
            Self::After => Some(Stage::EnforceAfter),
        }
    }
}

type Labels = BTreeMap<String, String>;

/// The last stage all of whose levels are there, or stricter ones.
pub(super) fn reached(planned: &PlannedNamespace, present: &Labels) -> Reached {
    let is_done = |stage: Stage| {
        let labels = stage.labels_of(&planned.wishes());
        let is_set = |mode: &Mode| match level(&labels, *mode) {
            Some(wanted) => level(present, *mode).is_some_and(|there| there >= wanted),
            None => true,
        };
        !labels.is_empty() && Mode::ALL.iter().all(is_set)
    };
    match STAGES.into_iter().rev().find(|stage| is_done(*stage)) {
        None => Reached::None,
        Some(Stage::Warn) => Reached::Warn,
        Some(Stage::Enforce) => Reached::Enforce,
        Some(Stage::EnforceAfter) => Reached::After,
    }
}

fn level(labels: &Labels, mode: Mode) -> Option<Level> {
    labels.get(mode.level_label())?.parse().ok()
}

/// What is wrong with a mode's labels, and their keys.
type Deviation = (String, [&'static str; 2]);

/// In what the labels of a namespace are not those of a stage, or of no stage where none is meant. What
/// a later stage sets may be there already.
pub(super) fn findings(
    planned: &PlannedNamespace,
    stage: Option<Stage>,
    present: &Labels,
    found: &mut Vec<Finding>,
) {
    let sets = |stage: Stage| stage.labels_of(&planned.wishes());
    let mut expected = Labels::new();
    for done in STAGES.into_iter().filter(|it| Some(*it) <= stage) {
        expected.extend(sets(done));
    }
    let later: Vec<Labels> = STAGES.into_iter().filter(|it| Some(*it) > stage).map(sets).collect();
    let name = planned.name.as_str();
    let mut parts: BTreeMap<(Kind, bool), Vec<Deviation>> = BTreeMap::new();
    for mode in Mode::ALL {
        let comparison = Comparison { planned, expected: &expected, later: &later, present, mode };
        let keys = [mode.level_label(), mode.version_label()];
        let deviations = comparison.level().into_iter().chain(comparison.version());
        for (kind, message) in deviations {
            let is_harmless = kind == Kind::LabelStricter && mode != Mode::Enforce;
            parts.entry((kind, is_harmless)).or_default().push((message, keys));
        }
    }
    for ((kind, is_harmless), parts) in parts {
        let messages: Vec<&str> = parts.iter().map(|(message, _)| message.as_str()).collect();
        let keys = parts.iter().flat_map(|(_, keys)| *keys);
        let hint = match relabel(name, keys, &expected) {
            Some(command) if kind != Kind::LabelStricter && is_namespace_name(name) => command,
            _ => "see who set it; plan again if it is meant to stay".to_owned(),
        };
        found.push(
            Finding::of(name, kind, messages.join("; "))
                .object("Namespace", name)
                .hint(hint)
                .information_if(is_harmless),
        );
    }
}

/// The command that sets labels as planned; `None` where the plan does not set them.
fn relabel<'k>(
    namespace: &str,
    keys: impl Iterator<Item = &'k str>,
    expected: &Labels,
) -> Option<String> {
    let mut words: Vec<String> =
        keys.filter_map(|key| expected.get(key).map(|value| format!("{key}={value}"))).collect();
    words.dedup();
    let words = words.join(" ");
    (!words.is_empty()).then(|| format!("kubectl label --overwrite namespace {namespace} {words}"))
}

struct Comparison<'a> {
    planned: &'a PlannedNamespace,
    expected: &'a Labels,
    later: &'a [Labels],
    present: &'a Labels,
    mode: Mode,
}

impl Comparison<'_> {
    fn level(&self) -> Option<(Kind, String)> {
        let (mode, key) = (self.mode, self.mode.level_label());
        let there = self.present.get(key);
        let Some(wanted) = self.expected.get(key) else { return self.unplanned(key) };
        let Some(there) = there else {
            return Some((
                Kind::LabelMissing,
                format!("{mode} is not set, and the plan sets {wanted}"),
            ));
        };
        if there == wanted || self.later.iter().any(|labels| labels.get(key) == Some(there)) {
            return None;
        }
        match (there.parse::<Level>(), wanted.parse::<Level>()) {
            (Err(_), _) => Some(invalid(key, there)),
            (Ok(found), Ok(level)) if found < level => {
                Some((Kind::LabelLooser, format!("{mode} is {there}, and the plan sets {wanted}")))
            }
            _ => Some((
                Kind::LabelStricter,
                format!("{mode} is {there}, and the plan sets {wanted}"),
            )),
        }
    }

    fn version(&self) -> Option<(Kind, String)> {
        let (mode, key) = (self.mode, self.mode.version_label());
        let there = self.present.get(key);
        let Some(wanted) = self.expected.get(key) else { return self.unplanned(key) };
        // A level that is not there has no version.
        self.present.get(mode.level_label())?;
        match there.map(|text| (text, PolicyVersion::parsed(text))) {
            None => Some((
                Kind::LabelUnpinned,
                format!(
                    "{mode} has no version, and the plan pins {wanted}: it follows the server's"
                ),
            )),
            Some((text, None)) => Some(invalid(key, text)),
            Some((text, Some(_))) if text != wanted => Some((
                Kind::LabelUnpinned,
                format!("{mode} is judged by {text}, and the plan pins {wanted}"),
            )),
            Some(_) => None,
        }
    }

    /// A label that the stage does not set: as the plan saw it, or as a later stage will.
    fn unplanned(&self, key: &str) -> Option<(Kind, String)> {
        let (before, there) = (self.planned.current_labels.get(key), self.present.get(key));
        let is_bad = |text: &String| {
            if key == self.mode.level_label() {
                text.parse::<Level>().is_err()
            } else {
                PolicyVersion::parsed(text).is_none()
            }
        };
        if let Some(text) = there
            && is_bad(text)
        {
            return Some(invalid(key, text));
        }
        let is_later = |labels: &Labels| there.is_some() && labels.get(key) == there;
        if before == there || self.later.iter().any(is_later) {
            return None;
        }
        let short = key.rsplit('/').next().unwrap_or(key);
        let or_none = |value: Option<&String>| value.map_or("not set", String::as_str).to_owned();
        let (before, there) = (or_none(before), or_none(there));
        Some((
            Kind::LabelChanged,
            format!("{short} was {before} when the plan was made, and is {there}"),
        ))
    }
}

fn invalid(key: &str, value: &str) -> (Kind, String) {
    let short = key.rsplit('/').next().unwrap_or(key);
    let wrong = format!("{short} is `{value}`, which the API server cannot read");
    let meaning = match short {
        "enforce" => "it refuses all that restricted does not allow",
        "audit" | "warn" => "it says nothing",
        _ => "it judges by the latest version",
    };
    (Kind::LabelInvalid, format!("{wrong}: {meaning}"))
}
