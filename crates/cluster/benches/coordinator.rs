//! What a launch of many trials takes of the coordinator.
//!
//! ```text
//! cargo bench -p efflux-cluster --bench coordinator -- [RANKS SLOTS_OF_A_RANK TRIALS]
//! ```
//!
//! Without numbers, 1,000 slots, 10,000 and 100,000 one after the other: half an hour. Ranks are simulated, in virtual time: trials
//! of 5 to 15 seconds, some of which fail, lost and silent nodes, a drain in the middle and a second launch. Seconds are processor time of
//! the coordinator alone.

#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[path = "../tests/it/scale.rs"]
mod scale;
#[path = "../tests/it/simulated.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod simulated;

use std::env;

use scale::Scale;

/// Ranks, slots of each, trials.
const SHAPES: [[u32; 3]; 4] = [
    [100, 10, 100_000],
    [1_000, 10, 1_000_000],
    [10_000, 1, 1_000_000],
    [10_000, 10, 1_000_000],
];

fn main() {
    // Cargo adds an option of its own.
    let given = env::args().skip(1).filter(|argument| argument != "--bench");
    let numbers: Vec<u32> = given
        .map(|number| number.parse().expect("RANKS SLOTS_OF_A_RANK TRIALS"))
        .collect();
    let shapes = match <[u32; 3]>::try_from(numbers) {
        Ok(shape) => vec![shape],
        Err(numbers) => {
            assert!(numbers.is_empty(), "RANKS SLOTS_OF_A_RANK TRIALS, or none");
            SHAPES.to_vec()
        }
    };
    for [ranks, slots_of_rank, trials] in shapes {
        let scale = Scale {
            trials: trials.into(),
            mean_seconds: 10,
            ranks,
            slots_of_rank,
            ranks_of_node: 4,
        };
        print!("{}", scale.run());
    }
}
