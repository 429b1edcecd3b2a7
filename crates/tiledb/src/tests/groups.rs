//! Groups, and files of the virtual file system.

use super::*;
use crate::{Error, MetadataValue, ObjectKind, Vfs, group, object_kind};

#[test]
fn a_group_can_be_moved_with_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    group::create(ctx(), &at("db")).unwrap();
    assert!(group::create(ctx(), &at("db")).is_err());
    Array::create(ctx(), &at("db/segments"), &layout(), &schema(vec![])).unwrap();
    group::create(ctx(), &at("db/inner")).unwrap();
    group::add_member(ctx(), &at("db"), "segments", "segments").unwrap();
    group::add_member(ctx(), &at("db"), "inner", "more").unwrap();
    let entries =
        [("region".to_owned(), MetadataValue::Text("Harz".into())), ("version".to_owned(), MetadataValue::Int(1))];
    group::put_metadata(ctx(), &at("db"), &entries).unwrap();
    std::fs::rename(folder.path().join("db"), folder.path().join("moved")).unwrap();
    let members = group::members(ctx(), &at("moved")).unwrap();
    let listed: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.kind)).collect();
    assert_eq!(listed, [("more", Some(ObjectKind::Group)), ("segments", Some(ObjectKind::Array))]);
    assert!(members[1].uri.ends_with("/moved/segments"), "{}", members[1].uri);
    assert!(Array::open_by_library(ctx(), &members[1].uri, None).is_ok());
    assert_eq!(group::metadata(ctx(), &at("moved")).unwrap(), entries.into_iter().collect());
    assert_eq!(object_kind(ctx(), &at("moved")).unwrap(), Some(ObjectKind::Group));
    assert_eq!(object_kind(ctx(), &at("moved/segments")).unwrap(), Some(ObjectKind::Array));
    assert_eq!(object_kind(ctx(), &at("nowhere")).unwrap(), None);
}

#[test]
fn files_are_written_replaced_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let vfs = Vfs::new(ctx()).unwrap();
    vfs.create_dir(&at("d")).unwrap();
    vfs.write(&at("d/b"), b"a longer text").unwrap();
    vfs.write(&at("d/b"), b"short").unwrap();
    vfs.write(&at("d/a"), b"").unwrap();
    assert_eq!((vfs.read(&at("d/b")).unwrap(), vfs.read(&at("d/a")).unwrap()), (b"short".to_vec(), vec![]));
    assert_eq!((vfs.size(&at("d/b")).unwrap(), vfs.size(&at("d/a")).unwrap()), (5, 0));
    let listed = vfs.list(&at("d")).unwrap();
    assert!(listed.len() == 2 && listed[0].ends_with("/d/a") && listed[1].ends_with("/d/b"), "{listed:?}");
    assert!(vfs.is_dir(&at("d")).unwrap() && vfs.is_file(&at("d/a")).unwrap() && !vfs.is_file(&at("d")).unwrap());
    vfs.remove_file(&at("d/a")).unwrap();
    assert!(!vfs.is_file(&at("d/a")).unwrap());
    vfs.remove_dir(&at("d")).unwrap();
    assert!(!vfs.is_dir(&at("d")).unwrap());
    assert!(matches!(vfs.read(&at("d/b")), Err(Error::Library { .. })));
}
