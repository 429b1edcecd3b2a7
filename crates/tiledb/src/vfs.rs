//! Files and folders at any URI that libtiledb supports, with the context's credentials.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;

use tiledb_sys as sys;

use crate::context::{Context, c_text};
use crate::error::Result;
use crate::handle::Handle;

/// libtiledb's virtual file system: local paths, `s3://`, `gcs://`, `azure://`, `mem://`.
pub struct Vfs {
    // Fields are dropped in this order: the file system before its context.
    handle: Handle<sys::tiledb_vfs_t>,
    ctx: Context,
}

impl Vfs {
    /// Opens the file system with the settings of `ctx`.
    ///
    /// # Errors
    /// [`crate::Error::Library`] for invalid settings.
    pub fn new(ctx: &Context) -> Result<Self> {
        let config = ctx.config_with(&[])?;
        // SAFETY: a live context and configuration, a valid out pointer.
        let handle = ctx.make("create a virtual file system", "", sys::tiledb_vfs_free, |c, out| unsafe {
            sys::tiledb_vfs_alloc(c, config.as_ptr(), out)
        })?;
        Ok(Self { handle, ctx: ctx.clone() })
    }

    /// Whether `uri` is a folder (on object stores: a prefix with objects below it).
    ///
    /// # Errors
    /// [`crate::Error::Library`] if the storage cannot be reached.
    pub fn is_dir(&self, uri: &str) -> Result<bool> {
        let c_uri = c_text(uri)?;
        // SAFETY: live objects, a string that outlives the call, a valid out pointer.
        let is_it: i32 = self.ctx.get("look up", uri, |c, out| unsafe {
            sys::tiledb_vfs_is_dir(c, self.handle.as_ptr(), c_uri.as_ptr(), out)
        })?;
        Ok(is_it != 0)
    }

    /// Whether `uri` is a file.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if the storage cannot be reached.
    pub fn is_file(&self, uri: &str) -> Result<bool> {
        let c_uri = c_text(uri)?;
        // SAFETY: live objects, a string that outlives the call, a valid out pointer.
        let is_it: i32 = self.ctx.get("look up", uri, |c, out| unsafe {
            sys::tiledb_vfs_is_file(c, self.handle.as_ptr(), c_uri.as_ptr(), out)
        })?;
        Ok(is_it != 0)
    }

    /// Returns the full URIs of the entries of the folder `uri`, sorted.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be listed.
    pub fn list(&self, uri: &str) -> Result<Vec<String>> {
        unsafe extern "C" fn collect(path: *const c_char, into: *mut c_void) -> i32 {
            // SAFETY: libtiledb passes a NUL-terminated path, and the pointer to the vector below.
            let (path, into) = unsafe { (CStr::from_ptr(path), &mut *into.cast::<Vec<CString>>()) };
            into.push(path.to_owned());
            1
        }
        let c_uri = c_text(uri)?;
        let mut paths: Vec<CString> = Vec::new();
        let into: *mut c_void = std::ptr::from_mut(&mut paths).cast();
        // SAFETY: live objects; only the callback accesses the vector during the call.
        let code =
            unsafe { sys::tiledb_vfs_ls(self.ctx.as_ptr(), self.handle.as_ptr(), c_uri.as_ptr(), Some(collect), into) };
        self.ctx.check(code, "list", uri)?;
        let mut uris: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        uris.sort();
        Ok(uris)
    }

    /// Returns the size of a file in bytes.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if the file does not exist.
    pub fn size(&self, uri: &str) -> Result<u64> {
        let c_uri = c_text(uri)?;
        // SAFETY: live objects, a string that outlives the call, a valid out pointer.
        self.ctx.get("read the size of", uri, |c, out| unsafe {
            sys::tiledb_vfs_file_size(c, self.handle.as_ptr(), c_uri.as_ptr(), out)
        })
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be read.
    pub fn read(&self, uri: &str) -> Result<Vec<u8>> {
        let size = self.size(uri)?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let file = self.open(uri, sys::TILEDB_VFS_READ)?;
        // SAFETY: an open file, and a buffer of `size` bytes.
        let code =
            unsafe { sys::tiledb_vfs_read(self.ctx.as_ptr(), file.as_ptr(), 0, bytes.as_mut_ptr().cast(), size) };
        self.ctx.check(code, "read", uri)?;
        self.close(&file, uri)?;
        Ok(bytes)
    }

    /// Writes a whole file, replacing an existing one.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be written.
    pub fn write(&self, uri: &str, bytes: &[u8]) -> Result<()> {
        if self.is_file(uri)? {
            self.remove_file(uri)?;
        }
        if bytes.is_empty() {
            // SAFETY: live objects, a string that outlives the call.
            return self.with(uri, "write", |c, vfs, uri| unsafe { sys::tiledb_vfs_touch(c, vfs, uri) });
        }
        let file = self.open(uri, sys::TILEDB_VFS_WRITE)?;
        // SAFETY: an open file, and a buffer of the given size.
        let code = unsafe {
            sys::tiledb_vfs_write(self.ctx.as_ptr(), file.as_ptr(), bytes.as_ptr().cast(), bytes.len() as u64)
        };
        self.ctx.check(code, "write", uri)?;
        self.close(&file, uri)
    }

    /// Creates a folder; does nothing on object stores, which have no folders.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be created.
    pub fn create_dir(&self, uri: &str) -> Result<()> {
        // SAFETY: live objects, a string that outlives the call.
        self.with(uri, "create the folder", |c, vfs, uri| unsafe { sys::tiledb_vfs_create_dir(c, vfs, uri) })
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be removed.
    pub fn remove_file(&self, uri: &str) -> Result<()> {
        // SAFETY: live objects, a string that outlives the call.
        self.with(uri, "remove", |c, vfs, uri| unsafe { sys::tiledb_vfs_remove_file(c, vfs, uri) })
    }

    /// Removes a folder and its contents.
    ///
    /// # Errors
    /// [`crate::Error::Library`] if it cannot be removed.
    pub fn remove_dir(&self, uri: &str) -> Result<()> {
        // SAFETY: live objects, a string that outlives the call.
        self.with(uri, "remove", |c, vfs, uri| unsafe { sys::tiledb_vfs_remove_dir(c, vfs, uri) })
    }

    fn with(
        &self,
        uri: &str,
        action: &'static str,
        call: impl FnOnce(*mut sys::tiledb_ctx_t, *mut sys::tiledb_vfs_t, *const c_char) -> i32,
    ) -> Result<()> {
        let c_uri = c_text(uri)?;
        self.ctx.check(call(self.ctx.as_ptr(), self.handle.as_ptr(), c_uri.as_ptr()), action, uri)
    }

    fn open(&self, uri: &str, mode: sys::tiledb_vfs_mode_t) -> Result<Handle<sys::tiledb_vfs_fh_t>> {
        let c_uri = c_text(uri)?;
        // SAFETY: live objects, a string that outlives the call, a valid out pointer.
        self.ctx.make("open", uri, sys::tiledb_vfs_fh_free, |c, out| unsafe {
            sys::tiledb_vfs_open(c, self.handle.as_ptr(), c_uri.as_ptr(), mode, out)
        })
    }

    fn close(&self, file: &Handle<sys::tiledb_vfs_fh_t>, uri: &str) -> Result<()> {
        // SAFETY: an open file.
        self.ctx.check(unsafe { sys::tiledb_vfs_close(self.ctx.as_ptr(), file.as_ptr()) }, "close", uri)
    }
}

impl fmt::Debug for Vfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vfs").finish_non_exhaustive()
    }
}
