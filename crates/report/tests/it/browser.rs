//! The page in a real browser, headless, opened from disk.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{chromium, row, rows};

use super::study::Study;

/// Asks the page about itself once its own script has run. Only this test adds it.
const PROBE: &str = include_str!("probe.js");

/// Leaves what a script `found` on the page.
const ANSWER: &str = "
const out = document.createElement(\"pre\");
out.id = \"probe\";
out.textContent = JSON.stringify(found);
document.body.append(out);
";

#[test]
fn the_page_opens_from_disk_in_a_browser_and_shows_its_figures() {
    let Some(chromium) = chromium("the report in a browser") else {
        return;
    };
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    let said = asked(&chromium, &page, PROBE, 1200);

    let drawn = fs::read_dir(out.path().join("figures")).unwrap().count();
    assert_eq!(
        (&said["figures"], &said["drawings"]),
        (&drawn.into(), &drawn.into()),
        "{said}"
    );
    assert_eq!(
        said["unreadable"].as_array().map(Vec::len),
        Some(0),
        "{:#}",
        said["unreadable"]
    );
    assert_eq!(said["requests"], 0, "{said}");
    assert_eq!(said["ids"], true, "an id occurs twice");
    assert_eq!(said["overflow"], false, "the page is wider than the window");
    // The site at the top of the sorted table, opened by its link, is drawn, with a key, and can be looked at closer.
    assert!(
        said["site"].as_str().is_some_and(|name| !name.is_empty()),
        "{said}"
    );
    assert_eq!(
        (&said["siteRows"], &said["siteShapes"]),
        (&6.into(), &4.into()),
        "{said}"
    );
    assert_eq!(said["zoomed"], true, "{said}");
    let id = said["hash"].as_str().unwrap().strip_prefix("#site=");
    let place = study
        .sites
        .iter()
        .position(|site| Some(site.id.as_str()) == id);
    let observed: Vec<f64> = study
        .observed
        .site(place.unwrap())
        .iter()
        .map(|flux| f64::from(*flux))
        .collect();
    is_the_record(&said["download"], &observed);
    assert_eq!(said["downloadName"], format!("{}.csv", id.unwrap()));
    assert_eq!(said["figureName"], format!("{}.svg", id.unwrap()));
    let figure = said["figure"].as_str().unwrap_or_default();
    for word in [
        "Observed and simulated flux at ",
        "µmol m⁻² s⁻¹",
        "ensemble mean",
    ] {
        assert!(figure.contains(word), "{word}: {figure}");
    }
    assert_eq!(
        said["navigation"], "sticky",
        "sections are at hand everywhere"
    );
    assert_eq!(said["lost"], 0, "a link of the navigation leads nowhere");
    let table = rows(out.path(), "summary.csv");
    let median = &row(
        &table,
        &[
            ("series", "ensemble-mean"),
            ("part", "test"),
            ("score", "nse"),
        ],
    )["median"];
    assert_eq!(said["headline"], median.as_str());
    assert_eq!(
        said["shown"],
        format!("{:.3}", median.parse::<f64>().unwrap())
    );
    assert_eq!(said["order"], "descending");
    let sorted: Vec<Option<f64>> = said["sorted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str()?.parse().ok())
        .collect();
    assert!(
        sorted.windows(2).all(|pair| pair[0] >= pair[1]),
        "{sorted:?}"
    );
}

#[test]
fn on_a_telephone_and_on_paper_nothing_is_cut_off_and_nothing_is_folded() {
    let Some(chromium) = chromium("the report on a telephone and on paper") else {
        return;
    };
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    // Chromium has no window that is narrower than 500 pixels; the rules for telephones begin at 704.
    let said = asked(
        &chromium,
        &page,
        "const details = [...document.querySelectorAll('details')];
         const folded = () => details.filter((one) => !one.open).length;
         const before = folded();
         dispatchEvent(new Event('beforeprint'));
         const printed = folded();
         const beside = [...document.querySelectorAll('caption, p, h2, h3, li')].filter((one) => one.getBoundingClientRect().width > 0
           && !one.closest('nav') && one.getBoundingClientRect().right > innerWidth).map((one) => one.textContent);
         const reasons = Math.min(...[...document.querySelectorAll('#ends td:last-child')]
           .filter((cell) => !cell.closest('details')).map((cell) => cell.offsetWidth));
         const overflow = document.documentElement.scrollWidth > innerWidth;
         dispatchEvent(new Event('afterprint'));
         const found = { before, printed, after: folded(), beside, reasons, overflow };",
        500,
    );
    assert!(said["before"].as_u64() > Some(2), "{said}");
    assert_eq!(said["printed"], 0, "{said}");
    assert_eq!(said["before"], said["after"], "{said}");
    assert_eq!(said["beside"].as_array().map(Vec::len), Some(0), "{said}");
    assert!(said["reasons"].as_u64() > Some(150), "{said}");
    assert_eq!(said["overflow"], false, "{said}");
}

/// Whether a site's download has its observed days, as precisely as the page has them.
#[track_caller]
fn is_the_record(download: &serde_json::Value, observed: &[f64]) {
    let text = download.as_str().unwrap();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header = "date,part,observed,mean,sd_of_members,lower_90,upper_90,inputs";
    let named: Vec<&str> = header.split(',').collect();
    assert_eq!(rows.headers().unwrap(), named);
    let there: Vec<f64> = rows
        .records()
        .filter_map(|row| row.unwrap()[2].parse().ok())
        .collect();
    let expected: Vec<f64> = observed
        .iter()
        .copied()
        .filter(|flux| flux.is_finite())
        .collect();
    assert_eq!(there.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0, |largest: f64, flux| largest.max(flux.abs()));
    for (there, expected) in there.iter().zip(&expected) {
        assert!(
            (there - expected).abs() < largest / 500.0,
            "{there} {expected}"
        );
    }
}

/// What a script that is added to the page finds out, in a window of this width.
#[track_caller]
fn asked(chromium: &Path, page: &str, script: &str, width: u32) -> serde_json::Value {
    let scratch = tempfile::tempdir().unwrap();
    let probed = scratch.path().join("probe.html");
    let script = format!("<script>{script}{ANSWER}</script></body>");
    fs::write(&probed, page.replace("</body>", &script)).unwrap();
    let (dom, log) = open(chromium, &probed, width, scratch.path());
    let console: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(console.is_empty(), "the browser's console: {console:?}");
    let said = dom
        .split("<pre id=\"probe\">")
        .nth(1)
        .and_then(|rest| rest.split("</pre>").next());
    let said = said.unwrap_or_else(|| panic!("the script did not run\n{log}"));
    serde_json::from_str(&said.replace("&quot;", "\"")).unwrap()
}

/// Opens a file and returns its document as it stands after its scripts, and the browser's log.
fn open(chromium: &Path, page: &Path, width: u32, scratch: &Path) -> (String, String) {
    let (dom, log) = (scratch.join("dom.html"), scratch.join("log.txt"));
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(File::create(&dom).unwrap())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while browser.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            browser.kill().unwrap();
            browser.wait().unwrap();
            panic!(
                "the browser did not end\n{}",
                fs::read_to_string(&log).unwrap()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    (
        fs::read_to_string(dom).unwrap(),
        fs::read_to_string(log).unwrap(),
    )
}
