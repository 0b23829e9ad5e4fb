//! The folds that a job asks for, of the sites of a pack.

use efflux_job::{Fold, FoldsBy, Split};

use super::{HeldOut, Sites, by_distance};
use crate::pack::Pack;

impl Pack {
    /// The folds of a split, of the sites that were observed; none if it holds no sites out.
    ///
    /// # Errors
    ///
    /// Why these sites have no such folds: which key, what it has, what is expected.
    pub fn folds(&self, split: &Split) -> Result<Vec<Fold>, String> {
        if !split.has_folds() {
            return Ok(Vec::new());
        }
        let is_observed = |site: &usize| self.flux.site(*site).iter().any(|flux| !flux.is_nan());
        let (observed, others): (Vec<usize>, Vec<usize>) =
            (0..self.sites.len()).partition(is_observed);
        let point = |site: &usize| [self.sites[*site].latitude, self.sites[*site].longitude];
        let sites = Sites::new(observed.iter().map(point).collect(), split.keep_together_km);
        let cover = |site: &usize| self.sites[*site].igbp.as_str();
        let covers: Vec<&str> = observed.iter().map(cover).collect();
        let (folds, seed) = (split.folds as usize, split.fold_seed);
        let of_folds = |reason: String| format!("`split.folds`: {reason}");
        let of_by = |reason: String| format!("`split.by`: {reason}");
        let numbers = match split.by {
            FoldsBy::Random => sites.at_random(folds, seed).map_err(of_folds)?,
            FoldsBy::Stratified => sites.stratified(&covers, folds, seed).map_err(of_folds)?,
            FoldsBy::Site => sites.one_by_one().map_err(of_by)?,
            FoldsBy::Distance => {
                let points: Vec<[f64; 2]> = others.iter().map(point).collect();
                matched(&sites, &points, split)?
            }
            FoldsBy::Class => {
                if let Some(site) = observed.iter().find(|site| cover(site).is_empty()) {
                    let id = &self.sites[*site].id;
                    return Err(format!(
                        "`split.by` has \"class\", but site {id} has no land cover"
                    ));
                }
                let in_pack = |of: &[usize]| of.iter().map(|&site| observed[site]).collect();
                let fold = |HeldOut {
                                name,
                                test,
                                left_out,
                            }| Fold {
                    test: in_pack(&test),
                    left_out: in_pack(&left_out),
                    name,
                };
                let folds = sites.by_class(&covers).map_err(of_by)?;
                return Ok(folds.into_iter().map(fold).collect());
            }
        };
        let count = numbers.iter().max().map_or(0, |last| last + 1);
        let fold = |number: usize| {
            let sites = observed.iter().zip(&numbers);
            let test = sites
                .filter(|(_, of)| **of == number)
                .map(|(site, _)| *site);
            let test: Vec<usize> = test.collect();
            let name = match split.by {
                FoldsBy::Site => self.sites[test[0]].id.clone(),
                _ => (number + 1).to_string(),
            };
            Fold {
                name,
                test,
                left_out: Vec::new(),
            }
        };
        Ok((0..count).map(fold).collect())
    }
}

fn matched(sites: &Sites, points: &[[f64; 2]], split: &Split) -> Result<Vec<usize>, String> {
    if points.is_empty() {
        return Err(
            "`split.by` has \"distance\", but every site of the pack was observed, expected sites without observations \
             among them: their distances are matched (`efflux pack` keeps such sites)"
                .into(),
        );
    }
    let found = by_distance(sites, points, split.folds as usize, split.largest_fold);
    let found = found.map_err(|reason| format!("`split.folds`: {reason}"))?;
    let (_, numbers) = found.best.ok_or_else(|| {
        format!(
            "`split.largest_fold` has {}, but in every partition a fold has more of the sites: expected more",
            split.largest_fold
        )
    })?;
    Ok(numbers)
}
