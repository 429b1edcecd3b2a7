use proptest::prelude::*;

use super::*;

/// The definition: byte `plane` of value `index` is byte `plane * count + index`.
fn by_definition(data: &[u8], size: usize) -> Vec<u8> {
    let count = data.len() / size;
    let mut out = data.to_vec();
    for index in 0..count {
        for plane in 0..size {
            out[plane * count + index] = data[index * size + plane];
        }
    }
    out
}

proptest! {
    /// Every float and integer of an array goes through this.
    #[test]
    fn planes_are_those_of_the_definition(data in prop::collection::vec(any::<u8>(), 0..2500), size in 1..12_usize) {
        let mut planes = vec![0; data.len()];
        shuffle(&data, size, &mut planes);
        prop_assert_eq!(&planes, &by_definition(&data, size));
        let mut back = vec![0; data.len()];
        unshuffle(&planes, size, &mut back);
        prop_assert_eq!(back, data);
    }
}

/// Prints the speed in the second-level cache. Run it with `--release -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let data: Vec<u8> = (0..65_536_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let mut out = vec![0; data.len()];
    for size in [2, 4, 8, 3] {
        for (name, filter) in [("unshuffle", unshuffle as fn(&[u8], usize, &mut [u8])), ("shuffle", shuffle)] {
            let mut best = f64::MAX;
            for _ in 0..20 {
                let start = std::time::Instant::now();
                for _ in 0..50 {
                    filter(std::hint::black_box(&data), size, std::hint::black_box(&mut out));
                }
                best = best.min(start.elapsed().as_secs_f64() / 50.0);
            }
            println!("{name} {size}: {:.1} GB/s", 65_536.0 / best / 1e9);
        }
    }
}
