//! Every number that the paper gives of its data, its model and its results: a row each, with what it is here.

use efflux_analysis::bands::Band;
use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::measures::{KGE, NSE, R};
use efflux_job::Part;

use super::Beside;
use super::here::{Here, Taken};
use crate::drivers::{ARIDITY, LONG_RECORD, OBSERVED_DAYS, Over, PRECIPITATION, RHYTHM};
use crate::extremes::Group;

/// A number of the paper.
pub(crate) struct Number {
    /// Its name in the table.
    pub(crate) id: &'static str,
    /// Section or figure.
    pub(crate) place: &'static str,
    pub(crate) quantity: &'static str,
    /// The days that it is of.
    pub(crate) part: &'static str,
    pub(crate) statistic: &'static str,
    /// As the paper prints it.
    printed: &'static str,
    /// What must be known of it, and how it is read here; often nothing.
    pub(crate) note: &'static str,
    /// The same number of a run.
    pub(super) here: fn(&Here<'_>) -> Beside,
}

impl Number {
    /// Its value; a test reads them all.
    pub(crate) fn value(&self) -> f64 {
        self.printed.parse().unwrap_or(f64::NAN)
    }

    /// As many decimals as the paper prints.
    pub(super) fn decimals(&self) -> usize {
        let decimals = self.printed.split_once('.');
        decimals.map_or(0, |(_, decimals)| decimals.len())
    }
}

const TRAIN: Part = Part::Train;
const TEST: Part = Part::Test;
const TEXT: Reading = Reading::Text;
const ALL_SITES: Over = Over::Sites;
const NO_OUTLIERS: Over = Over::SitesWithoutOutliers;
const SEASONALITY: &str = RHYTHM[1];
const CYCLICALITY: &str = RHYTHM[2];
const PET: [&str; 1] = ["mean pet"];
const CARBON: [&str; 2] = ["soc_", "soil_organic_carbon"];

/// A row a line: id, place, quantity, part, statistic, printed value, note, and this run's number.
macro_rules! numbers {
    ($($id:literal, $place:literal, $quantity:literal, $part:literal, $statistic:literal, $printed:literal, $note:literal
       => $here:expr;)*) => {
        &[$(Number {
            id: $id,
            place: $place,
            quantity: $quantity,
            part: $part,
            statistic: $statistic,
            printed: $printed,
            note: $note,
            here: $here,
        }),*]
    };
}

/// In the order of the paper. Scores are of the ensemble mean, classes by the text's thresholds where nothing else is said.
pub(super) const NUMBERS: &[Number] = numbers! {
    "data-observations", "abstract", "raw observations", "all", "count", "7797535",
        "from 2002 on, predictors begin in 2003; here measurements with a CO₂ flux inside the calendar, before the \
         percentile filter"
        => |run| run.observations();
    "sites", "2.1", "sites used", "all", "count", "82", "of 85: two measure methane alone, one lies outside the period"
        => |run| Ok(run.results.sites.len() as f64);
    "train-time", "2.2", "time to train", "train", "hours", "1",
        "on half a slice of an A100; here the median of the members, on the device under Provenance"
        => |run| run.hours();
    "hidden", "2.3", "hidden state size", "selected", "value", "128", ""
        => |run| Ok(f64::from(run.results.settings.params.hidden_size));
    "dropout", "2.3", "dropout rate", "selected", "value", "0.2", "" => |run| Ok(run.results.settings.params.dropout);
    "window", "2.3", "training-instance length", "selected", "days", "30", ""
        => |run| Ok(f64::from(run.results.settings.training.window_days));
    "seed", "2.3", "random seed", "selected", "value", "0", "one of the values that the paper’s search chose"
        => |run| run.seed();
    "epochs", "2.3", "training epochs", "selected", "count", "200", ""
        => |run| Ok(f64::from(run.results.settings.training.epochs));
    "loss", "2.3", "final loss, mean squared error in scaled units", "train", "value", "0.003",
        "with dropout, as it is while training; the median of the members here" => |run| run.loss();

    "nse-train-median", "3.1", "NSE", "train", "median", "0.54", "" => |run| run.of_sites(TRAIN, NSE, Taken::Median);
    "nse-train-mean", "3.1", "NSE", "train", "mean", "-0.05", "" => |run| run.of_sites(TRAIN, NSE, Taken::Mean);
    "nse-train-above-0.3", "3.1", "sites with NSE above 0.3", "train", "count", "57", "70 %"
        => |run| run.of_sites(TRAIN, NSE, Taken::Above(0.3));
    "kge-train-median", "3.1", "KGE", "train", "median", "0.67", "" => |run| run.of_sites(TRAIN, KGE, Taken::Median);
    "kge-train-mean", "3.1", "KGE", "train", "mean", "0.54", "" => |run| run.of_sites(TRAIN, KGE, Taken::Mean);
    "kge-train-above-0", "3.1", "sites with KGE above 0", "train", "count", "76", "93 %"
        => |run| run.of_sites(TRAIN, KGE, Taken::Above(0.0));
    "nse-test-median", "3.1", "NSE", "test", "median", "0.02", "" => |run| run.of_sites(TEST, NSE, Taken::Median);
    "nse-test-mean", "3.1", "NSE", "test", "mean", "-9.98", "" => |run| run.of_sites(TEST, NSE, Taken::Mean);
    "nse-test-above-0.3", "3.1", "sites with NSE above 0.3", "test", "count", "34", "41 %"
        => |run| run.of_sites(TEST, NSE, Taken::Above(0.3));
    "kge-test-median", "3.1", "KGE", "test", "median", "0.30", "" => |run| run.of_sites(TEST, KGE, Taken::Median);
    "kge-test-mean", "3.1", "KGE", "test", "mean", "0.06", "" => |run| run.of_sites(TEST, KGE, Taken::Mean);
    "kge-test-above-0", "3.1", "sites with KGE above 0", "test", "count", "58", "71 %"
        => |run| run.of_sites(TEST, KGE, Taken::Above(0.0));
    "nse-test-below-5", "3.1", "sites with NSE below −5", "test", "share", "0.20", "“around 20 %”"
        => |run| run.of_sites(TEST, NSE, Taken::ShareBelow(-5.0));
    "r-train-median", "3.1", "Pearson r", "train", "median", "0.82", "" => |run| run.of_sites(TRAIN, R, Taken::Median);
    "r-train-mean", "3.1", "Pearson r", "train", "mean", "0.74", "" => |run| run.of_sites(TRAIN, R, Taken::Mean);
    "r-test-median", "3.1", "Pearson r", "test", "median", "0.69", "" => |run| run.of_sites(TEST, R, Taken::Median);
    "r-test-mean", "3.1", "Pearson r", "test", "mean", "0.55", "" => |run| run.of_sites(TEST, R, Taken::Mean);

    "good-text", "3.1", "good sites", "test", "count", "26", "NSE above 0.5 and KGE above 0.3"
        => |run| run.sites_in(TEXT, Class::Good);
    "fair-text", "3.1", "fair sites", "test", "count", "8", "neither good nor poor: no site fits the words"
        => |run| run.sites_in(TEXT, Class::Fair);
    "poor-text", "3.1", "poor sites", "test", "count", "48", "NSE below 0.3 or KGE below 0"
        => |run| run.sites_in(TEXT, Class::Poor);
    "good-nse", "3.1", "NSE of good sites", "test", "median", "0.70", ""
        => |run| run.of_class(Class::Good, NSE, Taken::Median);
    "good-nse-mean", "3.1", "NSE of good sites", "test", "mean", "0.72", ""
        => |run| run.of_class(Class::Good, NSE, Taken::Mean);
    "good-kge", "3.1", "KGE of good sites", "test", "median", "0.79", ""
        => |run| run.of_class(Class::Good, KGE, Taken::Median);
    "good-kge-mean", "3.1", "KGE of good sites", "test", "mean", "0.78", ""
        => |run| run.of_class(Class::Good, KGE, Taken::Mean);
    "good-r", "3.1", "r of good sites", "test", "median", "0.90", ""
        => |run| run.of_class(Class::Good, R, Taken::Median);
    "good-r-mean", "3.1", "r of good sites", "test", "mean", "0.89", ""
        => |run| run.of_class(Class::Good, R, Taken::Mean);
    "fair-nse", "3.1", "NSE of fair sites", "test", "median", "0.35", ""
        => |run| run.of_class(Class::Fair, NSE, Taken::Median);
    "fair-nse-mean", "3.1", "NSE of fair sites", "test", "mean", "0.37", ""
        => |run| run.of_class(Class::Fair, NSE, Taken::Mean);
    "fair-kge", "3.1", "KGE of fair sites", "test", "median", "0.36", ""
        => |run| run.of_class(Class::Fair, KGE, Taken::Median);
    "fair-kge-mean", "3.1", "KGE of fair sites", "test", "mean", "0.38", ""
        => |run| run.of_class(Class::Fair, KGE, Taken::Mean);
    "fair-r", "3.1", "r of fair sites", "test", "median", "0.75", ""
        => |run| run.of_class(Class::Fair, R, Taken::Median);
    "fair-r-mean", "3.1", "r of fair sites", "test", "mean", "0.77", ""
        => |run| run.of_class(Class::Fair, R, Taken::Mean);
    "poor-nse", "3.1", "NSE of poor sites", "test", "median", "-1.48", ""
        => |run| run.of_class(Class::Poor, NSE, Taken::Median);
    "poor-nse-mean", "3.1", "NSE of poor sites", "test", "mean", "-17.50", ""
        => |run| run.of_class(Class::Poor, NSE, Taken::Mean);
    "poor-kge", "3.1", "KGE of poor sites", "test", "median", "-0.02", ""
        => |run| run.of_class(Class::Poor, KGE, Taken::Median);
    "poor-kge-mean", "3.1", "KGE of poor sites", "test", "mean", "-0.38", ""
        => |run| run.of_class(Class::Poor, KGE, Taken::Mean);
    "poor-r", "3.1", "r of poor sites", "test", "median", "0.37", ""
        => |run| run.of_class(Class::Poor, R, Taken::Median);
    "poor-r-mean", "3.1", "r of poor sites", "test", "mean", "0.34", ""
        => |run| run.of_class(Class::Poor, R, Taken::Mean);
    "poor-kge-above-0.3", "3.1", "poor sites with KGE above 0.3", "test", "share", "0.19", ""
        => |run| run.of_class(Class::Poor, KGE, Taken::ShareAbove(0.3));
    "fair-kge-above-0.3", "3.1", "fair sites with KGE above 0.3", "test", "share", "0.75", ""
        => |run| run.of_class(Class::Fair, KGE, Taken::ShareAbove(0.3));
    "good-captions", "Fig. 4", "good sites, captions", "test", "count", "26",
        "NSE above 0.3 and KGE above 0 by the caption; its counts fit good as in the text, poor as in the caption and \
         fair as the rest, and are read so"
        => |run| run.sites_in(Reading::Hybrid, Class::Good);
    "fair-captions", "Fig. 4", "fair sites, captions", "test", "count", "17", "read as the row above"
        => |run| run.sites_in(Reading::Hybrid, Class::Fair);
    "poor-captions", "Fig. 4", "poor sites, captions", "test", "count", "39", "NSE below 0 or KGE below −0.4"
        => |run| run.sites_in(Reading::Hybrid, Class::Poor);

    "top5-nse", "3.1", "NSE of the top 5 %", "test", "median", "-11.38",
        "bands of each site, of its test days: the paper says neither"
        => |run| run.of_days(Group::Band(Band::Top), NSE);
    "top5-kge", "3.1", "KGE of the top 5 %", "test", "median", "-0.33", ""
        => |run| run.of_days(Group::Band(Band::Top), KGE);
    "bottom5-nse", "3.1", "NSE of the bottom 5 %", "test", "median", "-55.66",
        "divides by the band’s own small variance" => |run| run.of_days(Group::Band(Band::Bottom), NSE);
    "bottom5-kge", "3.1", "KGE of the bottom 5 %", "test", "median", "-1.51", ""
        => |run| run.of_days(Group::Band(Band::Bottom), KGE);
    "middle90-nse", "3.1", "NSE of the middle 90 %", "test", "median", "0.35", ""
        => |run| run.of_days(Group::Band(Band::Middle), NSE);
    "middle90-kge", "3.1", "KGE of the middle 90 %", "test", "median", "0.58", ""
        => |run| run.of_days(Group::Band(Band::Middle), KGE);

    "n-kge-r", "3.2", "correlation of KGE with the number of data points", "test", "r", "0.27", ""
        => |run| run.r(&[OBSERVED_DAYS], KGE, ALL_SITES);
    "n-kge-p", "3.2", "its p value", "test", "p", "0.016", "" => |run| run.p(&[OBSERVED_DAYS], KGE, ALL_SITES);
    "n-nse-r", "3.2", "correlation of NSE with the number of data points", "test", "r", "0.24",
        "without sites that are outliers by the interquartile range" => |run| run.r(&[OBSERVED_DAYS], NSE, NO_OUTLIERS);
    "n-nse-p", "3.2", "its p value", "test", "p", "0.051", "a caption calls it significant"
        => |run| run.p(&[OBSERVED_DAYS], NSE, NO_OUTLIERS);
    "n-r-r", "3.2", "correlation of r with the number of data points", "test", "r", "0.30", ""
        => |run| run.r(&[OBSERVED_DAYS], R, ALL_SITES);
    "n-r-p", "3.2", "its p value", "test", "p", "0.007", "" => |run| run.p(&[OBSERVED_DAYS], R, ALL_SITES);
    "n-threshold", "3.2", "data points below which sites perform badly", "test", "count", "500", "“around 1.5 years”"
        => |_| Err(format!("read off Figure 6 by eye; groups.csv sets sites above {LONG_RECORD} against those below"));

    "outside-nse", "3.3", "NSE outside 30° to 60°", "test", "median", "-1.21", ""
        => |run| run.of_zone(false, NSE, Taken::Median);
    "outside-kge", "3.3", "KGE outside 30° to 60°", "test", "median", "-0.13", ""
        => |run| run.of_zone(false, KGE, Taken::Median);
    "inside-nse", "3.3", "NSE inside 30° to 60°", "test", "median", "0.33", ""
        => |run| run.of_zone(true, NSE, Taken::Median);
    "inside-kge", "3.3", "KGE inside 30° to 60°", "test", "median", "0.38", ""
        => |run| run.of_zone(true, KGE, Taken::Median);
    "inside-good", "3.3", "good sites inside 30° to 60°", "test", "share", "0.40", "" => |run| run.good_in_zone(true);
    "outside-good", "3.3", "good sites outside 30° to 60°", "test", "share", "0.05", ""
        => |run| run.good_in_zone(false);
    "desert-nse", "3.3", "NSE of desert woodland", "test", "median", "-30.07", ""
        => |run| run.of_cover("Desert woodland", NSE);
    "desert-kge", "3.3", "KGE of desert woodland", "test", "median", "-0.37", ""
        => |run| run.of_cover("Desert woodland", KGE);
    "open-shrub-nse", "3.3", "NSE of open shrubland", "test", "median", "0.14", ""
        => |run| run.of_cover("Open shrubland", NSE);
    "open-shrub-kge", "3.3", "KGE of open shrubland", "test", "median", "0.12", ""
        => |run| run.of_cover("Open shrubland", KGE);
    "crop-nse", "3.3", "NSE of cropland", "test", "median", "-0.40", "" => |run| run.of_cover("Cropland", NSE);
    "crop-kge", "3.3", "KGE of cropland", "test", "median", "-0.29", "" => |run| run.of_cover("Cropland", KGE);
    "closed-shrub-nse", "3.3", "NSE of closed shrubland", "test", "median", "-0.03", ""
        => |run| run.of_cover("Closed shrubland", NSE);
    "closed-shrub-kge", "3.3", "KGE of closed shrubland", "test", "median", "-0.82", ""
        => |run| run.of_cover("Closed shrubland", KGE);
    "savanna-nse", "3.3", "NSE of savannas", "test", "median", "0.03", "" => |run| run.of_cover("Savannas", NSE);
    "savanna-kge", "3.3", "KGE of savannas", "test", "median", "0.01", "" => |run| run.of_cover("Savannas", KGE);
    "grass-nse", "3.3", "NSE of grassland", "test", "median", "-0.28", "" => |run| run.of_cover("Grassland", NSE);
    "grass-kge", "3.3", "KGE of grassland", "test", "median", "-0.12", "" => |run| run.of_cover("Grassland", KGE);
    "arid-sites", "3.3", "sites with mean annual precipitation below 50 cm", "all", "count", "26", ""
        => |run| run.arid().map(|sites| sites.len() as f64);
    "arid-poor", "3.3", "poor sites among these", "test", "count", "13", "half of them; of all sites it is 48 of 82"
        => |run| run.arid_poor();
    "pet-r", "3.3", "correlation of r with mean PET", "test", "r", "-0.28", "" => |run| run.r(&PET, R, ALL_SITES);
    "pet-p", "3.3", "its p value", "test", "p", "0.010", "" => |run| run.p(&PET, R, ALL_SITES);
    "aridity-r", "3.3", "correlation of r with PET/P", "test", "r", "-0.24", ""
        => |run| run.r(&[ARIDITY], R, ALL_SITES);
    "aridity-p", "3.3", "its p value", "test", "p", "0.028", "" => |run| run.p(&[ARIDITY], R, ALL_SITES);
    "map-kge", "3.3", "correlation of KGE with mean annual precipitation", "test", "r", "0.23", ""
        => |run| run.r(&PRECIPITATION, KGE, ALL_SITES);
    "map-kge-p", "3.3", "its p value", "test", "p", "0.038", "" => |run| run.p(&PRECIPITATION, KGE, ALL_SITES);
    "soc-kge", "3.3", "correlation of KGE with soil organic carbon", "test", "r", "-0.34", ""
        => |run| run.r(&CARBON, KGE, ALL_SITES);
    "soc-kge-p", "3.3", "its p value", "test", "p", "0.002", "" => |run| run.p(&CARBON, KGE, ALL_SITES);

    "seasonality-r", "3.4", "correlation of r with seasonality", "test", "r", "0.41",
        "seasonality is −1 at a seasonal site as the paper defines it, and its conclusion needs the other sign, which \
         is taken here"
        => |run| run.r(&[SEASONALITY], R, ALL_SITES).map(|r| -r);
    "seasonality-p", "3.4", "its p value", "test", "p", "0.001", "printed as below 0.001"
        => |run| run.p(&[SEASONALITY], R, ALL_SITES);
    "cyclicality-nse", "3.4", "correlation of NSE with cyclicality", "test", "r", "0.30",
        "r and p fit some 67 sites, so outliers are left out here as well"
        => |run| run.r(&[CYCLICALITY], NSE, NO_OUTLIERS);
    "cyclicality-nse-p", "3.4", "its p value", "test", "p", "0.014", ""
        => |run| run.p(&[CYCLICALITY], NSE, NO_OUTLIERS);
    "cyclicality-kge", "3.4", "correlation of KGE with cyclicality", "test", "r", "0.33", ""
        => |run| run.r(&[CYCLICALITY], KGE, ALL_SITES);
    "cyclicality-kge-p", "3.4", "its p value", "test", "p", "0.003", "" => |run| run.p(&[CYCLICALITY], KGE, ALL_SITES);
    "cyclicality-r", "3.4", "correlation of r with cyclicality", "test", "r", "0.45", ""
        => |run| run.r(&[CYCLICALITY], R, ALL_SITES);
    "cyclicality-r-p", "3.4", "its p value", "test", "p", "0.001", "printed as below 0.001"
        => |run| run.p(&[CYCLICALITY], R, ALL_SITES);
    "season-good", "3.4", "difference of summer and winter efflux at good sites", "all", "mean", "4.65",
        "printed in µmol m⁻² d⁻¹, plausible in µmol m⁻² s⁻¹ alone" => |run| run.seasons(|of| of.good_mean);
    "season-poor", "3.4", "the same at poor sites", "all", "mean", "1.56", "" => |run| run.seasons(|of| of.poor_mean);
    "season-t", "3.4", "t statistic of the two", "all", "t", "5.16", "Student's here; the paper does not say which"
        => |run| run.seasons(|of| of.student.map(|test| test.t));
    "season-p", "3.4", "its p value", "all", "p", "0.001", "printed as below 0.001"
        => |run| run.seasons(|of| of.student.map(|test| test.p));
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_has_a_name_of_its_own_and_a_value() {
        let names: BTreeSet<&str> = NUMBERS.iter().map(|number| number.id).collect();
        assert_eq!(names.len(), NUMBERS.len());
        for number in NUMBERS {
            assert!(number.value().is_finite(), "{}", number.id);
        }
    }
}
