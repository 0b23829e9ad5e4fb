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

#[test]
fn the_page_opens_from_disk_in_a_browser_and_shows_its_figures() {
    let Some(chromium) = chromium("the report in a browser") else {
        return;
    };
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    let probed = out.path().join("probe.html");
    fs::write(
        &probed,
        page.replace("</body>", &format!("<script>{PROBE}</script></body>")),
    )
    .unwrap();

    let (dom, log) = open(&chromium, &probed, out.path());
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
    let said: serde_json::Value = serde_json::from_str(&said.replace("&quot;", "\"")).unwrap();

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
    // The site at the top of the sorted table, opened by its link, is drawn and can be looked at closer.
    assert!(
        said["site"].as_str().is_some_and(|name| !name.is_empty()),
        "{said}"
    );
    assert_eq!(
        (&said["siteRows"], &said["siteShapes"]),
        (&6.into(), &2.into()),
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

/// Whether a site's download has its observed days, as precisely as the page has them.
#[track_caller]
fn is_the_record(download: &serde_json::Value, observed: &[f64]) {
    let text = download.as_str().unwrap();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header = "date,part,observed,mean,sd_of_members,mean_minus_sd,mean_plus_sd,inputs";
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

/// Opens a file and returns its document as it stands after its scripts, and the browser's log.
fn open(chromium: &Path, page: &Path, scratch: &Path) -> (String, String) {
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
            "--window-size=1200,900",
            "--dump-dom",
        ])
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
