//! What things are called and how numbers look, the same in tables, figures and on the page.

use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::reasons::{End, Rule, Trait};
use efflux_job::{Fit, Keep, Loss, Metric, Optimizer, Part, Sampling, Schedule, State, Training};
use efflux_run::record::FailureClass;

/// The parts in order of time.
pub(crate) const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// The unit of fluxes, for people.
pub(crate) const UNIT: &str = "µmol m⁻² s⁻¹";

pub(crate) fn part(part: Part) -> &'static str {
    match part {
        Part::Unused => "unused",
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}

pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Carried => "carried",
        State::Window => "window",
    }
}

pub(crate) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::MedianNse => "median NSE",
        Metric::MedianKge => "median KGE",
        Metric::MedianR => "median r",
    }
}

pub(crate) fn fit(fit: Fit) -> &'static str {
    match fit {
        Fit::Train => "train",
        Fit::TrainValidation => "train+validation",
    }
}

/// What a baseline is called in tables.
pub(crate) fn baseline_key(baseline: Baseline) -> &'static str {
    match baseline {
        Baseline::TrainingMean => "training-mean",
        Baseline::Climatology => "climatology",
        Baseline::Exponential => "exponential",
        Baseline::LloydTaylor => "lloyd-taylor",
        Baseline::Harmonic => "harmonic",
    }
}

/// What a baseline is called for people.
pub(crate) fn baseline(baseline: Baseline) -> &'static str {
    match baseline {
        Baseline::TrainingMean => "training mean",
        Baseline::Climatology => "day-of-year climatology",
        Baseline::Exponential => "exponential (Q10)",
        Baseline::LloydTaylor => "Lloyd–Taylor",
        Baseline::Harmonic => "temperature and annual harmonic",
    }
}

pub(crate) fn failure(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Diverged => "diverged",
        FailureClass::Crashed => "crashed",
        FailureClass::Hung => "hung",
        FailureClass::Shared => "shared trainer",
        FailureClass::Memory => "out of memory",
        FailureClass::MemoryHost => "killed for memory",
        FailureClass::Configuration => "job",
        FailureClass::Error => "error",
    }
}

/// What a reason is called for people.
pub(crate) fn reason(rule: Rule) -> &'static str {
    match (rule.about, rule.end) {
        (Trait::TrainingDays, End::Low) => "few training days",
        (Trait::TrainingDays, End::High) => "many training days",
        (Trait::TestDays, _) => "few test days, so the score is uncertain",
        (Trait::LevelShift, _) => "level of the test days unlike that of the training days",
        (Trait::BiasShare, _) => "the error is mostly one of level",
        (Trait::Variation, _) => "test days vary less than training days",
        (Trait::Outside, _) => "inputs outside the range of all training days",
        (Trait::Spikes, _) => "many spikes",
        (Trait::Relatives, _) => "no other training site of its land cover",
        (Trait::Seasonality, End::High) => "no seasonality",
        (Trait::Seasonality, End::Low) => "strong seasonality",
        (Trait::Smoothness, End::Low) => "rough record",
        (Trait::Smoothness, End::High) => "smooth record",
        (Trait::Gap, _) => "long gap between training and test",
        (Trait::Seen, _) => "test days seen in training at the same place",
    }
}

/// What a reason is called in tables.
pub(crate) fn reason_key(rule: Rule) -> &'static str {
    match (rule.about, rule.end) {
        (Trait::TrainingDays, End::Low) => "few-training-days",
        (Trait::TrainingDays, End::High) => "many-training-days",
        (Trait::TestDays, _) => "few-test-days",
        (Trait::LevelShift, _) => "level-shift-sd",
        (Trait::BiasShare, _) => "bias-share-of-mse",
        (Trait::Variation, _) => "low-test-variation-ratio",
        (Trait::Outside, _) => "inputs-outside-training-share",
        (Trait::Spikes, _) => "spikes-share",
        (Trait::Relatives, _) => "sites-of-land-cover",
        (Trait::Seasonality, End::High) => "no-seasonality-r-182",
        (Trait::Seasonality, End::Low) => "strong-seasonality-r-182",
        (Trait::Smoothness, End::Low) => "rough-r-1",
        (Trait::Smoothness, End::High) => "smooth-r-1",
        (Trait::Gap, _) => "gap-days",
        (Trait::Seen, _) => "test-days-seen-share",
    }
}

/// What a rule looks at.
pub(crate) fn reason_about(about: Trait) -> &'static str {
    match about {
        Trait::TrainingDays => "observed days that members were fitted on",
        Trait::TestDays => "observed test days",
        Trait::LevelShift => {
            "difference of the observed means of test and training days, in standard deviations of the training days"
        }
        Trait::BiasShare => "share of the squared bias in the mean squared error, test part",
        Trait::Variation => "standard deviation of observed test days over that of training days",
        Trait::Outside => {
            "share of test days with a daily input outside the range that it has over the training days of all sites"
        }
        Trait::Spikes => "share of test days that are spikes",
        Trait::Relatives => "other sites of the same land cover with training days",
        Trait::Seasonality => "autocorrelation at 182 days (raw: −1 is strongly seasonal)",
        Trait::Smoothness => "autocorrelation at 1 day",
        Trait::Gap => "days from the last day fitted on to the first test day",
        Trait::Seen => "share of test days on which a site at the same place was fitted on",
    }
}

/// A value that a rule looks at.
pub(crate) fn reason_value(about: Trait, value: f64) -> String {
    match about {
        Trait::TrainingDays | Trait::TestDays | Trait::Relatives => number(value, 0),
        Trait::Gap => format!("{} days", number(value, 0)),
        Trait::BiasShare | Trait::Outside | Trait::Spikes | Trait::Seen => {
            format!("{} %", number(100.0 * value, 0))
        }
        Trait::LevelShift => format!("{} standard deviations", number(value, 1)),
        Trait::Variation | Trait::Seasonality | Trait::Smoothness => number(value, 2),
    }
}

/// `1 site`, `2 sites`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A number for reading: a fixed count of decimals, the sign as a minus, no negative zero.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// `said` with the unit that `name` ends on, as `mean annual temperature (°C)` for `mat_c (degC)`.
pub(crate) fn quantity(name: &str, said: &str) -> String {
    let unit = name
        .split_once(" (")
        .and_then(|(_, unit)| unit.strip_suffix(')'));
    let Some(unit) = unit else {
        return said.to_owned();
    };
    let mut unit = unit.replace("degC", "°C");
    for (digit, raised) in [('1', '¹'), ('2', '²'), ('3', '³')] {
        unit = unit.replace(&format!("-{digit}"), &format!("⁻{raised}"));
    }
    format!("{said} ({unit})")
}

/// A name cut to this many characters.
pub(crate) fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let cut: String = name.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A reading of the classes, for people.
pub(crate) fn reading(reading: Reading) -> &'static str {
    match reading {
        Reading::Text => "text",
        Reading::CaptionFigure4 => "caption of Figure 4",
        Reading::CaptionFigure7 => "caption of Figure 7",
        Reading::CaptionCascade => "captions",
        Reading::Hybrid => "text for good, captions for poor",
    }
}

/// How trials were trained, in one line.
pub(crate) fn training(training: &Training) -> String {
    let mut parts = vec![match training.patience {
        None => counted(training.epochs as usize, "epoch"),
        Some(patience) => format!(
            "{} at most, ended by {patience} without a better validation score",
            counted(training.epochs as usize, "epoch")
        ),
    }];
    parts.extend(match training.keep {
        Keep::Last => None,
        Keep::Best => Some("the weights of the best validation score kept".to_owned()),
    });
    parts.extend(match training.sampler {
        Sampling::Uniform => None,
        Sampling::Observed => Some("windows drawn among those that hold a target".to_owned()),
    });
    if training.warm_up_days > 0 {
        let days = counted(training.warm_up_days as usize, "day");
        parts.push(format!("{days} of warm-up before each window"));
    }
    let optimizer = match training.optimizer {
        Optimizer::Adadelta => "Adadelta",
        Optimizer::Adam => "Adam",
        Optimizer::AdamW { .. } => "AdamW",
    };
    let schedule = match training.schedule {
        Schedule::Constant => "",
        Schedule::Linear => ", falling in equal steps",
        Schedule::Cosine => ", falling along a cosine",
    };
    let rate = training.learning_rate(0);
    parts.push(format!("{optimizer} with learning rate {rate}{schedule}"));
    parts.extend(
        training
            .clip_norm
            .map(|longest| format!("gradients cut to length {longest}")),
    );
    parts.push(
        match training.loss {
            Loss::Mse => "mean squared error in scaled units",
            Loss::Nse => "squared error over each site’s variance",
            Loss::Huber { .. } => "Huber loss in scaled units",
        }
        .to_owned(),
    );
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_typographic_minus_and_no_negative_zero() {
        assert_eq!(number(-1.25, 2), "−1.25");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(0.5, 3), "0.500");
    }

    #[test]
    fn quantities_keep_their_units() {
        let pet = quantity("mean pet_mm_8d (mm (8 d)-1)", "mean PET");
        assert_eq!(pet, "mean PET (mm (8 d)⁻¹)");
        assert_eq!(quantity("ndvi", "NDVI"), "NDVI");
    }
}
