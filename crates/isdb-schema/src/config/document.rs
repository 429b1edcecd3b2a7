//! The config file as YAML writes it. The JSON Schema that editors check configs against is generated from these types.

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

/// What `isdb ingest` does: which product and variables, which quality filters, how the database is laid out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "isdb config")]
pub(super) struct Document {
    /// Where the database is. --db and ISDB_DB come before this.
    pub(super) database: Option<String>,
    /// Which product the granules are.
    #[schemars(with = "Product")]
    pub(super) product: Spanned<String>,
    /// The variables to store, by their names in the product or their plain ones (canopy_h). Without the list: all of them in a new database, the
    /// database's own in an existing one.
    #[schemars(with = "Option<Vec<VariableName>>")]
    pub(super) variables: Option<Spanned<Listed<String>>>,
    /// Columns to compute from a segment's other columns: name and SQL expression. Without them: none in a new database, the
    /// database's own in an existing one.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) derived: Option<BTreeMap<String, Spanned<String>>>,
    /// What a segment has to fulfil to be stored: presets by name, own rules as name and SQL expression; or the word none.
    /// Without it: none in a new database, the database's own in an existing one.
    #[schemars(with = "Option<Filters>")]
    pub(super) filters: Option<Spanned<Listed<Filter>>>,
    /// How the database is stored; fixed when it is created.
    pub(super) layout: Option<Layout>,
    /// Which granules become visible together.
    pub(super) window: Option<Window>,
    /// What ingest may use of the machine.
    pub(super) resources: Option<Resources>,
    /// How fragments are kept few and without overlap, and when old ones go.
    pub(super) consolidate: Option<Consolidate>,
    /// How granules of NASA's archive are fetched.
    pub(super) download: Option<Download>,
}

/// How the database is stored.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// Segments in one data tile, the least that a query reads: fewer suit small boxes, more suit large scans.
    #[schemars(with = "Option<u64>", range(min = 100, max = 10_000_000))]
    pub(super) capacity: Option<Spanned<Whole>>,
}

/// Which granules become visible together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// At most this many granules in one window.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub(super) granules: Option<Spanned<Whole>>,
    /// At most about this many bytes of granule files in one window, such as 4GB.
    #[schemars(with = "Option<Amount>")]
    pub(super) bytes: Option<Spanned<Text>>,
    /// The calendar span that no window crosses.
    #[schemars(with = "Option<SpanName>")]
    pub(super) span: Option<Spanned<Text>>,
}

/// What ingest may use of the machine.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resources {
    /// How many processors; all of them without it.
    #[schemars(with = "Option<u16>", range(min = 1))]
    pub(super) threads: Option<Spanned<Whole>>,
    /// How much memory for rows in flight, such as 2GB; what does not fit is spilled to disk.
    #[schemars(with = "Option<Amount>")]
    pub(super) memory: Option<Spanned<Text>>,
}

/// How fragments are kept few and without overlap, and when old ones go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Consolidate {
    /// space joins fragments that lie over each other, size small ones, none leaves them.
    #[schemars(with = "Option<PolicyName>")]
    pub(super) policy: Option<Spanned<Text>>,
    /// An ingest consolidates by itself when so many fragments of a quarter are worth joining; 0 for never.
    #[schemars(with = "Option<u32>")]
    pub(super) fragments: Option<Spanned<Whole>>,
    /// How long replaced fragments stay for queries that are running, such as 1d.
    #[schemars(with = "Option<Amount>")]
    pub(super) keep: Option<Spanned<Text>>,
}

/// How granules of NASA's archive are fetched.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Download {
    /// The folder that granules are fetched into. Without it a folder beside the database, `<database>.granules`. --data comes
    /// before this.
    pub(super) folder: Option<String>,
    /// Whether fetched granules stay when they are in the database. --keep comes before this.
    pub(super) keep: Option<bool>,
    /// How many granules are fetched at a time.
    #[schemars(with = "Option<u8>", range(min = 1, max = 32))]
    pub(super) connections: Option<Spanned<Whole>>,
}

/// An item of the list of filters.
pub(super) enum Filter {
    /// The name of a preset, with its parameters if it has any.
    Preset(String),
    /// Rules of the user's own, by name.
    Own(Vec<(String, Spanned<String>)>),
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, since serde's untagged enums lose the positions.
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Filter;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "the name of a preset (strong), or a rule as `name: SQL expression`")
            }

            fn visit_str<E>(self, preset: &str) -> Result<Filter, E> {
                Ok(Filter::Preset(preset.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filter, A::Error> {
                let mut rules = Vec::new();
                while let Some(rule) = map.next_entry()? {
                    rules.push(rule);
                }
                Ok(Filter::Own(rules))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What should be a list, so that what is none can be told by the name of its key.
pub(super) enum Listed<T> {
    /// It is one.
    Items(Vec<Spanned<T>>),
    /// It is this word.
    Word(String),
    /// It is neither.
    Else,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Listed<T>;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Listed::Items(items))
            }

            fn visit_str<E>(self, word: &str) -> Result<Listed<T>, E> {
                Ok(Listed::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Listed::Else)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// A whole number, or None for any other number, word or truth value, so that it can be told by the name of its key.
pub(super) struct Whole(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Whole;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(Some(number)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(u64::try_from(number).ok()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Whole, E> {
                Ok(Whole(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Whole, E> {
                Ok(Whole(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<Whole, E> {
                Ok(Whole(None))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

/// A word or number, as it is written.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Text;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, "a word or a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_bool<E>(self, word: bool) -> Result<Text, E> {
                Ok(Text(word.to_string()))
            }

            fn visit_str<E>(self, word: &str) -> Result<Text, E> {
                Ok(Text(word.to_owned()))
            }
        }
        deserializer.deserialize_any(Scalar)
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

struct SpanName;

impl JsonSchema for SpanName {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("SpanName")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": Span::ALL.map(Span::as_str) })
    }
}

struct PolicyName;

impl JsonSchema for PolicyName {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("PolicyName")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": Policy::ALL.map(Policy::as_str) })
    }
}

struct Filters;

impl JsonSchema for Filters {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Filters")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let filter = generator.subschema_for::<Filter>();
        json_schema!({ "anyOf": [{ "const": NONE }, { "type": "array", "items": filter }] })
    }
}

impl JsonSchema for Filter {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Filter")
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
