use zeroize::Zeroizing;

use super::*;
use crate::config::Secret;

/// Cheap, so that the tests are quick: argon2id of "hemmelig" with 8 KiB, bcrypt of "åpent" with cost 4.
fn users() -> Users {
    Users::new(&[
        user("fagsystem", &cheap("hemmelig"), &[Role::Fagsystem]),
        user("drift", &cheap("åpent"), &[Role::Fagsystem, Role::Operator]),
    ])
    .ok()
    .unwrap()
}

fn cheap(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string()
}

fn user(name: &str, hash: &str, roles: &[Role]) -> Written {
    Written {
        name: name.into(),
        password_hash: Secret::Plain(hash.into()),
        roles: roles.to_vec(),
    }
}

fn credentials(name: &str, password: &str) -> Credentials {
    Credentials {
        name: name.into(),
        password: Zeroizing::new(password.as_bytes().to_vec()),
    }
}

fn address(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

async fn verdict(users: &Users, name: &str, password: &str, last: u8) -> Verdict {
    users.ask(credentials(name, password), address(last)).await
}

#[tokio::test]
async fn each_user_has_its_own_password_and_roles() {
    let users = users();
    let known = |roles: &[Role]| Verdict::Known(roles.into());
    assert_eq!(
        verdict(&users, "fagsystem", "hemmelig", 1).await,
        known(&[Role::Fagsystem])
    );
    assert_eq!(
        verdict(&users, "drift", "åpent", 1).await,
        known(&[Role::Fagsystem, Role::Operator])
    );
    for (number, (name, password)) in [
        ("fagsystem", "åpent"),
        ("drift", "hemmelig"),
        ("Fagsystem", "hemmelig"),
        ("", "hemmelig"),
        ("nobody", "hemmelig"),
        ("fagsystem", ""),
        ("fagsystemh", "emmelig"),
    ]
    .into_iter()
    .enumerate()
    {
        let from = u8::try_from(number + 2).unwrap();
        assert_eq!(
            verdict(&users, name, password, from).await,
            Verdict::Wrong,
            "{name}:{password}"
        );
    }
}

#[tokio::test]
async fn a_right_password_is_verified_once_for_each_address() {
    let users = users();
    verdict(&users, "fagsystem", "hemmelig", 1).await;
    // Nothing can be verified any more: what is answered now was remembered.
    users.verifiers.close();
    assert!(matches!(
        verdict(&users, "fagsystem", "hemmelig", 1).await,
        Verdict::Known(_)
    ));
    assert_eq!(verdict(&users, "fagsystem", "hemmelig", 2).await, Verdict::Later(BUSY));
    assert_eq!(verdict(&users, "fagsystem", "hemmelig2", 1).await, Verdict::Later(BUSY));
    assert_eq!(verdict(&users, "drift", "hemmelig", 1).await, Verdict::Later(BUSY));
}

#[tokio::test]
async fn the_memory_is_bounded() {
    let users = users();
    let user = &users.by_name["fagsystem"];
    for number in 0..1000_u32 {
        users.remember(user, IpAddr::from(number.to_be_bytes()), b"x");
    }
    assert_eq!(user.remembered.read().unwrap().len(), ADDRESSES);
}

#[tokio::test]
async fn wrong_passwords_make_an_address_wait_and_leave_the_others_alone() {
    let users = users();
    assert!(matches!(
        verdict(&users, "fagsystem", "hemmelig", 9).await,
        Verdict::Known(_)
    ));
    for _ in 0..5 {
        assert_eq!(verdict(&users, "fagsystem", "feil", 1).await, Verdict::Wrong);
    }
    assert!(matches!(
        verdict(&users, "fagsystem", "feil", 1).await,
        Verdict::Later(_)
    ));
    assert!(matches!(verdict(&users, "nobody", "feil", 1).await, Verdict::Later(_)));
    // Also the right one, or guessing could go on.
    assert!(matches!(
        verdict(&users, "fagsystem", "hemmelig", 1).await,
        Verdict::Later(_)
    ));
    assert!(matches!(
        verdict(&users, "fagsystem", "hemmelig", 9).await,
        Verdict::Known(_)
    ));
    assert!(matches!(verdict(&users, "drift", "åpent", 2).await, Verdict::Known(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_guesses_from_one_address_is_worth_no_more_than_one_after_the_other() {
    let users = Arc::new(users());
    let guesses = (0..60).map(|number| {
        let users = users.clone();
        tokio::spawn(async move { verdict(&users, "fagsystem", &number.to_string(), 1).await })
    });
    let verdicts = futures::future::join_all(guesses).await;
    let wrong = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, Ok(Verdict::Wrong)))
        .count();
    // And those that were being computed when the last free one failed.
    assert!((5..5 + verifiers()).contains(&wrong), "{wrong}");
}

#[tokio::test]
async fn the_queue_before_the_verifiers_is_short() {
    let users = Arc::new(users());
    let all = users
        .verifiers
        .clone()
        .acquire_many_owned(u32::try_from(verifiers()).unwrap());
    let all = all.await.unwrap();
    let calls: Vec<_> = (0..WAITING)
        .map(|number| {
            let users = users.clone();
            let from = u8::try_from(number).unwrap();
            tokio::spawn(async move { verdict(&users, "fagsystem", "hemmelig", from).await })
        })
        .collect();
    while users.waiting.load(Ordering::Relaxed) < WAITING {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        verdict(&users, "fagsystem", "hemmelig", 200).await,
        Verdict::Later(BUSY)
    );
    drop(all);
    for call in calls {
        assert!(matches!(call.await.unwrap(), Verdict::Known(_)));
    }
    assert!(matches!(
        verdict(&users, "fagsystem", "hemmelig", 200).await,
        Verdict::Known(_)
    ));
}

#[test]
fn a_hash_that_cannot_be_used_is_named_by_its_user_and_not_shown() {
    let errors = Users::new(&[
        user("good", &cheap("x"), &[Role::Fagsystem]),
        user("bad", "hemmelig", &[Role::Fagsystem]),
        user("worse", "$2b$04$kort", &[Role::Fagsystem]),
    ])
    .err()
    .unwrap();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].starts_with("the password-hash of user bad cannot be used: it is neither"),
        "{texts:?}"
    );
    assert!(
        texts[1].starts_with("the password-hash of user worse cannot be used: it is damaged"),
        "{texts:?}"
    );
    assert!(!texts.concat().contains("hemmelig"), "{texts:?}");
}
