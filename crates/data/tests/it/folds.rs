//! Folds of the sites of a pack, and what models that hold one out see of it.

use efflux_data::{Pack, Tensors, variables};
use efflux_job::{
    Contract, Evaluation, Fit, Fold, FoldsBy, Inputs, Missing, Part, Scaling, Settings, Split,
    SplitKind, Transform, View,
};

use super::small_pack;

const SITES: usize = 9;

/// Nine sites: the second and the sixth are at one place.
fn pack() -> Pack {
    let mut pack = small_pack(SITES, 2);
    let place = (pack.sites[1].latitude, pack.sites[1].longitude);
    (pack.sites[5].latitude, pack.sites[5].longitude) = place;
    pack.sealed()
}

fn split(kind: SplitKind, by: FoldsBy) -> Split {
    Split {
        kind,
        by,
        folds: 3,
        ..Split::default()
    }
}

/// What a trial that holds out the second fold sees of a pack.
fn view(pack: &Pack, split: Split, scaling: Scaling, fit: Fit, folds: &[Fold]) -> View {
    let contract = Contract {
        pack_digest: pack.digest.clone(),
        evaluation: Evaluation::default(),
        split,
        folds: folds.to_vec(),
        variables: variables(pack),
    };
    let settings = Settings {
        split: Split {
            fold: Some(1),
            ..split
        },
        inputs: Inputs {
            missing: Missing::Indicator,
            dynamic: Some(vec!["tmin".into(), "soil_water_1".into()]),
            ..Inputs::default()
        },
        transform: Transform {
            scaling,
            ..Transform::default()
        },
        ..Settings::default()
    };
    contract.view(&settings, fit).unwrap()
}

/// The same pack with other values wherever one of these sites has some.
fn changed(pack: &Pack, sites: &[usize]) -> Pack {
    let mut pack = pack.clone();
    let (days, dynamic, statics) = (pack.calendar.days, pack.dynamic.len(), pack.statics.len());
    for &site in sites {
        let change = |value: &mut f32| *value = 1000.0 - 50.0 * *value;
        pack.flux.site_mut(site).iter_mut().for_each(change);
        pack.values[site * days * dynamic..][..days * dynamic]
            .iter_mut()
            .for_each(change);
        pack.static_values[site * statics..][..statics]
            .iter_mut()
            .for_each(change);
    }
    pack.sealed()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn nothing_of_a_site_that_is_held_out_is_in_what_is_trained() {
    let pack = pack();
    for kind in [SplitKind::Sites, SplitKind::Both] {
        for (scaling, fit) in [
            (Scaling::Training, Fit::Train),
            (Scaling::All, Fit::TrainValidation),
        ] {
            let split = split(kind, FoldsBy::Random);
            let folds = pack.folds(&split).unwrap();
            let held_out = &folds[1].test;
            let other = changed(&pack, held_out);
            let [before, after] = [&pack, &other].map(|pack| {
                Tensors::build(pack, &view(pack, split, scaling, fit, &folds)).unwrap()
            });
            assert_ne!(
                bits(before.observed.values()),
                bits(after.observed.values())
            );
            assert_eq!(bits(before.target.values()), bits(after.target.values()));
            assert_eq!(before.scale, after.scale);
            for site in (0..SITES).filter(|site| !held_out.contains(site)) {
                let of = |tensors: &Tensors| {
                    let (daily, fixed) = (tensors.days * tensors.dynamic, tensors.statics);
                    let daily = bits(&tensors.dynamic_values[site * daily..][..daily]);
                    (daily, bits(&tensors.static_values[site * fixed..][..fixed]))
                };
                assert_eq!(of(&before), of(&after), "{kind:?} {scaling:?} site {site}");
                assert_eq!(before.parts.site(site), after.parts.site(site));
                assert!(before.target.site(site).iter().any(|value| !value.is_nan()));
            }
            for &site in held_out {
                assert!(before.target.site(site).iter().all(|value| value.is_nan()));
                assert!(before.is_judged(site) && before.parts.days(site, Part::Test).count() > 0);
                assert_eq!(before.parts.days(site, Part::Train).count(), 0);
            }
        }
    }
}

#[test]
fn other_sites_train_on_their_whole_records_only_if_the_split_is_by_sites_alone() {
    let pack = pack();
    for (kind, whole) in [(SplitKind::Sites, true), (SplitKind::Both, false)] {
        let split = split(kind, FoldsBy::Random);
        let folds = pack.folds(&split).unwrap();
        let view = view(
            &pack,
            split,
            Scaling::Training,
            Fit::TrainValidation,
            &folds,
        );
        let tensors = Tensors::build(&pack, &view).unwrap();
        for site in (0..SITES).filter(|&site| folds[1].trains(site)) {
            let observed = tensors
                .observed
                .site(site)
                .iter()
                .filter(|flux| !flux.is_nan());
            let fitted = tensors
                .target
                .site(site)
                .iter()
                .filter(|flux| !flux.is_nan());
            assert_eq!(observed.count() == fitted.count(), whole, "{kind:?} {site}");
            assert_eq!(tensors.parts.days(site, Part::Test).count(), 0);
        }
    }
}

#[test]
fn configurations_of_both_kinds_are_judged_alike_and_train_each_as_its_own_kind_says() {
    let pack = pack();
    let judged = split(SplitKind::Both, FoldsBy::Random);
    let folds = pack.folds(&judged).unwrap();
    let whole = split(SplitKind::Sites, FoldsBy::Random);
    let of = |split| view(&pack, split, Scaling::Training, Fit::Train, &folds);
    // A run directory judged by one kind, with a configuration of the other.
    let across = View {
        judged,
        ..of(whole)
    };
    let [both, sites, across] =
        [of(judged), of(whole), across].map(|view| Tensors::build(&pack, &view).unwrap());
    assert_eq!(bits(across.target.values()), bits(sites.target.values()));
    assert_ne!(bits(across.target.values()), bits(both.target.values()));
    for &site in &folds[1].test {
        assert_eq!(across.parts.site(site), both.parts.site(site));
    }
}

#[test]
fn every_observed_site_is_in_one_fold_with_all_of_its_place() {
    let pack = pack();
    for by in [FoldsBy::Random, FoldsBy::Stratified, FoldsBy::Site] {
        let folds = pack.folds(&split(SplitKind::Both, by)).unwrap();
        for site in 0..SITES {
            let holding = folds.iter().filter(|fold| fold.test.contains(&site));
            assert_eq!(holding.count(), 1, "{by:?} {site}");
        }
        assert!(
            folds
                .iter()
                .all(|fold| fold.test.contains(&1) == fold.test.contains(&5))
        );
        assert_eq!(folds.len(), if by == FoldsBy::Site { SITES - 1 } else { 3 });
    }
    assert!(
        pack.folds(&split(SplitKind::Time, FoldsBy::Random))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn folds_by_distance_match_the_sites_without_observations() {
    let mut pack = pack();
    let distance = split(SplitKind::Both, FoldsBy::Distance);
    let message = pack.folds(&distance).unwrap_err();
    assert!(
        message.contains("every site of the pack was observed"),
        "{message}"
    );
    pack.flux.site_mut(8).fill(f32::NAN);
    let folds = pack.sealed().folds(&distance).unwrap();
    assert_eq!(folds.len(), 3);
    let held_out: usize = folds.iter().map(|fold| fold.test.len()).sum();
    assert_eq!(held_out, SITES - 1);
}

#[test]
fn more_folds_than_places_are_refused_with_both_numbers() {
    let many = Split {
        folds: 9,
        ..split(SplitKind::Sites, FoldsBy::Random)
    };
    let message = pack().folds(&many).unwrap_err();
    assert_eq!(
        message,
        "`split.folds`: 9 folds, expected 2 to 8, which is the number of places"
    );
}
