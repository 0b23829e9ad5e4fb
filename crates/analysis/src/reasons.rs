//! Why a site's score may be what it is: what is known of the site, held against fixed bounds and against the other sites.
//!
//! A rule speaks for a site if its value lies beyond the rule's bound and within the quarter of all sites at that end.
//! Either alone says little: in any set of sites some are at the end, and with some sets nearly all lie beyond a bound.
//! Rules suggest; they prove nothing.

use super::statistics::{quantile, sorted};

/// Something known of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteProperty {
    /// Observed days that members were fitted on.
    TrainingDays,
    /// Observed test days.
    TestDays,
    /// How far the mean of the test days lies from that of the training days, in standard deviations of the latter.
    LevelShift,
    /// Squared bias over the mean squared error, test part.
    BiasShare,
    /// The standard deviation of the test days over that of the training days.
    Variation,
    /// Share of the test days with an input outside the range that it has on the training days of all sites.
    Outside,
    /// Share of the test days that are spikes.
    Spikes,
    /// Other sites of the same land cover with training days.
    Relatives,
    /// Autocorrelation at half a year; near -1 at a strongly seasonal site.
    Seasonality,
    /// Autocorrelation from one day to the next.
    Smoothness,
    /// Days between the last day fitted on and the first test day.
    Gap,
    /// Share of the test days on which a site at the same place has a day that members were fitted on.
    Seen,
}

impl SiteProperty {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::TrainingDays,
        Self::TestDays,
        Self::LevelShift,
        Self::BiasShare,
        Self::Variation,
        Self::Outside,
        Self::Spikes,
        Self::Relatives,
        Self::Seasonality,
        Self::Smoothness,
        Self::Gap,
        Self::Seen,
    ];

    /// What it is, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::TrainingDays => "observed days that members were fitted on",
            Self::TestDays => "observed test days",
            Self::LevelShift => {
                "difference of the observed means of test and training days, in standard deviations of the training days"
            }
            Self::BiasShare => "share of the squared bias in the mean squared error, test part",
            Self::Variation => {
                "standard deviation of observed test days over that of training days"
            }
            Self::Outside => {
                "share of test days with a daily input outside the range that it has over the training days of all sites"
            }
            Self::Spikes => "share of test days that are spikes",
            Self::Relatives => "other sites of the same land cover with training days",
            Self::Seasonality => "autocorrelation at 182 days (raw: −1 is strongly seasonal)",
            Self::Smoothness => "autocorrelation at 1 day",
            Self::Gap => "days from the last day fitted on to the first test day",
            Self::Seen => "share of test days on which a site at the same place was fitted on",
        }
    }

    /// How a value of it is shown to people: the factor and decimals of the number, and what stands behind it.
    pub fn shown(self) -> (f64, usize, &'static str) {
        match self {
            Self::TrainingDays | Self::TestDays | Self::Relatives => (1.0, 0, ""),
            Self::Gap => (1.0, 0, " days"),
            Self::BiasShare | Self::Outside | Self::Spikes | Self::Seen => (100.0, 0, " %"),
            Self::LevelShift => (1.0, 1, " standard deviations"),
            Self::Variation | Self::Seasonality | Self::Smoothness => (1.0, 2, ""),
        }
    }
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The lower one.
    Low,
    /// The upper one.
    High,
}

/// Which scores a rule may explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explains {
    /// Low ones.
    Poor,
    /// High ones.
    Good,
    /// Any that lies at an end: the score itself is uncertain.
    Extreme,
}

/// When a property is a reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// What is looked at.
    pub about: SiteProperty,
    /// The end at which it tells something.
    pub end: End,
    /// The value has to be this far at least: at most so much at the low end, at least so much at the high one.
    pub bound: f64,
    /// Which scores it may explain.
    pub explains: Explains,
    /// What tables call it as a reason.
    pub key: &'static str,
    /// What people call it as a reason.
    pub label: &'static str,
}

const fn rule(
    about: SiteProperty,
    end: End,
    bound: f64,
    explains: Explains,
    [key, label]: [&'static str; 2],
) -> Rule {
    Rule {
        about,
        end,
        bound,
        explains,
        key,
        label,
    }
}

/// Every rule. The bound of training days is the number from which on the paper finds that skill no longer depends on it.
pub const RULES: [Rule; 15] = [
    rule(
        SiteProperty::TrainingDays,
        End::Low,
        500.0,
        Explains::Poor,
        ["few-training-days", "few training days"],
    ),
    rule(
        SiteProperty::LevelShift,
        End::High,
        0.5,
        Explains::Poor,
        [
            "level-shift-sd",
            "level of the test days unlike that of the training days",
        ],
    ),
    rule(
        SiteProperty::BiasShare,
        End::High,
        0.5,
        Explains::Poor,
        ["bias-share-of-mse", "the error is mostly one of level"],
    ),
    rule(
        SiteProperty::Variation,
        End::Low,
        0.7,
        Explains::Poor,
        [
            "low-test-variation-ratio",
            "test days vary less than training days",
        ],
    ),
    rule(
        SiteProperty::Outside,
        End::High,
        0.01,
        Explains::Poor,
        [
            "inputs-outside-training-share",
            "inputs outside the range of all training days",
        ],
    ),
    rule(
        SiteProperty::Spikes,
        End::High,
        0.02,
        Explains::Poor,
        ["spikes-share", "many spikes"],
    ),
    rule(
        SiteProperty::Relatives,
        End::Low,
        0.0,
        Explains::Poor,
        [
            "sites-of-land-cover",
            "no other training site of its land cover",
        ],
    ),
    rule(
        SiteProperty::Seasonality,
        End::High,
        -0.2,
        Explains::Poor,
        ["no-seasonality-r-182", "no seasonality"],
    ),
    rule(
        SiteProperty::Smoothness,
        End::Low,
        0.8,
        Explains::Poor,
        ["rough-r-1", "rough record"],
    ),
    rule(
        SiteProperty::Gap,
        End::High,
        180.0,
        Explains::Poor,
        ["gap-days", "long gap between training and test"],
    ),
    rule(
        SiteProperty::TestDays,
        End::Low,
        50.0,
        Explains::Extreme,
        ["few-test-days", "few test days, so the score is uncertain"],
    ),
    rule(
        SiteProperty::TrainingDays,
        End::High,
        500.0,
        Explains::Good,
        ["many-training-days", "many training days"],
    ),
    rule(
        SiteProperty::Seasonality,
        End::Low,
        -0.4,
        Explains::Good,
        ["strong-seasonality-r-182", "strong seasonality"],
    ),
    rule(
        SiteProperty::Smoothness,
        End::High,
        0.9,
        Explains::Good,
        ["smooth-r-1", "smooth record"],
    ),
    rule(
        SiteProperty::Seen,
        End::High,
        0.1,
        Explains::Good,
        [
            "test-days-seen-share",
            "test days seen in training at the same place",
        ],
    ),
];

/// Fewer sites than this have no quarters to speak of.
pub const LEAST_SITES: usize = 4;

/// A rule that speaks for a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// The rule.
    pub rule: Rule,
    /// The site's value.
    pub value: f64,
    /// Where the quarter of all sites begins.
    pub quartile: f64,
}

/// The reasons that the rules find for one of several sites, in the order of [`RULES`].
///
/// * `poor`: whether a low score is to be explained, else a high one.
/// * `known`: the value of a property at each site, in the order of the sites; none where it is unknown.
pub fn reasons(
    site: usize,
    poor: bool,
    known: &dyn Fn(SiteProperty) -> Vec<Option<f64>>,
) -> Vec<Reason> {
    let fits = |rule: &&Rule| match rule.explains {
        Explains::Poor => poor,
        Explains::Good => !poor,
        Explains::Extreme => true,
    };
    RULES
        .iter()
        .filter(fits)
        .filter_map(|rule| speaks(*rule, site, &known(rule.about)))
        .collect()
}

/// A rule as a reason for a site, if it is one.
fn speaks(rule: Rule, site: usize, values: &[Option<f64>]) -> Option<Reason> {
    let value = values.get(site).copied().flatten()?;
    let all: Vec<f64> = values.iter().copied().flatten().collect();
    if all.len() < LEAST_SITES {
        return None;
    }
    let at = match rule.end {
        End::Low => 0.25,
        End::High => 0.75,
    };
    let quartile = quantile(&sorted(&all), at).ok()?;
    let is_beyond = |limit: f64| match rule.end {
        End::Low => value <= limit,
        End::High => value >= limit,
    };
    (is_beyond(rule.bound) && is_beyond(quartile)).then_some(Reason {
        rule,
        value,
        quartile,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Eight sites of which nothing is known but these training days.
    fn known(days: [f64; 8]) -> impl Fn(SiteProperty) -> Vec<Option<f64>> {
        move |about| match about {
            SiteProperty::TrainingDays => days.map(Some).to_vec(),
            _ => vec![None; 8],
        }
    }

    fn found(site: usize, poor: bool, days: [f64; 8]) -> Vec<(SiteProperty, f64)> {
        let found = reasons(site, poor, &known(days));
        let pairs = found.iter();
        pairs
            .map(|reason| (reason.rule.about, reason.quartile))
            .collect()
    }

    #[test]
    fn a_reason_lies_beyond_its_bound_and_in_the_quarter_at_its_end() {
        let days = [100.0, 200.0, 300.0, 400.0, 900.0, 1000.0, 1100.0, 1200.0];
        assert_eq!(found(0, true, days), [(SiteProperty::TrainingDays, 275.0)]);
        // Beyond the bound, but as many other sites are.
        assert_eq!(found(2, true, days), []);
        // For a good score the same site has no reason, and the longest record has one.
        assert_eq!(found(0, false, days), []);
        assert_eq!(
            found(7, false, days),
            [(SiteProperty::TrainingDays, 1025.0)]
        );
        // In the quarter, but not beyond the bound.
        assert_eq!(found(0, true, days.map(|count| count + 1000.0)), []);
    }

    #[test]
    fn few_sites_have_no_quarters_and_what_is_unknown_is_no_reason() {
        let three = |about| match about {
            SiteProperty::TrainingDays => vec![Some(10.0), Some(900.0), Some(900.0)],
            _ => vec![None; 3],
        };
        assert_eq!(reasons(0, true, &three), []);
        let without = |about| match about {
            SiteProperty::TrainingDays => {
                vec![None, Some(900.0), Some(900.0), Some(900.0), Some(900.0)]
            }
            _ => vec![None; 5],
        };
        assert_eq!(reasons(0, true, &without), []);
    }

    #[test]
    fn a_land_cover_of_its_own_is_a_reason_also_where_most_have_company() {
        let relatives = |about| match about {
            SiteProperty::Relatives => [0.0, 4.0, 4.0, 4.0, 4.0, 4.0].map(Some).to_vec(),
            _ => vec![None; 6],
        };
        let found = reasons(0, true, &relatives);
        assert_eq!(
            (found.len(), found[0].rule.about),
            (1, SiteProperty::Relatives)
        );
        assert_eq!(reasons(1, true, &relatives), []);
    }

    proptest! {
        #[test]
        fn a_rule_speaks_for_a_quarter_of_distinct_sites_at_most(values in prop::collection::hash_set(-900i32..900, 4..60)) {
            let values: Vec<Option<f64>> = values.into_iter().map(|value| Some(f64::from(value))).collect();
            for rule in RULES {
                let spoken = (0..values.len()).filter(|&site| speaks(rule, site, &values).is_some()).count();
                prop_assert!(4 * spoken <= values.len() + 3);
            }
        }
    }
}
