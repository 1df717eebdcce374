//! What a component asks for, compared with what exists and what was granted, before anything is linked.

use super::Grants;

/// An ability that an operator can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ability {
    /// Files by handle.
    Documents,
    /// ASiC-E, CMS, zip.
    Packaging,
    /// Who we are, and tokens.
    Identity,
    /// The message store.
    Exchange,
    /// Who others are.
    Registry,
    /// The key of the message queues.
    QueueKey,
    /// The small durable store.
    State,
    /// Outgoing HTTP.
    Http,
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Documents,
        Self::Packaging,
        Self::Identity,
        Self::Exchange,
        Self::Registry,
        Self::QueueKey,
        Self::State,
        Self::Http,
    ];

    /// The name in `interfaces`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Packaging => "packaging",
            Self::Identity => "identity",
            Self::Exchange => "exchange",
            Self::Registry => "registry",
            Self::QueueKey => "queue-key",
            Self::State => "state",
            Self::Http => "http",
        }
    }
}

/// How an interface is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Harmless, or inert: empty environment, no files, no sockets.
    Free,
    Granted(Ability),
}

/// Every interface that exists here, without version. An entry that ends in `/` stands for the whole package.
const INTERFACES: &[(&str, Rule)] = &[
    ("budstikke:plugin/types", Rule::Free),
    ("budstikke:plugin/settings", Rule::Free),
    ("budstikke:plugin/documents", Rule::Granted(Ability::Documents)),
    ("budstikke:plugin/packaging", Rule::Granted(Ability::Packaging)),
    ("budstikke:plugin/identity", Rule::Granted(Ability::Identity)),
    ("budstikke:plugin/exchange", Rule::Granted(Ability::Exchange)),
    ("budstikke:plugin/registry", Rule::Granted(Ability::Registry)),
    ("budstikke:plugin/queue-key", Rule::Granted(Ability::QueueKey)),
    ("budstikke:plugin/state", Rule::Granted(Ability::State)),
    ("wasi:http/types", Rule::Granted(Ability::Http)),
    ("wasi:http/outgoing-handler", Rule::Granted(Ability::Http)),
    ("wasi:logging/logging", Rule::Free),
    ("wasi:io/", Rule::Free),
    ("wasi:clocks/", Rule::Free),
    ("wasi:random/", Rule::Free),
    ("wasi:cli/", Rule::Free),
    ("wasi:filesystem/", Rule::Free),
    ("wasi:sockets/", Rule::Free),
];

/// The lines that this host speaks: packages and the versions that link to them.
const VERSIONS: &[(&str, &str)] = &[("budstikke:plugin", "0.1."), ("wasi:", "0.2.")];

/// An import that stays unanswered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It exists and the operator did not allow it.
    #[error(
        "imports `{import}`, which is not granted; to grant it, write `interfaces = [\"{}\"]` under \
         `[adapters.{plugin}.grants]`", ability.name()
    )]
    NotGranted {
        /// Name of the adapter.
        plugin: String,
        /// As the component writes it.
        import: String,
        /// What would have to be granted.
        ability: Ability,
    },
    /// It exists in another version.
    #[error("imports `{import}`; this host offers version {offered}x of it")]
    OtherVersion {
        /// As the component writes it.
        import: String,
        /// Beginning of the versions that link.
        offered: &'static str,
    },
    /// Nobody offers it.
    #[error("imports `{import}`, which does not exist here; offered are {offered}")]
    Unknown {
        /// As the component writes it.
        import: String,
        /// What exists.
        offered: String,
    },
}

/// Compares imports with grants. The first one that is not in order is the answer.
pub(crate) fn check_imports<'a>(
    plugin: &str,
    imports: impl Iterator<Item = &'a str>,
    grants: &Grants,
) -> Result<Vec<Ability>, ImportError> {
    let mut asked = Vec::new();
    for import in imports {
        let (name, version) = import.split_once('@').unwrap_or((import, ""));
        let Some(rule) = rule_of(name) else {
            return Err(ImportError::Unknown {
                import: shorten(import),
                offered: offered(),
            });
        };
        speaks(import, name, version)?;
        let Rule::Granted(ability) = rule else { continue };
        if !grants.allow(ability) {
            return Err(ImportError::NotGranted {
                plugin: plugin.to_owned(),
                import: shorten(import),
                ability,
            });
        }
        if !asked.contains(&ability) {
            asked.push(ability);
        }
    }
    Ok(asked)
}

/// What a policy can import: what it is asked about, and what does nothing.
const OF_POLICIES: &[&str] = &[
    "budstikke:plugin/situation",
    "wasi:logging/logging",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/",
    "wasi:filesystem/",
    "wasi:sockets/",
];

/// The same for a policy, which nothing can be granted to.
pub(crate) fn check_policy_imports<'a>(imports: impl Iterator<Item = &'a str>) -> Result<(), ImportError> {
    for import in imports {
        let (name, version) = import.split_once('@').unwrap_or((import, ""));
        if !OF_POLICIES.iter().any(|known| is_of(name, known)) {
            return Err(ImportError::Unknown {
                import: shorten(import),
                offered: listed(OF_POLICIES.iter().copied()),
            });
        }
        speaks(import, name, version)?;
    }
    Ok(())
}

fn is_of(name: &str, known: &str) -> bool {
    if known.ends_with('/') {
        name.starts_with(known)
    } else {
        name == known
    }
}

/// `wasi:logging` has no version.
fn speaks(import: &str, name: &str, version: &str) -> Result<(), ImportError> {
    let line = VERSIONS
        .iter()
        .find(|(package, _)| name.starts_with(package))
        .map_or("", |(_, line)| line);
    if version.is_empty() || version.starts_with(line) {
        return Ok(());
    }
    Err(ImportError::OtherVersion {
        import: shorten(import),
        offered: line,
    })
}

fn rule_of(name: &str) -> Option<Rule> {
    INTERFACES
        .iter()
        .find(|(known, _)| is_of(name, known))
        .map(|(_, rule)| *rule)
}

fn offered() -> String {
    listed(INTERFACES.iter().map(|(name, _)| *name))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| format!("`{}`", name.trim_end_matches('/')))
        .collect::<Vec<_>>()
        .join(", ")
}

fn shorten(import: &str) -> String {
    import.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], interfaces: &[&str]) -> Result<Vec<Ability>, ImportError> {
        let grants = Grants {
            interfaces: interfaces.iter().map(ToString::to_string).collect(),
            ..Grants::default()
        };
        check_imports("dpo", imports.iter().copied(), &grants)
    }

    #[test]
    fn what_is_harmless_needs_no_grant() {
        let imports = [
            "wasi:cli/environment@0.2.6",
            "wasi:io/streams@0.2.12",
            "wasi:logging/logging",
        ];
        assert_eq!(check(&imports, &[]), Ok(vec![]));
    }

    #[test]
    fn an_ungranted_import_is_refused_with_the_line_that_grants_it() {
        let error = check(&["budstikke:plugin/exchange@0.1.0"], &["documents"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "imports `budstikke:plugin/exchange@0.1.0`, which is not granted; to grant it, write \
             `interfaces = [\"exchange\"]` under `[adapters.dpo.grants]`"
        );
    }

    #[test]
    fn a_star_grants_everything_that_exists() {
        let imports = ["budstikke:plugin/exchange@0.1.0", "wasi:http/types@0.2.10"];
        assert_eq!(check(&imports, &["*"]), Ok(vec![Ability::Exchange, Ability::Http]));
        assert!(matches!(
            check(&["acme:gpu/compute@1.0.0"], &["*"]),
            Err(ImportError::Unknown { .. })
        ));
    }

    #[test]
    fn a_granted_host_grants_http() {
        let grants = Grants {
            http: vec!["https://altinn.no".parse().unwrap()],
            ..Grants::default()
        };
        assert_eq!(
            check_imports("dpo", ["wasi:http/outgoing-handler@0.2.12"].into_iter(), &grants),
            Ok(vec![Ability::Http])
        );
    }

    #[test]
    fn another_line_of_the_contract_is_named_as_such() {
        let error = check(&["budstikke:plugin/exchange@0.2.0"], &["*"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "imports `budstikke:plugin/exchange@0.2.0`; this host offers version 0.1.x of it"
        );
    }
}
