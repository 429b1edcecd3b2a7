//! The config file as YAML: its sections before they are checked. The JSON Schema, with which editors complete and
//! check configs, is generated from these types.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_yaml::Spanned;

use super::policy::{Policy, Span};
use crate::catalogue;
use crate::filters::{NONE, presets};

/// What `isdb ingest` does: which product, variables and quality filters, and the layout of the database.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "isdb config")]
pub(super) struct Document {
    /// The location of the database: a folder, or s3://bucket/prefix. --db and ISDB_DB override it.
    pub(super) database: Option<String>,
    /// The object store of a database at s3://bucket/prefix. What is absent here comes from the AWS_ variables and the profile.
    pub(super) storage: Option<StorageSection>,
    /// The product of the granules.
    #[schemars(with = "Product")]
    pub(super) product: Spanned<String>,
    /// The variables to store, by their names in the product or their plain names (canopy_h). Default: all variables in a new
    /// database, those of the database in an existing one.
    #[schemars(with = "Option<Vec<VariableName>>")]
    pub(super) variables: Option<Spanned<ListOrWord<String>>>,
    /// Columns to compute from other columns of a segment: name and SQL expression. Default: none in a new database,
    /// those of the database in an existing one.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) derived: Option<BTreeMap<String, Spanned<String>>>,
    /// The conditions for a segment to be stored: presets by name, your own rules as name and SQL expression; or the
    /// word none. Default: none in a new database, those of the database in an existing one.
    #[schemars(with = "Option<Filters>")]
    pub(super) filters: Option<Spanned<ListOrWord<FilterItem>>>,
    /// The storage layout of the database, fixed when it is created.
    pub(super) layout: Option<LayoutSection>,
    /// Which granules become visible together.
    pub(super) window: Option<WindowSection>,
    /// The processors, memory and scratch disk that ingest may use.
    pub(super) resources: Option<ResourcesSection>,
    /// When fragments are joined, and when replaced ones are deleted.
    pub(super) consolidate: Option<ConsolidateSection>,
    /// How granules are downloaded from NASA's archive.
    pub(super) download: Option<DownloadSection>,
}

/// The object store of a database at s3://bucket/prefix.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageSection {
    /// The URL of an S3-compatible store other than AWS, such as `https://s3.example.org`.
    pub(super) endpoint: Option<String>,
    /// The region of the bucket.
    pub(super) region: Option<String>,
    /// Whether the bucket is part of the path of a URL, and not of its host. Default: with an endpoint.
    pub(super) path_style: Option<bool>,
    /// Whether requests without TLS are allowed.
    pub(super) allow_http: Option<bool>,
    /// Whether requests are anonymous, as for a public bucket.
    pub(super) anonymous: Option<bool>,
    /// The profile in ~/.aws/config and ~/.aws/credentials with the credentials.
    pub(super) profile: Option<String>,
    /// How long a writer's lock is valid without a renewal, such as 60s: as long as another machine waits after a writer has died.
    #[schemars(with = "Option<Amount>")]
    pub(super) lock_lifetime: Option<Spanned<String>>,
}

/// The storage layout of the database.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutSection {
    /// Segments in one data tile, the smallest unit that a query reads: small tiles suit small boxes, large tiles large scans.
    #[schemars(with = "Option<u64>", range(min = 100, max = 10_000_000))]
    pub(super) capacity: Option<Spanned<u64>>,
}

/// Which granules become visible together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowSection {
    /// At most this many granules in one window.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub(super) granules: Option<Spanned<u64>>,
    /// At most about this many bytes of granule files in one window, such as 600MB.
    #[schemars(with = "Option<Amount>")]
    pub(super) bytes: Option<Spanned<String>>,
    /// The calendar span that no window crosses.
    pub(super) span: Option<Span>,
}

/// The processors, memory and scratch disk that ingest may use.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourcesSection {
    /// The number of processors. Default: all.
    #[schemars(with = "Option<u16>", range(min = 1))]
    pub(super) threads: Option<Spanned<u64>>,
    /// Memory for rows in flight, such as 2GB; rows that do not fit are spilled to disk.
    #[schemars(with = "Option<Amount>")]
    pub(super) memory: Option<Spanned<String>>,
    /// An existing folder for rows that do not fit in memory. Default: a folder within the database. --spill overrides it.
    pub(super) spill: Option<String>,
}

/// When fragments are joined, and when replaced ones are deleted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsolidateSection {
    /// space joins fragments that overlap, size joins small fragments, none joins none.
    pub(super) policy: Option<Policy>,
    /// An ingest consolidates when this many fragments of a quarter are worth joining; 0 for never.
    #[schemars(with = "Option<u32>")]
    pub(super) fragments: Option<Spanned<u64>>,
    /// How long replaced fragments are kept for running queries, such as 1d.
    #[schemars(with = "Option<Amount>")]
    pub(super) keep: Option<Spanned<String>>,
}

/// How granules are downloaded from NASA's archive.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DownloadSection {
    /// The folder for downloaded granules. Default: `<database>.granules` beside the database. --data overrides it.
    pub(super) folder: Option<String>,
    /// Whether downloaded granules are kept once they are in the database. --keep overrides it.
    pub(super) keep: Option<bool>,
    /// The number of granules downloaded at a time.
    #[schemars(with = "Option<u8>", range(min = 1, max = 32))]
    pub(super) connections: Option<Spanned<u64>>,
}

/// An item of the list of filters.
pub(super) enum FilterItem {
    /// The name of a preset, with values of its parameters.
    Preset(String),
    /// The user's own rules, by name.
    Rules(Vec<(String, Spanned<String>)>),
}

impl<'de> Deserialize<'de> for FilterItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, because serde's untagged enums lose the positions.
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = FilterItem;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "the name of a preset (strong), or a rule as `name: SQL expression`")
            }

            fn visit_str<E>(self, preset: &str) -> Result<FilterItem, E> {
                Ok(FilterItem::Preset(preset.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FilterItem, A::Error> {
                let mut rules = Vec::new();
                while let Some(rule) = map.next_entry()? {
                    rules.push(rule);
                }
                Ok(FilterItem::Rules(rules))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The value of a key that expects a list. Other values are accepted here, so that the error can say what to write.
pub(super) enum ListOrWord<T> {
    /// A list.
    Items(Vec<Spanned<T>>),
    /// A single word.
    Word(String),
    /// A mapping.
    Mapping,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ListOrWord<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = ListOrWord<T>;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ListOrWord<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(ListOrWord::Items(items))
            }

            fn visit_str<E>(self, word: &str) -> Result<ListOrWord<T>, E> {
                Ok(ListOrWord::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListOrWord<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ListOrWord::Mapping)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

struct Amount;

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Amount")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

struct Filters;

impl JsonSchema for Filters {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Filters")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let filter = generator.subschema_for::<FilterItem>();
        json_schema!({ "anyOf": [{ "const": NONE }, { "type": "array", "items": filter }] })
    }
}

impl JsonSchema for FilterItem {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("FilterItem")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
        let with_parameters = format!("^({}) *\\(.*\\)$", names.join("|"));
        json_schema!({
            "description": "the name of a preset, or a rule as `name: SQL expression`",
            "anyOf": [
                { "enum": names },
                { "type": "string", "pattern": with_parameters },
                { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 },
            ],
        })
    }
}

struct Product;

impl JsonSchema for Product {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Product")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": "ATL08" })
    }
}

struct VariableName;

impl JsonSchema for VariableName {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("VariableName")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = catalogue::variables();
        let plain = all.iter().filter_map(|variable| variable.plain);
        let names: Vec<&str> = all.iter().map(|variable| variable.name).chain(plain).collect();
        json_schema!({ "enum": names })
    }
}

/// The JSON Schema of a config file.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Document);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
