//! Many rows at once, and other ways in. Spec: service registry, 3.8.

use serde_json::json;

use super::administering::{NAME, PROCESSES, get, process};
use super::*;

#[tokio::test]
async fn many_processes_come_at_once_and_those_that_are_there_are_passed_over() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let mut second = process();
    second["identifier"] = json!("urn:second");
    let list = format!("{PROCESSES}/list");
    let broken = house.admin_json(Method::POST, &list, &json!([second, {}])).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        house.api.own.snapshot().processes.len(),
        1,
        "nothing of a broken list is added"
    );
    let mut known = process();
    known["resource"] = json!("another");
    let mut third = process();
    third["identifier"] = json!("urn:third");
    let added = house
        .admin_json(Method::POST, &list, &json!([known, second, third, second]))
        .await;
    assert_eq!(added.status, StatusCode::OK);
    assert_eq!(house.api.own.snapshot().processes.len(), 3);
    let kept = get(&house, &format!("{PROCESSES}/{NAME}")).await.json();
    assert_eq!(kept["resource"], "eksempel-ressurs", "what is there stays");
    let changes = get(&house, "/api/v1/changes").await.json();
    assert_eq!(
        changes[0]["what"],
        "import of 2 processes, 0 document types, 0 organisations"
    );
    let again = house.admin_json(Method::POST, &list, &json!([second])).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(
        get(&house, "/api/v1/changes").await.json(),
        changes,
        "nothing new is no change"
    );
}

#[tokio::test]
async fn every_way_in_checks_a_row_alike() {
    let house = House::new().await;
    house.admin_json(Method::POST, PROCESSES, &process()).await;
    let long = "x".repeat(501);
    let mut with_long = process();
    with_long["identifier"] = json!("urn:long");
    with_long["serviceEditionCode"] = json!(long);
    let list = json!([with_long]);
    let change = json!({ "serviceEditionCode": long });
    let path = format!("{PROCESSES}/{NAME}");
    for (method, path, body) in [
        (Method::POST, PROCESSES, &with_long),
        (Method::POST, "/api/v1/processes/list", &list),
        (Method::PUT, &path, &change),
    ] {
        let refused = house.admin_json(method, path, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        let text = refused.json()["error_description"].as_str().unwrap().to_owned();
        assert_eq!(text, "serviceEditionCode: is longer than 500 characters");
    }
    for (member, value, told) in [
        ("orgnr", "12", "orgnr: must be nine digits"),
        ("name", "two\nlines", "name: holds a control character"),
        ("orgform", "a\tb", "orgform: holds a control character"),
    ] {
        let mut unit = json!({ "orgnr": "910076787", "name": "PRØVE", "orgform": "KOMM" });
        unit[member] = json!(value);
        let refused = house.admin_json(Method::POST, "/addmockenhet", &unit).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{member}");
        assert_eq!(refused.json()["error_description"], told);
    }
    let shown = house
        .admin_json(Method::POST, PROCESSES, &json!({ "identifier": 5_839_012_391_u64 }))
        .await;
    assert!(!shown.text().contains("5839012391"), "{}", shown.text());
}

#[tokio::test]
async fn an_import_is_taken_whole_or_refused_with_every_fault() {
    let house = House::new().await;
    let import = "/api/v1/import";
    let csv = "number,name\n910076787,A\n12,B\n";
    let refused = house.admin(Method::POST, import, "text/csv; charset=utf-8", csv).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["faults"], json!(["line 3: number: must be nine digits"]));
    assert!(house.api.own.snapshot().organisations.is_empty());
    let taken = house
        .admin(Method::POST, import, "text/csv", "number,name\n910076787,A\n")
        .await;
    assert_eq!(
        taken.json(),
        json!({ "processes": 0, "documentTypes": 0, "organisations": 1 })
    );
    let toml = "[[processes]]\nidentifier = 'p:a'\ncategory = 'AVTALT'\ndocument-types = ['t::1']\n";
    let taken = house.admin(Method::POST, import, "application/toml", toml).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    assert_eq!(
        house
            .admin(Method::POST, import, "application/json", "{}")
            .await
            .status
            .as_u16(),
        415
    );
    let large = |bytes: usize| format!("number,name\n{}", "910076787,A\n".repeat(bytes / 12));
    let read = house.admin(Method::POST, import, "text/csv", &large(4 << 20)).await;
    assert_eq!(read.status, StatusCode::BAD_REQUEST, "it is read, although it is long");
    let faults = read.json()["faults"].as_array().unwrap().len();
    assert_eq!(faults, 101, "a hundred faults, and how many more there are");
    let refused = house.admin(Method::POST, import, "text/csv", &large(17 << 20)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn mock_organisations_are_removed_by_delete_alone() {
    let house = House::new().await;
    let unit = json!({ "orgnr": "910076787", "name": "PRØVE", "orgform": "KOMM" });
    assert_eq!(
        house.admin_json(Method::POST, "/addmockenhet", &unit).await.text(),
        "Lagt til i mock"
    );
    assert_eq!(
        house.admin_json(Method::POST, "/addmockenhet", &unit).await.text(),
        "Enheten eksisterer allerede"
    );
    let refused = get(&house, "/deletemockenhet/910076787").await;
    assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, "DELETE"));
    assert!(refused.text().contains("DELETE /api/v1/mockenhet"));
    assert_eq!(house.api.own.snapshot().organisations.len(), 1);
    let removed = house.admin(Method::DELETE, "/api/v1/mockenhet/910076787", "", "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(house.api.own.snapshot().organisations.is_empty());
}
