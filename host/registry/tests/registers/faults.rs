//! Every register with every fault: it could not say, and nobody takes that for absence. Sharp edges 3 and 8.

use std::time::Duration;

use budstikke_doubles::{Content, FREG_API_KEY, Fault, INTEGRATION_PASSWORD, Route};
use budstikke_registry::registers::{Asker, RegisterError, Registers};

use crate::world::{
    ACCOUNT, ADMINISTRASJON, ARKIVMELDING, BARE, DPO_PROCESS, ORGANISATION, OUR_TOKEN, PERSON, World, arkivmelding,
    nhn, organisation, pem, person, token,
};

const ALL: [Route; 12] = [
    Route::Unit,
    Route::SubUnit,
    Route::ServiceGroup,
    Route::ServiceMetadata,
    Route::Certificates,
    Route::ReceiverSystems,
    Route::Contact,
    Route::Printer,
    Route::Resident,
    Route::HealthUnit,
    Route::Account,
    Route::AccountKey,
];

/// Stand-ins that know the answer to every question of [`ask`].
async fn world() -> World {
    let world = World::start().await;
    // A sub-unit, so that both calls are made.
    world.put(Content::sub_unit(ORGANISATION, "EKSEMPELSKOLEN"));
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    world.put(Content::receiver_system(ORGANISATION, 3));
    world.put(Content::contact(PERSON));
    world.put(Content::printer(ORGANISATION, pem()));
    world.put(Content::resident(PERSON, "Kari", "Prøve"));
    world.put(Content::health_unit(&fastlege(), 12, ORGANISATION, pem()));
    world.put(Content::account(ACCOUNT, "Prøve kommune", ORGANISATION));
    world.put(Content::account_key(ACCOUNT, pem()));
    world
}

fn fastlege() -> String {
    format!("fastlege-for:{PERSON}")
}

/// A question that the route is part of, and whether something was found.
async fn ask(registers: &Registers, route: Route) -> Result<bool, RegisterError> {
    let of = registers.clone();
    Ok(match route {
        Route::Unit | Route::SubUnit => of.organisations.unwrap().organisation(&organisation()).await?.is_some(),
        Route::ServiceGroup | Route::ServiceMetadata => {
            let registrations = of.registrations.unwrap();
            !registrations
                .by_document_type(&organisation(), &[arkivmelding()])
                .await?
                .is_empty()
        }
        Route::Certificates => of
            .certificates
            .unwrap()
            .certificate(&organisation(), "DPO")
            .await?
            .is_some(),
        Route::ReceiverSystems => !of
            .receiver_systems
            .unwrap()
            .receiver_systems(&organisation())
            .await?
            .is_empty(),
        Route::Contact => of.contacts.unwrap().contact(&person(), &token()).await?.is_some(),
        Route::Printer => of.contacts.unwrap().printer().await.map(|_| true)?,
        Route::Resident => of.residents.unwrap().resident(&person()).await?.is_some(),
        Route::HealthUnit => of
            .health_units
            .unwrap()
            .unit(&nhn(&fastlege()), &token())
            .await?
            .is_some(),
        Route::Account | Route::AccountKey => of.accounts.unwrap().account(ACCOUNT).await?.is_some(),
        other => panic!("{other:?} is no call of a register"),
    })
}

async fn failures(world: &World, fault: &Fault) -> Vec<(Route, RegisterError)> {
    let registers = world.registers(BARE);
    let mut failures = Vec::new();
    for route in ALL {
        assert_eq!(ask(&registers, route).await, Ok(true), "{route:?}");
        world.doubles.faults().always(route, fault.clone());
        let answer = ask(&registers, route).await;
        world.doubles.faults().clear();
        match answer {
            Ok(found) => panic!("{route:?} with {fault:?}: {found}"),
            Err(error) => failures.push((route, error)),
        }
    }
    failures
}

fn shows_no_secret(error: &RegisterError) {
    let text = format!("{error} {error:?}");
    for secret in [
        PERSON,
        OUR_TOKEN,
        "the-callers-token",
        FREG_API_KEY,
        INTEGRATION_PASSWORD,
        "http://",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_register_that_is_slow_cut_off_or_out_of_order_could_not_say() {
    let world = world().await;
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::unavailable(1),
        Fault::Status(429),
        Fault::AnswerLost,
        Fault::CutResponseBody { after: 7 },
    ] {
        for (route, error) in failures(&world, &fault).await {
            assert!(
                matches!(error, RegisterError::Unavailable { .. }),
                "{route:?} with {fault:?}: {error}"
            );
            shows_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn a_register_that_is_slow_is_not_waited_for() {
    let world = world().await;
    let registers = world.registers(&BARE.replace("5000", "100"));
    for fault in [
        Fault::Delay(Duration::from_secs(2)),
        Fault::SlowBody { bytes_per_second: 1 },
    ] {
        for route in [
            Route::SubUnit,
            Route::ServiceGroup,
            Route::ReceiverSystems,
            Route::Contact,
            Route::Resident,
        ] {
            world.doubles.faults().once(route, fault.clone());
            let error = ask(&registers, route).await.unwrap_err();
            assert!(matches!(error, RegisterError::Unavailable { .. }), "{route:?}: {error}");
            shows_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn a_register_that_is_not_there_could_not_say() {
    let world = world().await;
    let registers = world.registers(BARE);
    drop(world);
    for route in ALL {
        let error = ask(&registers, route).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable { .. }), "{route:?}: {error}");
        shows_no_secret(&error);
    }
}

#[tokio::test]
async fn a_register_that_lets_nobody_in_says_so_and_whom_it_does_not() {
    let world = world().await;
    for status in [401, 403] {
        for (route, error) in failures(&world, &Fault::Status(status)).await {
            let RegisterError::Denied { asker, .. } = &error else {
                panic!("{route:?}: {error}")
            };
            assert_eq!(*asker, asker_of(route), "{route:?}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
            shows_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn a_question_that_is_not_taken_is_neither_absent_nor_down() {
    let world = world().await;
    for (route, error) in failures(&world, &Fault::Status(405)).await {
        let RegisterError::Rejected { asker, .. } = error else {
            panic!("{route:?}: {error}")
        };
        assert_eq!(asker, asker_of(route), "{route:?}");
    }
}

/// KRR and Norsk Helsenett are shown the token of the client; all others know us alone.
fn asker_of(route: Route) -> Asker {
    match route {
        Route::Contact | Route::HealthUnit => Asker::Caller,
        _ => Asker::Us,
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_named_so() {
    let world = world().await;
    let answer = |status, body: &str| Fault::Answer {
        status,
        body: body.to_owned(),
        content_type: "text/html".to_owned(),
        retry_after: None,
    };
    for fault in [
        answer(200, ""),
        answer(200, "<html><body>Vedlikehold 05839012391</body></html>"),
        answer(200, "{\"unexpected\":true}"),
        answer(200, "[\"05839012391\"]"),
        answer(200, &"x".repeat(2 * 1024 * 1024)),
        answer(204, ""),
        answer(302, ""),
    ] {
        for (route, error) in failures(&world, &fault).await {
            assert!(
                matches!(error, RegisterError::Unusable { .. }),
                "{route:?} with {fault:?}: {error}"
            );
            shows_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn only_a_register_that_answers_by_status_says_with_404_that_nothing_is_there() {
    let world = world().await;
    let registers = world.registers(BARE);
    for route in ALL {
        world.doubles.faults().always(route, Fault::Status(404));
        let answer = ask(&registers, route).await;
        world.doubles.faults().clear();
        match route {
            // These say it in the body: a 404 is a wrong address, and would else change the route of every message.
            Route::ReceiverSystems | Route::Contact | Route::Printer => {
                assert!(
                    matches!(answer, Err(RegisterError::Rejected { .. })),
                    "{route:?}: {answer:?}"
                );
            }
            // The other half of the question is answered.
            Route::Unit | Route::AccountKey => assert_eq!(answer, Ok(true), "{route:?}"),
            _ => assert_eq!(answer, Ok(false), "{route:?}"),
        }
    }
}

#[tokio::test]
async fn errors_quote_what_a_register_of_organisations_says_and_nothing_of_persons() {
    let world = world().await;
    let registers = world.registers(BARE);
    let refusal = Fault::Answer {
        status: 422,
        body: "{\"feilmelding\":\"Ugyldig\\u00a0nummer 05839012391\"}".to_owned(),
        content_type: "application/json".to_owned(),
        retry_after: None,
    };
    for route in ALL {
        world.doubles.faults().once(route, refusal.clone());
        let text = ask(&registers, route).await.unwrap_err().to_string();
        let quotes = text.contains("feilmelding");
        let of_persons = matches!(
            route,
            Route::Contact | Route::Printer | Route::Resident | Route::HealthUnit
        );
        assert_eq!(quotes, !of_persons, "{text}");
        assert!(text.contains("422") && !text.contains(PERSON), "{text}");
    }
}
