//! libtiledb's context, which every operation needs, and the conversion of its return codes into errors.

use std::ffi::{CStr, CString};
use std::fmt;
use std::ptr;
use std::sync::Arc;

use tiledb_sys as sys;

use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::version;

/// The setting for the number of tiles from which a read of an array without duplicates merges them in a separate task.
const TILE_MERGE: &str = "sm.query.sparse_global_order.preprocess_tile_merge";

/// Settings that this crate relies on. They override the caller's.
const REQUIRED: [(&str, &str); 7] = [
    // Otherwise libtiledb returns all free memory to the system after every query, and the next one faults every page in again.
    ("sm.mem.malloc_trim", "false"),
    // Signals are handled by the program, not by libtiledb.
    ("sm.enable_signal_handlers", "false"),
    // libtiledb 2.30 merges the tiles of an array without duplicates in a task that may outlive its query: the task then frees
    // memory that was already freed with the query, and the process crashes ("Range is empty", or a segmentation fault in
    // `~MergeUnit`, in 3 of 52 runs of isdb-store's tests on a busy machine). Zero disables the task.
    (TILE_MERGE, "0"),
    // Fragments are written some columns at a time.
    ("sm.allow_separate_attribute_writes", "true"),
    ("sm.var_offsets.bitsize", "64"),
    ("sm.var_offsets.extra_element", "true"),
    ("sm.var_offsets.mode", "bytes"),
];

/// A libtiledb context: its configuration, its threads and its connections.
///
/// Cheap to clone (clones share one context) and usable from any thread. A new context starts thread pools, so a program should
/// create few. The first context of a process takes about 14 ms, because libtiledb then starts the AWS SDK, which parses the
/// system's certificates three times. No setting of libtiledb avoids that. Later contexts take 0.2 ms.
#[derive(Clone)]
pub struct Context {
    inner: Arc<ContextInner>,
}

struct ContextInner {
    handle: Handle<sys::tiledb_ctx_t>,
    settings: Vec<(String, String)>,
}

/// Lets glibc keep the memory of tiles between queries. Together with `sm.mem.malloc_trim` this removes 77,000 page faults of a scan
/// of 13 columns, and a quarter of its CPU time, for 12 MB. Only libtiledb allocates there if the program has another allocator.
fn tune_allocator() {
    #[cfg(target_env = "gnu")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            for (parameter, value) in
                [(sys::M_MMAP_THRESHOLD, 64 << 20), (sys::M_TRIM_THRESHOLD, 32 << 20), (sys::M_ARENA_MAX, 2)]
            {
                // SAFETY: no memory is passed; glibc ignores a value that it cannot use.
                unsafe { sys::mallopt(parameter, value) };
            }
        });
    }
}

impl Context {
    /// Creates a context with TileDB settings (`("vfs.s3.region", "eu-west-1")`, …) on top of libtiledb's defaults.
    ///
    /// # Errors
    /// [`Error::Version`] if the loaded libtiledb is not 2.30, [`Error::Library`] for a value that libtiledb does not accept.
    pub fn new<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        version::check_loaded()?;
        tune_allocator();
        let settings: Vec<(String, String)> =
            settings.into_iter().chain(REQUIRED).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let config = config(&settings, &[])?;
        let mut context = ptr::null_mut();
        let mut error = ptr::null_mut();
        // SAFETY: a live configuration and two valid out pointers.
        let code = unsafe { sys::tiledb_ctx_alloc_with_error(config.as_ptr(), &mut context, &mut error) };
        check_detached(code, error, "create a context", "")?;
        // SAFETY: the call succeeded, so the caller owns the context.
        let handle = unsafe { Handle::from_raw(context, sys::tiledb_ctx_free) };
        let handle = handle.ok_or_else(|| null_returned("create a context", ""))?;
        Ok(Self { inner: Arc::new(ContextInner { handle, settings }) })
    }

    /// Creates a configuration with this context's settings and `more` on top.
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
        // SAFETY: a live context and a valid out pointer. The message may belong to a later failure in another thread;
        // the return code always belongs to this call.
        unsafe { sys::tiledb_ctx_get_last_error(self.as_ptr(), &mut error) };
        Err(Error::Library { action, uri: uri.to_owned(), message: message_of(error) })
    }

    /// Calls a constructor and takes ownership of the object.
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
        // SAFETY: the constructor succeeded, so the caller owns the object, and `free` is the function of its type.
        unsafe { Handle::from_raw(object, free) }.ok_or_else(|| null_returned(action, uri))
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

    /// Calls a getter that returns a borrowed C string, and copies it.
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
            return Err(null_returned(action, uri));
        }
        // SAFETY: the string is NUL-terminated and valid as long as its object, which the caller owns.
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }

    /// Copies and frees a string owned by the caller; `None` for a null pointer.
    pub(crate) fn take_text(&self, mut text: *mut sys::tiledb_string_t) -> Option<String> {
        if text.is_null() {
            return None;
        }
        let (mut bytes, mut length) = (ptr::null(), 0);
        // SAFETY: a live string object and two valid out pointers.
        let code = unsafe { sys::tiledb_string_view(text, &mut bytes, &mut length) };
        let copied = if code == sys::TILEDB_OK && !bytes.is_null() {
            // SAFETY: the view has `length` bytes until the string is freed, below.
            let view = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
            Some(String::from_utf8_lossy(view).into_owned())
        } else {
            None
        };
        // SAFETY: the caller owns the string, and it is freed once.
        unsafe { sys::tiledb_string_free(&mut text) };
        copied
    }
}

impl fmt::Debug for Context {
    /// Omits the settings, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// Converts text to a C string.
pub(crate) fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::NulByte { text: text.to_owned() })
}

fn config(settings: &[(String, String)], more: &[(&str, &str)]) -> Result<Handle<sys::tiledb_config_t>> {
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: two valid out pointers.
    let code = unsafe { sys::tiledb_config_alloc(&mut config, &mut error) };
    check_detached(code, error, "create a configuration", "")?;
    // SAFETY: the call succeeded, so the caller owns the configuration.
    let config = unsafe { Handle::from_raw(config, sys::tiledb_config_free) };
    let config = config.ok_or_else(|| null_returned("create a configuration", ""))?;
    let base = settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in base.chain(more.iter().copied()) {
        let (c_key, c_value) = (c_text(key)?, c_text(value)?);
        let mut error = ptr::null_mut();
        // SAFETY: a live configuration, two strings that outlive the call, a valid out pointer.
        let code = unsafe { sys::tiledb_config_set(config.as_ptr(), c_key.as_ptr(), c_value.as_ptr(), &mut error) };
        check_detached(code, error, "apply the setting", key)?;
    }
    Ok(config)
}

/// Turns the return code of a call without context into a result. Such calls return their error object directly.
fn check_detached(code: i32, error: *mut sys::tiledb_error_t, action: &'static str, uri: &str) -> Result<()> {
    if code == sys::TILEDB_OK {
        return Ok(());
    }
    Err(Error::Library { action, uri: uri.to_owned(), message: message_of(error) })
}

fn null_returned(action: &'static str, uri: &str) -> Error {
    Error::Library { action, uri: uri.to_owned(), message: "libtiledb returned a null pointer".to_owned() }
}

/// Returns the message of an error, and frees the error.
fn message_of(error: *mut sys::tiledb_error_t) -> String {
    // SAFETY: an error owned by the caller, or null, and the function that frees it.
    let Some(error) = (unsafe { Handle::from_raw(error, sys::tiledb_error_free) }) else {
        return "libtiledb returned no message".to_owned();
    };
    let mut text = ptr::null();
    // SAFETY: a live error and a valid out pointer.
    let code = unsafe { sys::tiledb_error_message(error.as_ptr(), &mut text) };
    if code != sys::TILEDB_OK || text.is_null() {
        return "libtiledb returned no message".to_owned();
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
        // SAFETY: a live configuration, a string that outlives the call, two valid out pointers.
        let code = unsafe { sys::tiledb_config_get(config.as_ptr(), key.as_ptr(), &mut value, &mut error) };
        check_detached(code, error, "get a setting", "").unwrap();
        assert!(!value.is_null(), "libtiledb does not know the setting");
        // SAFETY: a string of the configuration, which is still alive.
        unsafe { CStr::from_ptr(value) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn every_context_disables_the_tile_merge_task() {
        assert_ne!(value(&config(&[], &[]).unwrap(), TILE_MERGE), "0", "libtiledb merges by default");
        let context = Context::new([(TILE_MERGE, "100")]).unwrap();
        assert_eq!(value(&context.config_with(&[]).unwrap(), TILE_MERGE), "0");
    }
}
