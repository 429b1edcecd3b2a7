//! Files made to harm a reader that follows their structure, each in the layout of a granule (`gt1l/land_segments/…`).

use crate::image::{
    Bytes, CONTINUATION, Image, LAYOUT, Message, NOWHERE, SYMBOL_TABLE, attribute, double, int, link, link_info,
    old_messages, text,
};

/// A file, and a part of the error that reading it must give.
pub struct HostileFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The part of the error.
    pub error: &'static str,
}

/// The number of rows of [`granule`].
pub const ROWS: u64 = 3;

const COLUMNS: [&str; 4] = ["latitude", "longitude", "delta_time", "segment_id_beg"];

/// An intact granule of one beam with three rows.
#[must_use]
pub fn granule() -> Vec<u8> {
    with_land(|_, _| None, |_| Vec::new())
}

/// A granule in which `column` may replace the dataset of a column by the one at the address that it returns, and to whose root group
/// `root` adds messages.
fn with_land(column: impl Fn(&mut Image, &str) -> Option<u64>, root: impl Fn(&mut Image) -> Vec<Message>) -> Vec<u8> {
    let mut image = Image::new();
    let mut links = Vec::new();
    for name in COLUMNS {
        let address = column(&mut image, name).unwrap_or_else(|| intact(&mut image, name));
        links.push((name, address));
    }
    let land = image.group(&links);
    let beam = image.group(&[("land_segments", land)]);
    let mut messages = vec![link_info(NOWHERE, NOWHERE), text("short_name", "ATL08"), link("gt1l", beam)];
    messages.extend(root(&mut image));
    let root = image.header(&messages);
    image.finish(root)
}

/// The intact dataset of a column.
fn intact(image: &mut Image, name: &str) -> u64 {
    let start = match name {
        "latitude" => 10.0,
        "longitude" => -60.0,
        "delta_time" => 1e8,
        _ => {
            let ids: Vec<u8> = [100_i32, 105, 110].iter().flat_map(|id| id.to_le_bytes()).collect();
            return image.values(&int(), &ids, &[ROWS]);
        }
    };
    let values: Vec<u8> = [0.0, 0.25, 0.5].iter().flat_map(|step| f64::to_le_bytes(start + step)).collect();
    image.values(&double(), &values, &[ROWS])
}

/// Every hostile file. Together they have a few megabytes.
#[must_use]
pub fn hostile_files() -> Vec<HostileFile> {
    let file = |name, error, bytes| HostileFile { name, bytes, error };
    vec![
        file("btree_deep.h5", "B-tree is too deep", dense(u16::MAX, 1, true)),
        file("btree_laughs.h5", "leads in circles", dense(16, 60, false)),
        file("btree_empty_records.h5", "empty records", empty_records()),
        file("old_btree_laughs.h5", "leads in circles", old_group(&old_tree_laughs, &[0; 8])),
        file("old_names.h5", "names in a group", old_group(&old_names, &[b'n'; 60_000])),
        file("old_continuations.h5", "leads in circles", continuations()),
        file("datatype_nested.h5", "delta_time", with_land(nested, |_| Vec::new())),
        file("attribute_nested.h5", "at most", with_land(many_rows, |_| vec![attribute("a", &nest(50_000), &[0; 16])])),
        file("array_sizes.h5", "impossible sizes", with_land(array_sizes, |_| Vec::new())),
        file("million_rows.h5", "1000000 rows", with_land(many_rows, |image| padding(image, 100_000))),
        file("absurd_rows.h5", "rows", with_land(absurd_rows, |_| Vec::new())),
        file("overlapping_chunks.h5", "chunks overlap", with_land(overlapping, |_| Vec::new())),
        file("huge_chunks.h5", "far larger than the values", six_beams(ROWS, 8_000_000)),
        file("one_huge_chunk.h5", "an invalid size", with_land(one_huge_chunk, |_| Vec::new())),
        file("many_rows_in_all.h5", "600000 rows of", six_beams(100_000, 10_000)),
        file("escapes.h5", "short_name is \\u{1b}[2JATL08\\nfine", {
            let mut image = Image::new();
            let root = image.header(&[link_info(NOWHERE, NOWHERE), text("short_name", "\u{1b}[2JATL08\nfine")]);
            image.finish(root)
        }),
    ]
}

/// A root group with its links in a heap and a version 2 B-tree of this depth. Its nodes have `records` records, and all their children are
/// the next node, or with `itself` the node itself.
fn dense(depth: u16, records: u16, itself: bool) -> Vec<u8> {
    const NODE: u32 = 4096;
    let mut image = Image::new();
    let levels = if itself { 1 } else { depth };
    let mut below = image.put(&leaf(records));
    // The totals must have the widths that the format derives; with others the walk would end early.
    let totals = totals(NODE, 11, levels);
    for level in 1..=levels {
        let address = if itself { image.next() } else { below };
        let mut node = Bytes::new(b"BTIN\0\x05").raw(&vec![0; usize::from(records) * 11]);
        for _ in 0..=records {
            let total = if level > 1 { totals[usize::from(level) - 2] } else { 0 };
            node = node.u64(address).u16(records).raw(&vec![0; total]);
        }
        node.0.resize(NODE as usize, 0);
        below = image.put(&node.0);
    }
    let tree = Bytes::new(b"BTHD\0\x05").u32(NODE).u16(11).u16(depth).raw(&[100, 40]).u64(below).u16(records);
    let tree = image.put(&tree.u64(1000).sealed());
    let heap = image.put(&heap_header());
    let root = image.header(&[link_info(heap, tree)]);
    image.put(&[0; 256]);
    image.finish(root)
}

fn leaf(records: u16) -> Vec<u8> {
    let mut node = Bytes::new(b"BTLF\0\x05").raw(&vec![0; usize::from(records) * 11]).sealed();
    node.resize(4096, 0);
    node
}

/// The width in bytes of a subtree's total, for each level from 1 on (`H5B2hdr.c`).
fn totals(node: u32, record: u64, levels: u16) -> Vec<usize> {
    let width = |count: u64| (64 - count.leading_zeros() as usize).div_ceil(8);
    let leaf = u64::from(node - 10) / record;
    let (mut most, mut widths) = (leaf, vec![]);
    let mut below = 0;
    for _ in 0..levels {
        let pointer = 8 + width(leaf) as u64 + below;
        let here = (u64::from(node) - 10 - pointer) / (record + pointer);
        most = (here + 1).saturating_mul(most).saturating_add(here);
        below = width(most) as u64;
        widths.push(width(most));
    }
    widths
}

/// A version 2 B-tree of records without bytes, 65,535 of them in a node of six bytes.
fn empty_records() -> Vec<u8> {
    let mut image = Image::new();
    let node = image.put(b"BTLF\0\x05");
    let tree = Bytes::new(b"BTHD\0\x05").u32(6).u16(0).u16(0).raw(&[100, 40]).u64(node).u16(u16::MAX).u64(65_535);
    let tree = image.put(&tree.sealed());
    let heap = image.put(&heap_header());
    let root = image.header(&[link_info(heap, tree)]);
    image.put(&[0; 256]);
    image.finish(root)
}

/// The header of an empty fractal heap.
fn heap_header() -> Vec<u8> {
    let head = Bytes::new(b"FRHP\0").u16(7).u16(0).raw(&[0]).u32(4096).u64(0).u64(NOWHERE).u64(0).u64(NOWHERE);
    let sizes = (0..8).fold(head, |bytes, _| bytes.u64(0)).u16(4).u64(512).u64(4096).u16(32).u16(1);
    sizes.u64(NOWHERE).u16(0).sealed()
}

/// A version 1 root group whose B-tree is written by `tree` and whose heap holds `names`.
fn old_group(tree: &dyn Fn(&mut Image) -> u64, names: &[u8]) -> Vec<u8> {
    let mut image = Image::new();
    let tree = tree(&mut image);
    let segment = image.put(names);
    let heap = image.put(&Bytes::new(b"HEAP\0\0\0\0").u64(names.len() as u64).u64(1).u64(segment).0);
    let root = image.old_header(&[(SYMBOL_TABLE, Bytes::default().u64(tree).u64(heap).0)]);
    image.put(&[0; 64]);
    image.finish(root)
}

/// 60 levels of nodes whose two children are both the next node: 2⁶⁰ visits.
fn old_tree_laughs(image: &mut Image) -> u64 {
    let node = |level: u8, child: u64| {
        let head = Bytes::new(&[b'T', b'R', b'E', b'E', 0, level]).u16(2).u64(NOWHERE).u64(NOWHERE);
        head.u64(0).u64(child).u64(0).u64(child).u64(0).0
    };
    let links = image.put(b"SNOD\x01\0\0\0");
    (0..60).fold(links, |below, level| image.put(&node(level, below)))
}

/// 20,000 links that all have the same name of 60,000 bytes.
fn old_names(image: &mut Image) -> u64 {
    let node = (0..20_000).fold(Bytes::new(b"SNOD\x01\0").u16(20_000), |node, _| node.u64(0).u64(48).raw(&[0; 24]));
    let node = image.put(&node.0);
    image.put(&Bytes::new(b"TREE\0\0").u16(1).u64(NOWHERE).u64(NOWHERE).u64(0).u64(node).u64(0).0)
}

/// A version 1 header with 30 continuations, each of which refers twice to the next one: 2³⁰ visits, and each adds a message.
fn continuations() -> Vec<u8> {
    let mut image = Image::new();
    let ending: Message = (0x0d, vec![0; 8]);
    let mut block = old_messages(std::slice::from_ref(&ending));
    let mut address = image.put(&block);
    for _ in 0..30 {
        let next: Message = (CONTINUATION, Bytes::default().u64(address).u64(block.len() as u64).0);
        let messages = [ending.clone(), next.clone(), next];
        block = old_messages(&messages);
        address = image.put(&block);
    }
    let next: Message = (CONTINUATION, Bytes::default().u64(address).u64(block.len() as u64).0);
    let root = image.old_header(&[next]);
    image.put(&[0; 64]);
    image.finish(root)
}

/// A datatype of lists of lists of …, in `len` bytes.
fn nest(len: usize) -> Vec<u8> {
    let base = int();
    let mut bytes = Vec::new();
    while bytes.len() + 8 + base.len() <= len {
        bytes.extend(Bytes::new(&[0x19, 0, 0, 0]).u32(16).0);
    }
    [bytes, base].concat()
}

fn nested(image: &mut Image, name: &str) -> Option<u64> {
    (name == "delta_time").then(|| image.values(&nest(65_000), &[0; 48], &[ROWS]))
}

/// The layout of HDF5 chunks of `rows`, indexed by the version 1 B-tree at `tree`.
fn chunked(tree: u64, rows: u32) -> Vec<u8> {
    Bytes::new(&[3, 2, 2]).u64(tree).u32(rows).u32(8).0
}

fn many_rows(image: &mut Image, name: &str) -> Option<u64> {
    let datatype = if name == "segment_id_beg" { int() } else { double() };
    Some(image.dataset(&datatype, &[1_000_000], chunked(NOWHERE, 10_000)))
}

fn absurd_rows(image: &mut Image, name: &str) -> Option<u64> {
    (name == "delta_time").then(|| image.dataset(&double(), &[1 << 60], chunked(NOWHERE, 10_000)))
}

/// Unused bytes, so that the file is long enough for a check of its length.
fn padding(image: &mut Image, len: usize) -> Vec<Message> {
    image.put(&vec![0; len]);
    Vec::new()
}

/// 50,000 rows in HDF5 chunks of 500, which all have the same address.
fn overlapping(image: &mut Image, name: &str) -> Option<u64> {
    let datatype = if name == "segment_id_beg" { int() } else { double() };
    let element = if name == "segment_id_beg" { 4 } else { 8 };
    let chunk = image.put(&vec![0; 500 * element as usize]);
    let tree = Bytes::new(b"TREE\x01\0").u16(100).u64(NOWHERE).u64(NOWHERE);
    let key = |tree: Bytes, row| tree.u32(500 * element).u32(0).u64(row).u64(0);
    let tree = (0..100).fold(tree, |tree, at| key(tree, at * 500).u64(chunk));
    let tree = image.put(&key(tree, 50_000).0);
    Some(image.dataset(&datatype, &[50_000], Bytes::new(&[3, 2, 2]).u64(tree).u32(500).u32(element).0))
}

fn one_huge_chunk(image: &mut Image, name: &str) -> Option<u64> {
    (name == "latitude").then(|| image.dataset(&double(), &[ROWS], chunked(NOWHERE, u32::MAX)))
}

/// Six beams that are the same group of `rows` rows in HDF5 chunks of `chunk` rows.
fn six_beams(rows: u64, chunk: u32) -> Vec<u8> {
    let mut image = Image::new();
    let mut links = Vec::new();
    for name in COLUMNS {
        let datatype = if name == "segment_id_beg" { int() } else { double() };
        links.push((name, image.dataset(&datatype, &[rows], chunked(NOWHERE, chunk))));
    }
    let land = image.group(&links);
    let beam = image.group(&[("land_segments", land)]);
    let mut messages = vec![link_info(NOWHERE, NOWHERE), text("short_name", "ATL08")];
    messages.extend(["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"].map(|name| link(name, beam)));
    let root = image.header(&messages);
    image.put(&vec![0; 100_000]);
    image.finish(root)
}

/// A version 4 index of HDF5 chunks whose header declares first blocks of 2⁶³.
fn array_sizes(image: &mut Image, name: &str) -> Option<u64> {
    (name == "delta_time").then(|| {
        let header = Bytes::new(b"EAHD\0\0\x08\xff\x04\x10\xff\x0a");
        let header = (0..6).fold(header, |header, _| header.u64(4)).u64(48).sealed();
        let header = image.put(&header);
        // version 4, chunked, no flags, two dimensions of four bytes: one row, eight bytes; extensible array and its five parameters
        let layout = Bytes::new(&[4, 2, 0, 2, 4]).u32(1).u32(8).raw(&[4, 255, 4, 16, 255, 10]).u64(header).0;
        image.header(&[(1, unlimited()), (3, double()), (LAYOUT, layout)])
    })
}

/// The dataspace of [`ROWS`] rows that may grow.
fn unlimited() -> Vec<u8> {
    Bytes::new(&[2, 1, 1, 1]).u64(ROWS).u64(u64::MAX).0
}
