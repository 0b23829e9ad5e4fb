//! The constants of the second pooled process, measured once: `constants.json`.

use crate::effects::Named;

const EFFECTS: &str = include_str!("constants.json");

pub(crate) fn effects() -> Named {
    serde_json::from_str(EFFECTS).expect("the constants as they were tested")
}
