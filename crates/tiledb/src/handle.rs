//! One owner type for every C object: freed exactly once, and never null.

use std::ptr::NonNull;

/// Owns a C object and frees it when dropped.
pub(crate) struct Handle<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut *mut T),
}

impl<T> Handle<T> {
    /// Takes ownership of `object`, which `free` releases; `None` for a null pointer.
    ///
    /// # Safety
    /// `object` is null or a live object that nobody else frees, and `free` is the function meant for it.
    pub(crate) unsafe fn own(object: *mut T, free: unsafe extern "C" fn(*mut *mut T)) -> Option<Self> {
        NonNull::new(object).map(|object| Self { object, free })
    }

    /// The object, alive as long as this handle.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        let mut object = self.object.as_ptr();
        // SAFETY: `own` was promised a live object and its own free function, and a handle drops once.
        unsafe { (self.free)(&mut object) }
    }
}

// SAFETY: libtiledb's objects are not tied to the thread that made them.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: shared are only contexts, opened arrays and file systems, which libtiledb documents as thread-safe; queries and the
// objects that build schemas never leave a value that is used through `&mut` or by one thread only.
unsafe impl<T> Sync for Handle<T> {}
