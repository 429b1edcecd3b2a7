//! The libtiledb context that every operation runs in, and the one place where its return codes become errors.

use std::ffi::{CStr, CString};
use std::fmt;
use std::ptr;
use std::sync::Arc;

use tiledb_sys as sys;

use crate::error::{Error, Result};
use crate::handle::Handle;

/// The fewest tiles that a reader of an array without duplicates merges in a task of its own.
const TILE_MERGE: &str = "sm.query.sparse_global_order.preprocess_tile_merge";

/// Settings this crate relies on: they win over a caller's.
const REQUIRED: [(&str, &str); 6] = [
    // Ctrl-C belongs to the program.
    ("sm.enable_signal_handlers", "false"),
    // libtiledb 2.30 merges the tiles of an array without duplicates in a task that may end after its query: it then frees memory
    // that went with the query, and the process dies ("Range is empty", or a segmentation fault in `~MergeUnit`, in 3 of 52
    // runs of isdb-store's tests on a busy machine). Zero leaves the merge out.
    (TILE_MERGE, "0"),
    // A fragment is written some columns at a time.
    ("sm.allow_separate_attribute_writes", "true"),
    ("sm.var_offsets.bitsize", "64"),
    ("sm.var_offsets.extra_element", "true"),
    ("sm.var_offsets.mode", "bytes"),
];

/// A libtiledb context: its configuration, its threads and its connections.
///
/// Cheap to clone (the clones share one context) and usable from any thread. Making one starts thread pools, so a program
/// wants few of them.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle<sys::tiledb_ctx_t>,
    settings: Vec<(String, String)>,
}

impl Context {
    /// A context with TileDB settings (`("vfs.s3.region", "eu-west-1")`, …), over libtiledb's defaults.
    ///
    /// # Errors
    /// [`Error::Library`] for a value that libtiledb does not accept.
    pub fn new<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let settings: Vec<(String, String)> =
            settings.into_iter().chain(REQUIRED).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let config = config(&settings, &[])?;
        let mut context = ptr::null_mut();
        let mut error = ptr::null_mut();
        // SAFETY: a live configuration and two places to write to.
        let code = unsafe { sys::tiledb_ctx_alloc_with_error(config.as_ptr(), &mut context, &mut error) };
        check_detached(code, error, "make a context", "")?;
        // SAFETY: the call succeeded, so the context is ours.
        let handle = unsafe { Handle::own(context, sys::tiledb_ctx_free) };
        let handle = handle.ok_or_else(|| nothing_returned("make a context", ""))?;
        Ok(Self { inner: Arc::new(Inner { handle, settings }) })
    }

    /// This context's settings with `more` on top, as a configuration of its own.
    pub(crate) fn config_with(&self, more: &[(&str, &str)]) -> Result<Handle<sys::tiledb_config_t>> {
        config(&self.inner.settings, more)
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::tiledb_ctx_t {
        self.inner.handle.as_ptr()
    }

    /// Turns a return code into a result, with libtiledb's last message.
    pub(crate) fn check(&self, code: i32, action: &'static str, uri: &str) -> Result<()> {
        if code == sys::TILEDB_OK {
            return Ok(());
        }
        let mut error = ptr::null_mut();
        // SAFETY: a live context and a place to write to. Another thread's failure may have replaced the message; the code
        // that decides is this call's own.
        unsafe { sys::tiledb_ctx_get_last_error(self.as_ptr(), &mut error) };
        Err(Error::Library { action, uri: uri.to_owned(), message: message_of(error) })
    }

    /// Calls a constructor and owns what it makes.
    pub(crate) fn make<T>(
        &self,
        action: &'static str,
        uri: &str,
        free: unsafe extern "C" fn(*mut *mut T),
        construct: impl FnOnce(*mut sys::tiledb_ctx_t, *mut *mut T) -> i32,
    ) -> Result<Handle<T>> {
        let mut object = ptr::null_mut();
        let code = construct(self.as_ptr(), &mut object);
        self.check(code, action, uri)?;
        // SAFETY: the constructor succeeded, so the object is ours; callers pass the free function of its type.
        unsafe { Handle::own(object, free) }.ok_or_else(|| nothing_returned(action, uri))
    }

    /// Calls a getter that writes one plain value.
    pub(crate) fn get<T: Default>(
        &self,
        action: &'static str,
        uri: &str,
        getter: impl FnOnce(*mut sys::tiledb_ctx_t, *mut T) -> i32,
    ) -> Result<T> {
        let mut value = T::default();
        let code = getter(self.as_ptr(), &mut value);
        self.check(code, action, uri)?;
        Ok(value)
    }

    /// Calls a getter that lends a C string, and copies it.
    pub(crate) fn get_text(
        &self,
        action: &'static str,
        uri: &str,
        getter: impl FnOnce(*mut sys::tiledb_ctx_t, *mut *const std::ffi::c_char) -> i32,
    ) -> Result<String> {
        let mut text = ptr::null();
        let code = getter(self.as_ptr(), &mut text);
        self.check(code, action, uri)?;
        if text.is_null() {
            return Err(nothing_returned(action, uri));
        }
        // SAFETY: libtiledb lends a NUL-terminated string that lives as long as the object asked, which the caller holds.
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }

    /// Copies and frees a string that libtiledb handed over; `None` for a null pointer.
    pub(crate) fn take_text(&self, mut text: *mut sys::tiledb_string_t) -> Option<String> {
        if text.is_null() {
            return None;
        }
        let (mut bytes, mut length) = (ptr::null(), 0);
        // SAFETY: a live string object and two places to write to.
        let code = unsafe { sys::tiledb_string_view(text, &mut bytes, &mut length) };
        let copied = if code == sys::TILEDB_OK && !bytes.is_null() {
            // SAFETY: the view holds `length` bytes until the string is freed, below.
            let view = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
            Some(String::from_utf8_lossy(view).into_owned())
        } else {
            None
        };
        // SAFETY: the string is ours and freed once.
        unsafe { sys::tiledb_string_free(&mut text) };
        copied
    }
}

impl fmt::Debug for Context {
    /// Without the settings: they may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// Text as C takes it.
pub(crate) fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Name { text: text.to_owned() })
}

fn config(settings: &[(String, String)], more: &[(&str, &str)]) -> Result<Handle<sys::tiledb_config_t>> {
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: two places to write to.
    let code = unsafe { sys::tiledb_config_alloc(&mut config, &mut error) };
    check_detached(code, error, "make a configuration", "")?;
    // SAFETY: the call succeeded, so the configuration is ours.
    let config = unsafe { Handle::own(config, sys::tiledb_config_free) };
    let config = config.ok_or_else(|| nothing_returned("make a configuration", ""))?;
    let own = settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in own.chain(more.iter().copied()) {
        let (c_key, c_value) = (c_text(key)?, c_text(value)?);
        let mut error = ptr::null_mut();
        // SAFETY: a live configuration, two strings that outlive the call, a place to write to.
        let code = unsafe { sys::tiledb_config_set(config.as_ptr(), c_key.as_ptr(), c_value.as_ptr(), &mut error) };
        check_detached(code, error, "apply the setting", key)?;
    }
    Ok(config)
}

/// Turns a return code of a call without context, which hands its error over itself, into a result.
fn check_detached(code: i32, error: *mut sys::tiledb_error_t, action: &'static str, uri: &str) -> Result<()> {
    if code == sys::TILEDB_OK {
        return Ok(());
    }
    Err(Error::Library { action, uri: uri.to_owned(), message: message_of(error) })
}

fn nothing_returned(action: &'static str, uri: &str) -> Error {
    Error::Library { action, uri: uri.to_owned(), message: "libtiledb returned nothing".to_owned() }
}

/// Copies and frees an error.
fn message_of(error: *mut sys::tiledb_error_t) -> String {
    // SAFETY: an error handed over by libtiledb, or null, is freed by its own function.
    let Some(error) = (unsafe { Handle::own(error, sys::tiledb_error_free) }) else {
        return "libtiledb gave no message".to_owned();
    };
    let mut text = ptr::null();
    // SAFETY: a live error and a place to write to.
    let code = unsafe { sys::tiledb_error_message(error.as_ptr(), &mut text) };
    if code != sys::TILEDB_OK || text.is_null() {
        return "libtiledb gave no message".to_owned();
    }
    // SAFETY: the message is NUL-terminated and lives as long as the error.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::c_char;

    use super::*;

    /// The value of `key` in `config`.
    fn value(config: &Handle<sys::tiledb_config_t>, key: &str) -> String {
        let key = c_text(key).unwrap();
        let (mut value, mut error): (*const c_char, _) = (ptr::null(), ptr::null_mut());
        // SAFETY: a live configuration, a string that outlives the call, two places to write to.
        let code = unsafe { sys::tiledb_config_get(config.as_ptr(), key.as_ptr(), &mut value, &mut error) };
        check_detached(code, error, "get a setting", "").unwrap();
        assert!(!value.is_null(), "libtiledb has no such setting");
        // SAFETY: a string of the configuration, which lives on.
        unsafe { CStr::from_ptr(value) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn no_context_merges_tiles_in_a_task_that_outlives_its_query() {
        assert_ne!(value(&config(&[], &[]).unwrap(), TILE_MERGE), "0", "libtiledb merges unless it is set otherwise");
        let context = Context::new([(TILE_MERGE, "100")]).unwrap();
        assert_eq!(value(&context.config_with(&[]).unwrap(), TILE_MERGE), "0");
    }
}
