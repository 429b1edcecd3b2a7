//! Mutations of inputs, for runs without libFuzzer. The same seed gives the same mutations.

/// An endless iterator over mutations of one input.
#[derive(Debug, Clone)]
pub struct Mutations {
    input: Vec<u8>,
    state: u64,
}

/// Bytes and numbers at the limits of file formats.
const EDGES: [&[u8]; 13] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\0\0\0\0\0\0\0\x80",
    b"\0\0\0\0",
    b"-1",
    b"1e308",
    b"18446744073709551615",
    b"99999999999999999999",
    b"\"",
    b"\xe2\x80\xae",
];

impl Mutations {
    /// The mutations of `input` that follow from `seed`.
    #[must_use]
    pub fn new(input: &[u8], seed: u64) -> Mutations {
        // Seeds that differ in one bit give other mutations; the state must not be zero.
        Mutations { input: input.to_vec(), state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31) | 1 }
    }

    /// A number below `end` (xorshift64).
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap_or(0) % end.max(1)
    }

    /// Changes one place in `bytes`.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1).min(bytes.len());
        let length = 1 + self.below(16);
        let end = (at + length).min(bytes.len());
        match self.below(6) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copied = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, copied);
            }
            4 => {
                let edge = EDGES[self.below(EDGES.len())];
                let end = (at + edge.len()).min(bytes.len());
                bytes.splice(at..end, edge.iter().copied());
            }
            _ => {
                let edge = EDGES[self.below(EDGES.len())];
                bytes.splice(at..at, edge.iter().copied());
            }
        }
    }
}

impl Iterator for Mutations {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.input.clone();
        for _ in 0..=self.below(3) {
            self.change(&mut bytes);
        }
        Some(bytes)
    }
}
