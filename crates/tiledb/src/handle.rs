//! Owned C objects: freed exactly once, never null, and used by several threads only where libtiledb allows it.

use std::ptr::NonNull;

use tiledb_sys as sys;

/// Owns a C object and frees it when dropped.
pub(crate) struct Handle<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut *mut T),
}

impl<T> Handle<T> {
    /// Takes ownership of `object`, which `free` releases; `None` for a null pointer.
    ///
    /// # Safety
    /// `object` is null or a live object without another owner, and `free` is the function that frees it.
    pub(crate) unsafe fn from_raw(object: *mut T, free: unsafe extern "C" fn(*mut *mut T)) -> Option<Self> {
        NonNull::new(object).map(|object| Self { object, free })
    }

    /// The object, valid as long as this handle.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        let mut object = self.object.as_ptr();
        // SAFETY: by the contract of `from_raw` the object is live and `free` is its own function; a handle drops once.
        unsafe { (self.free)(&mut object) }
    }
}

/// Objects that may be used by one thread after another.
///
/// # Safety
/// The object must not depend on the thread that created it.
pub(crate) unsafe trait SendObject {}

/// Objects that several threads may use at the same time.
///
/// # Safety
/// Every function of libtiledb that this crate calls with the object must be thread-safe.
pub(crate) unsafe trait SyncObject: SendObject {}

// SAFETY: a context owns its thread pools and is not tied to the thread that created it.
unsafe impl SendObject for sys::tiledb_ctx_t {}
// SAFETY: libtiledb documents contexts as thread-safe. The last error is shared; see `Context::check`.
unsafe impl SyncObject for sys::tiledb_ctx_t {}

// SAFETY: an array is not tied to the thread that opened it.
unsafe impl SendObject for sys::tiledb_array_t {}
// SAFETY: libtiledb documents arrays opened for reading as thread-safe. Arrays opened for writing never leave the function or the
// fragment writer that opened them.
unsafe impl SyncObject for sys::tiledb_array_t {}

// SAFETY: a file system is not tied to the thread that created it.
unsafe impl SendObject for sys::tiledb_vfs_t {}
// SAFETY: libtiledb documents its virtual file system as thread-safe. File handles, which are not, never leave a function.
unsafe impl SyncObject for sys::tiledb_vfs_t {}

// SAFETY: a query is not tied to the thread that created it. It is not thread-safe: a `Reader` submits it through `&mut self`
// only.
unsafe impl SendObject for sys::tiledb_query_t {}

// SAFETY: the handle owns its object, which allows this by the contract of `SendObject`.
unsafe impl<T: SendObject> Send for Handle<T> {}
// SAFETY: a shared handle only gives access to its object, which allows this by the contract of `SyncObject`.
unsafe impl<T: SyncObject> Sync for Handle<T> {}

#[cfg(test)]
mod tests {
    use crate::{Array, Context, Reader, Vfs};

    #[test]
    fn shared_types_are_sync_and_readers_can_move_between_threads() {
        fn is_send<T: Send>() {}
        fn is_sync<T: Send + Sync>() {}
        is_sync::<Context>();
        is_sync::<Array>();
        is_sync::<Vfs>();
        is_send::<Reader>();
    }
}
