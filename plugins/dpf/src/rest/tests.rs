use super::*;
use crate::testing::{Fake, KONTO, M, OWN, X, rest};

fn with<T>(host: &Fake, ask: impl FnOnce(&Rest<'_, '_, Fake>) -> T) -> T {
    let settings = rest("");
    ask(&Rest(&SvarUt::of(host, &settings, OWN).unwrap()))
}

fn types(svarut: &Rest<'_, '_, Fake>) -> Result<Vec<String>, Trouble> {
    svarut.types()
}

#[test]
fn an_answer_that_cannot_be_read_is_told_without_its_content() {
    for body in ["", "hemmelig", r#"{"forsendelsestyper":"hemmelig"}"#] {
        let host = Fake::default();
        host.on("GET /api/v2/forsendelsestyper", 200, body);
        let trouble = with(&host, types).unwrap_err();
        assert_eq!((trouble.status, trouble.reach), (None, Reach::Unknown));
        assert!(!trouble.failure.detail().contains("hemmelig"));
        assert!(
            trouble
                .failure
                .detail()
                .contains("https://svarut.test/api/v2/forsendelsestyper")
        );
    }
}

#[test]
fn what_is_new_in_an_answer_is_passed_over() {
    let host = Fake::default();
    let find = format!("GET /api/v2/kontoer/{KONTO}/forsendelser?eksternRef={M}");
    host.on(
        &find,
        200,
        &json!({ "forsendelseIds": ["x", X], "nytt": {} }).to_string(),
    );
    assert_eq!(with(&host, |svarut| svarut.find(M)).unwrap().as_deref(), Some(X));
    let ask = format!("POST /api/v3/kontoer/{KONTO}/forsendelser/status/sok");
    host.on(
        &ask,
        200,
        &json!({ "statuser": [{ "id": X, "status": "LEST", "nytt": 1 }, { "id": 7 }] }).to_string(),
    );
    let found = with(&host, |svarut| svarut.statuses(&[X])).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].raw, format!(r#"{{"id":"{X}","status":"LEST","nytt":1}}"#));
}

#[test]
fn an_id_that_is_none_is_not_taken_for_one() {
    let sent = |id: &str| outcome(Ok(Sent { id: id.to_owned() }));
    assert!(matches!(sent(X), Outcome::Taken(id) if id == X));
    assert!(matches!(sent("1"), Outcome::Unknown { under_way: true, .. }));
}
