//! What a fagsystem wrote in the business message of an SBD, as far as this service has a place for it.

use budstikke_sdk::Failure;
use serde::Deserialize;

/// What a message is to this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Arkivmelding,
    DigitalDpv,
    /// Not sent: nobody at the other side has a system that reads it.
    Receipt,
}

impl Kind {
    /// Spec: DPO and DPV, 4.3.
    pub(crate) fn of(message_type: &str) -> Result<Self, Failure> {
        match message_type {
            "arkivmelding" => Ok(Self::Arkivmelding),
            "digital_dpv" => Ok(Self::DigitalDpv),
            receipt if receipt.ends_with("_kvittering") => Ok(Self::Receipt),
            other => Err(Failure::permanent(
                "message-type",
                format!("DPV takes arkivmelding, digital_dpv and receipts, not `{other}`"),
            )),
        }
    }
}

/// The business message. Unknown members are passed over.
#[derive(Deserialize, Default)]
pub(crate) struct Body {
    pub(crate) tittel: Option<String>,
    pub(crate) sammendrag: Option<String>,
    pub(crate) innhold: Option<String>,
    dpv: Option<Wishes>,
}

/// What the sender wishes for this service: the object `dpv`. Texts are open: a new value counts as none.
///
/// Spec: DPO and DPV, 4.4.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wishes {
    pub(crate) varsel_type: Option<String>,
    pub(crate) varsel_transport_type: Option<String>,
    pub(crate) varsel_tekst: Option<String>,
    pub(crate) taushetsbelagt_varsel_tekst: Option<String>,
    /// Days.
    pub(crate) dager_til_svarfrist: Option<i64>,
}

impl Body {
    /// Reads an SBD. Permanent failure `sbd` when it cannot be read.
    pub(crate) fn read(kind: Kind, sbd: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Sbd {
            arkivmelding: Option<Body>,
            digital_dpv: Option<Body>,
        }
        let sbd: Sbd = serde_json::from_slice(sbd).map_err(|error| {
            // Line and column only, for the content is not ours to show.
            let place = format!("line {}, column {}", error.line(), error.column());
            Failure::permanent("sbd", format!("the SBD cannot be read: {place}"))
        })?;
        let body = match kind {
            Kind::Arkivmelding => sbd.arkivmelding,
            Kind::DigitalDpv => sbd.digital_dpv,
            Kind::Receipt => Some(Self::default()),
        };
        body.ok_or_else(|| Failure::permanent("sbd", "the SBD has no business message of its type"))
    }

    pub(crate) fn wishes(&self) -> Wishes {
        self.dpv.clone().unwrap_or_default()
    }
}

/// A text that is there and not blank.
pub(crate) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_types_are_refused_by_name() {
        assert_eq!(Kind::of("arkivmelding").unwrap(), Kind::Arkivmelding);
        assert_eq!(Kind::of("einnsyn_kvittering").unwrap(), Kind::Receipt);
        for other in ["avtalt", "digital", "status", ""] {
            let failure = Kind::of(other).unwrap_err();
            assert_eq!(failure.code(), Some("message-type"));
            assert!(failure.detail().contains(other));
        }
    }

    #[test]
    fn unknown_members_and_nulls_are_passed_over() {
        let sbd = br#"{"digital_dpv":{"tittel":"a","sammendrag":null,"nytt":[1],"dpv":{"varselType":"Nytt","x":1}}}"#;
        let body = Body::read(Kind::DigitalDpv, sbd).unwrap();
        assert_eq!((body.tittel.as_deref(), body.sammendrag), (Some("a"), None));
        assert_eq!(body.dpv.unwrap().varsel_type.as_deref(), Some("Nytt"));
        let body = Body::read(Kind::Arkivmelding, br#"{"arkivmelding":{}}"#).unwrap();
        assert_eq!(body.wishes().dager_til_svarfrist, None);
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        for sbd in [
            r#"{"digital_dpv":{"tittel":"hemmelig"#,
            r#"{"arkivmelding":{}}"#,
            r#"{"digital_dpv":{"dpv":{"dagerTilSvarfrist":"hemmelig"}}}"#,
        ] {
            let failure = Body::read(Kind::DigitalDpv, sbd.as_bytes()).err().unwrap();
            assert_eq!(failure.code(), Some("sbd"), "{sbd}");
            assert!(!failure.detail().contains("hemmelig"));
        }
    }
}
