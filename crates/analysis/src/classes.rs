//! Performance classes of sites, in every reading of the paper.
//!
//! The paper defines them twice, and its counts fit neither definition alone. Its class means follow from the text's
//! thresholds, so [`Reading::Text`] is the default, and [`Reading::CaptionCascade`] stands beside it.

use std::fmt;

use super::measures::{KGE, Measure, NSE, R, Scores};

/// The values below which the paper calls a performance bad where it looks at the length of records (Figure 6).
pub const BAD_BELOW: [(Measure, f64); 3] = [(NSE, 0.5), (KGE, 0.0), (R, 0.5)];

/// How well a site is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Above both thresholds.
    Good,
    /// Neither good nor poor.
    Fair,
    /// Below either lower threshold.
    Poor,
}

/// Which thresholds decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Sections 2.3 and 3.1: good if NSE > 0.5 and KGE > 0.3, else poor if NSE < 0.3 or KGE < 0, else fair.
    #[default]
    Text,
    /// Figure 4 to the letter: good if NSE > 0.3 and KGE > 0; fair if 0 < NSE < 0.3 and -0.4 < KGE < 0; poor if
    /// NSE < 0 or KGE < -0.4. Leaves sites without a class.
    CaptionFigure4,
    /// Figure 7 to the letter: good and fair as in Figure 4, poor all others.
    CaptionFigure7,
    /// The captions as a cascade: good as in Figure 4, else poor if NSE < 0 or KGE < -0.4, else fair.
    CaptionCascade,
    /// Good as in the text, poor as in the captions, fair the rest: the one reading that can give the captions' counts.
    Hybrid,
}

impl Reading {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::CaptionCascade,
        Self::Hybrid,
        Self::CaptionFigure4,
        Self::CaptionFigure7,
    ];

    /// What people call it; its `Display` is what tables call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::CaptionFigure4 => "caption of Figure 4",
            Self::CaptionFigure7 => "caption of Figure 7",
            Self::CaptionCascade => "captions",
            Self::Hybrid => "text for good, captions for poor",
        }
    }

    /// The class of a site by its scores.
    pub fn class_of(self, scores: &Scores) -> Option<Class> {
        self.class(scores[NSE].ok()?, scores[KGE].ok()?)
    }

    /// The class of a site by its NSE and KGE; none where the reading forgets the case. A site without an NSE or
    /// without a KGE has no class in any reading.
    pub fn class(self, nse: f64, kge: f64) -> Option<Class> {
        let good_text = nse > 0.5 && kge > 0.3;
        let poor_text = nse < 0.3 || kge < 0.0;
        let good_caption = nse > 0.3 && kge > 0.0;
        let fair_caption = 0.0 < nse && nse < 0.3 && -0.4 < kge && kge < 0.0;
        let poor_caption = nse < 0.0 || kge < -0.4;
        match self {
            Self::Text => Some(cascade(good_text, poor_text)),
            Self::CaptionCascade => Some(cascade(good_caption, poor_caption)),
            Self::Hybrid => Some(cascade(good_text, poor_caption)),
            Self::CaptionFigure7 => Some(cascade(good_caption, !fair_caption)),
            Self::CaptionFigure4 => (good_caption || fair_caption || poor_caption)
                .then(|| cascade(good_caption, poor_caption)),
        }
    }
}

fn cascade(good: bool, poor: bool) -> Class {
    match (good, poor) {
        (true, _) => Class::Good,
        (false, true) => Class::Poor,
        (false, false) => Class::Fair,
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::CaptionFigure4 => "caption_fig4",
            Self::CaptionFigure7 => "caption_fig7",
            Self::CaptionCascade => "caption_cascade",
            Self::Hybrid => "hybrid",
        })
    }
}
