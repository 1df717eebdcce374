//! One target under libFuzzer. `cargo xtask fuzz` builds and runs it.
#![no_main]
#![allow(clippy::expect_used, reason = "a name that is wrong ends the run")]

use std::sync::LazyLock;

use budstikke_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

/// Names the target.
const VARIABLE: &str = "BUDSTIKKE_FUZZ_TARGET";

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var(VARIABLE).expect("BUDSTIKKE_FUZZ_TARGET names the target");
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("BUDSTIKKE_FUZZ_TARGET names a target")
});

fuzz_target!(|input: &[u8]| CHOSEN.run(input));
