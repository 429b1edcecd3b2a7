//! Names near to what was typed.

/// At most four of `names`, best first.
#[must_use]
pub fn near<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&typed, &lower);
            (lower.contains(&typed) || typed.contains(&lower) || distance <= 2).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(4).map(|(_, name)| name).collect()
}

/// What ATL08 has instead of a name of another product.
#[must_use]
pub fn counterpart(_typed: &str) -> Option<&'static str> {
    None
}
