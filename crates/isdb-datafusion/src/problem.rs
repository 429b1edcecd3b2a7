//! What DataFusion refused, in one line: without the steps on which it came up and without the candidates it lists.

use datafusion::error::DataFusionError;

/// The problem at the root of `error`: its first line without what kind of error it is, and DataFusion's guess at what was
/// meant behind it.
pub fn problem(error: &DataFusionError) -> String {
    let message = error.find_root().message();
    let mut lines = message.lines().map(str::trim);
    let first = lines.next().unwrap_or_default().trim_end_matches('.');
    match lines.find_map(|line| line.strip_prefix("Did you mean ")) {
        Some(guess) => format!("{first}; did you mean {guess}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_above_a_problem_and_the_candidates_below_it_are_left_out() {
        let root =
            DataFusionError::Plan("Invalid function 'flor'.\nDid you mean 'floor'?\nCandidates: many".to_owned());
        let above = root.context("Optimizer rule 'simplify_expressions' failed");
        assert_eq!(problem(&above), "Invalid function 'flor'; did you mean 'floor'?");
    }
}
