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
    assert!(wrong.text().contains("value=\"1234\""), "what was typed is not lost");
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

/// What the form of a page would send as it stands.
fn as_sent(page: &str) -> String {
    let form = page.split("<h2").nth(1).unwrap();
    let unescaped = |text: &str| {
        let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        // Browsers send line breaks so.
        text.replace("&amp;", "&").replace('\n', "\r\n")
    };
    let attribute = |tag: &str, name: &str| {
        let (_, value) = tag.split_once(&format!(" {name}=\""))?;
        Some(unescaped(value.split('"').next()?))
    };
    let mut sent = url::form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input").skip(1) {
        let tag = input.split('>').next().unwrap();
        sent.append_pair(&attribute(tag, "name").unwrap(), &attribute(tag, "value").unwrap());
    }
    for area in form.split("<textarea").skip(1) {
        let (tag, rest) = area.split_once('>').unwrap();
        let content = unescaped(rest.split("</textarea").next().unwrap());
        sent.append_pair(&attribute(tag, "name").unwrap(), &content);
    }
    sent.append_pair("action", "save");
    sent.finish()
}

#[tokio::test]
async fn a_row_that_is_edited_and_saved_as_it_is_loses_nothing() {
    let house = House::new().await;
    let pem = keys::identity().certificate().to_pem();
    let toml = format!(
        "[[processes]]\nidentifier = 'p:a'\ncategory = 'AVTALT'\nservice-code = '1'\nservice-edition-code = '2'\n\
         resource = '<r>'\ndocument-types = ['t::2', 't::1']\n\
         [[organisations]]\nnumber = '910076787'\nname = 'A \"& <B>'\nform = 'ORGL'\nregistrations = []\n\
         address = {{ lines = ['1', '2'], postal-code = '0101', postal-area = 'OSLO', country = 'Norge' }}\n\
         certificates = {{ DPO = \"\"\"{pem}\"\"\" }}\n\
         overrides = [{{ process = 'p:a', only = 'DPV', reason = 'agreed' }}, {{ closed = true, reason = 'wound up' }}]\n\
         [[organisations]]\nnumber = '991825827'\n"
    );
    let taken = house
        .admin(Method::POST, "/api/v1/import", "application/toml", &toml)
        .await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    for (page, row, shown) in [
        ("processes", "p%3Aa", "/api/v1/processes/p:a"),
        ("organisations", "910076787", "/api/v1/organisations/910076787"),
        ("organisations", "991825827", "/api/v1/organisations/991825827"),
    ] {
        let before = house.admin(Method::GET, shown, "", "").await.json();
        let page = format!("/admin/{page}");
        let list = house.admin(Method::GET, &page, "", "").await.text();
        assert!(list.contains(&format!("?edit={row}\"")), "{list}");
        let form = house.admin(Method::GET, &format!("{page}?edit={row}"), "", "").await;
        let saved = house.admin(Method::POST, &page, FORM, &as_sent(&form.text())).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        assert_eq!(house.admin(Method::GET, shown, "", "").await.json(), before);
        let none = house
            .admin(Method::GET, &format!("{page}?edit=974720760"), "", "")
            .await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(house.api.own.change(), 4, "each of them was written");
}

#[tokio::test]
async fn a_row_that_was_not_opened_to_be_edited_is_not_replaced() {
    let house = House::new().await;
    let toml = "[[processes]]\nidentifier = 'p:a'\ncategory = 'AVTALT'\nresource = 'kept'\n\
                [[organisations]]\nnumber = '910076787'\nname = 'KEPT'\n";
    house
        .admin(Method::POST, "/api/v1/import", "application/toml", toml)
        .await;
    let row: String = url::form_urlencoded::byte_serialize(toml.replace("kept", "").as_bytes()).collect();
    for (page, sent) in [
        (
            "/admin/processes",
            "action=save&identifier=p%3Aa&category=AVTALT".to_owned(),
        ),
        (
            "/admin/organisations",
            "action=save&toml=%5B%5Borganisations%5D%5D%0Anumber%3D%22910076787%22".to_owned(),
        ),
        ("/admin/organisations", format!("action=save&edit=910076787&toml={row}")),
    ] {
        let refused = house.admin(Method::POST, page, FORM, &sent).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{sent}");
        assert!(refused.text().contains("choose Edit in its row"), "{}", refused.text());
    }
    let snapshot = house.api.own.snapshot();
    assert_eq!(snapshot.change, 1);
}

#[tokio::test]
async fn document_types_are_added_shown_and_removed_by_forms_and_changes_are_listed() {
    let house = House::new().await;
    let page = "/admin/document-types";
    let process = "action=save&identifier=p%3Aa&category=AVTALT&document-types=t%3A%3A1";
    house.admin(Method::POST, "/admin/processes", FORM, process).await;
    let added = house
        .admin(
            Method::POST,
            page,
            FORM,
            "action=add&identifier=t%3A%3A2&processes=p%3Aa",
        )
        .await;
    assert_eq!(
        (added.status, added.header("location")),
        (StatusCode::SEE_OTHER, "document-types")
    );
    house
        .admin(Method::POST, page, FORM, "action=add&identifier=t%3A%3A3")
        .await;
    let shown = house.admin(Method::GET, page, "", "").await.text();
    for text in ["3 document types", "t::1", "t::2", "p:a"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert_eq!(shown.matches("value=\"remove\"").count(), 1, "the others are in use");
    for wrong in [
        "action=add&identifier=t%3A%3A1",
        "action=add&identifier=a+b",
        "action=add&identifier=t%3A%3A4&processes=p%3Ax",
        "action=remove&identifier=t%3A%3A1",
    ] {
        let refused = house.admin(Method::POST, page, FORM, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let removed = house
        .admin(Method::POST, page, FORM, "action=remove&identifier=t%3A%3A3")
        .await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert_eq!(house.api.own.snapshot().document_types.len(), 2);
    let changes = house.admin(Method::GET, "/admin/changes", "", "").await.text();
    assert!(
        changes.contains("document type t::3 removed") && changes.contains("kari"),
        "{changes}"
    );
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
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text().contains("Entity with identifier"));
    let down = LookupError::RegisterUnavailable {
        register: "KRR",
        detail: "no answer".into(),
    };
    let house = House::with(Directory::failing(down), "[[issuers]]\nurl = 'ISSUER'").await;
    let page = house.admin(Method::POST, "/admin/explain", FORM, sent).await;
    assert_eq!(
        page.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "the question is not at fault"
    );
}

#[tokio::test]
async fn pages_are_for_administrators_and_the_front_leads_to_them() {
    let house = House::new().await;
    for path in [
        "/admin",
        "/admin/processes",
        "/admin/document-types",
        "/admin/organisations",
        "/admin/changes",
        "/admin/explain",
    ] {
        let nobody = house.get_with(path, None, &[]).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let front = house.admin(Method::GET, "/admin", "", "").await;
    assert_eq!(front.header("location"), "admin/processes");
}
