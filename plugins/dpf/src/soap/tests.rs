use super::*;
use crate::testing::{Fake, M, OWN, soap};

fn with<T>(host: &Fake, ask: impl FnOnce(&Soap<'_, '_, Fake>) -> T) -> T {
    let settings = soap("");
    ask(&Soap(&SvarUt::of(host, &settings, OWN).unwrap()))
}

#[test]
fn a_reference_is_escaped() {
    let host = Fake::default();
    let answer = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><r/></s:Body></s:Envelope>";
    host.on("retrieveForsendelseIdByEksternRef", 200, answer);
    assert_eq!(with(&host, |svarut| svarut.find("a<b&c")).unwrap(), None);
    assert!(host.posted()[0].body.contains("<eksternRef>a&lt;b&amp;c</eksternRef>"));
}

#[test]
fn e17_a_wrong_password_is_explained_and_not_shown() {
    let host = Fake::default();
    host.on("retrieveForsendelseIdByEksternRef", 401, "");
    let trouble = with(&host, |svarut| svarut.find(M)).unwrap_err();
    assert!(!trouble.failure.is_permanent());
    assert!(trouble.failure.detail().contains("user name or password of 991825827"));
    assert!(!trouble.failure.detail().contains("pæssord"));
    assert_eq!(host.callers(), ["bruker:pæssord"]);
}
