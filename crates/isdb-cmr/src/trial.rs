//! Whether credentials are good: unknown until a server has judged them. Until then one request at a time carries them, and
//! after a refusal none does, since an account is locked after a few wrong passwords.

use tokio::sync::{Mutex, MutexGuard};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    #[default]
    /// No server has judged them.
    Untried,
    Accepted,
    Refused(Why),
}

/// Why credentials are not sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// A server refused them.
    Refused,
    /// The server at this address answered with neither yes nor no.
    Unanswered { url: String },
}

/// What is known of one kind of credentials.
#[derive(Debug, Default)]
pub(crate) struct Trial(Mutex<Verdict>);

/// The right to send the credentials once. While they are untried, it is the only one.
pub(crate) enum Turn<'a> {
    First(MutexGuard<'a, Verdict>),
    Known(&'a Trial),
}

impl Trial {
    /// Waits for a turn.
    ///
    /// # Errors
    /// Why the credentials are not sent again: the same for all who ask.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, Why> {
        let verdict = self.0.lock().await;
        match &*verdict {
            Verdict::Untried => Ok(Turn::First(verdict)),
            Verdict::Accepted => Ok(Turn::Known(self)),
            Verdict::Refused(why) => Err(why.clone()),
        }
    }

    /// Why the credentials are not sent again; None while they may be.
    pub(crate) async fn refusal(&self) -> Option<Why> {
        match &*self.0.lock().await {
            Verdict::Refused(why) => Some(why.clone()),
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// A server has taken them.
    pub(crate) fn accepted(self) {
        if let Turn::First(mut verdict) = self {
            *verdict = Verdict::Accepted;
        }
    }

    /// A server has refused them: nobody sends them again. True when nobody knew.
    pub(crate) async fn refused(self, why: Why) -> bool {
        let refuse = |verdict: &mut Verdict| match verdict {
            Verdict::Refused(_) => false,
            open => {
                *open = Verdict::Refused(why);
                true
            }
        };
        match self {
            Turn::First(mut verdict) => refuse(&mut verdict),
            Turn::Known(trial) => refuse(&mut *trial.0.lock().await),
        }
    }

    /// Whether a server has taken them before.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Turn::Known(_))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_wrong_password_is_sent_once_however_many_want_to_send_it() {
        let (trial, sent) = (Arc::new(Trial::default()), Arc::new(AtomicUsize::new(0)));
        let each = (0..16).map(|_| {
            let (trial, sent) = (Arc::clone(&trial), Arc::clone(&sent));
            tokio::spawn(async move {
                let Ok(turn) = trial.turn().await else { return false };
                sent.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                turn.refused(Why::Unanswered { url: "https://x/".to_owned() }).await;
                true
            })
        });
        let each: Vec<_> = each.collect();
        let mut turns = 0;
        for one in each {
            turns += usize::from(one.await.unwrap());
        }
        assert_eq!((turns, sent.load(Ordering::SeqCst)), (1, 1));
        // Whoever comes later hears the same as the first.
        assert_eq!(trial.refusal().await, Some(Why::Unanswered { url: "https://x/".to_owned() }));
    }

    #[tokio::test]
    async fn a_server_that_was_down_leaves_the_question_open_and_a_late_refusal_counts() {
        let trial = Trial::default();
        drop(trial.turn().await.unwrap());
        trial.turn().await.unwrap().accepted();
        let (one, two) = (trial.turn().await.unwrap(), trial.turn().await.unwrap());
        assert!(one.is_known() && one.refused(Why::Refused).await, "the first to tell");
        assert!(!two.refused(Why::Refused).await && trial.turn().await.is_err());
    }
}
