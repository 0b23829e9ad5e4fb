//! Where test days lie outside of what all training days hold.

use efflux_data::{SiteParts, outside_training};
use efflux_job::Split;

use super::small_pack;

#[test]
fn test_days_outside_the_range_of_all_training_days_are_counted_by_site() {
    let mut pack = small_pack(4, 3);
    let (days, variables) = (pack.calendar.days, pack.dynamic.len());
    let parts: Vec<SiteParts> = (0..4)
        .map(|site| SiteParts::of(pack.flux_of(site), &Split::default()))
        .collect();
    let names: Vec<String> = pack.dynamic.iter().map(|one| one.name.clone()).collect();
    // Within the training everywhere, to begin with.
    pack.values.fill(0.5);
    assert_eq!(outside_training(&pack, &names, &parts), [Some(0.0); 4]);

    let test: Vec<usize> = parts[1]
        .test
        .clone()
        .filter(|day| !pack.flux_of(1)[*day].is_nan())
        .collect();
    let place =
        |site: usize, day: usize, variable: usize| (site * days + day) * variables + variable;
    // Above on one test day and below on another, in two inputs; both inputs on one day count once.
    for (day, variable, value) in [(test[0], 0, 0.9), (test[0], 1, 0.1), (test[1], 1, 0.1)] {
        pack.values[place(1, day, variable)] = value;
    }
    let share = 2.0 / test.len() as f64;
    let expected = [Some(0.0), Some(share), Some(0.0), Some(0.0)];
    assert_eq!(outside_training(&pack, &names, &parts), expected);
    // An input that the model does not see is not looked at.
    let found = outside_training(&pack, &names[..1], &parts);
    assert_eq!(found[1], Some(1.0 / test.len() as f64));

    // A training day of another site with that value widens the range for all.
    let day = parts[3].train.start;
    pack.values[place(3, day, 0)] = 0.9;
    pack.values[place(3, day, 1)] = 0.1;
    assert_eq!(outside_training(&pack, &names, &parts), [Some(0.0); 4]);

    let without = vec![SiteParts::default(); 4];
    assert_eq!(outside_training(&pack, &names, &without), [None; 4]);
}
