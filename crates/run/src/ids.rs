//! Numbers that name something. In files and messages they are plain numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // With the width that the caller asks for.
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// A process of a launch, by its number in MPI; 0 without MPI.
    Rank
}

number! {
    /// A place for one trainer on a rank, counted from 0.
    Slot
}

number! {
    /// An attempt at a trial, counted from 1.
    Attempt
}

impl Rank {
    /// The rank that coordinates the others.
    pub const COORDINATOR: Self = Self(0);
}

impl Slot {
    /// The slot at an index of a rank's list of slots.
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

impl Attempt {
    /// None was made yet.
    pub const NONE: Self = Self(0);
    /// The first one at a trial.
    pub const FIRST: Self = Self(1);

    /// The one after it; after the last number that there is, that one again.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_files_and_messages_they_are_plain_numbers() {
        assert_eq!(serde_json::to_string(&Rank(3)).unwrap(), "3");
        assert_eq!(serde_json::from_str::<Attempt>("7").unwrap(), Attempt(7));
        assert_eq!(Attempt(u32::MAX).next(), Attempt(u32::MAX));
        assert_eq!(
            format!("{:04}-slot-{:02}", Rank(3), Slot(1)),
            "0003-slot-01"
        );
    }
}
