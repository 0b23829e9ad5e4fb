//! What looks wrong with a pack, and what would let a model see its test days.

use efflux_data::{Calendar, Pack, Site, Target, Variable};
use efflux_ingest::{Finding, Kind, Products, SiteOptions, check, inspect, pack_sites};
use efflux_numerics::SiteByDay;
use efflux_testing::repository;
use jiff::civil::date;

/// Sites at these coordinates on a calendar of 30 days from 2010-01-01, with a flux of 2 on the first of these days and of 1 on the others.
fn pack(sites: &[(&str, [f64; 2], &[usize])]) -> Pack {
    let calendar = Calendar {
        start: date(2010, 1, 1),
        days: 30,
    };
    let mut flux = SiteByDay::filled(sites.len(), calendar.days, f32::NAN);
    for (index, (_, _, days)) in sites.iter().enumerate() {
        days.iter().for_each(|day| flux[(index, *day)] = 1.0);
        if let Some(first) = days.first() {
            flux[(index, *first)] = 2.0;
        }
    }
    let site = |(id, [latitude, longitude], _): &(&str, [f64; 2], &[usize])| Site {
        id: (*id).to_owned(),
        name: String::new(),
        latitude: *latitude,
        longitude: *longitude,
        elevation: None,
        igbp: String::new(),
        publication: String::new(),
    };
    Pack {
        calendar,
        sites: sites.iter().map(site).collect(),
        dynamic: Vec::new(),
        values: Vec::new(),
        filled: Vec::new(),
        statics: Vec::new(),
        static_values: Vec::new(),
        count: flux.map(|flux| u32::from(!flux.is_nan())),
        target: Target::default(),
        flux,
        origin: None,
        sources: Vec::new(),
        licences: Vec::new(),
        digest: String::new(),
    }
    .sealed()
}

/// This pack with one daily variable; shape of the values `[S, D]`.
fn with(mut pack: Pack, name: &str, units: &str, values: Vec<f32>) -> Pack {
    pack.dynamic = vec![Variable::new(name, units)];
    pack.filled = vec![0; values.len()];
    pack.values = values;
    pack.sealed()
}

fn findings(pack: &Pack) -> Vec<Finding> {
    check(pack, &Products::paper().unwrap(), 0.8, 1.0)
}

#[track_caller]
fn only(pack: &Pack, kind: Kind, sites: &[&str], parts: &[&str]) {
    let found = findings(pack);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].kind, &found[0].sites[..]),
        (
            kind,
            &sites.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..]
        )
    );
    for part in parts {
        assert!(
            found[0].message.contains(part),
            "{part}: {}",
            found[0].message
        );
    }
}

const LONG: [usize; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn test_days_on_which_a_neighbour_trains_are_counted() {
    // A trains on days 0 to 7 and is tested on 8 and 9; B trains on 5 to 13 without 9, and is tested on 14 and 15.
    let later = [5, 6, 7, 8, 10, 11, 12, 13, 14, 15];
    let same = pack(&[
        ("A", [42.54, -72.17], &LONG),
        ("B", [42.5412, -72.1688], &later),
    ]);
    let expected = ["`A`, `B`", "(42.54, -72.17; ", "on 1 of their 4 test days"];
    only(&same, Kind::SamePlace, &["A", "B"], &expected);
    let place = &inspect(&same, 0.8, 1.0).unwrap().places[0];
    assert_eq!((place.test_days, place.test_days_trained_on), (4, 1));
    // With half of the days for training, A is tested on 5 to 9, and B trains on 5 to 8 and 10.
    let place = &inspect(&same, 0.5, 1.0).unwrap().places[0];
    assert_eq!((place.test_days, place.test_days_trained_on), (10, 4));

    // Two sides of where coordinates are rounded, and of the antimeridian.
    for places in [
        [[40.66495, -77.904], [40.66505, -77.904]],
        [[0.0, 179.999], [0.0, -179.999]],
    ] {
        let near = pack(&[("A", places[0], &LONG), ("B", places[1], &later)]);
        only(&near, Kind::SamePlace, &["A", "B"], &["on 1 of their 4"]);
        let seen = inspect(&near, 0.8, 0.005).unwrap().seen_at_same_place;
        let seen: Vec<(f64, usize)> = seen.iter().map(|seen| (seen.km, seen.test_days)).collect();
        let at_150_m = usize::from(places[0][0] > 0.0);
        assert_eq!(seen, [(0.005, 0), (0.15, at_150_m), (1.0, 1)]);
    }
    let apart = pack(&[
        ("A", [42.54, -72.17], &LONG),
        ("B", [42.55, -72.17], &later),
    ]);
    assert_eq!(findings(&apart), []);
    assert_eq!(inspect(&apart, 0.8, 1.0).unwrap().places, []);
    // At one place, but never at the same time.
    let after = pack(&[
        ("A", [42.54, -72.17], &LONG),
        ("B", [42.54, -72.17], &[20, 21, 22, 23, 24]),
    ]);
    assert_eq!(findings(&after), []);
    assert_eq!(inspect(&after, 0.8, 1.0).unwrap().places.len(), 1);
}

#[test]
fn test_days_beyond_the_range_of_training_days_are_told_with_their_site() {
    let mut pack = pack(&[("A", [40.0, 0.0], &LONG), ("B", [50.0, 0.0], &LONG)]);
    pack.flux[(0, 2)] = 5.0;
    pack.flux[(1, 8)] = 4.0;
    assert_eq!(findings(&pack), []);
    pack.flux[(1, 9)] = -3.5;
    let expected = [
        "-3.500 at site `B`",
        "1.000 to 5.000",
        "scaling = \"training\"",
    ];
    only(&pack, Kind::TestRange, &["B"], &expected);
    let scaling = inspect(&pack, 0.8, 1.0).unwrap().scaling;
    assert_eq!(scaling.training, Some([1.0, 5.0]));
    assert_eq!(scaling.test, Some([-3.5, 4.0]));
    assert_eq!(scaling.all, Some([-3.5, 5.0]));
}

#[test]
fn values_that_cannot_be_in_their_unit_are_told_with_their_site() {
    let mut wrong = pack(&[("A", [40.0, 0.0], &LONG), ("B", [50.0, 0.0], &LONG)]);
    wrong.flux[(1, 3)] = 158.0;
    only(
        &wrong,
        Kind::Units,
        &["B"],
        &["158.0000 µmol m⁻² s⁻¹ on 2010-01-04", "on 1 days"],
    );

    // Kelvin from the eleventh day of B on where degrees Celsius are declared.
    let sites = || pack(&[("A", [40.0, 0.0], &LONG), ("B", [50.0, 0.0], &LONG)]);
    let celsius = |day: u16| f32::from(day) / 4.0;
    let mut values: Vec<f32> = (0..60).map(celsius).collect();
    values[40..].iter_mut().for_each(|value| *value += 273.15);
    let expected = [
        "`soil_temp_c` at site `B` is 283.1500 degC on 2010-01-11",
        "on 20 days",
        "Convert",
    ];
    only(
        &with(sites(), "soil_temp_c", "degC", values.clone()),
        Kind::Units,
        &["B"],
        &expected,
    );
    // A unit that nobody knows says nothing.
    assert_eq!(findings(&with(sites(), "soil_temp", "", values)), []);
    // Millimetres where the paper's product has metres.
    let mut rain: Vec<f32> = (0..60u16).map(|day| f32::from(day) / 1e4).collect();
    rain[7] = 20.0;
    let expected = [
        "`precipitation_m` at site `A` is 20.0000 m on 2010-01-08",
        "era5_land.csv",
    ];
    only(
        &with(sites(), "precipitation_m", "m", rain),
        Kind::Units,
        &["A"],
        &expected,
    );

    let mut low = sites();
    low.statics = vec![Variable::new("elevation", "m")];
    low.static_values = vec![340.0, -1000.0];
    only(
        &low,
        Kind::Units,
        &["B"],
        &["`elevation` at site `B` is -1000.0000 m"],
    );
}

#[test]
fn predictors_that_never_change_or_are_copies_are_told_unless_they_are_computed() {
    let sites = |latitude| pack(&[("A", [40.0, 0.0], &LONG), ("B", [latitude, 0.0], &LONG)]);
    let series = |start: u16| (start..start + 30).map(f32::from);
    let still: Vec<f32> = series(0).chain([7.0; 30]).collect();
    let expected = [
        "`soil_temp_c` at site `B` is 7.0000 degC on every observed day",
        "[inputs]",
    ];
    only(
        &with(sites(50.0), "soil_temp_c", "degC", still),
        Kind::Constant,
        &["B"],
        &expected,
    );

    let copied: Vec<f32> = series(0).chain(series(0)).collect();
    let expected = ["the same at sites `A` and `B`, which are 1112 km apart"];
    only(
        &with(sites(50.0), "soil_temp_c", "degC", copied.clone()),
        Kind::Identical,
        &["A", "B"],
        &expected,
    );
    // Neighbours may share an instrument.
    assert_eq!(
        findings(&with(sites(40.1), "soil_temp_c", "degC", copied)),
        []
    );
    // On the equator all days have 12 hours.
    assert_eq!(
        findings(&with(sites(50.0), "day_length_h", "h", vec![12.0; 60])),
        []
    );
}

/// The 56 sites of the daily COSORE data.
#[test]
fn the_test_days_of_the_real_sites_that_neighbours_train_on_are_354() {
    let folder = repository().join("data/cosore-daily");
    let packed = pack_sites(&folder, &SiteOptions::paper()).unwrap();
    let inspection = inspect(&packed.pack, 0.8, 1.0).unwrap();
    let tested: usize = inspection
        .records
        .iter()
        .map(|record| record.test_days)
        .sum();
    assert_eq!(tested, 5865);
    let seen = inspection
        .places
        .iter()
        .map(|place| place.test_days_trained_on);
    assert_eq!(seen.sum::<usize>(), 354);
    let seen = inspection.seen_at_same_place.iter();
    let seen: Vec<(f64, usize)> = seen.map(|seen| (seen.km, seen.test_days)).collect();
    assert_eq!(seen, [(0.15, 283), (1.0, 354)]);
    let kinds: Vec<Kind> = inspection
        .findings
        .iter()
        .map(|finding| finding.kind)
        .collect();
    // Soil temperature ends before the flux at two sites, soil moisture at one.
    assert_eq!(kinds[..2], [Kind::Filled; 2]);
    assert_eq!(kinds[2..], [Kind::SamePlace; 5]);
    assert_eq!(seen_at_equal_hundredths(packed.pack), 243);
}

/// Test days seen at the same place if a place is what its coordinates are, rounded to hundredths of a degree.
pub(super) fn seen_at_equal_hundredths(mut pack: Pack) -> usize {
    for site in &mut pack.sites {
        for degrees in [&mut site.latitude, &mut site.longitude] {
            *degrees = (100.0 * *degrees).round() / 100.0;
        }
    }
    inspect(&pack, 0.8, 0.0).unwrap().seen_at_same_place[0].test_days
}
