//! Programs that grow: what verifying costs is measured along each of these, and how it grows with their size.
//!
//! All are socket filters without maps, so that any kernel takes them.

use std::fmt::Write as _;

use bpfvet::platform::{LoadRequest, ProgramType};
use bpfvet_asm::{NoSymbols, assemble, assemble_bytes};

/// Programs of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// One word.
    pub name: &'static str,
    /// What grows.
    pub what: &'static str,
    /// Four sizes, each twice the one before; the last takes a verifier long enough to be measured.
    pub sizes: [u32; 4],
    text: fn(u32) -> String,
}

/// All of them.
pub const FAMILIES: &[Family] = &[
    Family { name: "diamonds", what: "branches that meet again", sizes: [1_000, 2_000, 4_000, 8_000], text: diamonds },
    Family { name: "loops", what: "rounds of a loop in a loop", sizes: [400, 800, 1_600, 3_200], text: loops },
    Family {
        name: "straight",
        what: "arithmetic without a branch",
        sizes: [50_000, 100_000, 200_000, 400_000],
        text: straight,
    },
    Family { name: "calls", what: "calls, eight frames deep", sizes: [1_000, 2_000, 4_000, 8_000], text: calls },
    Family { name: "switch", what: "arms of a switch", sizes: [1_000, 2_000, 4_000, 8_000], text: switch },
    Family { name: "stack", what: "rounds over a full stack", sizes: [400, 800, 1_600, 3_200], text: stack },
    Family {
        name: "walk",
        what: "rounds of the shortest loop",
        sizes: [62_500, 125_000, 250_000, 499_998],
        text: walk,
    },
    Family {
        name: "carry",
        what: "rounds of a loop with a full stack",
        sizes: [31_200, 62_400, 124_800, 249_600],
        text: carry,
    },
];

impl Family {
    /// The family of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// The member of this size, little-endian.
    ///
    /// # Errors
    ///
    /// Where the text is none: the size is too large for the distance that a jump can cover.
    pub fn bytes(&self, size: u32) -> Result<Vec<u8>, String> {
        assemble_bytes(&(self.text)(size), &NoSymbols).map(|image| image.bytes).map_err(|error| error.to_string())
    }

    /// The member of this size, to be loaded by root.
    ///
    /// # Errors
    ///
    /// As [`Family::bytes`].
    pub fn request(&self, size: u32) -> Result<LoadRequest, String> {
        let assembly = assemble(&(self.text)(size), &NoSymbols).map_err(|error| error.to_string())?;
        Ok(LoadRequest::new(self.name, ProgramType::SOCKET_FILTER, assembly.program))
    }
}

/// Text from a writer that cannot fail.
fn text(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).map(|()| text).unwrap_or_default()
}

/// Each branch leaves another number behind, which nobody reads.
fn diamonds(size: u32) -> String {
    text(|text| {
        writeln!(text, "r6 = r1")?;
        for index in 0..size {
            writeln!(text, "r2 = *(u32 *)(r6 + 0)\nr3 = 0\nif r2 > {index} goto +1\nr3 = r2\nr4 = r3\nr4 <<= 3")?;
        }
        writeln!(text, "r0 = 0\nexit")
    })
}

/// Every round is walked: the number that counts them decides each.
fn loops(size: u32) -> String {
    format!(
        "r6 = 0\nr8 = *(u32 *)(r1 + 0)\nouter: r7 = 0\ninner: r8 ^= r7\nr8 <<= 1\nr7 += 1\nif r7 < 50 goto inner\n\
         r6 += 1\nif r6 < {size} goto outer\nr0 = 0\nexit"
    )
}

fn straight(size: u32) -> String {
    const ROUND: [&str; 8] =
        ["r2 += r3", "w3 ^= w2", "r2 <<= 7", "w2 >>= 3", "r3 -= r2", "w3 &= 4095", "r2 |= r3", "r3 *= 3"];
    text(|text| {
        writeln!(text, "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)")?;
        (0..size as usize).try_for_each(|index| writeln!(text, "{}", ROUND.get(index % ROUND.len()).unwrap_or(&"")))?;
        writeln!(text, "r0 = 0\nexit")
    })
}

/// Each function calls the next; the last one branches.
fn calls(size: u32) -> String {
    text(|text| {
        writeln!(text, "r6 = *(u32 *)(r1 + 0)")?;
        (0..size).try_for_each(|index| writeln!(text, "r1 = r6\nr2 = {index}\ncall f1"))?;
        writeln!(text, "r0 = 0\nexit")?;
        for depth in 1..7 {
            writeln!(text, "f{depth}: *(u64 *)(r10 - 8) = r1\nr2 += 1\ncall f{}\nr1 = *(u64 *)(r10 - 8)", depth + 1)?;
            writeln!(text, "r0 += r1\nexit")?;
        }
        writeln!(text, "f7: r0 = r2\nif r1 > 7 goto +1\nr0 += 1\nexit")
    })
}

/// All comparisons first, then the arms, which meet at the end.
fn switch(size: u32) -> String {
    text(|text| {
        writeln!(text, "r2 = *(u32 *)(r1 + 0)")?;
        (0..size).try_for_each(|arm| writeln!(text, "if r2 == {arm} goto arm{arm}"))?;
        writeln!(text, "r0 = 0\ngoto out")?;
        (0..size).try_for_each(|arm| writeln!(text, "arm{arm}: r0 = {arm}\nr0 += r2\ngoto out"))?;
        writeln!(text, "out: r0 = 0\nexit")
    })
}

/// Every slot is written and read back, and there are branches on the way.
fn stack(size: u32) -> String {
    text(|text| {
        writeln!(text, "r6 = r1")?;
        for round in 0..size {
            writeln!(text, "r2 = *(u32 *)(r6 + 0)")?;
            for slot in 1..=64 {
                writeln!(text, "*(u64 *)(r10 - {}) = r2", slot * 8)?;
                if slot % 16 == 0 {
                    writeln!(text, "if r2 > {} goto +1\nr2 = {round}", round + slot)?;
                }
            }
            (1..=64).try_for_each(|slot| writeln!(text, "r3 = *(u64 *)(r10 - {})", slot * 8))?;
        }
        writeln!(text, "r0 = 0\nexit")
    })
}

fn walk(size: u32) -> String {
    format!("r0 = 0\nagain: r0 += 1\nif r0 < {size} goto again\nexit")
}

/// Each slot holds another number, and all are read in the end, so that no round is like another.
fn carry(size: u32) -> String {
    text(|text| {
        writeln!(text, "r6 = 0\nr7 = r1")?;
        for slot in 1..=64 {
            writeln!(text, "r2 = *(u32 *)(r7 + 0)\nr2 += {slot}\n*(u64 *)(r10 - {}) = r2", slot * 8)?;
        }
        writeln!(text, "again: r6 += 1\n*(u64 *)(r10 - 256) = r6\nr3 = *(u64 *)(r10 - 512)")?;
        writeln!(text, "if r6 < {size} goto again")?;
        (1..=64).try_for_each(|slot| writeln!(text, "r3 = *(u64 *)(r10 - {})", slot * 8))?;
        writeln!(text, "r0 = 0\nexit")
    })
}

#[cfg(test)]
mod tests {
    use bpfvet::Verifier;
    use bpfvet::domain::Domain;
    use bpfvet::explore::{Observer, Stats};
    use bpfvet::linux::Linux;

    use super::FAMILIES;

    /// Watches, so that every walk of precision is made.
    struct Follower;

    impl<D: Domain> Observer<D> for Follower {}

    #[test]
    fn what_nobody_watches_is_searched_all_the_same() {
        let linux = Linux::new(Linux::NEWEST).unwrap();
        let verifier = Verifier::new(&linux);
        let counts = |stats: &Stats| (stats.insns_processed, stats.total_states, stats.peak_states);
        for family in FAMILIES {
            let request = family.request(family.sizes[0] / 20).unwrap();
            let alone = verifier.verify(&request).unwrap();
            let watched = verifier.verify_with(&request, &mut Follower).unwrap();
            assert_eq!(counts(&alone.stats), counts(&watched.stats), "{}", family.name);
        }
    }

    #[test]
    fn every_member_is_accepted_and_costs_what_its_size_says() {
        let linux = Linux::new(Linux::NEWEST).unwrap();
        for family in FAMILIES {
            let cost = |size: u32| {
                let request = family.request(size).unwrap();
                Verifier::new(&linux).verify(&request).unwrap().stats.insns_processed
            };
            let (small, large) = (family.sizes[0] / 20, family.sizes[0] / 10);
            let ratio = cost(large) as f64 / cost(small) as f64;
            assert!((1.6..2.2).contains(&ratio), "{}: {ratio}", family.name);
        }
    }
}
