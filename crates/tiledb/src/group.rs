//! TileDB groups: named members and metadata at one URI.

use std::collections::BTreeMap;
use std::ptr;

use tiledb_sys as sys;

use crate::context::{Context, c_text};
use crate::error::Result;
use crate::handle::Handle;
use crate::metadata::{self, MetadataEntry, MetadataValue};

/// The kind of TileDB object at a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// An array.
    Array,
    /// A group.
    Group,
}

impl ObjectKind {
    fn from_tiledb(object: sys::tiledb_object_t) -> Option<Self> {
        match object {
            sys::TILEDB_ARRAY => Some(Self::Array),
            sys::TILEDB_GROUP => Some(Self::Group),
            _ => None,
        }
    }
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name in the group; the URI if it was added without a name.
    pub name: String,
    /// The full URI.
    pub uri: String,
    /// The kind of object; `None` if the URI holds none.
    pub kind: Option<ObjectKind>,
}

/// Returns the kind of object at `uri`; `None` if it is neither array nor group.
///
/// # Errors
/// [`crate::Error::Library`] if the storage cannot be reached.
pub fn object_kind(ctx: &Context, uri: &str) -> Result<Option<ObjectKind>> {
    let c_uri = c_text(uri)?;
    // SAFETY: a live context, a string that outlives the call, a valid out pointer.
    let object = ctx.get("look up", uri, |c, out| unsafe { sys::tiledb_object_type(c, c_uri.as_ptr(), out) })?;
    Ok(ObjectKind::from_tiledb(object))
}

/// Creates an empty group.
///
/// # Errors
/// [`crate::Error::Library`] if the URI is in use or cannot be written.
pub fn create(ctx: &Context, uri: &str) -> Result<()> {
    let c_uri = c_text(uri)?;
    // SAFETY: a live context, a string that outlives the call.
    ctx.check(unsafe { sys::tiledb_group_create(ctx.as_ptr(), c_uri.as_ptr()) }, "create the group", uri)
}

/// Adds the array or group at `member_uri` as `name`. The URI is relative to the group, so both can be moved together.
///
/// # Errors
/// [`crate::Error::Library`] if the member or the group does not exist, or the name is in use.
pub fn add_member(ctx: &Context, group_uri: &str, member_uri: &str, name: &str) -> Result<()> {
    let group = OpenGroup::new(ctx, group_uri, sys::TILEDB_WRITE)?;
    let (c_member, c_name) = (c_text(member_uri)?, c_text(name)?);
    // SAFETY: a group open for writing, strings that outlive the call.
    let code = unsafe {
        sys::tiledb_group_add_member(ctx.as_ptr(), group.handle.as_ptr(), c_member.as_ptr(), 1, c_name.as_ptr())
    };
    ctx.check(code, "add a member to the group", group_uri)?;
    group.close(group_uri)
}

/// Returns the group's members, sorted by name.
///
/// # Errors
/// [`crate::Error::Library`] if the group does not exist.
pub fn members(ctx: &Context, uri: &str) -> Result<Vec<Member>> {
    const ACTION: &str = "list the members of";
    let group = OpenGroup::new(ctx, uri, sys::TILEDB_READ)?;
    let g = group.handle.as_ptr();
    // SAFETY: an open group and a valid out pointer.
    let count: u64 = ctx.get(ACTION, uri, |c, out| unsafe { sys::tiledb_group_get_member_count(c, g, out) })?;
    let mut members = Vec::new();
    for index in 0..count {
        let (mut member, mut object, mut name) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: an open group, an index below its count, three valid out pointers; the caller owns both strings.
        let code = unsafe {
            sys::tiledb_group_get_member_by_index_v2(ctx.as_ptr(), g, index, &mut member, &mut object, &mut name)
        };
        ctx.check(code, ACTION, uri)?;
        let member = ctx.take_text(member).unwrap_or_default();
        let name = ctx.take_text(name).unwrap_or_else(|| member.clone());
        members.push(Member { name, uri: member, kind: ObjectKind::from_tiledb(object) });
    }
    group.close(uri)?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// Returns the group's metadata, without values that are neither text nor one number.
///
/// # Errors
/// [`crate::Error::Library`] if the group does not exist.
pub fn metadata(ctx: &Context, uri: &str) -> Result<BTreeMap<String, MetadataValue>> {
    let group = OpenGroup::new(ctx, uri, sys::TILEDB_READ)?;
    let g = group.handle.as_ptr();
    // SAFETY: an open group and a valid out pointer.
    let count = ctx.get("read metadata of", uri, |c, out| unsafe { sys::tiledb_group_get_metadata_num(c, g, out) })?;
    let entries = metadata::read(ctx, uri, count, |index, entry| {
        let MetadataEntry { key, key_length, datatype, count, value } = entry;
        // SAFETY: an open group, an index below the count, five valid out pointers.
        unsafe {
            sys::tiledb_group_get_metadata_from_index(ctx.as_ptr(), g, index, key, key_length, datatype, count, value)
        }
    })?;
    group.close(uri)?;
    Ok(entries)
}

/// Writes metadata of the group, stamped with the current time.
///
/// # Errors
/// [`crate::Error::Library`] if the group does not exist or cannot be written.
pub fn put_metadata(ctx: &Context, uri: &str, entries: &[(String, MetadataValue)]) -> Result<()> {
    let group = OpenGroup::new(ctx, uri, sys::TILEDB_WRITE)?;
    for (key, value) in entries {
        metadata::write(ctx, uri, key, value, |key, datatype, count, value| {
            // SAFETY: a group open for writing; key and value outlive the call.
            unsafe { sys::tiledb_group_put_metadata(ctx.as_ptr(), group.handle.as_ptr(), key, datatype, count, value) }
        })?;
    }
    group.close(uri)
}

/// An open group. Metadata and members are written by [`OpenGroup::close`] and lost without it.
struct OpenGroup<'a> {
    ctx: &'a Context,
    handle: Handle<sys::tiledb_group_t>,
}

impl<'a> OpenGroup<'a> {
    fn new(ctx: &'a Context, uri: &str, query_type: sys::tiledb_query_type_t) -> Result<Self> {
        const ACTION: &str = "open the group";
        let c_uri = c_text(uri)?;
        // SAFETY: a live context, a string that outlives the call, a valid out pointer.
        let handle = ctx.make(ACTION, uri, sys::tiledb_group_free, |c, out| unsafe {
            sys::tiledb_group_alloc(c, c_uri.as_ptr(), out)
        })?;
        // SAFETY: a live group that is not open yet.
        ctx.check(unsafe { sys::tiledb_group_open(ctx.as_ptr(), handle.as_ptr(), query_type) }, ACTION, uri)?;
        Ok(Self { ctx, handle })
    }

    fn close(self, uri: &str) -> Result<()> {
        // SAFETY: an open group.
        let code = unsafe { sys::tiledb_group_close(self.ctx.as_ptr(), self.handle.as_ptr()) };
        self.ctx.check(code, "close the group", uri)
    }
}
