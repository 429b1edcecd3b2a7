//! The normal form of predicates: no Not, no NULL, no And inside an And, no Or inside an Or.

use crate::predicate::tree::Predicate;

impl Predicate {
    /// Returns a predicate in normal form that is true for the same cells.
    ///
    /// Negation moves down to the comparisons, each of which has an exact opposite. And and Or never turn NULL into true, so NULL
    /// becomes false once no Not is left. Constants remain only as the whole predicate.
    pub(crate) fn normal_form(&self) -> Self {
        self.normalize(false)
    }

    fn normalize(&self, negate: bool) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(Some(value.is_some_and(|value| value != negate))),
            Self::Opaque => Self::Opaque,
            Self::Compare { column, op, value } => {
                let op = if negate { op.negated() } else { *op };
                Self::Compare { column: column.clone(), op, value: value.clone() }
            }
            Self::In { values, negated, .. } if values.is_empty() => Self::Constant(Some(*negated != negate)),
            Self::In { column, values, negated } => {
                Self::In { column: column.clone(), values: values.clone(), negated: *negated != negate }
            }
            Self::IsNull { column, negated } => Self::IsNull { column: column.clone(), negated: *negated != negate },
            Self::And(parts) if negate => Self::any(parts.iter().map(|part| part.normalize(true))),
            Self::And(parts) => Self::all(parts.iter().map(|part| part.normalize(false))),
            Self::Or(parts) if negate => Self::all(parts.iter().map(|part| part.normalize(true))),
            Self::Or(parts) => Self::any(parts.iter().map(|part| part.normalize(false))),
            Self::Not(part) => part.normalize(!negate),
        }
    }
}
