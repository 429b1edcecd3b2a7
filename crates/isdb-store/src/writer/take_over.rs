//! Taking a database over: a look at what earlier writers left, a commit that fences them off, and only then the sweep of what
//! was seen. What a cleaner sees after its fence may be a later writer's, and committed.

use tiledb::Vfs;

use super::{Writer, used_up};
use crate::blocking::blocking;
use crate::commit::{Commit, HiddenFragment, Kind};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::leftovers;
use crate::lock::Lock;
use crate::recorded::Recorded;
use crate::recovery::Strays;

/// So often another's commit may be in the place of the fence. The lock lets few get there at all.
const TRIES: usize = 5;

impl Writer {
    /// Takes the database over: the lock, a look at what earlier writers left, a commit that fences them off (their next
    /// commit fails), and only then the removal of what they left. `now_ms` is this machine's clock.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process writes, [`Error::Overtaken`] when others took over at the same moments.
    pub async fn take_over(database: &Database, now_ms: u64) -> Result<Writer> {
        let lock = Lock::take(database.location())?;
        let mut fenced = fence(database, now_ms).await;
        for _ in 1..TRIES {
            if !matches!(fenced, Err(Error::Overtaken { .. })) {
                break;
            }
            fenced = fence(database, now_ms).await;
        }
        let (head, recorded, strays) = fenced?;
        fault::reached("take-over-fenced");
        let context = database.context().clone();
        let (left, staged) = strays.count();
        if left + staged > 0 {
            tracing::info!(commit = head.number, files = left, staged, "what an earlier writer left is swept");
        }
        let location = database.location().clone();
        let sweep = move || {
            leftovers::sweep(&location);
            strays.sweep(&Vfs::new(&context)?, &location)
        };
        let unswept = blocking(sweep).await?;
        fault::reached("take-over-swept");
        let database = database.clone();
        Ok(Writer { database, head, recorded, unswept, next_counter: 1, in_window: false, _lock: lock })
    }
}

/// Commits the fence. Returns it, the state with it, and what was there before it that no commit records.
async fn fence(database: &Database, now_ms: u64) -> Result<(Commit, Recorded, Strays)> {
    let previous = database.head().await?;
    let mut recorded = database.log().recorded(&previous).await?;
    let (context, location) = (database.context().clone(), database.location().clone());
    let (head, known) = (previous.clone(), recorded.clone());
    let list = move || Strays::list(&Vfs::new(&context)?, &location, &head, &known, now_ms);
    let strays = blocking(list).await?;
    fault::reached("take-over-listed");
    let mut fence = previous.following(Kind::Fence, now_ms);
    let (number, at) = (fence.number, fence.at);
    fence.epoch = u32::try_from(number).map_err(|_| used_up(database, number))?;
    for (state, strays) in fence.arrays_mut().into_iter().zip(&strays.arrays) {
        state.bury_strays(&strays.visible, number, at);
        state.hid = strays.folders.iter().map(|name| HiddenFragment { name: name.clone(), at }).collect();
    }
    database.log().create(&fence).await?;
    recorded.apply(&fence);
    database.log().checkpoint_if_due(&recorded).await;
    Ok((fence, recorded, strays))
}
