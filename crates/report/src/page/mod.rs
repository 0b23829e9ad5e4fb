//! The page: one file that needs no network, no server and no other file. Every module gives a section of it, or a part of
//! one.

mod answer;
mod baselines;
mod compact;
mod data;
mod drivers;
mod extremes;
mod gallery;
mod grid;
mod paper;
mod reasons;
mod record;
mod search;
mod site;
mod skill;
mod states;
mod uncertainty;
mod unseen;
mod variance;

use super::Findings;
use super::figures::Figure;
use super::markup::{Html, html};
use super::results::Results;
use super::section::{self, Frame, Members, Section};

/// What the report consists of, in the order of the page.
pub(crate) fn sections<'a>(findings: &'a Findings<'_>) -> Vec<Section<'a>> {
    let results = findings.results;
    let mut sections = vec![answer::section(findings), skill::scores(findings)];
    sections.extend(unseen::section(findings));
    sections.extend([
        baselines::section(findings),
        skill::series(findings),
        extremes::section(findings),
        uncertainty::section(findings),
        data::section(findings),
        skill::sites(findings),
        site::section(findings),
        drivers::section(findings),
        reasons::section(findings),
        search::section(findings),
    ]);
    sections.extend(search::training(results));
    sections.extend([
        search::failures(findings),
        paper::section(findings),
        record::methods(results),
        record::provenance(results),
    ]);
    sections
}

/// The sections that begin a group in the navigation: skill, sites, search, record.
const GROUPS: [&str; 4] = ["scores", "data", "search", "paper"];

/// Sections that simulations of members have no part in.
const WITHOUT_MEMBERS: [&str; 5] = ["search", "data", "failures", "methods", "provenance"];

/// The members that a section is made of.
pub(crate) fn members(results: &Results<'_>, section: &Section<'_>) -> Option<Members> {
    (!WITHOUT_MEMBERS.contains(&section.id)).then_some(Members {
        there: results.members.len(),
        planned: results.members_planned,
    })
}

/// `index.html`, and the figures that were drawn for it.
pub(crate) fn page(results: &Results<'_>, sections: &[Section<'_>]) -> (Html, Vec<Figure>) {
    let name = results.job_name;
    let (mut content, mut figures) = (Html::default(), Vec::new());
    for section in sections {
        let (html, drawn) = section::render(section, members(results, section));
        content.push(&html);
        figures.extend(drawn);
    }
    let page = html!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} · efflux report</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#answer\">To the results</a>\n{header}{navigation}<main>\n{content}</main>\n{footer}\
         <script>\n{script}</script>\n</body>\n</html>\n";
        title = name,
        style = Html::literal(include_str!("page.css")),
        header = header(results),
        navigation = navigation(sections),
        content = content,
        footer = footer(sections, &figures),
        script = Html::literal(concat!(include_str!("page.js"), include_str!("site.js")))
    );
    (page, figures)
}

fn header(results: &Results<'_>) -> Html {
    html!(
        "<header id=\"top\">\n<p class=\"kind\">Daily {} · report of a sweep</p>\n<h1>{}</h1>\n</header>\n",
        results.target.long_name(),
        results.job_name
    )
}

/// Links to all sections, which stay in sight.
fn navigation(sections: &[Section<'_>]) -> Html {
    let links = sections.iter().filter_map(|section| match section.frame {
        Frame::Named(name) => {
            let class = match GROUPS.contains(&section.id) {
                true => Html::literal(" class=\"group\""),
                false => Html::default(),
            };
            Some(html!(
                "<li{}><a href=\"#{}\">{}</a></li>",
                class,
                section.id,
                name
            ))
        }
        Frame::First | Frame::Hidden => None,
    });
    html!(
        "<nav aria-label=\"Sections\"><ul><li><a href=\"#top\">Top</a></li>{}</ul></nav>\n",
        links.collect::<Html>()
    )
}

/// Links to everything that is written beside the page.
fn footer(sections: &[Section<'_>], figures: &[Figure]) -> Html {
    let tables = sections.iter().flat_map(section::tables);
    let tables = tables.filter_map(|table| table.file_name());
    let figures = figures.iter().map(Figure::file_name);
    let links = |folder: &'static str, files: Vec<String>| {
        let links = files
            .iter()
            .map(|file| html!("<a href=\"{}/{file}\">{file}</a>", folder; file = file));
        Html::joined(&links.collect::<Vec<Html>>(), ", ")
    };
    html!(
        "<footer>\n<p>The numbers of this page at full precision, beside it: {}.</p>\n\
         <p>Its figures, a file each: {}.</p>\n</footer>\n",
        links("tables", tables.collect()),
        links("figures", figures.collect())
    )
}
