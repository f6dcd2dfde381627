//! Made-up measurements that are the same for the same seed and time, and move slowly as real ones do.

use sha2::{Digest, Sha256};

/// A source of measurements for one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    seed: u64,
}

impl Figures {
    /// The source for the object called `name` in a world made from `seed`.
    pub(crate) fn of(seed: u64, name: &str) -> Figures {
        let digest = Sha256::new()
            .chain_update(seed.to_be_bytes())
            .chain_update(name)
            .finalize();
        let first = digest.first_chunk().expect("a SHA-256 digest has 32 bytes");
        Figures {
            seed: u64::from_be_bytes(*first),
        }
    }

    /// A constant between 0 and 1 for each `what`.
    pub(crate) fn constant(self, what: u64) -> f64 {
        mix(self.seed ^ what.wrapping_mul(0x9e37_79b9_7f4a_7c15)) as f64 / u64::MAX as f64
    }

    /// A value between 0 and 1 that changes every ten seconds, as pvestatd's do.
    pub(crate) fn at(self, what: u64, seconds: u64) -> f64 {
        self.constant(what.wrapping_add((seconds / 10).wrapping_mul(1009)))
    }

    /// A number between `low` and `high`.
    pub(crate) fn between(self, what: u64, low: u64, high: u64) -> u64 {
        low + (self.constant(what) * (high - low) as f64) as u64
    }

    /// A number with many bits, for ids.
    pub(crate) fn bits(self, what: u64) -> u64 {
        mix(self.seed.wrapping_add(what))
    }

    /// Text in the form of a UUID.
    pub(crate) fn uuid(self, what: u64) -> String {
        let (a, b) = (self.bits(what), self.bits(what ^ u64::MAX));
        let (time_low, time_mid) = (a >> 32, (a >> 16) & 0xffff);
        let (version, variant) = (0x4000 | (a & 0x0fff), 0x8000 | (b >> 50));
        format!(
            "{time_low:08x}-{time_mid:04x}-{version:04x}-{variant:04x}-{:012x}",
            b & 0xffff_ffff_ffff
        )
    }
}

/// splitmix64: spreads every bit of the input over the whole output.
fn mix(value: u64) -> u64 {
    let a = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}
