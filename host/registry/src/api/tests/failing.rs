//! Look-ups over HTTP that give nothing, or not all. Spec: service registry, 3.9.

use budstikke_message::identifier::ProcessId;

use super::fake::Directory;
use super::*;
use crate::registers::Asker;

const ISSUERS: &str = "[[issuers]]\nurl = 'ISSUER'";
const PERSON: &str = "05839012391";

fn name(text: &str) -> ProcessId {
    text.parse().unwrap()
}

#[tokio::test]
async fn each_failure_has_its_status() {
    use LookupError as E;
    let register = "SvarUt";
    let detail = || "no answer in time".to_owned();
    let masked = || "***********".to_owned();
    for (error, status, text) in [
        (
            E::UnknownReceiver {
                receiver: "0192:910076787".into(),
            },
            404,
            "Entity with identifier '0192:910076787' not found.",
        ),
        (
            E::UnknownProcess { process: name("p:a") },
            404,
            "Process p:a not found.",
        ),
        (
            E::NotAccepted {
                process: name("p:a"),
                receiver: masked(),
            },
            404,
            "Process p:a not found for receiver ***********",
        ),
        (
            E::UnknownSender {
                organisation: "991825827".into(),
            },
            404,
            "The sender 991825827 is not known",
        ),
        (
            E::CertificateMissing {
                r#use: "DPO".into(),
                receiver: "910076787".into(),
            },
            404,
            "Unable to find DPO certificate for: 910076787",
        ),
        (
            E::NoRecordForCitizen,
            404,
            "No service record found for citizen: ***********",
        ),
        (E::UnknownResident, 404, "Folkeregisteret does not have the person"),
        (
            E::LevelNotAvailable {
                level: Some(4),
                process: name("p:a"),
            },
            400,
            "The receiver does not take security level 4",
        ),
        (E::PatientNotRetrievable, 400, "The patient cannot be retrieved"),
        (
            E::RegisterRejected {
                register: "KRR",
                asker: Asker::Caller,
                detail: detail(),
            },
            400,
            "KRR did not accept the question: no answer",
        ),
        (
            E::RegisterRejected {
                register,
                asker: Asker::Us,
                detail: detail(),
            },
            500,
            "SvarUt did not accept the question: no answer",
        ),
        (
            E::ScopeMissing {
                scopes: vec!["eformidling:dpi".into()],
            },
            401,
            "The token has none of the scopes eformidling:dpi",
        ),
        (
            E::RegisterDenied {
                register: "KRR",
                asker: Asker::Caller,
                detail: detail(),
            },
            401,
            "KRR refused",
        ),
        (
            E::RegisterDenied {
                register,
                asker: Asker::Us,
                detail: detail(),
            },
            500,
            "SvarUt refused",
        ),
        (
            E::RegisterUnusable {
                register,
                detail: "for 05839012391".into(),
            },
            500,
            "The answer of SvarUt cannot be used: for ***********",
        ),
        (
            E::RegisterUnavailable {
                register,
                detail: detail(),
            },
            503,
            "SvarUt cannot be asked: no answer in time",
        ),
    ] {
        let house = House::with(Directory::failing(error.clone()), ISSUERS).await;
        // Errors are never signed.
        let jose = [("accept", "application/jose")];
        let answer = house.get(&format!("/identifier/{PERSON}/process/p:a"), &jose).await;
        assert_eq!(answer.status.as_u16(), status, "{error:?}");
        let body = answer.json();
        assert_eq!(body["error_code"], "");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(text), "{description}");
        assert!(!answer.text().contains(PERSON));
        assert_eq!(!answer.header("retry-after").is_empty(), status == 503, "{error:?}");
        assert_eq!(body.get("message").is_some(), error == E::NoRecordForCitizen);
    }
    let fault = E::NotSetUp {
        detail: "no rule".into(),
    };
    let house = House::with(Directory::failing(fault), ISSUERS).await;
    let answer = house.get(&format!("/identifier/{PERSON}"), &[]).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["path"], "/adressetjeneste/identifier/***********");
}

#[tokio::test]
async fn an_answer_that_is_not_whole_names_the_registers_that_gave_none() {
    let unavailable = |register| LookupError::RegisterUnavailable {
        register,
        detail: "down".into(),
    };
    let missing = LookupError::CertificateMissing {
        r#use: "DPO".into(),
        receiver: "910076787".into(),
    };
    for (left_out, named) in [
        (vec![], ""),
        (vec![missing.clone()], ""),
        (
            vec![
                unavailable("SvarUt"),
                missing,
                unavailable("ELMA"),
                unavailable("SvarUt"),
            ],
            "ELMA, SvarUt",
        ),
    ] {
        let directory = Directory {
            left_out,
            ..Directory::default()
        };
        let house = House::with(directory, ISSUERS).await;
        for accept in ["application/json", "application/jose"] {
            let answer = house.get("/identifier/910076787", &[("accept", accept)]).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("budstikke-incomplete"), named);
        }
    }
}
