//! The content of a folder after a power cut, from the operations that `tests/shim/record.c` recorded.
//!
//! Strict model: a file has the content of its last sync, and a folder has the entries of its last sync. Lax model: each folder
//! also has the first changes since its last sync, a random number of them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// One recorded operation.
#[derive(Debug)]
pub(super) enum Event {
    Create { inode: u64, path: PathBuf, is_folder: bool },
    Link { from: PathBuf, to: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    Sync { inode: u64, copy: PathBuf },
    Entries { inode: u64 },
    Reopen { path: PathBuf },
    Stderr { text: String },
}

/// The operations in `record`, in order.
pub(super) fn events(record: &Path) -> Vec<Event> {
    let log = fs::read(record.join("log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    let event = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{line}"));
        match fields[..] {
            ["create", inode, path] => Event::Create { inode: number(inode), path: path.into(), is_folder: false },
            ["folder", inode, path] => Event::Create { inode: number(inode), path: path.into(), is_folder: true },
            ["link", from, to] => Event::Link { from: from.into(), to: to.into() },
            ["rename", from, to] => Event::Rename { from: from.into(), to: to.into() },
            ["remove", path] => Event::Remove { path: path.into() },
            ["sync", inode, copy] => Event::Sync { inode: number(inode), copy: record.join(copy) },
            ["entries", inode] => Event::Entries { inode: number(inode) },
            ["reopen", path] => Event::Reopen { path: path.into() },
            ["stderr", text] => Event::Stderr { text: text.replace('\r', "\n") },
            _ => panic!("not an event: {line}"),
        }
    };
    log.lines().map(event).collect()
}

enum Node {
    /// The copy of the content at the last sync.
    File(Option<PathBuf>),
    Folder {
        now: Entries,
        durable: Entries,
        /// The changes since the last sync: a name and its new node.
        since: Vec<(String, Option<usize>)>,
    },
}

type Entries = BTreeMap<String, usize>;

/// A folder after some operations, with its state after a power cut.
pub(super) struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    inodes: HashMap<u64, usize>,
}

impl Disk {
    /// The folder `root`, empty and synced.
    pub(super) fn new(root: &Path) -> Disk {
        let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(root).unwrap());
        Disk { root: root.to_owned(), nodes: vec![folder()], inodes: HashMap::from([(inode, 0)]) }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Create { inode, path, is_folder } => {
                self.nodes.push(if *is_folder { folder() } else { Node::File(None) });
                self.inodes.insert(*inode, self.nodes.len() - 1);
                self.name(path, Some(self.nodes.len() - 1));
            }
            Event::Link { from, to } => self.name(to, self.find(from)),
            Event::Rename { from, to } => {
                let node = self.find(from);
                self.name(from, None);
                self.name(to, node);
            }
            Event::Remove { path } => self.name(path, None),
            Event::Sync { inode, copy } => {
                if let Some(Node::File(durable)) = self.inodes.get(inode).map(|node| &mut self.nodes[*node]) {
                    *durable = Some(copy.clone());
                }
            }
            Event::Entries { inode } => {
                if let Some(Node::Folder { now, durable, since }) =
                    self.inodes.get(inode).map(|node| &mut self.nodes[*node])
                {
                    durable.clone_from(now);
                    since.clear();
                }
            }
            Event::Reopen { .. } | Event::Stderr { .. } => {}
        }
    }

    /// The node with the name `path`.
    fn find(&self, path: &Path) -> Option<usize> {
        let mut node = 0;
        for part in path.strip_prefix(&self.root).unwrap() {
            let Node::Folder { now, .. } = &self.nodes[node] else { return None };
            node = *now.get(part.to_str().unwrap())?;
        }
        Some(node)
    }

    fn name(&mut self, path: &Path, node: Option<usize>) {
        let parent = self.find(path.parent().unwrap()).unwrap_or_else(|| panic!("no folder of {}", path.display()));
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Node::Folder { now, since, .. } = &mut self.nodes[parent] else { panic!("{}", path.display()) };
        match node {
            Some(node) => now.insert(name.clone(), node),
            None => now.remove(&name),
        };
        since.push((name, node));
    }

    /// Asserts that the record has every file and folder of the root, so that no operation is missing.
    pub(super) fn is_as_on_disk(&self) {
        self.compare(0, &self.root);
    }

    fn compare(&self, node: usize, path: &Path) {
        let Node::Folder { now, .. } = &self.nodes[node] else { return };
        let mut found: Vec<_> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        assert_eq!(now.keys().cloned().collect::<Vec<_>>(), found, "{}", path.display());
        now.iter().for_each(|(name, node)| self.compare(*node, &path.join(name)));
    }

    /// Writes the state after a power cut into the new folder `to`. `luck` returns how many of the unsynced changes of a folder are
    /// durable; the strict model has none.
    pub(super) fn after_a_power_cut(&self, to: &Path, luck: &mut dyn FnMut(usize) -> usize) {
        self.restore(0, to, luck);
    }

    fn restore(&self, node: usize, to: &Path, luck: &mut dyn FnMut(usize) -> usize) {
        match &self.nodes[node] {
            Node::File(None) => fs::write(to, "").unwrap(),
            Node::File(Some(copy)) => fs::copy(copy, to).map(|_| ()).unwrap(),
            Node::Folder { durable, since, .. } => {
                fs::create_dir(to).unwrap();
                let mut entries = durable.clone();
                for (name, node) in &since[..luck(since.len())] {
                    match node {
                        Some(node) => entries.insert(name.clone(), *node),
                        None => entries.remove(name),
                    };
                }
                entries.iter().for_each(|(name, node)| self.restore(*node, &to.join(name), luck));
            }
        }
    }
}

fn folder() -> Node {
    Node::Folder { now: Entries::new(), durable: Entries::new(), since: Vec::new() }
}
