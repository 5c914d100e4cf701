//! Random numbers that can be had again.

use std::hash::{BuildHasher, RandomState};

/// A small generator (SplitMix64): the same seed gives the same numbers. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator that repeats itself for the same `seed`.
    pub fn from_seed(seed: u64) -> Random {
        Random { state: seed }
    }

    /// A generator with a seed nobody chose; each call gives another.
    pub fn from_entropy() -> Random {
        // The standard library keys its hash maps from the operating system's random numbers.
        Random {
            state: RandomState::new().hash_one(0u8),
        }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but without, `limit`; 0 when `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product is even enough for tests and jitter.
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// True in one of `n` cases on average.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut one, mut two) = (Random::from_seed(7), Random::from_seed(7));
        for _ in 0..100 {
            assert_eq!(one.bits(), two.bits());
        }
        assert_ne!(Random::from_seed(7).bits(), Random::from_seed(8).bits());
    }

    #[test]
    fn below_reaches_every_number_and_never_the_limit() {
        let mut random = Random::from_seed(1);
        let mut seen = [false; 10];
        for _ in 0..1_000 {
            seen[random.below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(random.below(0), 0);
        assert!(random.one_in(1));
    }

    #[test]
    fn entropy_differs_from_call_to_call() {
        assert_ne!(Random::from_entropy().bits(), Random::from_entropy().bits());
    }
}
