//! Windows: what is drawn, and what is left out of what is drawn.

use efflux_data::{Parts, Scale, Tensors};
use efflux_job::{Sampling, Transformation};
use efflux_model::Sampler;
use efflux_numerics::SiteByDay;
use efflux_numerics::random::{Purpose, Stream};
use proptest::prelude::*;

/// Sites with nothing but targets: `present[site][day]`.
fn tensors(present: &[Vec<bool>]) -> Tensors {
    let (sites, days) = (present.len(), present[0].len());
    let target: Vec<f32> = present
        .iter()
        .flatten()
        .map(|&present| if present { 0.5 } else { f32::NAN })
        .collect();
    Tensors {
        sites,
        days,
        dynamic: 0,
        statics: 0,
        dynamic_values: Vec::new(),
        static_values: Vec::new(),
        observed: SiteByDay::of(days, target.clone()),
        target: SiteByDay::of(days, target),
        scale: Scale {
            transformation: Transformation::None,
            min: 0.0,
            max: 1.0,
        },
        parts: Parts::unused(sites, days),
        held_out: Vec::new(),
        site_ids: Vec::new(),
        heads: vec![None; sites],
    }
}

/// One to five sites of 2 to 60 days, with a window shorter than the calendar.
fn records() -> impl Strategy<Value = (Vec<Vec<bool>>, usize)> {
    (2_usize..60).prop_flat_map(|days| {
        let site = (0.0..1.0_f64)
            .prop_flat_map(move |share| prop::collection::vec(prop::bool::weighted(share), days));
        (prop::collection::vec(site, 1..6), 1..days)
    })
}

proptest! {
    #[test]
    fn a_batch_is_every_window_drawn_that_holds_a_target_up_to_the_last_of_them(
        (present, window) in records(),
        seed: u64,
        epoch in 0_u32..1000,
        warm_up in 0_usize..60,
    ) {
        let days = present[0].len();
        // A warm-up that leaves at least one day to start on.
        let warm_up = warm_up % (days - window);
        let sampler = Sampler::new(&tensors(&present), window, warm_up, Sampling::Uniform, None);
        let drawn = sampler.epoch(seed, epoch, 3);
        prop_assert_eq!(drawn.batches.len(), 3);
        let mut next_row = 0;
        for (iteration, batch) in (0..).zip(&drawn.batches) {
            let mut stream = Stream::new(seed, Purpose::Starts, epoch, iteration);
            let (mut rows, mut targets) = (Vec::new(), 0);
            for (site, record) in present.iter().enumerate() {
                let possible = u32::try_from(days - window - warm_up).unwrap();
                let start = warm_up + stream.below(possible) as usize;
                let held = &record[start..start + window];
                if let Some(last) = held.iter().rposition(|&present| present) {
                    let first = i64::try_from(site * days + start - warm_up).unwrap();
                    rows.push((warm_up + last + 1, first));
                    targets += held.iter().map(|&present| u32::from(present)).sum::<u32>();
                }
            }
            rows.sort_by_key(|&(length, _)| std::cmp::Reverse(length));
            let (lengths, firsts): (Vec<usize>, Vec<i64>) = rows.into_iter().unzip();
            prop_assert_eq!(batch.rows.start, next_row);
            prop_assert_eq!(&drawn.starts[batch.rows.clone()], &firsts[..]);
            prop_assert_eq!((&batch.lengths, batch.targets), (&lengths, targets));
            next_row = batch.rows.end;
        }
        prop_assert_eq!(next_row, drawn.starts.len());
    }

    #[test]
    fn observed_sampling_draws_every_site_that_has_a_target_and_windows_that_hold_one(
        (present, window) in records(),
        seed: u64,
    ) {
        let days = present[0].len();
        let sampler = Sampler::new(&tensors(&present), window, 0, Sampling::Observed, None);
        // The last day of the calendar is in no window.
        let sites = present.iter().filter(|site| site[..days - 1].contains(&true)).count();
        let epoch = sampler.epoch(seed, 0, 5);
        for batch in &epoch.batches {
            prop_assert_eq!(batch.rows.len(), sites);
            for &first in &epoch.starts[batch.rows.clone()] {
                let first = usize::try_from(first).unwrap();
                let (site, start) = (first / days, first % days);
                prop_assert!(present[site][start..start + window].contains(&true));
            }
        }
    }
}

#[test]
fn observed_windows_are_uniform_among_those_that_hold_a_target() {
    let mut present = vec![false; 60];
    present[20] = true;
    let sampler = Sampler::new(&tensors(&[present]), 5, 0, Sampling::Observed, None);
    let mut counts = [0_u32; 60];
    for start in sampler.epoch(1, 2, 10_000).starts {
        counts[usize::try_from(start).unwrap()] += 1;
    }
    // Windows that begin on days 16 to 20: 2,000 each, standard deviation 40.
    let (outside, inside) = (counts[..16].iter().chain(&counts[21..]), &counts[16..21]);
    assert_eq!(outside.sum::<u32>(), 0);
    assert!(
        inside.iter().all(|count| count.abs_diff(2_000) < 200),
        "{inside:?}"
    );
}

#[test]
fn starts_are_uniform_and_never_reach_the_last_possible_day() {
    let (days, window) = (25, 5);
    let sampler = Sampler::new(
        &tensors(&[vec![true; days]]),
        window,
        0,
        Sampling::Uniform,
        None,
    );
    let mut counts = vec![0_u32; days];
    for start in sampler.epoch(1, 2, 40_000).starts {
        counts[usize::try_from(start).unwrap()] += 1;
    }
    let possible = days - window;
    assert!(counts[possible..].iter().all(|&count| count == 0));
    // Expected 2,000 each, standard deviation 44.
    assert!(
        counts[..possible]
            .iter()
            .all(|&count| count.abs_diff(2_000) < 220),
        "{counts:?}"
    );
}

#[test]
fn an_epoch_depends_on_seed_and_number_only() {
    let sampler = Sampler::new(
        &tensors(&[vec![true; 50], vec![true; 50]]),
        10,
        0,
        Sampling::Uniform,
        None,
    );
    let epoch = sampler.epoch(1, 7, 5);
    let _ = sampler.epoch(1, 8, 5);
    assert_eq!(sampler.epoch(1, 7, 5), epoch);
    assert_ne!(sampler.epoch(1, 8, 5), epoch);
    assert_ne!(sampler.epoch(2, 7, 5), epoch);
    // More iterations only add to the end.
    assert_eq!(
        sampler.epoch(1, 7, 9).starts[..epoch.starts.len()],
        epoch.starts
    );
}

#[test]
fn sites_are_drawn_by_the_square_root_of_their_targets() {
    let quarter = (0..400).map(|day| day % 4 == 0).collect();
    let tensors = tensors(&[vec![true; 400], quarter, vec![false; 400]]);
    let sampler = Sampler::new(&tensors, 20, 0, Sampling::Root, Some(30));
    let epoch = sampler.epoch(1, 0, 1000);
    assert_eq!(epoch.starts.len(), 30_000);
    assert!(epoch.starts.iter().all(|&start| start < 800));
    let of_first = epoch.starts.iter().filter(|&&start| start < 400).count();
    // Two to one.
    assert!((19_500..20_500).contains(&of_first), "{of_first}");
}
