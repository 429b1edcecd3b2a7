//! The result of checking credentials: unknown until a server has accepted or rejected them. Until then one request at a time
//! carries them, and after a rejection none does, because an account is locked after a few wrong passwords.

use tokio::sync::{Mutex, MutexGuard};

/// Whether credentials are valid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum CheckResult {
    #[default]
    /// No server has checked them.
    Unknown,
    Accepted,
    Rejected(Rejection),
}

/// The reason why credentials are not sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A server refused them.
    Refused,
    /// The response of the server at this address neither accepted nor refused them.
    Unexpected { url: String },
}

/// The check of one kind of credentials.
#[derive(Debug, Default)]
pub(crate) struct CredentialCheck(Mutex<CheckResult>);

/// The right to send the credentials once.
pub(crate) enum SendPermit<'a> {
    /// The only permit while the credentials are unchecked.
    First(MutexGuard<'a, CheckResult>),
    /// One of many permits for accepted credentials.
    Accepted(&'a CredentialCheck),
}

impl CredentialCheck {
    /// Waits for a permit to send the credentials.
    ///
    /// # Errors
    /// The rejection, the same for every caller.
    pub(crate) async fn permit(&self) -> Result<SendPermit<'_>, Rejection> {
        let result = self.0.lock().await;
        match &*result {
            CheckResult::Unknown => Ok(SendPermit::First(result)),
            CheckResult::Accepted => Ok(SendPermit::Accepted(self)),
            CheckResult::Rejected(rejection) => Err(rejection.clone()),
        }
    }

    /// Returns why the credentials are not sent again; None while they may be sent.
    pub(crate) async fn rejection(&self) -> Option<Rejection> {
        match &*self.0.lock().await {
            CheckResult::Rejected(rejection) => Some(rejection.clone()),
            _ => None,
        }
    }
}

impl SendPermit<'_> {
    /// Records that a server accepted the credentials.
    pub(crate) fn accept(self) {
        if let SendPermit::First(mut result) = self {
            *result = CheckResult::Accepted;
        }
    }

    /// Records that a server rejected the credentials, so that no request sends them again. Returns whether this is the first
    /// rejection.
    pub(crate) async fn reject(self, rejection: Rejection) -> bool {
        let reject = |result: &mut CheckResult| match result {
            CheckResult::Rejected(_) => false,
            _ => {
                *result = CheckResult::Rejected(rejection);
                true
            }
        };
        match self {
            SendPermit::First(mut result) => reject(&mut result),
            SendPermit::Accepted(check) => reject(&mut *check.0.lock().await),
        }
    }

    /// Whether a server has accepted the credentials before.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self, SendPermit::Accepted(_))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_wrong_password_is_sent_once_by_many_concurrent_requests() {
        let (check, sent) = (Arc::new(CredentialCheck::default()), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..16).map(|_| {
            let (check, sent) = (Arc::clone(&check), Arc::clone(&sent));
            tokio::spawn(async move {
                let Ok(permit) = check.permit().await else { return false };
                sent.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                permit.reject(Rejection::Unexpected { url: "https://x/".to_owned() }).await;
                true
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut permits = 0;
        for task in tasks {
            permits += usize::from(task.await.unwrap());
        }
        assert_eq!((permits, sent.load(Ordering::SeqCst)), (1, 1));
        // Later requests get the same rejection.
        assert_eq!(check.rejection().await, Some(Rejection::Unexpected { url: "https://x/".to_owned() }));
    }

    #[tokio::test]
    async fn a_dropped_permit_decides_nothing_and_a_late_rejection_counts() {
        let check = CredentialCheck::default();
        drop(check.permit().await.unwrap());
        check.permit().await.unwrap().accept();
        let (one, two) = (check.permit().await.unwrap(), check.permit().await.unwrap());
        assert!(one.is_accepted() && one.reject(Rejection::Refused).await, "the first rejection");
        assert!(!two.reject(Rejection::Refused).await && check.permit().await.is_err());
    }
}
