//! The paper beside this run, for people.

use crate::Findings;
use crate::markup::html;
use crate::numbers::counted;
use crate::paper::Same;
use crate::section::{Frame, Part, Section};
use crate::tables;

const TITLE: &str = "The paper beside this run";
const FRAME: Frame = Frame::Named("The paper");

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let paper = &findings.paper;
    let target = findings.results.target;
    if !target.is_soil_efflux() {
        return Section {
            id: "paper",
            title: TITLE,
            frame: FRAME,
            lead: html!(
                "<p>The paper that captions name is on what soil respires. Its numbers are not set beside this run’s, which \
                 are of {}.</p>\n",
                target.long_name()
            ),
            parts: Vec::new(),
        };
    }
    let compared = paper.numbers.iter().filter(|of| of.here.is_ok()).count();
    let differ = paper
        .settings
        .iter()
        .filter(|of| of.same == Same::No)
        .count();
    let lead = html!(
        "<p>Of the paper’s {} this run has {}. They are of one kind only as far as what they rest on is the same: {} of {} \
         differ. The paper is <cite>Towards a global deep learning model for daily soil CO₂ efflux</cite> (Smykalov, \
         Bond-Lamberty, Vargas and Li, preprint), Sections 2.1 to 3.4.</p>\n",
        counted(paper.numbers.len(), "number"),
        compared,
        differ,
        counted(paper.settings.len(), "thing")
    );
    Section {
        id: "paper",
        title: TITLE,
        frame: FRAME,
        lead,
        parts: vec![
            Part::table(tables::paper::settings(findings)),
            Part::table(tables::paper::numbers(findings)),
        ],
    }
}
