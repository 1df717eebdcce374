//! Drafts, files, leases, attempts.

use super::*;

async fn a_message_goes_from_draft_to_sent_and_its_files_become_garbage(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(10)).await.unwrap().remove(0);
    assert_eq!((claimed.attempt, claimed.files.len()), (1, 1));
    store
        .save_checkpoint(claimed.message.id, claimed.lease, "step".into(), b"1".to_vec())
        .await
        .unwrap();
    store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "SENDT"]);
    assert!(store.outgoing("m").await.unwrap().is_none());
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-first.txt"]);
    let due = store.due_for_tracking(vec!["S".into()], NOW + 5000, 10).await.unwrap();
    assert_eq!(due[0].external_reference.as_deref(), Some("transfer"));
}

async fn a_message_id_is_taken_for_good(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    assert!(matches!(
        store.create(new("m"), Vec::new(), RULES, created()).await,
        Err(StoreError::MessageExists)
    ));
    assert!(store.delete_outgoing("m", NOW).await.unwrap());
    assert!(matches!(
        store.create(new("m"), Vec::new(), RULES, created()).await,
        Err(StoreError::MessageExists)
    ));
}

async fn parallel_uploads_lose_nothing_and_number_each_file_once(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let uploads = (0..20).map(|index| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .attach("m", file(&format!("f{index}"), 1), RULES, NOW)
                .await
                .unwrap()
        })
    });
    let mut numbers = Vec::new();
    for upload in uploads {
        numbers.push(upload.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u32>>());
}

async fn files_are_refused_by_name_by_sum_and_after_sending(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    store.attach("m", file("a", 600), RULES, NOW).await.unwrap();
    assert!(matches!(
        store.attach("m", file("a", 1), RULES, NOW).await,
        Err(StoreError::DuplicateFilename)
    ));
    assert!(matches!(
        store.attach("m", file("b", 401), RULES, NOW).await,
        Err(StoreError::TooLarge {
            total: 1001,
            limit: 1000
        })
    ));
    store.attach("m", file("c", 400), RULES, NOW).await.unwrap();
    assert_eq!(store.queue("m", NOW).await.unwrap(), QueueOutcome::Queued);
    assert_eq!(store.queue("m", NOW).await.unwrap(), QueueOutcome::Already);
    assert!(matches!(
        store.attach("m", file("d", 0), RULES, NOW).await,
        Err(StoreError::AlreadyQueued)
    ));
    assert!(matches!(
        store.attach("x", file("d", 0), RULES, NOW).await,
        Err(StoreError::NotFound)
    ));
}

async fn a_failed_create_leaves_nothing_behind(place: Place) {
    let store = &place.store;
    let files = vec![file("a", 900), file("b", 900)];
    assert!(matches!(
        store.create(new("m"), files, RULES, created()).await,
        Err(StoreError::TooLarge { .. })
    ));
    assert!(!store.knows_message("m").await.unwrap());
}

async fn a_worker_that_lost_its_lease_changes_nothing(place: Place) {
    queued(&place.store, "m").await;
    let old = place.store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    let place = place.reopened().await;
    let new = place.store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    assert_eq!(new.attempt, 2);
    let late = place.store.finish(old.message.id, old.lease, sent()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)));
    assert!(matches!(
        place
            .store
            .save_checkpoint(old.message.id, old.lease, "a".into(), Vec::new())
            .await,
        Err(StoreError::LeaseLost)
    ));
    place.store.finish(new.message.id, new.lease, sent()).await.unwrap();
}

async fn checkpoints_and_kept_documents_survive_a_restart(place: Place) {
    queued(&place.store, "m").await;
    let claimed = place.store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    let (id, lease) = (claimed.message.id, claimed.lease);
    let kept = Kept {
        name: "z".into(),
        blob: "kept-1".into(),
        media_type: "application/zip".into(),
        size: 7,
        md5: vec![1; 16],
        sha256: vec![2; 32],
    };
    place.store.save_kept(id, lease, kept.clone(), None).await.unwrap();
    place
        .store
        .save_checkpoint(id, lease, "transfer".into(), b"t-1".to_vec())
        .await
        .unwrap();
    let place = place.reopened().await;
    let again = place.store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    assert_eq!(again.checkpoints, [("transfer".to_owned(), b"t-1".to_vec())]);
    assert_eq!(again.kept[0].blob, "kept-1");
    place
        .store
        .save_kept(
            id,
            again.lease,
            Kept {
                blob: "kept-2".into(),
                ..kept
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!(place.store.garbage(10).await.unwrap(), ["kept-1"]);
}

async fn what_is_not_due_is_not_claimed(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    assert!(store.claim("S", NOW, some(1)).await.unwrap().is_empty(), "leased");
    let retry = Outcome::Retry {
        due: NOW + 20_000,
        error: "no".into(),
        uncertain: false,
    };
    store.finish(claimed.message.id, claimed.lease, retry).await.unwrap();
    assert!(store.claim("S", NOW + 19_999, some(1)).await.unwrap().is_empty());
    assert_eq!(store.next_due("S").await.unwrap(), Some(NOW + 20_000));
    assert_eq!(store.claim("S", NOW + 20_000, some(1)).await.unwrap()[0].attempt, 2);
    assert!(
        store.claim("T", NOW + 20_000, some(1)).await.unwrap().is_empty(),
        "another service"
    );
}

async fn a_message_that_was_given_up_keeps_its_content(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    given_up(store, NOW).await;
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "FEIL"]);
    assert!(store.garbage(10).await.unwrap().is_empty());
    assert!(store.claim("S", NOW + HOUR, some(1)).await.unwrap().is_empty());
}

/// Claims the only message and gives it up.
async fn given_up(store: &Store, now: i64) -> Claimed {
    let claimed = store.claim("S", now, some(1)).await.unwrap().remove(0);
    let gave_up = Outcome::GaveUp {
        status: NewStatus::plain(Status::Feil, now).with_receipt("http-400"),
        discard: false,
        now,
    };
    store.finish(claimed.message.id, claimed.lease, gave_up).await.unwrap();
    claimed
}

async fn a_message_that_was_given_up_can_be_sent_again_and_given_up_again(place: Place) {
    let store = &place.store;
    let is_finished = async || store.outgoing_conversation("m").await.unwrap().unwrap().finished;
    queued(store, "m").await;
    given_up(store, NOW).await;
    let listed = store.given_up(10).await.unwrap();
    assert_eq!(
        (listed.len(), listed[0].message_id.as_str(), listed[0].attempts),
        (1, "m", 1)
    );
    assert_eq!(listed[0].error.as_deref(), Some("http-400"));
    assert!(is_finished().await);

    assert!(store.resend("m", NOW + 9 * HOUR, NOW + HOUR).await.unwrap());
    assert!(!store.resend("m", NOW, NOW).await.unwrap(), "it is on its way");
    assert!(!is_finished().await);
    assert!(store.given_up(10).await.unwrap().is_empty());
    let again = given_up(store, NOW + 2 * HOUR).await;
    assert_eq!((again.attempt, again.message.facts.expiry), (1, NOW + 9 * HOUR));
    assert_eq!(again.files.len(), 1, "its content is there");
    assert!(is_finished().await);
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "FEIL"]);

    assert!(store.drop_given_up("m").await.unwrap());
    assert!(!store.drop_given_up("m").await.unwrap());
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-first.txt"]);
    assert!(is_finished().await, "its conversation stays");
}

async fn the_answers_to_a_message_leave_one_after_the_other(place: Place) {
    let store = &place.store;
    store.arrive(arrival("m", "t")).await.unwrap();
    store
        .peek(IncomingFilter::default(), NOW, NOW + HOUR)
        .await
        .unwrap()
        .unwrap();
    let delivered = NewStatus::plain(Status::InnkommendeLevert, NOW);
    store.take("m", None, delivered, Some(answer("m"))).await.unwrap();
    let mottatt = store.claim("S", NOW, some(10)).await.unwrap();
    assert_eq!(mottatt.len(), 1, "LEVERT waits for MOTTATT");
    assert_eq!(store.next_due("S").await.unwrap(), None);
    let retry = Outcome::Retry {
        due: NOW + 20_000,
        error: "no".into(),
        uncertain: false,
    };
    store
        .finish(mottatt[0].message.id, mottatt[0].lease, retry)
        .await
        .unwrap();
    assert!(store.claim("S", NOW, some(10)).await.unwrap().is_empty());
    let again = store.claim("S", NOW + 20_000, some(10)).await.unwrap().remove(0);
    store.finish(again.message.id, again.lease, sent()).await.unwrap();
    assert_eq!(store.claim("S", NOW + 20_000, some(10)).await.unwrap().len(), 1);
}

async fn the_sum_of_the_files_is_what_counts(place: Place) {
    let store = &place.store;
    let mib = 1024 * 1024;
    let rules = AttachmentRules { limit: 10 * mib };
    for (id, present, more, fits) in [
        ("a", 0, 5, true),
        ("b", 4, 5, true),
        ("c", 0, 100, false),
        ("d", 6, 5, false),
    ] {
        store
            .create(new(id), vec![file("first", present * mib)], rules, created())
            .await
            .unwrap();
        let added = store.attach(id, file("more", more * mib), rules, NOW).await;
        assert_eq!(added.is_ok(), fits, "{present} + {more} MiB: {added:?}");
    }
}

on_every_database! {
    a_message_goes_from_draft_to_sent_and_its_files_become_garbage,
    a_message_id_is_taken_for_good,
    parallel_uploads_lose_nothing_and_number_each_file_once,
    files_are_refused_by_name_by_sum_and_after_sending,
    a_failed_create_leaves_nothing_behind,
    a_worker_that_lost_its_lease_changes_nothing,
    checkpoints_and_kept_documents_survive_a_restart,
    what_is_not_due_is_not_claimed,
    a_message_that_was_given_up_keeps_its_content,
    a_message_that_was_given_up_can_be_sent_again_and_given_up_again,
    the_answers_to_a_message_leave_one_after_the_other,
    the_sum_of_the_files_is_what_counts,
}
