//! A window is refused if its fragments do not match its ledger rows or an id is not its own, and nothing of it becomes visible.

use super::{NOW, attempt, changes, compact, content, fresh, ingest, replace, rewrite, seen, write};
use crate::{Changes, Error, Id, Window, Writer, WrittenFragment};

/// Commits 5 segments of one granule with changes by `spoil`, and returns the problem that the refusal names.
async fn problem_of(spoil: impl Fn(&Window, WrittenFragment, &mut Changes)) -> String {
    let (_folder, database) = fresh().await;
    let mut writer = Writer::take_over(&database, NOW).await.unwrap();
    ingest(&mut writer, 3, NOW).await.unwrap();
    let window = writer.begin_window(1, NOW).unwrap();
    let fragment = write(&database, &window, 5);
    let mut spoiled = changes(vec![fragment.clone()], vec![attempt(window.ingest_id(0), 5, &[])]);
    spoil(&window, fragment, &mut spoiled);
    let result = writer.commit(window, spoiled).await.map(|commit| commit.number);
    let Err(Error::Mismatch { problem, .. }) = result else { panic!("{result:?}") };
    assert_eq!(seen(&database).await, (3, 1), "{problem}");
    assert!(
        matches!(writer.begin_window(1, NOW), Err(Error::Unfinished { .. })),
        "the writer must not go on: {problem}"
    );
    drop(writer);
    // The next writer hides the written fragments, and goes on.
    ingest(&mut Writer::take_over(&database, NOW).await.unwrap(), 7, NOW).await.unwrap();
    assert_eq!(seen(&database).await, (10, 2), "{problem}");
    problem
}

#[tokio::test]
async fn rows_that_are_lost_or_duplicated_between_granule_and_fragment_are_refused() {
    for rows in [4, 6, 0] {
        let problem = problem_of(|_, _, changes| changes.ledger[0].rows_kept = rows).await;
        assert_eq!(
            problem,
            format!("expected {rows} segments of granule of 5 as in its ledger row, found 5 in the fragments")
        );
    }
    let problem = problem_of(|_, _, changes| changes.fragments.clear()).await;
    assert!(problem.contains("found 0"), "{problem}");
}

#[tokio::test]
async fn duplicate_ids_and_ids_of_another_window_are_refused() {
    let duplicate = problem_of(|window, _, changes| changes.ledger.push(attempt(window.ingest_id(0), 0, &[]))).await;
    assert!(duplicate.starts_with("two granules have ingest id"), "{duplicate}");
    let twice = problem_of(|_, fragment, changes| {
        changes.ledger[0].rows_kept = 10;
        changes.fragments.push(fragment);
    });
    let twice = twice.await;
    assert!(twice.starts_with("two fragments have id"), "{twice}");
    let foreign = |id: Id| async move { problem_of(|_, _, changes| changes.fragments[0].record.id = id).await };
    // The fence of this writer is commit 2. The ids are of the previous epoch, the next epoch, and the previous window.
    for id in [Id::new(1, 9), Id::new(3, 9), Id::new(2, 2)] {
        let problem = foreign(id).await;
        assert!(problem.contains(&format!("has id {id}, which does not belong to this window")), "{problem}");
    }
    let problem = problem_of(|window, _, changes| changes.ledger[0].ingest_id = window.fragment_id(0)).await;
    assert!(problem.contains("has ingest id"), "{problem}");
}

#[tokio::test]
async fn segments_of_the_wrong_attempt_are_refused() {
    let problem = problem_of(|window, _, changes| {
        changes.fragments[0].attempts = [(window.ingest_id(0), 4), (Id::new(2, 1), 1)].into();
        changes.ledger[0].rows_kept = 4;
    });
    assert!(problem.await.contains("which has no ledger row"));
    let problem = problem_of(|window, _, changes| {
        changes.fragments[0].attempts = [(window.ingest_id(0), 6)].into();
        changes.ledger[0].rows_kept = 6;
    });
    assert!(problem.await.contains("has 5 rows, and 6 of attempts"));
}

#[tokio::test]
async fn a_compaction_with_replaced_segments_must_have_the_exact_number_of_rows_of_each_attempt() {
    // The compaction writes every visible segment again; then the number of rows of an attempt is changed.
    for (rows, is_right) in [(2, false), (3, true), (4, false), (0, false)] {
        let (_folder, database) = fresh().await;
        let mut writer = Writer::take_over(&database, NOW).await.unwrap();
        let old = replace(&mut writer, &[], 5, NOW).await.unwrap();
        let kept = replace(&mut writer, &[], 3, NOW).await.unwrap();
        compact(&mut writer, NOW).await.unwrap();
        let new = replace(&mut writer, &[old], 7, NOW).await.unwrap();
        let inputs = writer.live_segments().map(|fragment| fragment.id).collect();
        let window = writer.begin_window(0, NOW).unwrap();
        let mut output = rewrite(&window, &database).await.unwrap();
        output.record.rows = output.record.rows - 3 + rows;
        output.attempts.insert(kept, rows);
        let result = writer.compact(window, &inputs, vec![output]).await.map(|commit| commit.number);
        match result {
            Ok(_) => assert!(is_right, "{rows}"),
            Err(Error::Mismatch { problem, .. }) => {
                let expected = format!("expected 3 segments of attempt {kept}, found {rows}");
                assert_eq!((is_right, problem), (false, expected));
            }
            Err(error) => panic!("{rows}: {error}"),
        }
        let found = content(&database.snapshot().await.unwrap()).await.unwrap();
        assert_eq!(found.0, [(kept, 3), (new, 7)].into(), "{rows}");
    }
}
