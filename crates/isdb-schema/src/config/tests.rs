//! Valid configs, and the messages for invalid ones.

use super::*;

#[test]
fn the_built_in_config_is_valid_and_leaves_the_selection_to_the_database() {
    let config = Config::shipped().unwrap();
    assert!(config.variables.is_none() && config.derived.is_none() && config.filters.is_none());
    assert_eq!((config.database, config.capacity, config.threads), (None, None, None));
    assert_eq!(config.download, Download { folder: None, keep: false, connections: 4 });
}

#[test]
fn a_misspelt_variable_is_reported_with_its_line_and_a_suggestion() {
    let text = "product: ATL08\nvariables:\n  - h_canopy\n  - canopy_hh\nwindow:\n  granules: 4\n";
    let error = Config::parse("mine.yml", text).unwrap_err();
    assert_eq!(error.at, Some((4, 5)));
    assert!(error.to_string().starts_with("mine.yml:4:5: ATL08 has no variable \"canopy_hh\""), "{error}");
    assert!(error.to_string().contains("; did you mean "), "{error}");
}

#[test]
fn downloads_are_configured_within_the_limits_of_the_archive() {
    let text = "product: ATL08\ndownload: {folder: here, keep: true, connections: 8}\n";
    let download = Config::parse("mine.yml", text).unwrap().download;
    assert_eq!(download, Download { folder: Some("here".to_owned()), keep: true, connections: 8 });
    let error = Config::parse("mine.yml", "product: ATL08\ndownload: {connections: 80}\n").unwrap_err();
    assert!(error.to_string().contains("download.connections must be a whole number from 1 to 32"), "{error}");
}

#[test]
fn an_unknown_key_is_an_error() {
    let error = Config::parse("mine.yml", "product: ATL08\nwindow:\n  granules: 4\n  days: 3\n").unwrap_err();
    assert_eq!(error.at.map(|at| at.0), Some(4), "{error}");
    assert!(error.to_string().contains("days"), "{error}");
}

#[test]
fn variables_are_in_the_order_of_the_catalogue() {
    let text = "product: ATL08\nvariables: [h_te_best_fit, h_canopy]\nwindow: {granules: 1}\n";
    let names: Vec<_> = Config::parse("mine.yml", text).unwrap().variables.unwrap().iter().map(|v| v.name).collect();
    assert_eq!(names, ["h_canopy", "h_te_best_fit"]);
    let plain = "product: ATL08\nvariables: [terrain_h, canopy_h, h_canopy]\n";
    let names: Vec<_> = Config::parse("mine.yml", plain).unwrap().variables.unwrap().iter().map(|v| v.name).collect();
    assert_eq!(names, ["h_canopy", "h_te_best_fit"], "plain names are accepted too");
}

#[test]
fn filters_are_presets_and_the_user_s_rules_in_the_order_of_the_file() {
    let text = "product: ATL08\nfilters:\n  - strong\n  - tall: h_canopy > 5\n  - quality_007(terrain=70)\n";
    let rules = Config::parse("mine.yml", text).unwrap().filters.unwrap();
    let names: Vec<_> = rules.iter().map(|rule| rule.predicate.name.as_str()).collect();
    assert_eq!(names, ["strong", "tall", "quality_007.terrain", "quality_007.canopy"]);
    assert_eq!(rules[1].predicate.location.locate(1, 1), "mine.yml:4:11");
    assert!(rules[1].releases.contains(4));
    assert_eq!(rules[2].predicate.sql, "te_quality_score >= 70");
}

#[test]
fn an_invalid_filter_is_reported_with_its_line() {
    for (item, problem) in [
        ("nigth", "did you mean night?"),
        ("quality_007(te=1)", "it has terrain, canopy"),
        ("{Tall: h_canopy > 5}", "lower-case"),
        ("[1]", "name of a preset"),
    ] {
        let text = format!("product: ATL08\nfilters:\n  - strong\n  - {item}\n");
        let error = Config::parse("mine.yml", &text).unwrap_err();
        assert_eq!(error.at.map(|at| at.0), Some(4), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn a_derived_column_cannot_have_the_name_of_a_product_column() {
    let parse = |line: &str| Config::parse("mine.yml", &format!("product: ATL08\nderived:\n  {line}\n"));
    let derived = parse("above_dem: h_te_best_fit - dem_h").unwrap().derived.unwrap();
    assert_eq!((derived[0].name.as_str(), derived[0].sql.as_str()), ("above_dem", "h_te_best_fit - dem_h"));
    for name in ["h_canopy", "time", "ingest_id", "granule"] {
        let error = parse(&format!("{name}: 1")).unwrap_err();
        assert!(error.to_string().contains("column of the product"), "{error}");
    }
}

#[test]
fn a_rule_cannot_have_the_name_of_a_preset() {
    for name in ["none", "strong", "boreal"] {
        let message = message(&format!("product: ATL08\nfilters:\n  - {name}: h_canopy > 5\n"));
        assert!(
            message.contains(&format!(": {name} is the name of a preset; give the filter another name")),
            "{message}"
        );
    }
}

/// The message for an invalid config.
fn message(text: &str) -> String {
    Config::parse("c.yml", text).expect_err(text).to_string()
}

#[test]
fn a_filter_that_is_listed_twice_is_reported_at_its_second_line() {
    assert_eq!(message("product: ATL08\nfilters: [strong, strong]\n"), "c.yml:2:19: the filter strong is listed twice");
    let own = message("product: ATL08\nfilters:\n  - tall: h_canopy > 5\n  - tall: h_canopy > 6\n");
    assert_eq!(own, "c.yml:4:5: the filter tall is listed twice");
}

#[test]
fn sizes_durations_and_choices_may_be_numbers_or_words() {
    let text = "product: ATL08\nwindow: {bytes: 4000000000, span: day}\nresources: {memory: 1.5GB, spill: /scratch}\n\
                consolidate: {policy: none, keep: 12h}\nstorage: {lock_lifetime: 2min}\n";
    let config = Config::parse("c.yml", text).unwrap();
    assert_eq!((config.window.bytes, config.window.span), (4_000_000_000, Span::Day));
    assert_eq!((config.memory, config.spill.as_deref()), (Some(1_500_000_000), Some("/scratch")));
    assert_eq!((config.consolidate.policy, config.consolidate.keep_ms), (Policy::None, 43_200_000));
    assert_eq!(config.storage.lock_lifetime_ms, Some(120_000));
    let empty = Config::parse("c.yml", "product: ATL08\nwindow: {span: }\nconsolidate: {policy: }\n").unwrap();
    assert_eq!((empty.window.span, empty.consolidate.policy), (Span::Quarter, Policy::Space));
    assert_eq!("size".parse(), Ok(Policy::Size));
    assert_eq!(Policy::WORDS, ["space", "size", "none"]);
}

#[test]
fn invalid_values_are_reported_with_what_was_expected() {
    for (part, at, problem) in [
        ("window: {granules: 0}", "2:20", "window.granules must be a whole number from 1 "),
        ("layout: {capacity: 5}", "2:20", "layout.capacity must be a whole number from 100 to 10000000; "),
        ("layout:\n  capacity: abc", "3:13", "expected a whole number"),
        ("layout:\n  capacity: 1.5", "3:13", "expected a whole number"),
        ("layout:\n  capacity: [1]", "3:13", "expected a single value"),
        ("resources: {threads: -1}", "2:22", "expected a whole number"),
        ("resources: {memory: lots}", "2:21", "resources.memory: expected a size such as 512MB or 2GiB, found `lots`"),
        ("resources: {memory: 1000}", "2:21", "resources.memory must be at least 256000000 bytes, such as 2GB"),
        ("window: {bytes: 0}", "2:17", "window.bytes must be at least 1 bytes"),
        ("window: {span: decade}", "2:16", "expected one of day, week, month, quarter, found decade"),
        ("consolidate: {policy: all}", "2:23", "expected one of space, size, none, found all"),
        ("consolidate: {keep: ever}", "2:21", "consolidate.keep: expected a duration such as 30min, 12h or 7d"),
        ("storage: {lock_lifetime: 1}", "2:26", "storage.lock_lifetime: expected a duration such as 30min, 12h or 7d"),
        ("storage: {lock_lifetime: 0.5s}", "2:26", "storage.lock_lifetime: expected"),
        ("storage: {lock_lifetime: 999ms}", "2:26", "storage.lock_lifetime: expected at least 1s, found `999ms`"),
        ("download: {keep: maybe}", "2:18", "expected true or false"),
        ("resources: {threads: 70000}", "2:22", "resources.threads must be a whole number from 1 "),
    ] {
        let message = message(&format!("product: ATL08\n{part}\n"));
        assert!(message.starts_with(&format!("c.yml:{at}: {problem}")), "{message}");
    }
}

#[test]
fn an_invalid_config_is_reported_with_its_position_and_what_was_expected() {
    for (text, expected) in [
        ("", "c.yml:1:1: missing key product; add `product: ATL08`"),
        ("filters: none\n", "c.yml:1:1: missing key product; add `product: ATL08`"),
        ("product:\n", "c.yml:1:8: missing value"),
        ("- strong\n", "c.yml:1:1: expected keys, each as `key: value`"),
        ("product: ATL08\nwidnow: {granules: 1}\n", "c.yml:2:1: unknown key widnow; did you mean window?"),
        ("product: ATL08\nlayout:\n  tiles: 3\n", "c.yml:3:3: unknown key tiles; the keys are capacity"),
        ("product: ATL08\ndatabase: a\ndatabase: b\n", "c.yml:3:1: duplicate key database"),
        ("product: ATL08\nderived:\n  a: rgt\n  a: rgt\n", "c.yml:4:3: duplicate key a"),
        ("product: ATL08\nderived: [rgt]\n", "c.yml:2:10: expected keys, each as `key: value`"),
        ("product: ATL08\nderived:\n  a:\n", "c.yml:3:4: missing value"),
        ("product: ATL08\nvariables: h_canopy\n", "c.yml:2:12: expected a list of variables such as `- h_canopy`"),
        ("product: ATL08\nvariables: {h_canopy: 1}\n", "c.yml:2:12: expected a list of variables such as `- h_canopy`"),
        ("product: ATL08\nfilters: {strong: true}\n", "c.yml:2:10: expected a list of filters such as `- strong` or "),
        ("product: ATL08\nfilters:\n  -\n", "c.yml:3:4: expected the name of a preset (strong), or a rule"),
        ("product: ATL08\nfilters: strong\n", "c.yml:2:10: expected a list of filters such as `- strong` or "),
        ("product: ATL08\ndatabase: *there\n", "c.yml:2:11: unknown anchor: no value above has this &name"),
        ("product: ATL08\nwindow:\n\tgranules: 1\n", "c.yml:3:2: tabs"),
        ("product: ATL08\nfilters: [strong\n", "c.yml:2:10: unclosed bracket"),
    ] {
        let message = message(text);
        assert!(message.starts_with(expected) && message.lines().count() == 1, "{text}: {message}");
        assert!(!message.contains(" at line "), "{message}");
    }
}

#[test]
fn a_key_without_a_value_is_not_specified_and_none_means_no_filter() {
    let config = Config::parse("c.yml", "product: ATL08\nfilters:\nvariables:\nlayout:\n  capacity:\n").unwrap();
    assert!(config.filters.is_none() && config.variables.is_none() && config.capacity.is_none());
    for none in ["none", "[none]", "[]"] {
        let config = Config::parse("c.yml", &format!("product: ATL08\nfilters: {none}\n")).unwrap();
        assert_eq!(config.filters, Some(Vec::new()), "{none}");
    }
}

#[test]
fn sql_may_be_quoted_folded_or_an_alias() {
    let text = concat!(
        "product: ATL08\nfilters:\n  - a: \"beam = 'gt1l'\"\n  - b: 'beam = ''gt1l'''\n",
        "  - c: >-\n      h_canopy > 5\n      AND snr > 2\n  - d: |\n      h_canopy > 5\n      AND snr > 2\n",
        "  - e: &low h_canopy < 5\n  - f: *low\n",
    );
    let rules = Config::parse("c.yml", text).unwrap().filters.unwrap();
    let sql: Vec<_> = rules.iter().map(|rule| rule.predicate.sql.as_str()).collect();
    let (gt1l, low) = ("beam = 'gt1l'", "h_canopy < 5");
    assert_eq!(sql, [gt1l, gt1l, "h_canopy > 5 AND snr > 2", "h_canopy > 5\nAND snr > 2", low, low]);
}

#[test]
fn the_json_schema_in_config_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/atl08.schema.json");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, json_schema(), "update it: isdb config schema > config/atl08.schema.json");
}
