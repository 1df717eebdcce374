//! `[registers.…]` of the configuration. A register whose table is left out is not asked.
//!
//! ```
//! let settings: budstikke_registry::registers::settings::RegisterSettings = toml::from_str(r#"
//!     [brreg]
//!     limits = { kept-ms = 600000, answer-ms = 3000 }
//!
//!     [virksert]
//!     url = "https://virksert.example.no/"
//!     uses = { DPO = "cenbii-procid-ubl::urn:no:difi:profile:dpo:ver1.0" }
//! "#)?;
//! assert!(settings.brreg.is_some() && settings.elma.is_none());
//! # Ok::<(), toml::de::Error>(())
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// The outside registers. Spec: service registry, 7.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RegisterSettings {
    /// Enhetsregisteret.
    pub brreg: Option<Brreg>,
    /// ELMA.
    pub elma: Option<Elma>,
    /// Virksert.
    pub virksert: Option<Virksert>,
    /// SvarUt's mottakersystemer.
    pub svarut: Option<Svarut>,
    /// KRR.
    pub krr: Option<Krr>,
    /// Folkeregisteret.
    pub freg: Option<Freg>,
    /// Norsk Helsenett's address register.
    pub nhn: Option<NorskHelsenett>,
    /// The Fiks IO catalogue.
    pub fiks: Option<Fiks>,
}

impl RegisterSettings {
    /// Files lie relative to the folder of the configuration.
    pub fn resolve_paths(&mut self, base: &Path) {
        let files = self.krr.iter_mut();
        for file in files.flat_map(|krr| krr.trust_anchors.iter_mut().chain(&mut krr.pinned_certificates)) {
            *file = base.join(&*file);
        }
    }
}

/// `[registers.brreg]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Brreg {
    /// What stands before `enhetsregisteret/api/`.
    #[serde(default = "brreg_url")]
    pub url: String,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

fn brreg_url() -> String {
    "https://data.brreg.no/".to_owned()
}

/// `[registers.elma]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Elma {
    /// The SMP: what stands before the participant. Without a default, so that nobody asks the test register by mistake.
    pub url: String,
    /// ICD of organisation numbers.
    #[serde(default = "norwegian")]
    pub icd: String,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

fn norwegian() -> String {
    "0192".to_owned()
}

/// `[registers.virksert]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Virksert {
    /// What stands before `api/v1/`.
    pub url: String,
    /// ICD of organisation numbers.
    #[serde(default = "norwegian")]
    pub icd: String,
    /// What virksert calls the process of each use of a certificate. A use is mostly a service.
    pub uses: BTreeMap<String, String>,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// `[registers.svarut]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Svarut {
    /// Up to and with `/api/v2`.
    pub url: String,
    /// `IntegrasjonId`.
    pub integrasjon_id: String,
    /// `IntegrasjonPassord`.
    pub integrasjon_passord: Password,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// `[registers.krr]`. Whom to believe must be said: trust anchors, pinned certificates, or everybody.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Krr {
    /// Where persons are asked for.
    pub url: String,
    /// Where the printer is asked for. Left out: there is none, and printing cannot be offered.
    pub print_url: Option<String>,
    /// PEM files of authorities, one of which must stand behind the certificate that an answer is signed with.
    #[serde(default)]
    pub trust_anchors: Vec<PathBuf>,
    /// PEM files of certificates that may sign answers, whoever stands behind them.
    #[serde(default)]
    pub pinned_certificates: Vec<PathBuf>,
    /// Believes any certificate that comes with an answer, so that the signature shows damage only. For tests.
    #[serde(default)]
    pub trust_any_certificate: bool,
    /// Times and sizes of questions for persons.
    #[serde(default)]
    pub limits: Limits,
    /// Times and sizes of questions for the printer.
    #[serde(default)]
    pub print_limits: Limits,
}

/// `[registers.freg]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Freg {
    /// What stands before `person/personadresse/`.
    pub url: String,
    /// `X-API-Key`.
    pub api_key: Password,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// `[registers.nhn]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NorskHelsenett {
    /// With `{identifier}` where the identifier goes.
    pub url: String,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// `[registers.fiks]`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fiks {
    /// Up to and with `/fiks-io/katalog/api/v1`.
    pub url: String,
    /// `IntegrasjonId`.
    pub integrasjon_id: String,
    /// `IntegrasjonPassord`.
    pub integrasjon_passord: Password,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// A secret. Never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The secret. Not for logs.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// How long one register is waited for, how long its answers are kept, and when it is left in peace. What is left out is as
/// usual for that register. Times are milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Longest time for a connection.
    pub connect_ms: Option<u64>,
    /// Longest time for one request, connection and answer included. Not 0.
    pub answer_ms: Option<u64>,
    /// Longest time for a question with all its requests. Not 0.
    pub whole_ms: Option<u64>,
    /// Largest answer, bytes.
    pub answer_bytes: Option<u64>,
    /// How often a request that failed is made again, at most.
    pub retries: Option<u32>,
    /// Time before it is made again.
    pub retry_pause_ms: Option<u64>,
    /// How long an answer is kept. 0: not at all.
    pub kept_ms: Option<u64>,
    /// How long it is kept that something is not there. 0: not at all.
    pub absent_kept_ms: Option<u64>,
    /// How many answers are kept.
    pub kept_answers: Option<u64>,
    /// How old an answer may be that is used while the register cannot be asked. 0: none is.
    pub last_good_ms: Option<u64>,
    /// How many questions in a row may fail before the register is left in peace. 0: any number.
    pub failures: Option<u32>,
    /// How long it is left in peace.
    pub peace_ms: Option<u64>,
}

/// [`Limits`] with nothing left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) whole: Duration,
    pub(super) largest: usize,
    pub(super) retries: u32,
    pub(super) retry_pause: Duration,
    pub(super) kept: Duration,
    pub(super) absent_kept: Duration,
    pub(super) kept_answers: u64,
    pub(super) last_good: Duration,
    pub(super) failures: u32,
    pub(super) peace: Duration,
}

/// What registers have in common.
const USUAL: Pace = Pace {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(5),
    whole: Duration::from_secs(30),
    largest: 1024 * 1024,
    retries: 0,
    retry_pause: Duration::from_secs(1),
    kept: Duration::from_mins(5),
    absent_kept: Duration::from_mins(5),
    kept_answers: 10_000,
    last_good: Duration::ZERO,
    failures: 5,
    peace: Duration::from_secs(10),
};
/// Registers that decide the service: not kept long, and an old answer is better than none.
const ROUTING: Pace = Pace {
    kept: Duration::from_mins(1),
    absent_kept: Duration::from_mins(1),
    last_good: Duration::from_hours(24),
    ..USUAL
};
/// Registers of persons.
const PERSONS: Pace = Pace {
    answer: Duration::from_secs(10),
    retries: 3,
    ..USUAL
};

// What is usual, by register. Spec: service registry, 6.1 to 6.8 and 7.
pub(super) const BRREG: Pace = Pace {
    kept: Duration::from_hours(1),
    ..USUAL
};
pub(super) const ELMA: Pace = ROUTING;
pub(super) const VIRKSERT: Pace = ROUTING;
pub(super) const SVARUT: Pace = Pace {
    kept: Duration::from_mins(5),
    absent_kept: Duration::from_mins(5),
    ..ROUTING
};
pub(super) const KRR: Pace = PERSONS;
pub(super) const PRINTER: Pace = Pace {
    retries: 10,
    retry_pause: Duration::from_secs(3),
    ..PERSONS
};
pub(super) const FREG: Pace = PERSONS;
pub(super) const NHN: Pace = Pace {
    connect: Duration::from_secs(3),
    answer: Duration::from_secs(10),
    ..USUAL
};
pub(super) const FIKS: Pace = USUAL;

impl Limits {
    /// These limits, and the usual ones where nothing is said.
    pub(super) fn or(self, usual: Pace) -> Pace {
        let time = |millis: Option<u64>, usual: Duration| millis.map_or(usual, Duration::from_millis);
        Pace {
            connect: time(self.connect_ms, usual.connect),
            answer: time(self.answer_ms, usual.answer),
            whole: time(self.whole_ms, usual.whole),
            largest: self
                .answer_bytes
                .map_or(usual.largest, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            retries: self.retries.unwrap_or(usual.retries),
            retry_pause: time(self.retry_pause_ms, usual.retry_pause),
            kept: time(self.kept_ms, usual.kept),
            absent_kept: time(self.absent_kept_ms, usual.absent_kept),
            kept_answers: self.kept_answers.unwrap_or(usual.kept_answers),
            last_good: time(self.last_good_ms, usual.last_good),
            failures: self.failures.unwrap_or(usual.failures),
            peace: time(self.peace_ms, usual.peace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual_for_the_register() {
        let settings: RegisterSettings = toml::from_str("[brreg]\nlimits = { absent-kept-ms = 7 }").unwrap();
        let brreg = settings.brreg.unwrap();
        assert_eq!(brreg.url, "https://data.brreg.no/");
        let pace = brreg.limits.or(BRREG);
        assert_eq!(pace.absent_kept, Duration::from_millis(7));
        assert_eq!(pace.kept, Duration::from_hours(1));
        assert!(settings.elma.is_none() && settings.krr.is_none());
    }

    #[test]
    fn absence_in_enhetsregisteret_is_kept_for_a_shorter_time_than_presence() {
        assert!(BRREG.absent_kept < BRREG.kept);
        assert_eq!(BRREG.absent_kept, Duration::from_mins(5));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for (text, key) in [
            ("[brreg]\nurll = \"x\"", "urll"),
            ("[bregg]", "bregg"),
            ("[brreg]\nlimits = { kept = 1 }", "kept"),
        ] {
            let error = toml::from_str::<RegisterSettings>(text).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn files_lie_beside_the_configuration() {
        let text = "[krr]\nurl = \"https://x\"\ntrust-anchors = [\"a.pem\"]\npinned-certificates = [\"/etc/b.pem\"]";
        let mut settings: RegisterSettings = toml::from_str(text).unwrap();
        settings.resolve_paths(Path::new("/conf"));
        let krr = settings.krr.unwrap();
        assert_eq!(krr.trust_anchors, [Path::new("/conf/a.pem")]);
        assert_eq!(krr.pinned_certificates, [Path::new("/etc/b.pem")]);
    }

    #[test]
    fn secrets_are_not_printed() {
        let text = "[freg]\nurl = \"https://x\"\napi-key = \"hemmelig\"";
        let settings: RegisterSettings = toml::from_str(text).unwrap();
        assert!(!format!("{settings:?}").contains("hemmelig"));
        assert_eq!(settings.freg.unwrap().api_key.secret(), "hemmelig");
    }
}
