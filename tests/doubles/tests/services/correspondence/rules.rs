//! Everything that is refused, with its number.

use std::time::Duration;

use budstikke_doubles::RecipientState;
use uuid::Uuid;

use super::writer::{Letter, Writer, file_of, post_office};
use crate::caller::{OTHER, OWN};

#[tokio::test]
async fn every_rule_about_a_letter_has_its_number() {
    let doubles = post_office(|_| {}).await;
    doubles.correspondences().recipient(OTHER, RecipientState::Open);
    let writer = Writer::new(&doubles).await;
    let content = |member: &str| format!("correspondence.content.{member}");
    let long = |count| "a".repeat(count);
    let past = "2020-01-01T00:00:00+01:00";
    for (field, value, status, number) in [
        (content("messageTitle"), String::new(), 400, Some(1020)),
        (content("messageTitle"), "# Vedtak".to_owned(), 400, Some(1002)),
        (content("messageTitle"), long(256), 400, Some(1037)),
        (content("messageSummary"), long(256), 400, Some(1042)),
        (content("messageBody"), String::new(), 400, Some(1021)),
        (content("messageBody"), long(30_001), 400, Some(1022)),
        (content("language"), "de".to_owned(), 400, Some(1023)),
        (
            "correspondence.messageSender".to_owned(),
            "<b>A</b>".to_owned(),
            400,
            Some(1039),
        ),
        ("correspondence.messageSender".to_owned(), long(256), 400, None),
        (
            "correspondence.dueDateTime".to_owned(),
            past.to_owned(),
            400,
            Some(1008),
        ),
        ("correspondence.dueDateTime".to_owned(), "soon".to_owned(), 400, None),
        (
            "correspondence.resourceId".to_owned(),
            "unknown".to_owned(),
            400,
            Some(1036),
        ),
        ("correspondence.resourceId".to_owned(), String::new(), 400, None),
        (
            "correspondence.resourceId".to_owned(),
            "eformidling-dpv-taushetsbelagt".to_owned(),
            400,
            Some(1060),
        ),
        (
            "correspondence.isConfidential".to_owned(),
            "true".to_owned(),
            400,
            Some(1061),
        ),
        ("correspondence.isConfidential".to_owned(), "yes".to_owned(), 400, None),
        ("correspondence.sendersReference".to_owned(), String::new(), 400, None),
        ("idempotentKey".to_owned(), "not-a-uuid".to_owned(), 400, Some(1033)),
        ("idempotentKey".to_owned(), Uuid::nil().to_string(), 400, Some(1033)),
        ("recipients[0]".to_owned(), String::new(), 400, None),
        ("recipients[0]".to_owned(), "910076787".to_owned(), 400, None),
        (
            "recipients[1]".to_owned(),
            format!("urn:altinn:organization:identifier-no:{OWN}"),
            400,
            Some(1047),
        ),
        (
            "correspondence.notification.notificationChannel".to_owned(),
            "Pigeon".to_owned(),
            400,
            None,
        ),
        (
            "correspondence.notification.smsBody".to_owned(),
            String::new(),
            400,
            Some(3024),
        ),
        ("correspondence.notification.smsBody".to_owned(), long(2145), 400, None),
        (
            "correspondence.notification.sendReminder".to_owned(),
            "true".to_owned(),
            400,
            Some(3025),
        ),
        (
            "correspondence.propertyList.senderOrgNumber".to_owned(),
            long(301),
            400,
            None,
        ),
    ] {
        let refused = writer.refused(Letter::new().with(&field, &value)).await;
        assert_eq!(refused, (status, number), "{field} {value:.20}");
    }
    let later = |days: u64| (jiff::Timestamp::now() + Duration::from_secs(days * 86_400)).to_string();
    let early = Letter::new().with("correspondence.requestedPublishTime", &later(9));
    assert_eq!(
        writer
            .refused(early.with("correspondence.dueDateTime", &later(8)))
            .await,
        (400, Some(1009))
    );
    assert!(doubles.correspondences().all().is_empty());
}

#[tokio::test]
async fn every_rule_about_files_has_its_number() {
    let doubles = post_office(|config| config.correspondence.max_file = 10).await;
    let writer = Writer::new(&doubles).await;
    for (letter, number) in [
        (file_of("virus.exe"), 2013),
        (file_of("uten"), 2013),
        (file_of("con.txt"), 2021),
        (file_of("a:b.pdf"), 2012),
        (file_of(&format!("{}.pdf", "a".repeat(252))), 2011),
        (Letter::new().announces(0, "plan.pdf").brings("plan.pdf", b""), 2004),
        (
            Letter::new()
                .announces(0, "plan.pdf")
                .brings("plan.pdf", b"more than ten"),
            2004,
        ),
        (Letter::new().announces(0, "plan.pdf"), 1005),
        (Letter::new().brings("plan.pdf", b"x"), 1005),
        (Letter::new().announces(0, "plan.pdf").brings("kart.pdf", b"x"), 1005),
    ] {
        assert_eq!(writer.refused(letter).await, (400, Some(number)));
    }
    let many = (0..101).fold(Letter::new(), |letter, place| {
        letter.announces(place, &format!("{place}.pdf"))
    });
    assert_eq!(writer.refused(many).await, (400, Some(1038)));
    let nameless = Letter::new().with("correspondence.content.attachments[0].sendersReference", "a");
    assert_eq!(
        writer.refused(nameless.brings("plan.pdf", b"x")).await,
        (400, Some(2010))
    );
    let mut elsewhere = file_of("plan.pdf");
    elsewhere.files[0].0 = "files".to_owned();
    assert_eq!(writer.refused(elsewhere).await, (400, Some(1005)));
}

#[tokio::test]
async fn files_are_paired_by_place_and_then_by_a_name_that_only_one_has() {
    let doubles = post_office(|_| {}).await;
    let writer = Writer::new(&doubles).await;
    let both = Letter::new().announces(0, "a.pdf").announces(1, "b.pdf");
    let crossed = writer.sent(both.brings("b.pdf", b"b").brings("a.pdf", b"a")).await;
    let files = doubles.correspondences().get(crossed).unwrap().files;
    assert_eq!(files[0].read().unwrap(), b"a");
    let twins = Letter::new()
        .with("idempotentKey", "")
        .announces(0, "b.pdf")
        .announces(1, "a.pdf");
    let ambiguous = twins.clone().brings("a.pdf", b"1").brings("a.pdf", b"2");
    assert_eq!(writer.refused(ambiguous).await, (400, Some(1005)));
}
