//! The SQL function `landcover_name(release, code)`: the meaning of a code of `segment_landcover`, which depends on the release.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use isdb_schema::catalogue::variable;

const NAME: &str = "landcover_name";

/// Creates the function: `closed_forest_evergreen_needleleaf` for `('006', 111)`; NULL for a code that the release does not have.
pub(super) fn landcover_name_function() -> ScalarUDF {
    let exact = Signature::exact(vec![DataType::Utf8, DataType::Int64], Volatility::Immutable);
    let names = ["release", "code"].map(str::to_owned).to_vec();
    ScalarUDF::new_from_impl(LandcoverName { signature: Signature { parameter_names: Some(names), ..exact } })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LandcoverName {
    signature: Signature,
}

/// Returns the meanings of the codes that `release` has.
fn meanings(release: &str) -> HashMap<i64, &'static str> {
    let flags = release.parse().ok().and_then(|release| variable("segment_landcover")?.flags_of(release));
    let Some(flags) = flags else { return HashMap::new() };
    let codes = flags.values.split_whitespace().map(str::parse);
    codes.zip(flags.meanings.split_whitespace()).filter_map(|(code, meaning)| Some((code.ok()?, meaning))).collect()
}

impl ScalarUDFImpl for LandcoverName {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [releases, codes] = &ColumnarValue::values_to_arrays(&args.args)?[..] else {
            return exec_err!("expected {NAME}(release, code)");
        };
        let (releases, codes) = (releases.as_string::<i32>(), codes.as_primitive::<Int64Type>());
        // Rows of a release follow each other.
        let mut current = ("", HashMap::new());
        let names = (0..codes.len()).map(|row| {
            if releases.is_null(row) || codes.is_null(row) {
                return None;
            }
            let release = releases.value(row);
            if current.0 != release {
                current = (release, meanings(release));
            }
            current.1.get(&codes.value(row)).copied()
        });
        Ok(ColumnarValue::Array(Arc::new(names.collect::<StringArray>())))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::answer;

    #[tokio::test]
    async fn a_code_has_the_meaning_of_its_release() {
        assert_eq!(
            answer("SELECT landcover_name('004', 5) AS a, landcover_name('006', 111) AS b, landcover_name('007', code => 5) IS NULL AS c").await,
            "a|b|c;mixed_forest|closed_forest_evergreen_needleleaf|true"
        );
        assert_eq!(
            answer("SELECT landcover_name(NULL, 5) IS NULL AS a, landcover_name('004', NULL) IS NULL AS b").await,
            "a|b;true|true"
        );
        let rows = "(VALUES ('004', 1), ('005', 20), ('004', 2)) AS t(release, landcover)";
        assert_eq!(
            answer(&format!("SELECT landcover_name(release, landcover) AS a FROM {rows}")).await,
            "a;evergreen_needleleaf_forest;shrubs;evergreen_broadleaf_forest"
        );
    }
}
