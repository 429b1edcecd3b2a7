//! A window whose fragments and ledger do not agree, or whose ids are not its own, is refused, and nothing of it is visible.

use super::{NOW, attempt, changes, compact, content, fresh, ingest, replace, rewrite, seen, write};
use crate::{Changes, Error, FragmentRecord, Id, Window, Writer};

/// Commits 5 segments of one granule, changed by `spoil`, and gives what that was refused with.
async fn refused(spoil: impl Fn(&Window, FragmentRecord, &mut Changes)) -> String {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 3, NOW).await.unwrap();
    let window = writer.window(1, NOW).unwrap();
    let fragment = write(&database, &window, 5);
    let mut spoiled = changes(vec![fragment.clone()], vec![attempt(window.ingest_id(0), 5, &[])]);
    spoil(&window, fragment, &mut spoiled);
    let ended = writer.commit(window, spoiled).await.map(|commit| commit.number);
    let Err(Error::Mismatch { problem, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(seen(&database).await, (3, 1), "{problem}");
    assert!(matches!(writer.window(1, NOW), Err(Error::Unfinished { .. })), "the writer has ended: {problem}");
    drop(writer);
    // The next writer hides what was written, and goes on.
    ingest(&mut Writer::take_over(&database, NOW).await.unwrap(), 7, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2), "{problem}");
    problem
}

#[tokio::test]
async fn rows_that_are_lost_or_doubled_between_granule_and_fragment_end_the_window() {
    for rows in [4, 6, 0] {
        let problem = refused(|_, _, changes| changes.ledger[0].rows_kept = rows).await;
        assert_eq!(problem, format!("expected the {rows} segments that its granules have, found 5 in its fragments"));
    }
    let problem = refused(|_, _, changes| changes.fragments.clear()).await;
    assert!(problem.contains("found 0"), "{problem}");
}

#[tokio::test]
async fn ids_that_are_doubled_or_another_windows_end_the_window() {
    let doubled = refused(|window, _, changes| changes.ledger.push(attempt(window.ingest_id(0), 0, &[]))).await;
    assert!(doubled.starts_with("two granules have the ingest id"), "{doubled}");
    let twice = refused(|_, fragment, changes| {
        changes.ledger[0].rows_kept = 10;
        changes.fragments.push(fragment);
    });
    let twice = twice.await;
    assert!(twice.starts_with("two fragments have the id"), "{twice}");
    let foreign = |id: Id| async move { refused(|_, _, changes| changes.fragments[0].id = id).await };
    // The fence of this writer is commit 2: of the epoch before, the one after, and the window before.
    for id in [Id::new(1, 9), Id::new(3, 9), Id::new(2, 2)] {
        let problem = foreign(id).await;
        assert!(problem.contains(&format!("has the id {id}, which is not of this window")), "{problem}");
    }
    let problem = refused(|window, _, changes| changes.ledger[0].ingest_id = window.ledger_id()).await;
    assert!(problem.contains("has the ingest id"), "{problem}");
}

#[tokio::test]
async fn a_compaction_next_to_replaced_segments_is_checked_to_the_row() {
    // The compaction writes every visible segment again, then the count that it tells is changed.
    for (told, is_right) in [(9, false), (10, true), (11, false), (0, false)] {
        let (_folder, database) = fresh().await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
        let kept = replace(&mut writer, &[], 3, NOW).await.unwrap();
        compact(&mut writer, NOW).await.unwrap();
        let new = replace(&mut writer, &[old], 7, NOW).await.unwrap();
        let inputs = writer.live_segments().map(|fragment| fragment.id).collect();
        let window = writer.window(0, NOW).unwrap();
        let output = FragmentRecord { rows: told, ..rewrite(&window, &database).await.unwrap() };
        let ended = writer.compact(window, &inputs, vec![output]).await.map(|commit| commit.number);
        match ended {
            Ok(_) => assert!(is_right, "{told}"),
            Err(Error::Mismatch { problem, .. }) => {
                let expected =
                    format!("expected 15 segments less 5 that were replaced to be written again, found {told}");
                assert_eq!((is_right, problem), (false, expected));
            }
            Err(error) => panic!("{told}: {error}"),
        }
        let found = content(&database.snapshot().await.unwrap()).await.unwrap();
        assert_eq!(found.0, [(kept, 3), (new, 7)].into(), "{told}");
    }
}
