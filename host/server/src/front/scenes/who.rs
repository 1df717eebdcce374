//! Who may call.

use http::Method;

use super::*;
use crate::config::ManagePart;

fn asking() -> Server {
    Server {
        users: vec![
            user("sak", "hemmelig", &[Role::Fagsystem]),
            user("arkiv", "blåbær:syltetøy", &[Role::Fagsystem]),
            user("drift", "nøkkel", &[Role::Operator]),
            user("begge", "to", &[Role::Fagsystem, Role::Operator]),
        ],
        ..Server::default()
    }
}

#[tokio::test]
async fn every_path_asks_for_a_password() {
    let place = Place::new(&asking()).await;
    for path in [
        "/api/here",
        "/api/nowhere",
        "/",
        "/manage",
        "/manage/health",
        "/error",
        "/api/here?trace",
    ] {
        let answer = place.get(path).send().await.unwrap();
        assert_eq!(
            answer.headers()["www-authenticate"],
            "Basic realm=\"Budstikke\", charset=\"UTF-8\"",
            "{path}"
        );
        let body = refused(
            place.get(path),
            StatusCode::UNAUTHORIZED,
            "InsufficientAuthenticationException",
        )
        .await;
        assert_eq!(body["path"], path.trim_end_matches("?trace"));
    }
    let bearer = place.get("/api/here").bearer_auth("abc");
    refused(bearer, StatusCode::UNAUTHORIZED, "InsufficientAuthenticationException").await;
}

#[tokio::test]
async fn each_user_calls_with_its_own_password() {
    let place = Place::new(&asking()).await;
    for (name, password) in [("sak", "hemmelig"), ("arkiv", "blåbær:syltetøy"), ("begge", "to")] {
        for _ in 0..2 {
            let answer = place
                .get("/api/here")
                .basic_auth(name, Some(password))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.text().await.unwrap(), "here", "{name}");
        }
    }
    for (name, password) in [("sak", "Hemmelig"), ("nobody", "hemmelig"), ("arkiv", "blåbær")] {
        let answer = place.get("/api/here").basic_auth(name, Some(password));
        refused(answer, StatusCode::UNAUTHORIZED, "BadCredentialsException").await;
    }
    let garbled = place.get("/api/here").header("authorization", "Basic !");
    refused(garbled, StatusCode::UNAUTHORIZED, "BadCredentialsException").await;
}

#[tokio::test]
async fn guessing_has_to_wait_and_is_told_how_long() {
    let place = Place::new(&asking()).await;
    assert_eq!(
        status(place.get("/api/here").basic_auth("arkiv", Some("blåbær:syltetøy"))).await,
        200
    );
    let guess = |number: u32| place.get("/api/here").basic_auth("sak", Some(number.to_string()));
    for number in 0..5 {
        assert_eq!(status(guess(number)).await, 401);
    }
    let answer = guess(6).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    refused(guess(7), StatusCode::TOO_MANY_REQUESTS, "LockedException").await;
    // Whoever has called from there before goes on.
    assert_eq!(
        status(place.get("/api/here").basic_auth("arkiv", Some("blåbær:syltetøy"))).await,
        200
    );
}

#[tokio::test]
async fn roles_open_the_api_and_manage() {
    let place = Place::new(&asking()).await;
    let as_user = |path: &str, name: &str, password: &str| place.get(path).basic_auth(name, Some(password.to_owned()));
    for path in [
        "/manage",
        "/manage/health",
        "/manage/health/liveness",
        "/manage/set-aside",
    ] {
        let body = refused(
            as_user(path, "sak", "hemmelig"),
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
        )
        .await;
        assert!(body["message"].as_str().unwrap().contains("operator"), "{body}");
        assert_eq!(status(as_user(path, "drift", "nøkkel")).await, 200, "{path}");
        assert_eq!(status(as_user(path, "begge", "to")).await, 200, "{path}");
    }
    let body = refused(
        as_user("/api/here", "drift", "nøkkel"),
        StatusCode::FORBIDDEN,
        "AccessDeniedException",
    )
    .await;
    assert!(body["message"].as_str().unwrap().contains("fagsystem"), "{body}");
    // Other ways to write it lead nowhere.
    for path in [
        "/%6danage/health",
        "//manage/health",
        "/api/../manage/health",
        "/MANAGE/health",
        "/manage;x/health",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic c2FrOmhlbW1lbGln\r\nconnection: close\r\n\r\n"
        );
        let answer = place.told(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn what_is_opened_below_manage_needs_no_login() {
    let server = Server {
        manage_open: vec![ManagePart::Health],
        ..asking()
    };
    let place = Place::new(&server).await;
    for path in ["/manage/health", "/manage/health/liveness"] {
        assert_eq!(status(place.get(path)).await, 200, "{path}");
        // Nor does a wrong one harm.
        assert_eq!(status(place.get(path).basic_auth("x", Some("y"))).await, 200, "{path}");
    }
    for path in [
        "/manage/info",
        "/manage/healthy",
        "/manage",
        "/manage/info/health",
        "/api/here",
    ] {
        assert_eq!(status(place.get(path)).await, 401, "{path}");
    }
}

#[tokio::test]
async fn an_open_server_asks_nobody_and_keeps_manage_shut() {
    let server = Server {
        manage_open: vec![ManagePart::Info],
        ..open()
    };
    let place = Place::new(&server).await;
    assert_eq!(status(place.get("/api/here")).await, 200);
    assert_eq!(
        status(place.get("/api/here").basic_auth("any", Some("body"))).await,
        200
    );
    assert_eq!(status(place.get("/manage/info")).await, 200);
    for path in ["/manage", "/manage/health", "/manage/set-aside/1"] {
        let body = refused(place.get(path), StatusCode::FORBIDDEN, "AccessDeniedException").await;
        assert!(body["hint"].as_str().unwrap().contains("manage-open"), "{body}");
    }
}

#[tokio::test]
async fn only_an_operator_stops_the_server() {
    let place = Place::new(&asking()).await;
    let stop = || place.post("/manage/shutdown");
    refused(stop(), StatusCode::UNAUTHORIZED, "InsufficientAuthenticationException").await;
    let fagsystem = stop().basic_auth("sak", Some("hemmelig"));
    refused(fagsystem, StatusCode::FORBIDDEN, "AccessDeniedException").await;
    assert_eq!(status(stop().basic_auth("drift", Some("nøkkel"))).await, 200);
    let place = Place::new(&open()).await;
    let body = refused(
        place.post("/manage/shutdown"),
        StatusCode::FORBIDDEN,
        "AccessDeniedException",
    )
    .await;
    assert!(
        body["message"].as_str().unwrap().contains("there are no users"),
        "{body}"
    );
}

#[tokio::test]
async fn who_cannot_log_in_stops_a_server_that_opens_that_but_no_page_of_another_site_does() {
    for server in [asking(), open()] {
        let server = Server {
            manage_open: vec![ManagePart::Shutdown],
            ..server
        };
        let place = Place::new(&server).await;
        let stop = || place.post("/manage/shutdown");
        assert_eq!(status(stop()).await, 200);
        for (name, value) in [
            ("origin", "https://example.com"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let body = refused(
                stop().header(name, value),
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
            )
            .await;
            assert!(body["message"].as_str().unwrap().contains("another site"), "{body}");
        }
        let operator = stop().basic_auth("drift", Some("nøkkel"));
        let foreign = operator.header("origin", "https://example.com");
        refused(foreign, StatusCode::FORBIDDEN, "AccessDeniedException").await;
        assert!(matches!(status(place.get("/manage/health")).await.as_u16(), 401 | 403));
    }
}

#[tokio::test]
async fn answers_below_api_are_counted_those_of_the_front_too() {
    let place = Place::new(&Server {
        manage_open: vec![ManagePart::Health],
        allow_deprecated_trailing_slash: true,
        ..asking()
    })
    .await;
    let sak = |path: &str| place.get(path).basic_auth("sak", Some("hemmelig"));
    for (request, expected) in [
        (sak("/api/here"), 200),
        (sak("/api/here/"), 200),
        (sak("/api/nowhere"), 404),
        (place.get("/api/here"), 401),
        (place.get("/api/here").header("sec-fetch-site", "cross-site"), 403),
        (place.get("/manage/health"), 200),
        (sak("/manage/health"), 200),
        (sak("/conversations"), 200),
    ] {
        assert_eq!(status(request).await, expected);
    }
    let counted: Vec<_> = place.answers.by_class().collect();
    assert_eq!(counted, [("2xx", 2), ("3xx", 0), ("4xx", 3), ("5xx", 0)]);
}

#[tokio::test]
async fn browsers_of_other_origins_are_sent_away() {
    let place = Place::new(&asking()).await;
    let pre_flight = || {
        Client::new()
            .request(Method::OPTIONS, format!("http://{}/api/here", place.address))
            .header("origin", "https://example.com")
            .header("access-control-request-method", "POST")
    };
    refused(pre_flight(), StatusCode::FORBIDDEN, "AccessDeniedException").await;
    let simple = place.get("/api/here").header("origin", "https://example.com");
    for request in [pre_flight(), simple.basic_auth("sak", Some("hemmelig"))] {
        let answer = request.send().await.unwrap();
        let mut names = answer.headers().keys().map(http::HeaderName::as_str);
        assert!(!names.any(|name| name.starts_with("access-control-")), "{answer:?}");
    }
    assert_eq!(
        pre_flight().send().await.unwrap().headers()["vary"],
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    );
}

#[tokio::test]
async fn a_form_on_a_page_of_another_site_sends_nothing() {
    let place = Place::new(&asking()).await;
    let own = format!("http://{}", place.address);
    let form = |origin: &str| {
        Client::new()
            .post(format!("{own}/api/read"))
            .basic_auth("sak", Some("hemmelig"))
            .header("content-type", "text/plain")
            .header("origin", origin)
            .body("four")
    };
    assert_eq!(form(&own).send().await.unwrap().text().await.unwrap(), "4");
    for foreign in ["https://example.com", "http://127.0.0.1:1", "null"] {
        let body = refused(form(foreign), StatusCode::FORBIDDEN, "AccessDeniedException").await;
        assert!(body["message"].as_str().unwrap().contains("another site"), "{body}");
    }
    let same_site = form(&own).header("sec-fetch-site", "same-site");
    refused(same_site, StatusCode::FORBIDDEN, "AccessDeniedException").await;
}

#[tokio::test]
async fn a_link_on_another_site_leads_to_a_page_and_locks_no_message() {
    let place = Place::new(&asking()).await;
    let link = |path: &str, site: &str| {
        place
            .get(path)
            .basic_auth("sak", Some("hemmelig"))
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
    };
    assert_eq!(status(link("/conversations", "cross-site")).await, 200);
    let peek = link("/api/messages/in/peek", "cross-site");
    refused(peek, StatusCode::FORBIDDEN, "AccessDeniedException").await;
    assert_eq!(status(link("/api/messages/in/peek", "same-origin")).await, 200);
}

#[tokio::test]
async fn a_refusal_shows_the_path_without_the_person_in_it() {
    let place = Place::new(&asking()).await;
    let path = "/api/capabilities/05839012391";
    let body = refused(
        place.get(path),
        StatusCode::UNAUTHORIZED,
        "InsufficientAuthenticationException",
    )
    .await;
    assert_eq!(body["path"], "/api/capabilities/***********");
}

#[tokio::test]
async fn manage_is_a_path_as_any_where_it_is_not_the_operators() {
    let place = Place::before(&open(), Site::address_service("/manage")).await;
    assert_eq!(status(place.get("/manage/health")).await, 200);
}

#[tokio::test]
async fn a_slash_at_the_end_is_cut_where_that_is_allowed() {
    let place = Place::new(&open()).await;
    assert_eq!(status(place.get("/api/here/")).await, 404);
    let server = Server {
        allow_deprecated_trailing_slash: true,
        ..asking()
    };
    let place = Place::new(&server).await;
    let sak = |path: &str| place.get(path).basic_auth("sak", Some("hemmelig"));
    assert_eq!(status(sak("/api/here/")).await, 200);
    assert_eq!(status(sak("/api/here/?size=1")).await, 200);
    assert_eq!(status(sak("/api/here//")).await, 404);
    assert_eq!(status(sak("/manage/")).await, 403);
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_an_upload_gets_to_read_why() {
    let place = Place::new(&asking()).await;
    let mut request = b"POST /api/read HTTP/1.1\r\nhost: x\r\ncontent-length: 400000\r\n\r\n".to_vec();
    request.resize(request.len() + 400_000, b'x');
    let answer = place.told(&request).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    // Nobody sends a body that a 401 was answered to before its begin.
    let waiting = b"POST /api/read HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 400000\r\n\r\n";
    let answer = place.told(waiting).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
