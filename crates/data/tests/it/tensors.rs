//! From a pack to what a model reads: the choice of inputs, scales, masks and stand-ins.

use efflux_base::error::Error;
use efflux_data::{Pack, Tensors, variables};
use efflux_job::{
    Chosen, Contract, Evaluation, Fit, Inputs, Missing, Part, Scaling, Settings, Split, Transform,
    Transformation, View,
};

use super::small_pack;

/// Two years at four sites; `soil_water_1` is absent at the second and the third, `clay` is unknown at the first.
fn gappy_pack() -> Pack {
    let mut pack = small_pack(4, 2);
    let (days, variables, attributes) =
        (pack.calendar.days, pack.dynamic.len(), pack.statics.len());
    for site in [1, 2] {
        for day in 0..days {
            pack.values[(site * days + day) * variables + 4] = f32::NAN;
        }
    }
    assert_eq!(pack.statics[8].name, "clay");
    pack.static_values[8] = f32::NAN;
    assert_eq!(attributes, 10);
    pack.sealed()
}

fn chosen(pack: &Pack, inputs: &Inputs) -> Result<Chosen, String> {
    variables(pack).choose(inputs)
}

fn named(dynamic: &[&str], statics: &[&str], missing: Missing) -> Inputs {
    let names = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    Inputs {
        dynamic: names(dynamic),
        statics: names(statics),
        missing,
        ..Inputs::default()
    }
}

fn view(pack: &Pack, inputs: &Inputs, transform: Transform, fit: Fit) -> View {
    let contract = Contract {
        pack_digest: pack.digest.clone(),
        evaluation: Evaluation::default(),
        split: Split::default(),
        folds: Vec::new(),
        variables: variables(pack),
    };
    let settings = Settings {
        inputs: inputs.clone(),
        transform,
        ..Settings::default()
    };
    contract.view(&settings, fit).unwrap()
}

#[test]
fn by_default_every_complete_variable_is_used() {
    let pack = gappy_pack();
    let Chosen {
        dynamic, statics, ..
    } = chosen(&pack, &Inputs::default()).unwrap();
    assert_eq!(dynamic.len(), 10);
    assert!(!dynamic.contains(&"soil_water_1".to_owned()));
    assert_eq!(statics.len(), 9);
    assert!(!statics.contains(&"clay".to_owned()));
}

#[test]
fn a_variable_that_sites_lack_is_refused_by_name() {
    let pack = gappy_pack();
    let message = chosen(
        &pack,
        &named(&["tmin", "soil_water_1"], &[], Missing::Error),
    )
    .unwrap_err();
    assert_eq!(
        message,
        "`inputs.dynamic` names `soil_water_1`, which 2 of 4 sites do not have (SYN0002, SYN0003): \
         leave it out, or set `inputs.missing = \"indicator\"`"
    );
    let message = chosen(&pack, &named(&["tmin"], &["clay"], Missing::Error)).unwrap_err();
    assert!(
        message.contains("`inputs.static` names `clay`, which 1 of 4 sites"),
        "{message}"
    );
    assert!(
        chosen(
            &pack,
            &named(&["soil_water_1"], &["clay"], Missing::Indicator)
        )
        .is_ok()
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest() {
    let message = chosen(&gappy_pack(), &named(&["soil_water"], &[], Missing::Error)).unwrap_err();
    assert!(
        message.contains("which the pack does not have: did you mean `soil_water_1`?"),
        "{message}"
    );
}

#[test]
fn a_pack_without_a_complete_variable_needs_names() {
    let mut pack = small_pack(1, 1);
    pack.values.fill(f32::NAN);
    let message = chosen(&pack.sealed(), &Inputs::default()).unwrap_err();
    assert!(
        message.contains("no daily variable of the pack is complete"),
        "{message}"
    );
}

#[test]
fn inputs_lie_between_zero_and_one_in_the_order_of_the_job() {
    let pack = small_pack(4, 2);
    let inputs = named(&["wind_speed", "tmin"], &["sand"], Missing::Error);
    let view = view(&pack, &inputs, Transform::default(), Fit::Train);
    let tensors = Tensors::build(&pack, &view).unwrap();
    assert_eq!(
        (
            tensors.sites,
            tensors.days,
            tensors.dynamic,
            tensors.statics
        ),
        (4, 731, 2, 1)
    );
    for (column, variable) in [(0, 10), (1, 1)] {
        let found: Vec<f32> = tensors.dynamic_values[column..]
            .iter()
            .step_by(2)
            .copied()
            .collect();
        let physical: Vec<f32> = (0..4)
            .flat_map(|site| pack.series(site, variable))
            .collect();
        let least = physical.iter().copied().fold(f32::INFINITY, f32::min);
        let most = physical.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (found, physical) in found.iter().zip(physical) {
            let expected = (physical - least) / (most - least);
            assert!((found - expected).abs() < 1e-5 && (0.0..=1.0).contains(found));
        }
    }
    assert!(tensors.static_values.contains(&0.0) && tensors.static_values.contains(&1.0));
}

#[test]
fn only_days_that_are_fitted_on_have_a_target() {
    let pack = small_pack(4, 2);
    for fit in [Fit::Train, Fit::TrainValidation] {
        let view = view(&pack, &Inputs::default(), Transform::default(), fit);
        let tensors = Tensors::build(&pack, &view).unwrap();
        for (site, parts) in tensors.parts.rows().enumerate() {
            assert!(parts.contains(&Part::Validation) && parts.contains(&Part::Test));
            for (day, &part) in parts.iter().enumerate() {
                let fitted =
                    part == Part::Train || fit == Fit::TrainValidation && part == Part::Validation;
                let observed = tensors.observed[(site, day)];
                let target = tensors.target[(site, day)];
                assert_eq!(target.is_nan(), observed.is_nan() || !fitted);
                if !target.is_nan() {
                    assert!((0.0..=1.0).contains(&target));
                    let back = tensors.scale.inverse(target);
                    assert!((back - f64::from(observed)).abs() < 1e-4);
                }
            }
        }
    }
}

#[test]
fn the_range_of_the_target_is_that_of_the_days_fitted_on() {
    let mut pack = small_pack(2, 1);
    // A test day far above the rest.
    let last = pack.flux.iter().rposition(|flux| !flux.is_nan()).unwrap();
    pack.flux.values_mut()[last] = 500.0;
    let pack = pack.sealed();
    let mut transform = Transform::default();
    let scale = |transform, fit| {
        let view = view(&pack, &Inputs::default(), transform, fit);
        Tensors::build(&pack, &view).unwrap().scale
    };
    let training = scale(transform, Fit::Train);
    assert!(training.inverse(1.0) < 100.0);
    transform.scaling = Scaling::All;
    assert!((scale(transform, Fit::Train).inverse(1.0) - 500.0).abs() < 1e-6);
    transform.target = Transformation::None;
    assert_eq!(scale(transform, Fit::Train).max, 500.0);
}

#[test]
fn an_indicator_tells_where_an_input_is_a_stand_in() {
    let pack = gappy_pack();
    let inputs = named(
        &["soil_water_1", "tmin"],
        &["clay", "sand"],
        Missing::Indicator,
    );
    let view = view(&pack, &inputs, Transform::default(), Fit::Train);
    let tensors = Tensors::build(&pack, &view).unwrap();
    assert_eq!((tensors.dynamic, tensors.statics), (3, 3));
    let at = |site: usize, day: usize, column: usize| {
        tensors.dynamic_values[(site * tensors.days + day) * 3 + column]
    };
    for (site, expected) in [(0, 0.0), (1, 1.0), (2, 1.0), (3, 0.0)] {
        assert!((0..tensors.days).all(|day| at(site, day, 2) == expected));
    }
    let known: Vec<f64> = [0, 3]
        .map(|site| pack.series(site, 4).map(f64::from).sum::<f64>() / tensors.days as f64)
        .to_vec();
    let all = || {
        [0, 3]
            .into_iter()
            .flat_map(|site| pack.series(site, 4))
            .map(f64::from)
    };
    let (least, most) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(0.0, f64::max),
    );
    let expected = ((known[0] + known[1]) / 2.0 - least) / (most - least);
    assert!((f64::from(at(1, 7, 0)) - expected).abs() < 1e-6);
    assert_eq!(at(1, 7, 0), at(2, 700, 0));
    let indicator: Vec<f32> = tensors.static_values[2..]
        .iter()
        .step_by(3)
        .copied()
        .collect();
    assert_eq!(indicator, [1.0, 0.0, 0.0, 0.0]);
    assert!(
        tensors
            .static_values
            .iter()
            .all(|value| (0.0..=1.0).contains(value))
    );
}

#[test]
fn another_pack_than_the_runs_is_refused() {
    let (pack, other) = (small_pack(2, 1), small_pack(3, 1));
    let view = view(&pack, &Inputs::default(), Transform::default(), Fit::Train);
    let error = Tensors::build(&other, &view).unwrap_err();
    assert!(matches!(error, Error::Usage(_)));
    assert!(error.to_string().contains(&pack.digest), "{error}");
}

#[test]
fn a_split_that_leaves_no_day_to_fit_on_is_refused() {
    let pack = small_pack(1, 1);
    let mut view = view(&pack, &Inputs::default(), Transform::default(), Fit::Train);
    view.split.train = 0.001;
    let error = Tensors::build(&pack, &view).unwrap_err();
    assert!(
        error.to_string().contains("no site has a day to fit on"),
        "{error}"
    );
}

#[test]
fn groups_in_use_are_variables_of_both_kinds_in_the_order_of_the_pack() {
    let pack = small_pack(2, 1);
    let groups = [
        ("soil", vec!["sand", "soil_water_1"]),
        ("air", vec!["tmin", "wind_speed"]),
    ];
    let groups = groups.map(|(group, names)| {
        (
            group.to_owned(),
            names.into_iter().map(str::to_owned).collect(),
        )
    });
    let using = |used: &[&str]| Inputs {
        groups: groups.clone().into(),
        in_use: Some(used.iter().map(ToString::to_string).collect()),
        ..Inputs::default()
    };
    let both = chosen(&pack, &using(&["soil", "air"])).unwrap();
    assert_eq!(both.dynamic, ["tmin", "soil_water_1", "wind_speed"]);
    assert_eq!(both.statics, ["sand"]);
    assert_eq!(both, chosen(&pack, &using(&["air", "soil"])).unwrap());
    let mut odd = using(&["soil"]);
    odd.groups
        .insert("soil".to_owned(), vec!["sand".to_owned()]);
    let refused = chosen(&pack, &odd).unwrap_err();
    assert!(
        refused.contains("`inputs.use` has soil, expected a group with a daily"),
        "{refused}"
    );
    odd.groups
        .insert("soil".to_owned(), vec!["sant".to_owned()]);
    let refused = chosen(&pack, &odd).unwrap_err();
    assert!(
        refused.starts_with("`inputs.groups.soil` names `sant`"),
        "{refused}"
    );
}

#[test]
fn a_configuration_that_trains_on_less_is_judged_on_the_same_days() {
    let pack = small_pack(3, 2);
    let whole = view(&pack, &Inputs::default(), Transform::default(), Fit::Train);
    let less = View {
        split: Split::by_time(0.4, 0.0),
        ..whole.clone()
    };
    let [whole, less] = [whole, less].map(|view| Tensors::build(&pack, &view).unwrap());
    for site in 0..3 {
        for part in [Part::Validation, Part::Test] {
            let days = |tensors: &Tensors| tensors.parts.days(site, part).collect::<Vec<_>>();
            assert_eq!(days(&less), days(&whole));
        }
        let fitted = |tensors: &Tensors| {
            let days = 0..tensors.days;
            days.filter(|&day| !tensors.target[(site, day)].is_nan())
                .collect::<Vec<_>>()
        };
        let (less, whole) = (fitted(&less), fitted(&whole));
        assert!(less.len() < whole.len() && whole.starts_with(&less));
    }
}
