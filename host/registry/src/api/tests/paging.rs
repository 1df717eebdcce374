//! The pages of operators.

use super::fake::Directory;
use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_process_is_saved_shown_and_removed_by_forms() {
    let house = House::new().await;
    let sent = "action=save&identifier=p%3Aa&category=ARKIVMELDING&service-code=1234&service-edition-code=&resource=\
                &document-types=t%3A%3A1%0D%0At%3A%3A2";
    let saved = house.admin(Method::POST, "/admin/processes", FORM, sent).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    assert_eq!(saved.header("location"), "processes");
    let page = house.admin(Method::GET, "/admin/processes", "", "").await;
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    assert!(page.text().contains("p:a") && page.text().contains("t::2"));
    let wrong = house
        .admin(Method::POST, "/admin/processes", FORM, &sent.replace("p%3Aa", "p+a"))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("role=\"alert\""));
    let removed = house
        .admin(Method::POST, "/admin/processes", FORM, "action=remove&identifier=p%3Aa")
        .await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert!(house.api.own.snapshot().processes.is_empty());
}

#[tokio::test]
async fn an_organisation_is_saved_shown_and_removed_by_forms() {
    let house = House::new().await;
    let toml =
        "[[organisations]]\nnumber = '910076787'\nname = '<b>'\noverrides = [{ never = 'DPO', reason = 'moving' }]\n";
    let sent = |toml: &str| {
        let toml: String = url::form_urlencoded::byte_serialize(toml.as_bytes()).collect();
        format!("action=save&toml={toml}")
    };
    let saved = house
        .admin(Method::POST, "/admin/organisations", FORM, &sent(toml))
        .await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let page = house
        .admin(Method::GET, "/admin/organisations?page=0", "", "")
        .await
        .text();
    assert!(
        page.contains("&lt;b&gt;") && page.contains("never DPO for all processes: moving"),
        "{page}"
    );
    let wrong = house
        .admin(
            Method::POST,
            "/admin/organisations",
            FORM,
            &sent("[[organisations]]\nnumber = '1'"),
        )
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("must be nine digits") && wrong.text().contains("number = '1'"));
    let removed = house
        .admin(
            Method::POST,
            "/admin/organisations",
            FORM,
            "action=remove&number=910076787",
        )
        .await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert!(house.api.own.snapshot().organisations.is_empty());
}

#[tokio::test]
async fn an_explanation_is_shown_without_the_person_in_an_address() {
    let house = House::new().await;
    let empty = house.admin(Method::GET, "/admin/explain", "", "").await;
    assert_eq!(empty.status, StatusCode::OK);
    let sent = "receiver=05839012391&process=p%3Aa&sender=991825827&level=";
    let page = house.admin(Method::POST, "/admin/explain", FORM, sent).await;
    assert_eq!(page.status, StatusCode::OK);
    // In words, then the answer.
    assert!(
        page.text()
            .contains("process p:a, category none\nbecause &lt;because&gt;")
    );
    assert!(page.text().contains("DPV"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    for wrong in [
        "receiver=x&sender=991825827",
        "receiver=910076787&sender=1",
        "receiver=910076787&sender=991825827&level=x",
    ] {
        let refused = house.admin(Method::POST, "/admin/explain", FORM, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let failing = LookupError::UnknownReceiver {
        receiver: "***********".into(),
    };
    let house = House::with(Directory::failing(failing), "[[issuers]]\nurl = 'ISSUER'").await;
    let page = house.admin(Method::POST, "/admin/explain", FORM, sent).await;
    assert!(page.text().contains("Entity with identifier"));
}

#[tokio::test]
async fn pages_are_for_administrators_and_the_front_leads_to_them() {
    let house = House::new().await;
    for path in ["/admin", "/admin/processes", "/admin/organisations", "/admin/explain"] {
        let nobody = house.get_with(path, None, &[]).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let front = house.admin(Method::GET, "/admin", "", "").await;
    assert_eq!(front.header("location"), "admin/processes");
}
