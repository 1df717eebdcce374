//! What a look-up gives.

use std::collections::BTreeSet;

use budstikke_message::identifier::ProcessId;
use serde::Serialize;

use super::error::LookupError;
use crate::model::{InfoRecord, Lookup, ServiceRecord};
use crate::rules::Trail;

/// Who the receiver is and how it can be reached.
#[derive(Clone)]
pub struct Answer {
    /// Who the receiver is.
    pub info: InfoRecord,
    /// How it can be reached; by chapter of the rules, then by process.
    pub records: Vec<ServiceRecord>,
    /// What should be here and could not be made. Empty: the answer is whole.
    pub left_out: Vec<LeftOut>,
}

impl Answer {
    /// The registers that gave no answer, so that something is left out. Empty: what is left out is not there.
    pub fn unanswered(&self) -> BTreeSet<&'static str> {
        let errors = self.left_out.iter().map(|left_out| &left_out.error);
        errors.filter_map(LookupError::register).collect()
    }

    /// What goes over the wire.
    pub fn into_lookup(self) -> Lookup {
        Lookup {
            info_record: self.info,
            service_records: self.records,
        }
    }
}

/// A record, or a whole process, that could not be answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The process.
    pub process: ProcessId,
    /// The service of the record; `None`: nothing could be decided for the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Why. Names nobody.
    #[serde(serialize_with = "as_text")]
    pub error: LookupError,
}

fn as_text<S: serde::Serializer>(error: &LookupError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}

/// An answer, and how it came about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What the look-up gives; `None`: it is an error.
    pub answer: Option<Lookup>,
    /// The error of the look-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What should be in the answer and could not be made.
    pub left_out: Vec<LeftOut>,
    /// Each process that was asked for, in the order of the answer. Names nobody.
    pub processes: Vec<Trail>,
}
