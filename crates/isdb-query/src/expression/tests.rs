use arrow::datatypes::{DataType, Field, Schema};
use isdb_schema::expression::{Expression, SourceLocation};

use super::ExpressionBinder;

fn expression(sql: &str) -> Expression {
    let text = format!("filters:\n  - mine: {sql}\n");
    Expression { name: "mine".into(), sql: sql.into(), location: SourceLocation::in_file("f.yml", &text, (2, 11), sql) }
}

fn error(sql: &str) -> String {
    ExpressionBinder::for_product().unwrap().bind_predicate(&expression(sql)).unwrap_err().to_string()
}

#[test]
fn a_plain_name_is_bound_to_its_column() {
    let bound = ExpressionBinder::for_product()
        .unwrap()
        .bind_predicate(&expression("canopy_h > 5 AND night_flag = 1"))
        .unwrap();
    assert_eq!(bound.columns, ["h_canopy", "night_flag"]);
}

#[test]
fn the_columns_of_a_granule_can_be_used() {
    let sql = "qa_granule_pass_fail = 0 AND release >= '006'";
    let bound = ExpressionBinder::for_product().unwrap().bind_predicate(&expression(sql)).unwrap();
    assert_eq!(bound.columns, ["qa_granule_pass_fail", "release"]);
}

#[test]
fn an_error_about_an_unknown_column_has_its_location_and_a_similar_name() {
    let error = error("night_flag = 1 AND h_canop > 5");
    assert!(error.starts_with("f.yml:2:30: mine: no column is called h_canop; did you mean h_canopy"), "{error}");
}

#[test]
fn a_syntax_error_has_line_and_column() {
    let unexpected = error("h_canopy > > 5");
    assert!(unexpected.starts_with("f.yml:2:22: mine: Expected"), "{unexpected}");
    assert!(error("h_canopy > 5 5").starts_with("f.yml:2:24: mine: Expected"), "{}", error("h_canopy > 5 5"));
}

#[test]
fn a_predicate_must_be_boolean_and_over_one_segment() {
    assert!(error("h_canopy + 1").contains("TRUE or FALSE"));
    assert!(error("avg(h_canopy) > 5").contains("one segment at a time"));
    assert!(error("h_canopy > (SELECT 1)").starts_with("f.yml:2:"));
    assert!(error("night_flag = 1 AND h_canopy > '5'").starts_with("f.yml:2:30: mine: h_canopy and "));
    assert!(error("beam IN (1, 2)").contains("one is a number"));
}

#[test]
fn errors_about_functions_have_a_location_and_one_line() {
    let unknown = error("rgt > 1 AND flor(h_canopy) > 1");
    assert!(unknown.starts_with("f.yml:2:23: mine: Invalid function 'flor'"), "{unknown}");
    let misfit = error("rgt > 1 AND abs() > 1");
    assert!(misfit.starts_with("f.yml:2:23: mine: 'abs' does not support zero arguments"), "{misfit}");
    for error in [unknown, misfit] {
        assert!(error.lines().count() == 1 && !error.contains("Error during planning"), "{error}");
    }
}

#[test]
fn an_error_about_a_variable_that_is_not_stored_names_the_command_that_adds_it() {
    let table = Schema::new(vec![Field::new("h_canopy", DataType::Float32, true)]);
    let error =
        ExpressionBinder::for_table(&table).unwrap().bind_predicate(&expression("segment_snowcover = 1")).unwrap_err();
    assert!(error.to_string().ends_with("`isdb add-variable segment_snowcover`"), "{error}");
}

#[test]
fn filters_and_derived_columns_refuse_the_same_forms_as_queries() {
    for (sql, expected) in [
        ("rgt > 1 AND canopy_h^2.1 > 5", "f.yml:2:31: mine: canopy_h ^ 2.1 is not a power"),
        ("rgt > 1 AND beam = 'GT1L'", "f.yml:2:23: mine: beam has no value 'GT1L'; write 'gt1l'"),
        ("rgt > 1 AND landcover IN (20, 999)", "f.yml:2:23: mine: landcover has no value 999"),
        ("rgt > 1 AND canopy_h = NULL", "f.yml:2:23: mine: a comparison with NULL is never true"),
        ("rgt > 1 AND canopy_h_metrics[19] > 5", "f.yml:2:23: mine: canopy_h_metrics has no element 19"),
        ("rgt > 1 AND year(time) = 2019", "f.yml:2:23: mine: Invalid function 'year'; write date_part("),
    ] {
        let refused = error(sql);
        assert!(refused.starts_with(expected), "{sql}: {refused}");
    }
    let binder = ExpressionBinder::for_product().unwrap();
    for refused in ["canopy_h ^ 2", "canopy_h_metrics[0]"] {
        assert!(binder.bind(&expression(refused)).is_err(), "{refused}");
    }
}

#[test]
fn integers_divide_with_a_fraction_in_filters_and_derived_columns() {
    let binder = ExpressionBinder::for_product().unwrap();
    let kind = |sql| binder.bind(&expression(sql)).unwrap().data_type;
    assert_eq!(kind("canopy_cover / 100"), DataType::Float64);
    assert_eq!(kind("div(segment_id_beg, 100)"), DataType::Int64);
}

#[test]
fn every_shipped_filter_is_valid() {
    let binder = ExpressionBinder::for_product().unwrap();
    for preset in isdb_schema::filters::presets() {
        for rule in isdb_schema::filters::choose(preset.name).unwrap() {
            binder.bind_predicate(&rule.predicate).unwrap();
        }
    }
}
