//! Tags keep a state, whatever is replaced, compacted and vacuumed after it.

use super::{NOW, assert_clean, compact, content, fresh, replace};
use crate::{Error, Writer};

#[tokio::test]
async fn a_tagged_state_is_the_same_after_everything_in_it_was_replaced_and_vacuumed() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = replace(&mut writer, &[], 5, NOW).await.unwrap();
    let second = replace(&mut writer, &[], 3, NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    let before = database.snapshot().await.unwrap();
    writer.set_tag("paper", &before, NOW).await.unwrap();
    let expected = content(&before).await.unwrap();

    let new =
        [replace(&mut writer, &[first], 6, NOW).await.unwrap(), replace(&mut writer, &[second], 7, NOW).await.unwrap()];
    compact(&mut writer, NOW).await.unwrap();
    for _ in 0..2 {
        writer.vacuum(NOW, 0).await.unwrap();
        let tagged = database.snapshot_of_tag("paper").await.unwrap();
        assert_eq!((tagged.tag(), content(&tagged).await.unwrap()), (Some("paper"), expected.clone()));
        let newest = database.snapshot().await.unwrap();
        assert_eq!((newest.tag(), content(&newest).await.unwrap().0), (None, [(new[0], 6), (new[1], 7)].into()));
        assert!(matches!(database.snapshot_of_tag("papers").await, Err(Error::UnknownTag { .. })));
    }
    writer.delete_tag("paper", NOW).await.unwrap();
    writer.vacuum(NOW, 0).await.unwrap();
    assert!(matches!(database.snapshot_of_tag("paper").await, Err(Error::UnknownTag { .. })));
    assert!(matches!(database.snapshot_at(before.timestamp()).await, Err(Error::Expired { .. })));
    assert_clean(&database).await;
}

#[tokio::test]
async fn a_tag_is_set_once_and_only_to_a_state_that_can_be_read() {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    let first = replace(&mut writer, &[], 5, NOW).await.unwrap();
    let early = database.snapshot().await.unwrap();
    replace(&mut writer, &[first], 6, NOW).await.unwrap();
    let late = database.snapshot().await.unwrap();
    for name in ["now", "Latest", "2026", ""] {
        assert!(matches!(writer.set_tag(name, &late, NOW).await, Err(Error::TagName { .. })), "{name}");
        assert!(matches!(database.snapshot_of_tag(name).await, Err(Error::TagName { .. })), "{name}");
    }
    writer.set_tag("a", &late, NOW).await.unwrap();
    writer.set_tag("a", &late, NOW).await.unwrap();
    writer.set_tag("b", &late, NOW).await.unwrap();
    for name in ["a", "b"] {
        assert_eq!(
            database.snapshot_of_tag(name).await.unwrap().tag(),
            Some(name),
            "a citation has the name that was used"
        );
    }
    writer.delete_tag("b", NOW).await.unwrap();
    assert!(matches!(writer.set_tag("a", &early, NOW).await, Err(Error::TagExists { .. })));
    writer.delete_tag("a", NOW).await.unwrap();
    compact(&mut writer, NOW).await.unwrap();
    writer.vacuum(NOW, 0).await.unwrap();
    assert!(matches!(writer.set_tag("b", &early, NOW).await, Err(Error::Expired { .. })));
    assert!(matches!(writer.delete_tag("b", NOW).await, Err(Error::UnknownTag { .. })));
}
