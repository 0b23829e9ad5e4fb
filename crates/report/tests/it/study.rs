//! A small study that never ran: sites with seasons, pulses and gaps, members that differ by noise, one failed trial.

mod sites;

use efflux_analysis::measures::{KGE, NSE};
use efflux_analysis::medians::Medians;
use efflux_data::{Filled, Member, Parts, SiteDistances, Target};
use efflux_job::{
    Analysis, Chosen, Configuration, Contract, Evaluation, Fit, Fold, Key, MemberKind, Part,
    Selection, Settings, Split, SplitKind, Stage, Trial, TrialId, Variables,
};
use efflux_numerics::SiteByDay;
use efflux_report::{Attribute, Results, Site, Temperature, Weighed};
use efflux_run::record::{Failure, FailureClass, Outcome, Place, Record, Summary};
use efflux_run::stopping::Judged;
use efflux_run::{Attempt, Candidate, Choice, EpochLine, Rank, Slot, Winner};
use jiff::civil::Date;

use sites::{attributes, distances, filled};

pub(super) const DAYS: usize = 2400;
pub(super) const SITES: usize = 14;
/// A site whose test observations are all equal: it has no NSE.
pub(super) const CONSTANT: usize = 5;
/// A site without a temperature.
pub(super) const WITHOUT_TEMPERATURE: usize = 2;
/// A site of unknown temperature, as climates go.
pub(super) const WITHOUT_CLIMATE: usize = 8;
/// A site whose temperature was not measured in its test part.
pub(super) const FILLED: usize = 3;
/// A site that was not observed in its test part.
pub(super) const UNOBSERVED: usize = 6;

/// Made-up results that own what [`Results`] borrows.
pub(super) struct Study {
    pub(super) rungs: Vec<Judged>,
    contract: Contract,
    settings: Settings,
    inputs: Chosen,
    analysis: Analysis,
    pub(super) selection: Choice,
    pub(super) records: Vec<Record>,
    caveats: Vec<String>,
    pub(super) sites: Vec<Site>,
    pub(super) parts: Parts,
    pub(super) target: Target,
    pub(super) observed: SiteByDay<f32>,
    pub(super) temperature: Option<SiteByDay<f32>>,
    pub(super) attributes: Vec<Attribute>,
    outside_training: Vec<Option<f64>>,
    pub(super) filled: Filled,
    pub(super) members: Vec<Member>,
    pub(super) unseen: Vec<Member>,
    pub(super) distances: SiteDistances,
    pub(super) epochs: Vec<EpochLine>,
    provenance: Vec<(String, String)>,
    weighed: Vec<Weighed>,
}

/// A mean of networks and process.
fn weighed(series: &str, inflation: f64) -> Weighed {
    Weighed {
        series: series.to_owned(),
        weights: vec![(MemberKind::Lstm, 0.75), (MemberKind::Gp, 0.25)],
        inflation,
        is_in_use: inflation != 1.0,
        sites: SITES,
        nse: Ok(0.5 / inflation),
        kge: Ok(0.5 * inflation),
    }
}

/// Noise in [-1, 1) that depends on its arguments alone.
fn noise(a: usize, b: usize, c: usize) -> f64 {
    let mut state = (a as u64) << 40 ^ (b as u64) << 20 ^ c as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..3 {
        state = (state ^ state >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn season(site: usize, day: usize) -> f64 {
    let phase = (day as f64 - 110.0) / 365.25 * std::f64::consts::TAU;
    2.6 + 0.2 * site as f64 + (1.9 - 0.1 * site as f64) * phase.sin()
}

/// Follows the season; one site has none.
fn temperature(site: usize, day: usize) -> f32 {
    if site == WITHOUT_TEMPERATURE {
        return f32::NAN;
    }
    (4.0 * season(site, day) + noise(site, day, 11)) as f32
}

fn contract() -> Contract {
    Contract {
        pack_digest: "5c1d9f0a".to_owned(),
        evaluation: Evaluation::default(),
        split: Split {
            kind: SplitKind::Both,
            folds: 2,
            ..Split::default()
        },
        folds: folds(),
        variables: Variables::default(),
    }
}

fn inputs() -> Chosen {
    Chosen {
        dynamic: vec!["soil_temperature".to_owned(), "precipitation".to_owned()],
        statics: vec!["clay".to_owned()],
        derived: Vec::new(),
    }
}

pub(super) fn configuration(hidden_size: u32, dropout: f64) -> Configuration {
    Configuration::of(vec![
        (Key::HIDDEN_SIZE, hidden_size.into()),
        (Key::DROPOUT, dropout.into()),
        (Key::WINDOW_DAYS, 30.into()),
    ])
}

fn trial(stage: Stage, params: &Configuration, seed: u64) -> Trial {
    Trial {
        id: TrialId::named(&format!("{stage}-{params}-{seed}")),
        stage,
        fit: Fit::Train,
        params: params.clone(),
        seed,
    }
}

/// Two folds: the even sites and the odd ones, but for the last.
fn folds() -> Vec<Fold> {
    let fold = |number: usize| Fold {
        name: (number + 1).to_string(),
        test: (number..SITES - 1).step_by(2).collect(),
        left_out: Vec::new(),
    };
    vec![fold(0), fold(1)]
}

fn site(index: usize) -> Site {
    Site {
        id: format!("d2019_SITE{index:02}"),
        name: match index {
            0 => "Höglwald <script>alert(1)</script> & \"quotes\"".to_owned(),
            _ => format!("Site number {index}"),
        },
        latitude: 45.0 - index as f64,
        longitude: -100.0 + index as f64,
        igbp: ["Evergreen needleleaf forest", "Grassland", "Wetland"][index % 3].to_owned(),
    }
}

fn parts() -> Parts {
    let mut parts = Parts::unused(SITES, DAYS);
    for index in 0..SITES {
        let first = 40 + 17 * index;
        let days = 420 + 120 * index;
        let (train, validation) = (first + days * 18 / 25, first + days * 4 / 5);
        let parts = parts.site_mut(index);
        parts[first..train].fill(Part::Train);
        parts[train..validation].fill(Part::Validation);
        parts[validation..first + days].fill(Part::Test);
    }
    parts
}

fn observed(parts: &[Part], index: usize) -> Vec<f32> {
    let value = |day: usize| {
        let gap =
            noise(index, day / 21, 3) > 0.55 || (index == UNOBSERVED && parts[day] == Part::Test);
        if gap || parts[day] == Part::Unused {
            return f32::NAN;
        }
        if index == CONSTANT && parts[day] == Part::Test {
            return 1.5;
        }
        let pulse = if noise(index, day, 9) > 0.97 {
            2.5
        } else {
            0.0
        };
        (season(index, day) + 0.45 * noise(index, day, 1) + pulse).max(0.05) as f32
    };
    (0..DAYS).map(value).collect()
}

/// Who has not seen a site is too high there; the last site is in no fold.
fn unseen(member: Member) -> Member {
    let flux = member.flux.iter().enumerate();
    let flux = flux.map(|(place, flux)| match place / DAYS + 1 {
        SITES => f32::NAN,
        _ => flux + 0.5,
    });
    Member {
        flux: flux.collect(),
        other_state: None,
        ..member
    }
}

fn member(params: &Configuration, seed: u64, observed: &[f32]) -> Member {
    let mut flux = Vec::new();
    for index in 0..SITES {
        // Sites get worse with their number; the last is hopeless.
        let level = if index + 1 == SITES {
            6.0
        } else {
            0.09 * index as f64
        };
        let wobble = 0.25 * noise(seed as usize, index, 77);
        flux.extend((0..DAYS).map(|day| {
            let drift = 0.3 * noise(seed as usize, index, day / 9);
            (season(index, day) * (0.95 + wobble * 0.3) + level + drift) as f32
        }));
    }
    let trial = trial(Stage::Final, params, seed);
    // Runs by window are a little too high.
    let other = flux.iter().zip(observed);
    let other = other.filter(|(_, observed)| observed.is_finite());
    Member {
        trial_id: trial.id.to_string(),
        seed,
        sites: (0..SITES).map(|site| site.to_string()).collect(),
        other_state: Some(other.map(|(flux, _)| flux + 0.1).collect()),
        flux,
    }
}

/// Thirty epochs of a trial: a loss that falls, a score that rises.
fn epochs(trial: &Trial) -> Vec<EpochLine> {
    let seed = trial.seed;
    let line = |epoch: u32| {
        let place = noise(seed as usize, epoch as usize, 3);
        EpochLine {
            trial: trial.id.clone(),
            attempt: Attempt::FIRST,
            epoch,
            loss: 0.004 + 0.01 / f64::from(epoch) + 1e-4 * place,
            gradient_norm: 0.1,
            learning_rate: 1.0,
            window_share: 0.09,
            iterations_per_second: 700.0,
            validation: Medians::of(12, |measure| match measure {
                NSE => Some(0.4 - 0.5 / f64::from(epoch) + 0.02 * place),
                KGE => Some(0.5),
                _ => None,
            }),
        }
    };
    (1..=30).map(line).collect()
}

fn record(trial: Trial, outcome: Outcome) -> Record {
    Record {
        trial,
        attempt: Attempt::FIRST,
        place: Place {
            launch: "7".to_owned(),
            rank: Rank(1),
            slot: Slot(0),
            host: "node-1".to_owned(),
            device: "cpu avx2, 1 thread".to_owned(),
        },
        started: "2026-03-01T10:00:00Z".to_owned(),
        seconds: 61.5,
        outcome,
    }
}

impl Study {
    pub(super) fn new() -> Self {
        let (mut records, mut candidates) = (Vec::new(), Vec::new());
        for (place, (hidden_size, dropout)) in [64, 128, 256]
            .into_iter()
            .flat_map(|size| [0.2, 0.5].map(|dropout| (size, dropout)))
            .enumerate()
        {
            let params = configuration(hidden_size, dropout);
            let mut scores = Vec::new();
            for seed in 0..3 {
                let trial = trial(Stage::Search, &params, seed);
                let failed = place == 4 && seed == 1;
                let value = 0.45 - 0.05 * place as f64 + 0.08 * noise(place, seed as usize, 5);
                scores.push((seed, (!failed).then_some(value)));
                let medians = Medians::of(12, |measure| match measure {
                    NSE => Some(value),
                    KGE => Some(value + 0.1),
                    _ => None,
                });
                let outcome = if failed {
                    Outcome::Failed(Failure {
                        class: FailureClass::Diverged,
                        message: "epoch 12: the loss is not finite, \"so, it ended\"".to_owned(),
                    })
                } else {
                    Outcome::Finished(Summary {
                        updates: 1200,
                        epoch: 2,
                        loss: 0.01,
                        window_share: 0.09,
                        train: medians,
                        validation: medians,
                        test: medians,
                    })
                };
                records.push(record(trial, outcome));
            }
            let known: Vec<f64> = scores.iter().filter_map(|(_, value)| *value).collect();
            candidates.push(Candidate {
                params,
                mean: (known.len() == 3).then(|| known.iter().sum::<f64>() / 3.0),
                scores,
                stopped: None,
            });
        }
        let winner = candidates[0].params.clone();
        let rungs = records.iter().take(2).map(|record| Judged {
            trial: record.trial.clone(),
            epochs: 5,
            score: Some(0.5),
            is_stopped: false,
        });
        let rungs = rungs.collect();
        let of_members = (0..10).map(|seed| trial(Stage::Final, &winner, seed));
        let of_search = records.iter().map(|record| record.trial.clone());
        let of_search = of_search.filter(|trial| trial.stage == Stage::Search);
        let of_all = of_members.chain(of_search);
        let epochs = of_all.flat_map(|trial| epochs(&trial)).collect();
        let sites: Vec<Site> = (0..SITES).map(site).collect();
        let parts = parts();
        let of_sites = parts.rows().enumerate();
        let observed = of_sites.flat_map(|(index, parts)| observed(parts, index));
        let observed = SiteByDay::of(DAYS, observed.collect());
        Self {
            selection: Choice {
                rule: Selection::default(),
                stopped: Default::default(),
                winner: candidates[0].mean.map(|score| Winner {
                    params: winner.clone(),
                    score,
                }),
                candidates,
            },
            rungs,
            records,
            caveats: vec!["A caveat of the job.".to_owned()],
            temperature: Some(SiteByDay::of(
                DAYS,
                (0..SITES)
                    .flat_map(|index| (0..DAYS).map(move |day| temperature(index, day)))
                    .collect(),
            )),
            // Only the last site's days are unlike those of the training.
            outside_training: (0..SITES)
                .map(|index| match index {
                    UNOBSERVED => None,
                    index => Some(if index + 1 == SITES { 0.25 } else { 0.0 }),
                })
                .collect(),
            filled: filled(&parts),
            attributes: attributes(),
            sites,
            parts,
            distances: distances(),
            epochs,
            members: (0..10)
                .map(|seed| member(&winner, seed, &observed))
                .collect(),
            unseen: (0..9)
                .map(|seed| unseen(member(&winner, seed, &observed)))
                .collect(),
            target: Target::default(),
            observed,
            provenance: vec![("efflux".to_owned(), "0.1.0".to_owned())],
            weighed: vec![
                weighed("mean-recommended", 1.0),
                weighed("mean-inflated", 1.1),
            ],
            contract: contract(),
            settings: Settings::default(),
            inputs: inputs(),
            analysis: Analysis::default(),
        }
    }

    pub(super) fn results(&self) -> Results<'_> {
        Results {
            job_name: "made-up",
            job_text: "pack = \"made-up.h5\"\n# <not markup>\n",
            contract: &self.contract,
            settings: &self.settings,
            inputs: &self.inputs,
            analysis: &self.analysis,
            fit: Fit::Train,
            selection: &self.selection,
            rungs: &self.rungs,
            records: &self.records,
            caveats: &self.caveats,
            start: Date::constant(2003, 1, 1),
            days: DAYS,
            sites: &self.sites,
            parts: &self.parts,
            target: &self.target,
            observed: &self.observed,
            unfiltered: None,
            account: None,
            sources: &[],
            temperature: self.temperature.as_ref().map(|values| Temperature {
                name: "soil_temperature",
                values,
            }),
            attributes: &self.attributes,
            outside_training: &self.outside_training,
            filled: &self.filled,
            pooled: None,
            forecast: None,
            external: None,
            mixed: None,
            weighed: &self.weighed,
            members: &self.members,
            unseen: Some(&self.unseen),
            distances: Some(&self.distances),
            contenders: None,
            members_planned: 12,
            epochs: &self.epochs,
            provenance: &self.provenance,
        }
    }
}
