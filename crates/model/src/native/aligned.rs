//! Numbers in memory, as vectors want to read them.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest register.
const LINE: usize = 64;
/// Numbers that may have to be left out before the first one is at its place.
const SPARE: usize = LINE / size_of::<f32>() - 1;

/// Numbers of which the first lies at the beginning of a cache line, so that no register's worth of a padded row lies on
/// two: that would take two accesses.
#[derive(Debug, Default)]
pub(super) struct Aligned {
    room: Vec<f32>,
    first: usize,
    length: usize,
}

impl Aligned {
    /// So many zeros.
    pub(super) fn zeros(length: usize) -> Self {
        let room = vec![0.0; length + SPARE];
        Self {
            // The documentation lets it find no such place; then it is only slower.
            first: room.as_ptr().align_offset(LINE).min(SPARE),
            room,
            length,
        }
    }

    /// Adds zeros up to this length.
    pub(super) fn grow(&mut self, length: usize) {
        if self.length < length {
            let mut longer = Self::zeros(length);
            longer[..self.length].copy_from_slice(self);
            *self = longer;
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.room[self.first..][..self.length]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.room[self.first..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_on_a_cache_line_and_are_kept_when_zeros_are_added() {
        for length in [0, 1, 15, 16, 1000, 1 << 20] {
            let mut numbers = Aligned::zeros(length);
            numbers.fill(1.0);
            numbers.grow(length / 2);
            numbers.grow(length + 1);
            assert_eq!(numbers.as_ptr().addr() % LINE, 0, "{length}");
            assert_eq!(numbers.len(), length + 1);
            assert!(numbers[..length].iter().all(|&value| value == 1.0));
            assert_eq!(numbers[length], 0.0);
        }
    }
}
