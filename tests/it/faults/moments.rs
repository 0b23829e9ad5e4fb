//! Everything killed at once, at moments drawn at random.

use std::time::{Duration, Instant};

use crate::harness::longer;

/// SplitMix64: moments that a seed gives again.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

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
    let study = longer();
    let began = Instant::now();
    study.sweep("whole", "2").ok();
    let whole = began.elapsed();
    let mut state = seed;
    for kill in 0..kills {
        let moment = Duration::from_secs_f64(draw(&mut state) * whole.as_secs_f64());
        println!("EFFLUX_KILL_SEED={seed}, kill {kill} after {moment:?} of {whole:?}");
        let run = format!("run-{kill}");
        let mut sweep = study.start_sweep(&run, "2");
        // The moment is what is tested: nothing can be waited for.
        std::thread::sleep(moment);
        sweep.kill_all();
        let before = crate::harness::finished(&study, &run);
        study.sweep(&run, "2").ok();
        assert_eq!(study.findings("whole"), study.findings(&run));
        assert!(before <= 6);
        assert_eq!(
            crate::harness::finished(&study, &run),
            6,
            "a finished trial was run again"
        );
    }
}
