//! Units of CO₂ efflux, however they are spelt, and what a value times is µmol m⁻² s⁻¹.

mod spelling;
#[cfg(test)]
mod tests;

use spelling::{Term, Word, terms};

/// Grams in a mole, times 1000.
///
/// # Source
///
/// IUPAC, abridged standard atomic weights: C 12.011, O 15.999.
const CARBON: u128 = 12_011;
const CARBON_DIOXIDE: u128 = 44_009;
/// Grams of carbon in a mole, times 10⁷, in the products of the flux towers' pipeline: 1.03772448 g C m⁻² d⁻¹ are
/// 1 µmol m⁻² s⁻¹.
///
/// # Source
///
/// ONEFlux, `oneflux_steps/common/common.h`.
const CARBON_OF_TOWERS: u128 = 120_107;

/// A unit of CO₂ efflux, as the ratio of a value in µmol m⁻² s⁻¹ to a value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FluxUnit {
    numerator: u128,
    denominator: u128,
}

impl FluxUnit {
    /// Reads a unit: an amount or a mass of carbon or of CO₂, by area and time, as `g C m-2 d-1`, `µmol CO2/m^2/s`,
    /// `umol_m2_s` or `[nmol+1m-2s-1]`. Where there is neither a slash nor a minus sign, all that stands beside the amount is
    /// what it is divided by. `(ONEFlux)` or `(12.0107)` after grams of carbon: the molar mass of carbon that products of
    /// flux towers have.
    ///
    /// # Errors
    ///
    /// Why it is no unit of CO₂ efflux, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (unit, of_towers) = spelling::without_remark(text);
        let unit = terms(unit).and_then(|terms| of_terms(&terms, of_towers));
        unit.map_err(|reason| format!("unit `{text}`: {reason}"))
    }

    /// What a value in this unit is multiplied by to be in µmol m⁻² s⁻¹.
    #[allow(clippy::cast_precision_loss)] // Good to three units of the last place.
    pub(crate) fn factor(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    fn times(self, numerator: u128, denominator: u128) -> Self {
        Self {
            numerator: self.numerator * numerator,
            denominator: self.denominator * denominator,
        }
    }
}

/// What the words of a unit say together.
#[derive(Default)]
struct Parts {
    /// Micromoles or micrograms, each as a number of its unit.
    moles: Option<u128>,
    micrograms: Option<u128>,
    of_carbon: bool,
    of_carbon_dioxide: bool,
    /// Square centimetres.
    area: Option<u128>,
    seconds: Option<u128>,
}

const EXAMPLES: &str = "write it as `umol m-2 s-1`, `mg CO2 m-2 h-1` or `g C m-2 d-1`";
const NEEDS_A_CHAMBER: &str = "a slope of a concentration, whose flux needs volume, area, pressure and temperature of the \
                               chamber: compute fluxes first";
const CONCENTRATION: &str =
    "a concentration, not a flux: compute fluxes first, and name their column";

fn of_terms(terms: &[Term], of_towers: bool) -> Result<FluxUnit, String> {
    if terms.iter().any(|term| term.word == Word::Fraction) {
        let rate = terms.iter().any(|term| matches!(term.word, Word::Time(_)));
        return Err(if rate { NEEDS_A_CHAMBER } else { CONCENTRATION }.to_owned());
    }
    let mut parts = Parts::default();
    // `umol_m2_s`, as names of columns have it: nothing says what is divided by, so all but the amount is.
    let plain = terms.iter().all(|term| term.power > 0 && !term.below);
    for term in terms {
        parts.add(term, plain)?;
    }
    parts.unit(of_towers)
}

impl Parts {
    fn add(&mut self, term: &Term, plain: bool) -> Result<(), String> {
        if term.below && term.power < 0 {
            return Err(format!(
                "a slash and a minus sign contradict each other; {EXAMPLES}"
            ));
        }
        let power = if term.below { -term.power } else { term.power };
        match term.word {
            Word::Carbon => self.of_carbon = true,
            Word::CarbonDioxide => self.of_carbon_dioxide = true,
            Word::Fraction => return Err(CONCENTRATION.to_owned()),
            Word::Moles(_) if power < 0 => return Err(CONCENTRATION.to_owned()),
            Word::Grams(_) if power < 0 => {
                return Err(
                    "by mass of soil, not by area: it needs the soil's mass on an area".to_owned(),
                );
            }
            Word::Moles(micromoles) => once(&mut self.moles, micromoles, power, "amount")?,
            Word::Grams(micrograms) => once(&mut self.micrograms, micrograms, power, "mass")?,
            Word::Length(_) if power == -3 => return Err(CONCENTRATION.to_owned()),
            Word::Length(centimetres) => {
                let below = if plain { -power } else { power };
                if below != -2 {
                    return Err(format!(
                        "a length is there, but not an area that is divided by; {EXAMPLES}"
                    ));
                }
                once(&mut self.area, centimetres * centimetres, 1, "area")?;
            }
            Word::Area(square_centimetres) => {
                divided(power, plain)?;
                once(&mut self.area, square_centimetres, 1, "area")?;
            }
            Word::Time(seconds) => {
                divided(power, plain)?;
                once(&mut self.seconds, seconds, 1, "time")?;
            }
        }
        Ok(())
    }

    fn unit(&self, of_towers: bool) -> Result<FluxUnit, String> {
        let amount = match (self.moles, self.micrograms) {
            (Some(micromoles), None) => micromoles,
            (None, Some(micrograms)) => micrograms,
            (Some(_), Some(_)) => return Err(format!("an amount and a mass; {EXAMPLES}")),
            (None, None) => return Err(format!("no amount and no mass is in it; {EXAMPLES}")),
        };
        let Some(area) = self.area else {
            return Err(format!("by which area? {EXAMPLES}"));
        };
        let Some(seconds) = self.seconds else {
            return Err(format!(
                "no time: a sum over a time that it does not name, or a rate that has lost it; {EXAMPLES}"
            ));
        };
        if self
            .micrograms
            .is_some_and(|mass| mass >= spelling::MEGAGRAM)
            && area <= 10_000
        {
            return Err(
                "megagrams or tonnes by square metre are no efflux: milligrams are `mg`".to_owned(),
            );
        }
        let amount = FluxUnit {
            numerator: amount,
            denominator: spelling::OF_A_MICRO,
        };
        let micromoles = match (self.of_carbon, self.of_carbon_dioxide) {
            (true, true) => {
                return Err("of C or of CO2? Write one of both; `CO2-C` is carbon".to_owned());
            }
            _ if self.moles.is_some() => amount,
            (false, false) => {
                return Err("of C or of CO2? They differ 3.664-fold: write `g C m-2 d-1` or `g CO2 m-2 d-1`".to_owned());
            }
            (true, false) if of_towers => amount.times(10_000, CARBON_OF_TOWERS),
            (true, false) => amount.times(1_000, CARBON),
            (false, true) => amount.times(1_000, CARBON_DIOXIDE),
        };
        if of_towers && (self.moles.is_some() || !self.of_carbon) {
            return Err(
                "the towers' molar mass is one of carbon: write `g C m-2 d-1 (ONEFlux)`".to_owned(),
            );
        }
        Ok(micromoles.times(spelling::SQUARE_METRE, area * seconds))
    }
}

fn once(place: &mut Option<u128>, value: u128, power: i32, what: &str) -> Result<(), String> {
    if power != 1 || place.is_some() {
        return Err(format!("more than one {what}; {EXAMPLES}"));
    }
    *place = Some(value);
    Ok(())
}

fn divided(power: i32, plain: bool) -> Result<(), String> {
    if power == -1 || (plain && power == 1) {
        Ok(())
    } else {
        Err(format!("by what is it divided? {EXAMPLES}"))
    }
}
