//! `plan -o html`: the page as a browser shows it.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::json;

use crate::browser::Browser;
use crate::program::{Folder, psp2psa};

const SHOP: &str = include_str!("shop.yaml");
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// A browser that shows the page of a cluster.
struct Shown {
    browser: Browser,
    _folder: Folder,
}

fn shown(page: &str, look: &str) -> Shown {
    let folder = Folder::with(&[("plan.html", page)]);
    let browser = Browser::start(look);
    browser.open(&folder.path("plan.html"));
    Shown { browser, _folder: folder }
}

fn demo(name: &str) -> String {
    psp2psa(&format!("plan -o html -f testdata/clusters/{name}")).stdout()
}

/// The names in the rows of the table that are shown, in their order.
fn names(browser: &Browser) -> Vec<String> {
    let names = browser.eval(
        "Array.from(document.querySelectorAll('#namespaces tbody tr:not([hidden]) a'), \
         (a) => a.textContent)",
    );
    serde_json::from_value(names).unwrap()
}

#[test]
fn the_page_of_the_small_cluster() {
    let page = psp2psa("plan -f - -o html").input(SHOP).stdout();
    // Style and script have their own files.
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, _) = rest.split_once("<script>").unwrap();
    assert_snapshot!([head, body].concat());
}

#[test]
fn the_page_names_nothing_of_the_network() {
    let page = demo("demo-1.21.json.gz");
    for word in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_page_works_in_both_looks_without_a_word_on_the_console() {
    let page = demo("demo-1.21.json.gz");
    for (look, paper) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")] {
        let Shown { browser, .. } = shown(&page, look);
        let background = browser.eval("getComputedStyle(document.body).backgroundColor");
        assert_eq!(background, paper, "{look}");
        assert_eq!(browser.eval("document.querySelectorAll('details.ns').length"), 19);
        assert_eq!(browser.eval("document.querySelector('#count').value"), "19 of 19 namespaces");
        assert_eq!(browser.eval("document.documentElement.scrollWidth <= innerWidth"), true);
        assert_eq!(browser.console(), Vec::<String>::new(), "{look}");
    }
}

#[test]
fn the_reader_filters_and_sorts() {
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    browser.enter("[name=text]", "TEAM-");
    browser.wait_until("document.querySelector('#count').value === '3 of 19 namespaces'");
    assert_eq!(names(&browser), ["team-data", "team-payments", "team-web"]);
    for part in ["#checks tbody tr", "details.ns"] {
        let shown = format!("document.querySelectorAll('{part}:not([hidden])').length");
        assert_eq!(browser.eval(&shown), 3, "{part}");
    }

    // The column of pods: up, then down.
    browser.click("#namespaces th:nth-child(8) button");
    assert_eq!(names(&browser), ["team-web", "team-data", "team-payments"]);
    browser.click("#namespaces th:nth-child(8) button");
    assert_eq!(names(&browser), ["team-payments", "team-data", "team-web"]);
    assert_eq!(
        browser.eval("document.querySelector('#namespaces th:nth-child(8)').ariaSort"),
        "descending"
    );

    browser.enter("[name=text]", "nowhere");
    browser.wait_until("!document.querySelector('#nothing').hidden");
    browser.click("button[type=reset]");
    browser.wait_until("document.querySelector('#count').value === '19 of 19 namespaces'");
    for (field, choice, n) in
        [("level", "baseline", 8), ("mark", "own", 16), ("mark", "RefusedToday", 4)]
    {
        browser.eval(&format!(
            "(() => {{ const field = document.querySelector('[name={field}]'); \
             field.value = '{choice}'; \
             field.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        ));
        let count = format!("document.querySelector('#count').value.startsWith('{n} ')");
        browser.wait_until(&count);
        browser.click("button[type=reset]");
        browser.wait_until("document.querySelector('#count').value === '19 of 19 namespaces'");
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_link_opens_the_section_and_the_button_copies() {
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    browser.click("a[href='#ns-velero']");
    let body = "document.querySelector('#ns-velero')";
    browser.wait_until(&format!("{body}.parentElement.open"));
    let is_seen = format!("{body}.getBoundingClientRect().top < innerHeight");
    browser.wait_until(&is_seen);
    browser.click("#ns-velero button.copy");
    browser.wait_until("document.querySelector('#ns-velero button.copy').textContent === 'Copied'");
    // What was copied is what a field gets when it is pasted into.
    browser.enter("[name=text]", "\u{e009}v");
    let pasted = browser.eval("document.querySelector('[name=text]').value");
    let pasted = pasted.as_str().unwrap();
    assert!(pasted.starts_with("kubectl label --overwrite namespace velero "), "{pasted}");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_finding_shows_its_namespaces() {
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    browser.click("button[data-mark=VolumeGroupsChange]");
    browser.wait_until("document.querySelector('#count').value === '2 of 19 namespaces'");
    assert_eq!(names(&browser), ["monitoring", "team-payments"]);
    browser.click("a[href='#ns-team-payments']");
    let evidence = "document.querySelector('#ns-team-payments .findings details')";
    browser.wait_until(&format!("{evidence} !== null"));
    let text = browser.eval(&format!("{evidence}.textContent"));
    assert!(text.as_str().unwrap().contains("volume data: persistentVolumeClaim"), "{text}");
}

#[test]
fn the_patches_are_those_of_the_files() {
    let folder = Folder::new();
    let directory = folder.path("plan");
    psp2psa("plan -f testdata/clusters/demo-1.21.json.gz").arg("--out-dir").arg(&directory).run();
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    let shown = browser.eval(
        "Array.from(document.querySelectorAll('details.patch'), (patch) => \
         [patch.querySelector('.path').textContent, patch.querySelector('pre').textContent])",
    );
    let shown: Vec<(String, String)> = serde_json::from_value(shown).unwrap();
    assert_eq!(shown.len(), n_patches(&directory.join("patches")));
    for (path, text) in shown {
        assert_eq!(text, std::fs::read_to_string(directory.join(&path)).unwrap(), "{path}");
    }

    let patch = "#ns-team-web details.patch";
    browser.eval("document.querySelector('#ns-team-web').parentElement.open = true");
    browser.eval(&format!("document.querySelector('{patch}').open = true"));
    browser.click(&format!("{patch} button.copy"));
    browser
        .wait_until(&format!("document.querySelector('{patch} .copy').textContent === 'Copied'"));
}

/// How many patches a bundle's directory holds.
fn n_patches(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_patch = |path: &Path| path.extension().is_some_and(|extension| extension == "yaml");
    entries.map(|it| if it.is_dir() { n_patches(&it) } else { usize::from(is_patch(&it)) }).sum()
}

#[test]
fn the_page_names_the_server() {
    let snapshot = "apiVersion: psp2psa/v1
kind: Snapshot
reading: {server: {version: v1.24, gitVersion: v1.24.17+k3s1, servesPsp: true}}
---
";
    for format in ["html", "markdown"] {
        let page = psp2psa(&format!("plan -f - -o {format}")).input([snapshot, SHOP].concat());
        let page = page.run().stdout;
        assert!(page.contains("The server v1.24.17+k3s1 serves PodSecurityPolicies"), "{format}");
    }
}

#[test]
fn the_page_fits_a_telephone_and_its_table_a_screen() {
    let Shown { browser, .. } = shown(&demo("demo2-1.21.json.gz"), "light");
    let clipped = "Array.from(document.querySelectorAll('.rows td, .rows th')) \
                   .filter((cell) => cell.scrollWidth > cell.clientWidth).length";
    assert_eq!(browser.eval(clipped), 0, "no word is wider than its column");
    browser.resize(390, 800);
    browser.click("button[data-open=true]");
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 390);
}

#[test]
fn the_keyboard_is_enough() {
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    // From the reset button the next stop is the first heading, then the others in turn.
    browser.eval("document.querySelector('button[type=reset]').focus()");
    browser.press(TAB);
    browser.press(ENTER);
    assert_eq!(names(&browser).first().unwrap(), "velero", "the other way round");
    browser.press(TAB);
    browser.press(ENTER);
    let sorted = "document.querySelector('#namespaces th:nth-child(2)').ariaSort";
    assert_eq!(browser.eval(sorted), "ascending");
    browser.eval("document.querySelector('details.ns summary').focus()");
    browser.press(ENTER);
    assert_eq!(browser.eval("document.querySelector('details.ns').open"), true);
    // Past the findings, each of which opens to its evidence.
    while browser.eval("document.activeElement.matches('button.copy')") != true {
        browser.press(TAB);
    }
    browser.press(ENTER);
    browser.wait_until("document.querySelector('details.ns button.copy').textContent === 'Copied'");
}

#[test]
fn every_section_is_printed() {
    let Shown { browser, .. } = shown(&demo("demo-1.21.json.gz"), "light");
    // Closed, it is a handful of sheets.
    assert!(browser.prints_sheet(15) && !browser.prints_sheet(100));
}

/// The small cluster with a text in the place of names, labels and values.
fn hostile(text: &str) -> String {
    let evil = json!(text).to_string();
    SHOP.replace("name: web\n", &format!("name: {evil}\n"))
        .replace(
            "{name: shop, labels: {team: web}}",
            &format!(
                "{{name: shop, labels: {{pod-security.kubernetes.io/enforce: {evil}, {evil}: x}}}}"
            ),
        )
        .replace("{name: vacant}", &format!("{{name: {evil}}}"))
        .replace("name: app,", &format!("name: {evil},"))
        .replace("{name: hardened}", &format!("{{name: {evil}}}"))
        .replace("resourceNames: [hardened]", &format!("resourceNames: [{evil}]"))
        .replace("kubernetes.io/psp: hardened", &format!("kubernetes.io/psp: {evil}"))
}

#[test]
fn a_hostile_dump_injects_nothing() {
    let dump = hostile(
        "<img src=x onerror=window.hit=1></script></style><script>window.hit=1</script>\
         \"'>{{7*7}}\u{202e}",
    );
    let page = psp2psa("plan -f - -o html").input(dump).run().stdout;
    assert!(!page.contains("<img"), "no element of the dump");
    assert!(!page.contains('\u{202e}'), "nothing reorders");
    assert!(page.contains("&#60;img src=x onerror=window.hit=1&#62;"), "but the names are shown");
    let Shown { browser, .. } = shown(&page, "light");
    browser.click("button[data-open=true]");
    assert_eq!(browser.eval("document.querySelectorAll('img, script').length"), 1);
    assert_eq!(browser.eval("window.hit === undefined"), true);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_script_that_got_in_would_not_run() {
    let page = psp2psa("plan -f - -o html").input(SHOP).stdout();
    let page = page.replace("<footer>", "<script>window.hit = 1</script><footer onclick='hit()'>");
    let Shown { browser, .. } = shown(&page, "light");
    assert_eq!(browser.eval("window.hit === undefined"), true);
    assert!(!browser.console().is_empty(), "the browser complains");
}

#[test]
fn what_psp_loosens_is_not_laid_on_the_author() {
    let text = psp2psa("plan -o markdown -f testdata/clusters/demo-1.21.json.gz").stdout();
    let field = r"spec.containers\[name=buildkitd\].securityContext.seccompProfile";
    let rest = r#"| {"type":"Unconfined"} | baseline | seccompProfile\_baseline"#;
    // The author's, by annotation; PSP has written the same for the whole pod.
    assert!(text.contains(&format!("| {field} {rest} | the template |")), "{text}");
    assert!(!text.contains(&format!("| spec.securityContext.seccompProfile {rest}")));
}

#[test]
fn a_hostile_dump_makes_no_markdown() {
    let dump = hostile("a|b`<i>[c](http://d.example)\n# e\u{202e}");
    let text = psp2psa("plan -f - -o markdown").input(dump).run().stdout;
    assert!(
        text.contains(
            r"### Deployment a\|b\`&lt;i&gt;\[c\](http&#58;//d.example)\\u{a}\# e\\u{202e}"
        ),
        "{text}"
    );
    for mark in ["<", "://", "\u{202e}", "\n# e", "b`"] {
        assert!(!text.contains(mark), "{mark:?}");
    }
    // Every row of a table has the cells of its head.
    let n_cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut n_head = 0;
    for line in text.lines() {
        match n_cells(line) {
            0 => n_head = 0,
            n if n_head == 0 => n_head = n,
            n => assert_eq!(n, n_head, "{line}"),
        }
    }
}
