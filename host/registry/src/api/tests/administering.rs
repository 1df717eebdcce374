//! Own data over HTTP. Spec: service registry, 3.8 and 9.12.

use serde_json::json;

use super::*;

pub(super) const PROCESSES: &str = "/api/v1/processes";
const TYPES: &str = "/api/v1/documentTypes";
pub(super) const NAME: &str = "urn:no:difi:profile:eksempel:prosess:ver1.0";
const TYPE: &str = "urn:no:difi:eksempel:xsd::eksempel";

pub(super) fn process() -> Value {
    json!({ "id": 99, "identifier": NAME, "serviceCode": "1234", "serviceEditionCode": "1", "resource": "eksempel-ressurs",
        "category": "ARKIVMELDING", "documentTypes": [{ "identifier": TYPE }] })
}

pub(super) async fn get(house: &House, path: &str) -> Answer {
    house.admin(Method::GET, path, "", "").await
}

#[tokio::test]
async fn only_administrators_come_in_and_no_token_of_a_client() {
    let house = House::new().await;
    let with = async |credentials: Option<&str>| {
        let mut request = Request::get(format!("{CONTEXT_PATH}{PROCESSES}"));
        if let Some(credentials) = credentials {
            request = request.header("authorization", credentials);
        }
        house.call(request.body(Body::empty()).unwrap()).await
    };
    let nobody = with(None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert!(nobody.header("www-authenticate").starts_with("Basic"));
    let token = keys::token(&keys::claims(house.issuer.url()));
    assert_eq!(
        with(Some(&format!("Bearer {token}"))).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(with(Some("Basic reader")).await.status, StatusCode::FORBIDDEN);
    let later = with(Some("Basic hammer")).await;
    assert_eq!(
        (later.status, later.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    assert_eq!(with(Some("Basic admin")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_process_is_added_shown_and_refused_twice() {
    let house = House::new().await;
    let created = house.admin_json(Method::POST, PROCESSES, &process()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    assert_eq!(
        created.header("location"),
        format!("/adressetjeneste{PROCESSES}/{NAME}")
    );
    let shown = get(&house, &format!("{PROCESSES}/{NAME}")).await.json();
    let mut expected = process();
    expected["id"] = shown["id"].clone();
    assert_ne!(shown["id"], 99, "the database gives ids");
    assert_eq!(shown, expected);
    assert_eq!(get(&house, PROCESSES).await.json(), json!([expected]));
    assert_eq!(
        house.admin_json(Method::POST, PROCESSES, &process()).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        get(&house, &format!("{PROCESSES}/urn:other")).await.status,
        StatusCode::NOT_FOUND
    );
    let kind = get(&house, &format!("{TYPES}/{TYPE}")).await.json();
    expected.as_object_mut().unwrap().remove("documentTypes");
    assert_eq!(kind, json!({ "identifier": TYPE, "processes": [expected] }));
    // A document type that is there is used again.
    let mut second = process();
    second["identifier"] = json!("urn:second");
    house.admin_json(Method::POST, PROCESSES, &second).await;
    assert_eq!(get(&house, TYPES).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_cannot_be_used_is_400_with_the_reason() {
    let house = House::new().await;
    let mut without_types = process();
    without_types.as_object_mut().unwrap().remove("documentTypes");
    let mut lower = process();
    lower["category"] = json!("arkivmelding");
    for (body, reason) in [
        (String::new(), "empty"),
        ("{".into(), "line 1 column 1"),
        ("{}".into(), "identifier is missing"),
        (without_types.to_string(), "documentTypes is missing"),
        (lower.to_string(), "capital letters"),
    ] {
        let refused = house.admin(Method::POST, PROCESSES, "application/json", &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        let text = refused.json()["error_description"].as_str().unwrap().to_owned();
        assert!(text.contains(reason), "{text}");
    }
    assert!(house.api.own.snapshot().processes.is_empty());
}

#[tokio::test]
async fn each_member_is_changed_alone() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let path = format!("{PROCESSES}/{NAME}");
    let mut expected = get(&house, &path).await.json();
    for (member, value) in [
        ("serviceCode", json!("5678")),
        ("serviceEditionCode", json!("2")),
        ("resource", json!("other")),
        ("documentTypes", json!([{ "identifier": "urn:x::y" }])),
    ] {
        // Name and category of the body are passed over.
        let body = json!({ "identifier": "urn:other", "category": "AVTALT", member: value });
        assert_eq!(house.admin_json(Method::PUT, &path, &body).await.status, StatusCode::OK);
        expected[member] = value;
        assert_eq!(get(&house, &path).await.json(), expected);
    }
    let unknown = house
        .admin_json(Method::PUT, &format!("{PROCESSES}/urn:other"), &json!({}))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let nameless = house.admin_json(Method::PUT, PROCESSES, &json!({})).await;
    assert_eq!(nameless.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(nameless.json()["status"], 405);
}

#[tokio::test]
async fn a_removed_process_leaves_its_document_types() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let used = house.admin(Method::DELETE, &format!("{TYPES}/{TYPE}"), "", "").await;
    assert_eq!(used.status, StatusCode::BAD_REQUEST);
    let path = format!("{PROCESSES}/{NAME}");
    assert_eq!(
        house.admin(Method::DELETE, &path, "", "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        house.admin(Method::DELETE, &path, "", "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        get(&house, &format!("{TYPES}/{TYPE}")).await.json()["processes"],
        json!([])
    );
    let unused = house.admin(Method::DELETE, &format!("{TYPES}/{TYPE}"), "", "").await;
    assert_eq!(unused.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn document_types_are_added_alone_or_to_processes() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let body = json!({ "identifier": "urn:x::y", "processes": [{ "identifier": NAME }] });
    let created = house.admin_json(Method::POST, TYPES, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    assert_eq!(created.header("location"), format!("/adressetjeneste{TYPES}/urn:x::y"));
    assert_eq!(
        house.admin_json(Method::POST, TYPES, &body).await.status,
        StatusCode::CONFLICT
    );
    let strange = json!({ "identifier": "urn:z", "processes": [{ "identifier": "urn:other" }] });
    assert_eq!(
        house.admin_json(Method::POST, TYPES, &strange).await.status,
        StatusCode::BAD_REQUEST
    );
    let shown = get(&house, &format!("{PROCESSES}/{NAME}")).await.json();
    assert_eq!(
        shown["documentTypes"],
        json!([{ "identifier": TYPE }, { "identifier": "urn:x::y" }])
    );
}

#[tokio::test]
async fn an_organisation_is_written_read_listed_and_removed() {
    let house = House::new().await;
    let path = "/api/v1/organisations/910076787";
    assert_eq!(get(&house, path).await.status, StatusCode::NOT_FOUND);
    let document = json!({ "number": "910076787", "name": "EKSEMPELETATEN", "form": "ORGL",
        "address": { "lines": ["Postboks 1"], "postalCode": "0101", "postalArea": "OSLO", "country": null },
        "registrations": ["p:a"], "certificates": { "DPO": keys::identity().certificate().to_pem() },
        "overrides": [{ "process": "p:a", "only": "DPV", "reason": "agreed" }, { "closed": true, "reason": "wound up" }] });
    assert_eq!(
        house.admin_json(Method::PUT, path, &document).await.status,
        StatusCode::CREATED
    );
    assert_eq!(get(&house, path).await.json(), document);
    assert_eq!(
        house.admin_json(Method::PUT, path, &document).await.status,
        StatusCode::OK
    );
    let wrong = json!({ "certificates": { "DPO": "nonsense!" }, "overrides": [{ "reason": "x" }] });
    let refused = house.admin_json(Method::PUT, path, &wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let text = refused.json()["error_description"].as_str().unwrap().to_owned();
    assert!(
        text.contains("certificates.DPO: ") && text.contains("overrides[0].only: "),
        "{text}"
    );
    let other = house
        .admin_json(Method::PUT, "/api/v1/organisations/991825827", &document)
        .await;
    assert_eq!(
        other.status,
        StatusCode::BAD_REQUEST,
        "the number in the body is another one"
    );
    for number in ["991825827", "974720760"] {
        let path = format!("/api/v1/organisations/{number}");
        assert_eq!(
            house.admin_json(Method::PUT, &path, &json!({})).await.status,
            StatusCode::CREATED
        );
    }
    let page = get(&house, "/api/v1/organisations?page=1&size=2").await.json();
    assert_eq!(
        (&page["total"], page["content"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
    assert_eq!(page["content"][0]["number"], "991825827");
    assert_eq!(
        get(&house, "/api/v1/organisations?size=0").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        house.admin(Method::DELETE, path, "", "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        house.admin(Method::DELETE, path, "", "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn every_change_says_who_made_it() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    house
        .admin(Method::DELETE, &format!("{PROCESSES}/{NAME}"), "", "")
        .await;
    let changes = get(&house, "/api/v1/changes").await.json();
    let told: Vec<_> = changes
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [format!("process {NAME} removed"), format!("process {NAME} added")]
    );
    assert_eq!(changes[0]["who"], "kari");
    assert!(changes[0]["at"].as_str().unwrap().starts_with("20"));
}

#[tokio::test]
async fn another_node_sees_a_change_within_seconds() {
    let house = House::new().await;
    let place = budstikke_store::Place::File(house.folder.path().join("registry.db"));
    let other = OwnData::open(place).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    // What look-ups hold.
    let shared = other.shared();
    let follower = Arc::clone(&other);
    let following = tokio::spawn({
        let stop = stop.clone();
        async move { follower.follow(stop).await }
    });
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let seen = async {
        while shared.load().processes.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), seen)
        .await
        .unwrap();
    assert_eq!(other.snapshot().processes.len(), 1);
    stop.cancel();
    following.await.unwrap();
}
