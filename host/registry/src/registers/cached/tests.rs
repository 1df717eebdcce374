use std::sync::atomic::{AtomicU32, Ordering};

use super::super::settings::{BRREG, ELMA, KRR};
use super::*;

/// Long enough that nothing runs out by itself in a slow test.
const LONG: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(250);

fn pace() -> Pace {
    Pace {
        kept: LONG,
        absent_kept: LONG,
        retries: 0,
        retry_pause: Duration::from_millis(5),
        failures: 0,
        ..BRREG
    }
}

fn down() -> RegisterError {
    RegisterError::Unavailable {
        register: "a register",
        detail: "down".to_owned(),
    }
}

fn denied(asker: Asker) -> RegisterError {
    RegisterError::Denied {
        register: "a register",
        asker,
        detail: "no".to_owned(),
    }
}

/// A register that answers from a script, then with its last answer for ever.
struct Script {
    asked: AtomicU32,
    answers: Vec<Result<Option<u32>, RegisterError>>,
}

impl Script {
    fn new(answers: impl Into<Vec<Result<Option<u32>, RegisterError>>>) -> Self {
        Self {
            asked: AtomicU32::new(0),
            answers: answers.into(),
        }
    }

    async fn ask(&self) -> Result<Option<u32>, RegisterError> {
        let index = self.asked.fetch_add(1, Ordering::SeqCst) as usize;
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.answers.get(index).or(self.answers.last()).unwrap().clone()
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answers(pace: Pace) -> Answers<u8, Option<u32>> {
    Answers::new("a register", &pace)
}

#[tokio::test]
async fn an_answer_is_kept_by_its_question() {
    let (answers, script) = (answers(pace()), Script::new([Ok(Some(1)), Ok(Some(2))]));
    for (key, expected) in [(1, 1), (1, 1), (2, 2), (1, 1), (2, 2)] {
        assert_eq!(answers.ask(key, || script.ask()).await, Ok(Some(expected)));
    }
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_asked_for_again() {
    let pace = Pace { kept: SHORT, ..pace() };
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1)), Ok(Some(2))]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(2)));
}

#[tokio::test]
async fn absence_is_kept_for_its_own_shorter_time() {
    let pace = Pace {
        absent_kept: SHORT,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Ok(None), Ok(Some(1)), Ok(None)]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(None));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(None));
    assert_eq!(script.asked(), 1);
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
}

#[tokio::test]
async fn nothing_is_kept_when_the_time_is_zero() {
    let pace = Pace {
        kept: Duration::ZERO,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1)), Ok(Some(2))]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(2)));
}

#[tokio::test]
async fn a_failure_is_never_kept_and_never_becomes_absence() {
    let (answers, script) = (answers(pace()), Script::new([Err(down()), Ok(Some(1))]));
    assert_eq!(answers.ask(1, || script.ask()).await, Err(down()));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
}

#[tokio::test]
async fn many_who_ask_the_same_at_the_same_time_cause_one_question() {
    let answers = answers(pace());
    let script = Script::new([Ok(Some(1))]);
    let ask = || answers.ask(1, || script.ask());
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert_eq!((a, b, c), (Ok(Some(1)), Ok(Some(1)), Ok(Some(1))));
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_no_answer_from_the_others() {
    let answers = answers(pace());
    let script = Script::new([Ok(Some(1))]);
    let first = answers.ask(1, || script.ask());
    let second = answers.ask(1, || script.ask());
    // The first begins the question and is dropped in the middle of it.
    let gone = tokio::time::timeout(Duration::from_millis(1), first);
    let (gone, second) = tokio::join!(gone, second);
    assert!(gone.is_err());
    assert_eq!(second, Ok(Some(1)));
}

#[tokio::test]
async fn no_more_answers_are_kept_than_allowed() {
    let pace = Pace {
        kept_answers: 10,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1))]));
    for key in 0..100 {
        assert_eq!(answers.ask(key, || script.ask()).await, Ok(Some(1)));
    }
    answers.kept.run_pending_tasks().await;
    assert!(answers.kept.entry_count() <= 10);
}

#[tokio::test]
async fn a_register_that_cannot_be_asked_is_asked_again_so_many_times() {
    let pace = Pace { retries: 3, ..pace() };
    let (answers, script) = (answers(pace), Script::new([Err(down()), Err(down()), Ok(Some(1))]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    assert_eq!(script.asked(), 3);

    let never = Script::new([Err(down())]);
    assert_eq!(answers.ask(2, || never.ask()).await, Err(down()));
    assert_eq!(never.asked(), 4);
}

#[tokio::test]
async fn what_a_register_says_no_to_is_not_asked_again() {
    let denied = denied(Asker::Us);
    let pace = Pace { retries: 3, ..pace() };
    let (answers, script) = (answers(pace), Script::new([Err(denied.clone())]));
    assert_eq!(answers.ask(1, || script.ask()).await, Err(denied));
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn a_question_ends_when_its_whole_time_is_over() {
    let pace = Pace {
        retries: 1000,
        whole: SHORT,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Err(down())]));
    let started = Instant::now();
    let error = answers.ask(1, || script.ask()).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 250ms"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_register_that_fails_and_fails_is_not_asked_for_a_while() {
    let pace = Pace {
        failures: 2,
        peace: SHORT,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Err(down()), Err(down()), Ok(Some(1))]));
    for key in 0..2 {
        assert_eq!(answers.ask(key, || script.ask()).await, Err(down()));
    }
    let error = answers.ask(3, || script.ask()).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unavailable { .. }) && error.to_string().contains("left in peace"));
    assert_eq!(script.asked(), 2);
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(answers.ask(3, || script.ask()).await, Ok(Some(1)));
}

#[tokio::test]
async fn odd_answers_do_not_count_as_failures() {
    let odd = RegisterError::Unusable {
        register: "a register",
        detail: "odd".to_owned(),
    };
    let pace = Pace { failures: 1, ..pace() };
    let (answers, script) = (answers(pace), Script::new([Err(odd.clone())]));
    for _ in 0..3 {
        assert_eq!(answers.ask(1, || script.ask()).await, Err(odd.clone()));
    }
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn while_a_register_is_down_its_last_good_answer_is_used_until_that_is_too_old() {
    let pace = Pace {
        kept: Duration::ZERO,
        last_good: SHORT * 2,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1)), Err(down())]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    assert_eq!(answers.ask(2, || script.ask()).await, Err(down()));
    tokio::time::sleep(SHORT * 3).await;
    assert_eq!(answers.ask(1, || script.ask()).await, Err(down()));
}

#[tokio::test]
async fn what_is_gone_does_not_come_back_when_the_register_goes_down() {
    let pace = Pace {
        kept: Duration::ZERO,
        absent_kept: Duration::ZERO,
        last_good: LONG,
        ..pace()
    };
    let (answers, script) = (
        answers(pace),
        Script::new([Ok(Some(1)), Ok(None), Err(down()), Ok(Some(2)), Err(down())]),
    );
    for expected in [Ok(Some(1)), Ok(None), Err(down()), Ok(Some(2)), Ok(Some(2))] {
        assert_eq!(answers.ask(1, || script.ask()).await, expected);
    }
}

#[tokio::test]
async fn a_register_that_refuses_us_again_and_again_is_left_in_peace_and_no_old_answer_is_used() {
    let pace = Pace {
        kept: Duration::ZERO,
        last_good: LONG,
        failures: 2,
        peace: SHORT,
        ..pace()
    };
    let ours = || Err(denied(Asker::Us));
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1)), ours(), ours(), Ok(Some(2))]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    for _ in 0..2 {
        assert_eq!(answers.ask(1, || script.ask()).await, ours());
    }
    let error = answers.ask(1, || script.ask()).await.unwrap_err();
    assert!(
        matches!(error, RegisterError::Denied { asker: Asker::Us, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("left in peace"), "{error}");
    assert_eq!(script.asked(), 3);
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(2)));
}

#[tokio::test]
async fn what_a_register_refuses_a_client_is_not_held_against_it() {
    let pace = Pace { failures: 1, ..pace() };
    let theirs = denied(Asker::Caller);
    let (answers, script) = (answers(pace), Script::new([Err(theirs.clone())]));
    for _ in 0..3 {
        assert_eq!(answers.ask(1, || script.ask()).await, Err(theirs.clone()));
    }
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn a_question_that_was_never_asked_says_nothing_of_the_register() {
    let missing = RegisterError::NotSetUp {
        register: "a register",
        detail: "no such use".to_owned(),
    };
    let pace = Pace { failures: 2, ..pace() };
    let script = Script::new([Err(down()), Err(missing.clone()), Err(down())]);
    let answers = answers(pace);
    for expected in [down(), missing, down()] {
        assert_eq!(answers.ask(1, || script.ask()).await, Err(expected));
    }
    let error = answers.ask(1, || script.ask()).await.unwrap_err();
    assert!(error.to_string().contains("left in peace"), "{error}");
}

#[tokio::test]
async fn callers_who_give_up_on_a_register_that_hangs_leave_it_in_peace() {
    let pace = Pace {
        answer: Duration::from_millis(20),
        failures: 2,
        ..pace()
    };
    let answers = answers(pace);
    let hangs = || std::future::pending::<Result<Option<u32>, RegisterError>>();
    for _ in 0..2 {
        let gone = tokio::time::timeout(Duration::from_millis(40), answers.ask(1, hangs)).await;
        assert!(gone.is_err());
    }
    let error = answers.ask(1, hangs).await.unwrap_err();
    assert!(error.to_string().contains("left in peace"), "{error}");
}

#[tokio::test]
async fn a_last_good_answer_covers_no_refusal() {
    let denied = denied(Asker::Us);
    let pace = Pace {
        kept: Duration::ZERO,
        last_good: LONG,
        ..pace()
    };
    let (answers, script) = (answers(pace), Script::new([Ok(Some(1)), Err(denied.clone())]));
    assert_eq!(answers.ask(1, || script.ask()).await, Ok(Some(1)));
    assert_eq!(answers.ask(1, || script.ask()).await, Err(denied));
}

#[tokio::test]
async fn the_warning_of_old_answers_comes_once_a_minute() {
    let answers = answers(Pace {
        last_good: LONG,
        ..pace()
    });
    assert!(answers.may_warn());
    assert!(!answers.may_warn());
    *answers.warned.lock().unwrap() = Some(Instant::now().checked_sub(WARNED).unwrap());
    assert!(answers.may_warn());
}

#[test]
fn only_registers_that_decide_the_service_have_last_good_answers() {
    assert!(!ELMA.last_good.is_zero());
    assert!(BRREG.last_good.is_zero() && KRR.last_good.is_zero());
}

#[test]
fn tokens_are_told_apart_without_being_kept() {
    let of = |text: &str| TokenDigest::of(&CallerToken::new(text.to_owned()));
    assert!(of("a") == of("a") && of("a") != of("b"));
    assert!(!of("secret").0.windows(6).any(|window| window == b"secret"));
}
