//! HDF5 files written structure by structure, for content that a library would not write.

/// The undefined address.
pub(crate) const NOWHERE: u64 = u64::MAX;

/// Types of header messages.
pub(crate) const DATASPACE: u8 = 1;
pub(crate) const LINK_INFO: u8 = 2;
pub(crate) const DATATYPE: u8 = 3;
pub(crate) const LINK: u8 = 6;
pub(crate) const LAYOUT: u8 = 8;
pub(crate) const ATTRIBUTE: u8 = 12;
pub(crate) const CONTINUATION: u8 = 16;
pub(crate) const SYMBOL_TABLE: u8 = 17;

const SUPERBLOCK: usize = 48;

/// The type and body of a header message.
pub(crate) type Message = (u8, Vec<u8>);

/// A file that is being written; structures are at multiples of eight bytes.
pub(crate) struct Image(Vec<u8>);

/// A builder of little-endian bytes.
#[derive(Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn new(start: &[u8]) -> Self {
        Self(start.to_vec())
    }

    pub(crate) fn u16(mut self, number: u16) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// The bytes followed by their checksum.
    pub(crate) fn sealed(self) -> Vec<u8> {
        let sum = lookup3(&self.0);
        self.u32(sum).0
    }
}

impl Image {
    pub(crate) fn new() -> Self {
        Self(vec![0; SUPERBLOCK])
    }

    /// The address of the next structure.
    pub(crate) fn next(&self) -> u64 {
        self.0.len().next_multiple_of(8) as u64
    }

    /// Adds a structure and returns its address.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u64 {
        let address = self.next();
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        self.0.extend(bytes);
        address
    }

    /// A version 2 object header.
    pub(crate) fn header(&mut self, messages: &[Message]) -> u64 {
        let mut body = Vec::new();
        for (kind, message) in messages {
            let len = u16::try_from(message.len()).expect("a message of at most 65,535 bytes");
            body.extend(Bytes::new(&[*kind]).u16(len).raw(&[0]).raw(message).0);
        }
        let len = u32::try_from(body.len()).expect("a small header");
        self.put(&Bytes::new(b"OHDR\x02\x02").u32(len).raw(&body).sealed())
    }

    /// A version 1 object header.
    pub(crate) fn old_header(&mut self, messages: &[Message]) -> u64 {
        let body = old_messages(messages);
        let (count, len) = (u16::try_from(messages.len()), u32::try_from(body.len()));
        let (count, len) = (count.expect("few messages"), len.expect("a small header"));
        self.put(&Bytes::new(&[1, 0]).u16(count).u32(1).u32(len).u32(0).raw(&body).0)
    }

    /// A group with these links.
    pub(crate) fn group(&mut self, links: &[(&str, u64)]) -> u64 {
        let messages: Vec<_> = links.iter().map(|(name, address)| link(name, *address)).collect();
        self.header(&[&[link_info(NOWHERE, NOWHERE)], &messages[..]].concat())
    }

    /// A dataset of this datatype, shape and layout message.
    pub(crate) fn dataset(&mut self, datatype: &[u8], shape: &[u64], layout: Vec<u8>) -> u64 {
        self.header(&[(DATASPACE, dataspace(shape)), (DATATYPE, datatype.to_vec()), (LAYOUT, layout)])
    }

    /// A contiguous dataset.
    pub(crate) fn values(&mut self, datatype: &[u8], bytes: &[u8], shape: &[u64]) -> u64 {
        let address = self.put(bytes);
        let layout = Bytes::new(&[3, 1]).u64(address).u64(bytes.len() as u64).0;
        self.dataset(datatype, shape, layout)
    }

    /// The finished file, whose root group is at `root`.
    pub(crate) fn finish(mut self, root: u64) -> Vec<u8> {
        let end = self.0.len() as u64;
        let superblock =
            Bytes::new(b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00").u64(0).u64(NOWHERE).u64(end).u64(root).sealed();
        self.0[..SUPERBLOCK].copy_from_slice(&superblock);
        self.0
    }
}

/// Messages in the form of a version 1 header and its continuations.
pub(crate) fn old_messages(messages: &[Message]) -> Vec<u8> {
    let one = |(kind, message): &Message| {
        let len = u16::try_from(message.len()).expect("a message of at most 65,535 bytes");
        Bytes::default().u16((*kind).into()).u16(len).u32(0).raw(message).0
    };
    messages.iter().flat_map(one).collect()
}

pub(crate) fn link(name: &str, address: u64) -> Message {
    let len = u8::try_from(name.len()).expect("a short name");
    (LINK, Bytes::new(&[1, 0, len]).raw(name.as_bytes()).u64(address).0)
}

pub(crate) fn link_info(heap: u64, tree: u64) -> Message {
    (LINK_INFO, Bytes::new(&[0, 0]).u64(heap).u64(tree).0)
}

pub(crate) fn dataspace(shape: &[u64]) -> Vec<u8> {
    let rank = u8::try_from(shape.len()).expect("few dimensions");
    shape.iter().fold(Bytes::new(&[2, rank, 0, u8::from(rank > 0)]), |bytes, edge| bytes.u64(*edge)).0
}

/// A text attribute.
pub(crate) fn text(name: &str, text: &str) -> Message {
    let len = u32::try_from(text.len()).expect("a short text");
    attribute(name, &Bytes::new(&[0x13, 1, 0, 0]).u32(len).0, text.as_bytes())
}

/// A scalar attribute.
pub(crate) fn attribute(name: &str, datatype: &[u8], value: &[u8]) -> Message {
    let (space, len) = (dataspace(&[]), |bytes: &[u8]| u16::try_from(bytes.len()).expect("a small attribute"));
    let name = [name.as_bytes(), &[0]].concat();
    let sizes = Bytes::new(&[3, 0]).u16(len(&name)).u16(len(datatype)).u16(len(&space)).raw(&[0]);
    (ATTRIBUTE, sizes.raw(&name).raw(datatype).raw(&space).raw(value).0)
}

/// The datatype of doubles.
pub(crate) fn double() -> Vec<u8> {
    Bytes::new(&[0x11, 0x20, 0x3f, 0]).u32(8).u16(0).u16(64).raw(&[52, 11, 0, 52]).u32(1023).0
}

/// The datatype of signed integers of four bytes.
pub(crate) fn int() -> Vec<u8> {
    Bytes::new(&[0x10, 8, 0, 0]).u32(4).u16(0).u16(32).0
}

/// Jenkins' lookup3, the checksum of HDF5's metadata.
fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(u32::try_from(bytes.len()).expect("a small structure"));
    let (mut a, mut b, mut c) = (start, start, start);
    let word =
        |bytes: &[u8], at: usize| (0..4).map(|i| u32::from(*bytes.get(at + i).unwrap_or(&0)) << (8 * i)).sum::<u32>();
    let mut rest = bytes;
    while rest.len() > 12 {
        a = a.wrapping_add(word(rest, 0));
        b = b.wrapping_add(word(rest, 4));
        c = c.wrapping_add(word(rest, 8));
        for (x, y, z, by) in [(0, 2, 1, 4), (1, 0, 2, 6), (2, 1, 0, 8), (0, 2, 1, 16), (1, 0, 2, 19), (2, 1, 0, 4)] {
            let mut words = [a, b, c];
            words[x] = words[x].wrapping_sub(words[y]) ^ words[y].rotate_left(by);
            words[y] = words[y].wrapping_add(words[z]);
            [a, b, c] = words;
        }
        rest = &rest[12..];
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 4));
    c = c.wrapping_add(word(rest, 8));
    for (x, y, by) in [(2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24)] {
        let mut words = [a, b, c];
        words[x] = (words[x] ^ words[y]).wrapping_sub(words[y].rotate_left(by));
        [a, b, c] = words;
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_agrees_with_the_reference() {
        // from lookup3.c's driver5
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }
}
