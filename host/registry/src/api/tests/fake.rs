//! A directory that answers what it is told, and a guard that knows two users.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use budstikke_message::identifier::{Identifier, OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::keys;
use crate::api::{AdminGate, Admission, Answer, Explanation, LookupError, Lookups, Query};
use crate::caller::{Caller, CallerToken};
use crate::lookup::LeftOut;
use crate::model::{EntityType, InfoRecord, Service, ServiceRecord};
use crate::rules::Trail;

#[derive(Default)]
pub(super) struct Directory {
    /// What every question fails with.
    pub(super) error: Option<LookupError>,
    /// Why something is left out of every answer.
    pub(super) left_out: Vec<LookupError>,
    /// What was asked last: query, caller's organisation.
    pub(super) asked: std::sync::Arc<Mutex<Option<(Query, String)>>>,
}

impl Directory {
    pub(super) fn failing(error: LookupError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    fn answer(&self, query: &Query, caller: &str, process: &str) -> Result<Answer, LookupError> {
        *self.asked.lock().unwrap() = Some((query.clone(), caller.to_owned()));
        let info = self.record(query)?;
        let record = ServiceRecord {
            organisation_number: query.receiver.primary().to_owned(),
            process: process.to_owned(),
            document_types: vec!["t::1".into()],
            service: Service {
                identifier: "DPV".into(),
                ..Service::default()
            },
            ..ServiceRecord::default()
        };
        let left_out = self.left_out.iter().map(|error| LeftOut {
            process: "p:b".parse().unwrap(),
            service: None,
            error: error.clone(),
        });
        Ok(Answer {
            info,
            records: vec![record],
            left_out: left_out.collect(),
        })
    }

    fn record(&self, query: &Query) -> Result<InfoRecord, LookupError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let person = matches!(query.receiver, Identifier::Person(_));
        Ok(InfoRecord {
            identifier: query.receiver.primary().to_owned(),
            organization_name: (!person).then(|| "EKSEMPELETATEN".to_owned()),
            entity_type: Some(EntityType {
                name: if person { "citizen" } else { "ORGL" }.into(),
            }),
            ..InfoRecord::default()
        })
    }
}

#[async_trait]
impl Lookups for Directory {
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Answer, LookupError> {
        self.answer(query, caller.organisation.as_str(), "p:a")
    }

    async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Answer, LookupError> {
        self.answer(query, caller.organisation.as_str(), process.as_str())
    }

    async fn info(&self, query: &Query, token: &CallerToken) -> Result<InfoRecord, LookupError> {
        assert!(!token.secret().is_empty());
        self.record(query)
    }

    async fn certificate(&self, _: &OrganisationNumber, scopes: &BTreeSet<String>) -> Result<Certificate, LookupError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if scopes.contains("eformidling:dpo") => Ok(keys::identity().certificate().clone()),
            None => Ok(keys::issuing().certificate().clone()),
        }
    }

    async fn explain(
        &self,
        query: &Query,
        process: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<Explanation, LookupError> {
        let process = process.map_or("all", ProcessId::as_str);
        let answer = self.answer(query, caller.organisation.as_str(), process)?;
        Ok(Explanation {
            answer: Some(answer.into_lookup()),
            error: None,
            left_out: Vec::new(),
            processes: vec![Trail {
                process: process.to_owned(),
                reason: "<because>".to_owned(),
                ..Trail::default()
            }],
        })
    }
}

pub(super) struct Gate;

#[async_trait]
impl AdminGate for Gate {
    async fn admit(&self, headers: &HeaderMap, _: IpAddr) -> Admission {
        match headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
            Some("Basic admin") => Admission::Admitted("kari".into()),
            Some("Basic reader") => Admission::NotAllowed,
            Some("Basic hammer") => Admission::Later(Duration::from_secs(7)),
            _ => Admission::Unknown,
        }
    }
}
