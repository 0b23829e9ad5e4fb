//! Sites that stand for others where not all can be shown.

use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::measures::NSE;
use efflux_job::Part;

use super::evaluation::{Evaluation, Series};

/// A site for the series: its place among the sites of the results and what it stands for.
pub(crate) struct Chosen {
    pub(crate) site: usize,
    pub(crate) role: &'static str,
}

/// A good, a median and a poor site: those ranked nearest to 90, 50 and 10 % by test NSE. The very best and worst are
/// left out because they say more about a site than about the model.
pub(crate) fn ranked_sites(evaluation: &Evaluation) -> Vec<Chosen> {
    let scores = evaluation
        .scores(Series::Ensemble, Part::Test)
        .iter()
        .enumerate();
    let mut ranked: Vec<(usize, f64)> = scores
        .filter_map(|(site, scores)| Some((site, scores[NSE].ok()?)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut chosen: Vec<Chosen> = Vec::new();
    let last = ranked.len().saturating_sub(1);
    for (tenths, role) in [(1, "good"), (5, "median"), (9, "poor")] {
        let Some(&(site, _)) = ranked.get((last * tenths + 5) / 10) else {
            break;
        };
        if chosen.iter().all(|other| other.site != site) {
            chosen.push(Chosen { site, role });
        }
    }
    chosen
}

/// Three sites of each class (text), those ranked nearest to 1/6, 1/2 and 5/6 of it by test NSE; fewer where the class
/// has fewer. The paper drew lots: ranks show the width of a class and are the same every time.
pub(crate) fn of_each_class(evaluation: &Evaluation) -> [Vec<usize>; 3] {
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    [Class::Good, Class::Fair, Class::Poor].map(|class| {
        let mut ranked: Vec<(f64, usize)> = (0..scores.len())
            .filter(|&site| evaluation.class(site, Reading::Text) == Some(class))
            .filter_map(|site| Some((scores[site][NSE].ok()?, site)))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut chosen: Vec<usize> = [1, 3, 5]
            .iter()
            .filter_map(|sixths| ranked.get(ranked.len() * sixths / 6))
            .map(|(_, site)| *site)
            .collect();
        chosen.dedup();
        chosen
    })
}
