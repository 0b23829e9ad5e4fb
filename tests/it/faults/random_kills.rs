//! Random kills: everything at once, at moments drawn at random.

use std::time::{Duration, Instant};

use efflux_numerics::random::{Purpose, Stream};

use crate::harness::{Study, assert_each_trial_ran_once, finished, of_epochs};

fn variable(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().unwrap())
}

/// `EFFLUX_KILLS` moments (4, in full 20), drawn with `EFFLUX_KILL_SEED` (else the time).
#[test]
fn whenever_a_sweep_is_killed_the_same_command_continues_to_the_same_results() {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let seed = variable("EFFLUX_KILL_SEED", since_1970);
    let kills = variable("EFFLUX_KILLS", 4);
    let study = Study::with(&of_epochs(4));
    let began = Instant::now();
    study.sweep("whole", "2").ok();
    let whole = began.elapsed();
    let mut moments = Stream::new(seed, Purpose::Starts, 0, 0);
    for kill in 0..kills {
        let moment = Duration::from_secs_f64(moments.unit() * whole.as_secs_f64());
        println!("EFFLUX_KILL_SEED={seed}, kill {kill} after {moment:?} of {whole:?}");
        let run = format!("run-{kill}");
        let mut sweep = study.start_sweep(&run, "2");
        // The moment is what is tested: nothing can be waited for.
        std::thread::sleep(moment);
        sweep.kill_all();
        let before = finished(&study, &run);
        study.sweep(&run, "2").ok();
        assert_eq!(study.findings("whole"), study.findings(&run));
        assert!(before <= 6);
        assert_each_trial_ran_once(&study, &run, 6);
    }
}
