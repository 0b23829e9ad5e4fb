//! Folds of sites: who is judged by models that have not seen them. Sites at one place are never in two folds.
//!
//! Whatever decides compares whole millimetres or counts, so that folds are the same on every machine.

mod distance;
mod of_split;

use efflux_numerics::random::Stream;

use super::places::places;

pub use distance::{
    Candidate, DistanceFolds, by_distance, nearest_other_sites, nearest_sites, separation,
};

/// The fold of each site, numbered in the order in which they appear.
pub type Folds = Vec<usize>;

/// Sites that a fold judges, and those that neither train nor are judged in it. All others train.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// What the sites have in common.
    pub name: String,
    /// The sites that are judged, ascending.
    pub test: Vec<usize>,
    /// The sites that share a place with one of them, ascending.
    pub left_out: Vec<usize>,
}

/// Sites by place, with room for sums over a place.
#[derive(Clone, Debug)]
pub struct Sites {
    points: Vec<[f64; 2]>,
    places: Vec<Vec<usize>>,
}

impl Sites {
    /// Of sites at these points, degrees north and east: those at most so many kilometres apart, also through others, share a
    /// place.
    pub fn new(points: Vec<[f64; 2]>, keep_together_km: f64) -> Self {
        let places = places(&points, keep_together_km);
        Self { points, places }
    }

    /// The places, by their least site.
    pub fn places(&self) -> &[Vec<usize>] {
        &self.places
    }

    /// Folds that places are drawn into, each to the one with the fewest sites so far.
    ///
    /// # Errors
    ///
    /// Unless there are at least 2 folds and as many places.
    pub fn at_random(&self, folds: usize, seed: u64) -> Result<Folds, String> {
        self.enough(folds)?;
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        shuffle(&mut order, &mut Stream::of_state(seed));
        let (mut sizes, mut fold_of) = (vec![0; folds], vec![0; self.points.len()]);
        for place in order {
            let fold = least(folds, |fold| sizes[fold]);
            sizes[fold] += self.places[place].len();
            self.places[place]
                .iter()
                .for_each(|&site| fold_of[site] = fold);
        }
        Ok(renumbered(&fold_of))
    }

    /// The same, but each class, such as a land cover, is spread over the folds as evenly as its places let it.
    ///
    /// # Errors
    ///
    /// As [`Sites::at_random`].
    pub fn stratified(&self, classes: &[&str], folds: usize, seed: u64) -> Result<Folds, String> {
        self.enough(folds)?;
        let of_place = self.class_of_places(classes);
        let mut all: Vec<(usize, &str)> = Vec::new();
        for (place, class) in of_place.iter().enumerate() {
            let sites = self.places[place].len();
            match all.iter_mut().find(|(_, of)| of == class) {
                Some((count, _)) => *count += sites,
                None => all.push((sites, class)),
            }
        }
        all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mut draws = Stream::of_state(seed);
        let (mut sizes, mut fold_of) = (vec![0; folds], vec![0; self.points.len()]);
        for (_, class) in all {
            let of_class = (0..self.places.len()).filter(|&place| of_place[place] == class);
            let mut order: Vec<usize> = of_class.collect();
            shuffle(&mut order, &mut draws);
            let mut own = vec![0; folds];
            for place in order {
                let fold = least(folds, |fold| (own[fold], sizes[fold]));
                let sites = &self.places[place];
                own[fold] += sites.len();
                sizes[fold] += sites.len();
                sites.iter().for_each(|&site| fold_of[site] = fold);
            }
        }
        Ok(renumbered(&fold_of))
    }

    /// A fold for each place.
    ///
    /// # Errors
    ///
    /// Below 2 places.
    pub fn one_by_one(&self) -> Result<Folds, String> {
        self.enough(2)?;
        let mut fold_of = vec![0; self.points.len()];
        for (fold, place) in self.places.iter().enumerate() {
            place.iter().for_each(|&site| fold_of[site] = fold);
        }
        Ok(fold_of)
    }

    /// A fold for each class, such as a land cover, by name: neither the class nor the place of a judged site is trained on.
    ///
    /// # Errors
    ///
    /// Where a site has no class, there are fewer than 2, or one leaves no site to train on.
    pub fn by_class(&self, classes: &[&str]) -> Result<Vec<HeldOut>, String> {
        if let Some(site) = classes.iter().position(|class| class.is_empty()) {
            return Err(format!("site {} has no class", site + 1));
        }
        let mut names = classes.to_vec();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Err(format!(
                "{} class of sites, expected at least 2",
                names.len()
            ));
        }
        let fold = |name: &str| {
            let is_of = |site: &usize| classes[*site] == name;
            let touched = self.places.iter().filter(|place| place.iter().any(is_of));
            let mut left_out: Vec<usize> = touched
                .flatten()
                .copied()
                .filter(|site| !is_of(site))
                .collect();
            left_out.sort_unstable();
            let test: Vec<usize> = (0..classes.len()).filter(is_of).collect();
            if test.len() + left_out.len() == classes.len() {
                return Err(format!(
                    "without the places of {name} there is no site to train on"
                ));
            }
            Ok(HeldOut {
                name: name.to_owned(),
                test,
                left_out,
            })
        };
        names.into_iter().map(fold).collect()
    }

    /// The class of each place: that of most of its sites, of several the first by name.
    pub fn class_of_places<'a>(&self, classes: &[&'a str]) -> Vec<&'a str> {
        let of_place = |place: &Vec<usize>| {
            let mut names: Vec<&'a str> = place.iter().map(|&site| classes[site]).collect();
            names.sort_unstable();
            let runs = names.chunk_by(|a, b| a == b);
            let most = runs.reduce(|most, run| if run.len() > most.len() { run } else { most });
            most.map_or("", |run| run[0])
        };
        self.places.iter().map(of_place).collect()
    }

    fn enough(&self, folds: usize) -> Result<(), String> {
        let places = self.places.len();
        if (2..=places).contains(&folds) {
            return Ok(());
        }
        Err(format!(
            "{folds} folds, expected 2 to {places}, which is the number of places"
        ))
    }
}

/// Fisher and Yates's, from the end.
fn shuffle(order: &mut [usize], draws: &mut Stream) {
    for last in (1..order.len()).rev() {
        order.swap(last, draws.index(last + 1));
    }
}

/// The first fold with the least of something.
fn least<K: Ord>(folds: usize, of: impl Fn(usize) -> K) -> usize {
    (0..folds).min_by_key(|&fold| of(fold)).unwrap_or_default()
}

fn renumbered(fold_of: &[usize]) -> Folds {
    let mut seen: Vec<usize> = Vec::new();
    let number = |fold: &usize| {
        seen.iter().position(|of| of == fold).unwrap_or_else(|| {
            seen.push(*fold);
            seen.len() - 1
        })
    };
    fold_of.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_stay_whole_and_no_fold_is_empty(
            points in prop::collection::vec((-3i8..3, -3i8..3), 2..40),
            folds in 2usize..6,
            seed in any::<u64>(),
        ) {
            let points: Vec<[f64; 2]> = points.iter().map(|&(a, b)| [f64::from(a), f64::from(b)]).collect();
            let classes: Vec<&str> = points.iter().map(|point| if point[0] < 0.0 { "GRA" } else { "CRO" }).collect();
            let sites = Sites::new(points, 1.0);
            let distance = by_distance(&sites, &[[0.5, 0.5]], folds, 0.999);
            let distance = distance.map(|found| found.best.expect("no fold holds all sites").1);
            let random = sites.at_random(folds, seed);
            for found in [random, sites.stratified(&classes, folds, seed), distance] {
                prop_assert_eq!(found.is_err(), folds > sites.places().len());
                let Ok(found) = found else { continue };
                prop_assert_eq!(found.iter().max(), Some(&(folds - 1)));
                for place in sites.places() {
                    prop_assert!(place.iter().all(|&site| found[site] == found[place[0]]));
                }
            }
        }
    }

    #[test]
    fn a_place_is_of_the_class_that_most_of_its_sites_have() {
        let sites = Sites::new(
            vec![[1.0, 1.0], [1.0, 1.0], [9.0, 9.0], [1.0, 1.0], [1.0, 1.0]],
            1.0,
        );
        let classes = ["GRA", "CRO", "", "GRA", "CRO"];
        assert_eq!(sites.class_of_places(&classes), ["CRO", ""]);
        assert!(sites.by_class(&classes).unwrap_err().contains("site 3"));
        assert!(
            sites
                .at_random(3, 0)
                .unwrap_err()
                .contains("3 folds, expected 2 to 2")
        );
    }
}
