//! `types.failure`, both ways.

use crate::bindings::budstikke::plugin::types;
use crate::services::Failure;

/// Bytes of a detail that are kept.
const DETAIL: usize = 4 << 10;
/// Bytes of a code that are kept.
const CODE: usize = 100;

/// The house's failure as the guest sees it.
pub(crate) fn to_contract(failure: Failure) -> types::Failure {
    match failure {
        Failure::Temporary { detail, retry_after } => types::Failure::Temporary(types::TemporaryFailure {
            detail: cut(detail, DETAIL),
            retry_after,
        }),
        Failure::Unknown { detail, retry_after } => types::Failure::Unknown(types::TemporaryFailure {
            detail: cut(detail, DETAIL),
            retry_after,
        }),
        Failure::Permanent { code, detail } => types::Failure::Permanent(types::PermanentFailure {
            code: cut(code, CODE),
            detail: cut(detail, DETAIL),
        }),
    }
}

/// The guest's failure as the house sees it. A kind that is unknown here is temporary.
pub(crate) fn from_contract(failure: types::Failure) -> Failure {
    match failure {
        types::Failure::Temporary(types::TemporaryFailure { detail, retry_after }) => Failure::Temporary {
            detail: cut(detail, DETAIL),
            retry_after,
        },
        types::Failure::Unknown(types::TemporaryFailure { detail, retry_after }) => Failure::Unknown {
            detail: cut(detail, DETAIL),
            retry_after,
        },
        types::Failure::Permanent(types::PermanentFailure { code, detail }) => Failure::Permanent {
            code: cut(code, CODE),
            detail: cut(detail, DETAIL),
        },
        types::Failure::Other(detail) => Failure::Temporary {
            detail: cut(detail, DETAIL),
            retry_after: None,
        },
    }
}

/// At most `limit` bytes of a text, cut between characters.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let failure = types::Failure::Other("ø".repeat(3000));
        let Failure::Temporary { detail, .. } = from_contract(failure) else {
            panic!("not temporary")
        };
        assert_eq!(detail, "ø".repeat(2048));
    }
}
