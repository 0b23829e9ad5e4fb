//! What shapes stand for, and how that looks.

/// What a shape stands for, which decides how it looks. The colours are those of Okabe and Ito, which the colour-blind
/// tell apart; nothing is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Grid,
    Axis,
    Label,
    Muted,
    Strong,
    Observed,
    Simulated,
    Band,
    Validation,
    Test,
    Train,
    Baseline,
    Seed,
    Mean,
    Good,
    Fair,
    Poor,
    Unclassed,
    OnDark,
    OnLight,
    Land,
    Zone,
    /// A line fitted to points.
    Fit,
    /// The same of simulated flux.
    SimulatedFit,
    /// Simulated flux on all days.
    Background,
    /// Simulated flux on the days that were observed.
    SimulatedDays,
    /// Observed days before the test part.
    Record,
    /// Observed days of the test part.
    Judged,
    /// Days with an input between two measured values.
    Interpolated,
    /// Days with an input that repeats its nearest measured value.
    Held,
    /// All days of the calendar.
    Calendar,
    /// Boxes of the first and of the second score.
    Box,
    OtherBox,
    /// Around a point that is shown elsewhere too.
    Ring,
    /// The ground it is drawn on.
    Paper,
    /// Land cover by its place in the list: colour and shape together tell 24 of them apart.
    Cover(usize),
}

/// What a point looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    Wedge,
    Cross,
}

const MARKS: [Mark; 6] = [
    Mark::Circle,
    Mark::Square,
    Mark::Triangle,
    Mark::Diamond,
    Mark::Wedge,
    Mark::Cross,
];

const COVERS: [&str; 8] = [
    r##"class="cover-0" fill="#009e73""##,
    r##"class="cover-1" fill="#0072b2""##,
    r##"class="cover-2" fill="#e69f00""##,
    r##"class="cover-3" fill="#d55e00""##,
    r##"class="cover-4" fill="#b8608f""##,
    r##"class="cover-5" fill="#56b4e9""##,
    r##"class="cover-6" fill="#26241f""##,
    r##"class="cover-7" fill="#8c7a00""##,
];

impl Ink {
    /// The shape that goes with it.
    pub(super) fn mark(self) -> Mark {
        match self {
            Self::Fair => Mark::Square,
            Self::Poor => Mark::Triangle,
            Self::Cover(place) => MARKS[place % MARKS.len()],
            _ => Mark::Circle,
        }
    }

    /// Class and presentation attributes.
    pub(super) fn attributes(self) -> &'static str {
        match self {
            Self::Grid => r##"class="grid" stroke="#e4e1da" fill="none""##,
            Self::Axis => r##"class="axis" stroke="#8a857c" fill="none""##,
            Self::Label => r##"class="label" fill="#3a3834""##,
            Self::Muted => r##"class="muted" fill="#6d6961" font-size="11""##,
            Self::Strong => r##"class="strong" fill="#1d1c1a" font-weight="600""##,
            Self::Observed => {
                r##"class="observed" stroke="#26241f" stroke-width="2.4" stroke-linecap="round" fill="none""##
            }
            Self::Simulated => {
                r##"class="simulated" stroke="#0072b2" stroke-width="1.6" stroke-linejoin="round" fill="none""##
            }
            Self::Band => r##"class="band" fill="#56b4e9" fill-opacity="0.4""##,
            Self::Validation => r##"class="validation" fill="#e69f00" fill-opacity="0.13""##,
            Self::Test => r##"class="test" fill="#0072b2" fill-opacity="0.08""##,
            Self::Train => {
                r##"class="train" stroke="#d55e00" stroke-width="1.6" stroke-dasharray="7 3" fill="none""##
            }
            Self::Baseline => {
                r##"class="baseline" stroke="#6d6961" stroke-width="1.6" stroke-dasharray="2 3" fill="none""##
            }
            Self::Seed => r##"class="seed" stroke="#0072b2" stroke-width="1.2" fill="#ffffff""##,
            Self::Mean => r##"class="mean" stroke="#0072b2" stroke-width="3" fill="none""##,
            Self::Good => r##"class="good" fill="#0072b2""##,
            Self::Fair => r##"class="fair" fill="#a9cfe6""##,
            Self::Poor => r##"class="poor" fill="#e69f00""##,
            Self::Unclassed => r##"class="unclassed" fill="#d5d1c8""##,
            Self::Land => r##"class="land" fill="#efece4" stroke="#c9c4b8" stroke-width="0.6""##,
            Self::Zone => r##"class="zone" fill="#0072b2" fill-opacity="0.09""##,
            Self::Fit => r##"class="fit" stroke="#26241f" stroke-width="1.6" fill="none""##,
            Self::SimulatedFit => {
                r##"class="simulated-fit" stroke="#0072b2" stroke-width="2" stroke-dasharray="6 3" fill="none""##
            }
            Self::Background => {
                r##"class="background" stroke="#c9c4b8" stroke-width="2" stroke-linecap="round" fill="none""##
            }
            Self::SimulatedDays => {
                r##"class="simulated-days" stroke="#56b4e9" stroke-width="2.4" stroke-linecap="round" fill="none""##
            }
            Self::Record => r##"class="record" fill="#4d4a44""##,
            Self::Interpolated => r##"class="interpolated" fill="#d9b3c9""##,
            Self::Held => r##"class="held" fill="#8a2e62""##,
            Self::Calendar => r##"class="calendar" fill="#dedad1""##,
            Self::Judged => r##"class="judged" fill="#e69f00""##,
            Self::Box => r##"class="box" fill="#cfe6f4" stroke="#0072b2" stroke-width="1.4""##,
            Self::OtherBox => {
                r##"class="other-box" fill="#f8e3bd" stroke="#a86f00" stroke-width="1.4""##
            }
            Self::Ring => r##"class="ring" fill="none" stroke="#1d1c1a" stroke-width="1.5""##,
            Self::Paper => r##"class="paper" stroke="#ffffff" stroke-width="1.5" fill="none""##,
            Self::Cover(place) => COVERS[place % COVERS.len()],
            Self::OnDark => r##"class="on-dark" fill="#ffffff""##,
            Self::OnLight => r##"class="on-light" fill="#1d1c1a""##,
        }
    }
}
