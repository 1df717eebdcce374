//! The list of versions that a vendor publishes: YAML, by environment. Spec: KOSMOS, 6.

use std::collections::HashMap;

use serde::Deserialize;

use crate::config::Environment;
use crate::version::is_harmless;

/// Bytes of a list.
pub const SIZE: u64 = 1 << 20;

/// One entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Versions {
    /// For everybody.
    pub latest: Option<String>,
    /// For those who want it early.
    pub earlybird: Option<String>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    environments: HashMap<String, Option<Versions>>,
}

/// A list that gives no versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no such YAML.
    #[error("the list of versions cannot be read: {0}")]
    Unreadable(String),
    /// It has nothing for us.
    #[error("the list of versions has nothing for {product} in the environment {environment}")]
    Missing {
        /// The top key.
        product: String,
        /// The environment.
        environment: &'static str,
    },
    /// It names something that cannot be part of a name of a file.
    #[error("the list of versions names a version that is none")]
    Harmful,
}

/// What the list says for a product and an environment.
pub fn versions(text: &str, product: &str, environment: Environment) -> Result<Versions, DocumentError> {
    let unreadable = |error: String| DocumentError::Unreadable(error.lines().next().unwrap_or_default().to_owned());
    let products: HashMap<String, serde_json::Value> =
        serde_saphyr::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let missing = || DocumentError::Missing {
        product: product.to_owned(),
        environment: environment.name(),
    };
    let entry = products.get(product).ok_or_else(missing)?;
    let mut entry = Product::deserialize(entry).map_err(|error| unreadable(error.to_string()))?;
    let found = entry
        .environments
        .remove(environment.name())
        .flatten()
        .ok_or_else(missing)?;
    let tidy = |version: Option<String>| match version.map(|version| version.trim().to_owned()) {
        Some(version) if version.is_empty() => Ok(None),
        Some(version) if !is_harmless(&version) => Err(DocumentError::Harmful),
        version => Ok(version),
    };
    Ok(Versions {
        latest: tidy(found.latest)?,
        earlybird: tidy(found.earlybird)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
integrasjonspunkt:
  owner: digdir
  environments:
    itest:      { latest: 2.0.0, earlybird: 2.1.0-SNAPSHOT, note: x }
    staging:    { latest: v4.0.8 }
    production: { latest: 4.0.0, earlybird: '' }
    dev:
other: 7
";

    fn of(environment: Environment) -> Result<(Option<String>, Option<String>), DocumentError> {
        versions(LIST, "integrasjonspunkt", environment).map(|found| (found.latest, found.earlybird))
    }

    #[test]
    fn each_environment_has_its_versions() {
        let some = |version: &str| Some(version.to_owned());
        assert_eq!(of(Environment::Itest), Ok((some("2.0.0"), some("2.1.0-SNAPSHOT"))));
        assert_eq!(of(Environment::Staging), Ok((some("v4.0.8"), None)));
        assert_eq!(of(Environment::Production), Ok((some("4.0.0"), None)));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let told = of(Environment::Dev).unwrap_err().to_string();
        assert_eq!(
            told,
            "the list of versions has nothing for integrasjonspunkt in the environment dev"
        );
        assert!(
            versions(LIST, "third", Environment::Dev)
                .unwrap_err()
                .to_string()
                .contains("third")
        );
        assert!(matches!(
            versions(LIST, "other", Environment::Dev),
            Err(DocumentError::Unreadable(_))
        ));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in [
            "",
            "- a\n- b\n",
            "integrasjonspunkt: [",
            "<html>\n  <body>404</body>",
            "a: &a [*a]",
        ] {
            assert!(versions(bad, "integrasjonspunkt", Environment::Dev).is_err(), "{bad}");
        }
        let harmful = "integrasjonspunkt: { environments: { dev: { latest: ../../x } } }";
        assert_eq!(
            versions(harmful, "integrasjonspunkt", Environment::Dev),
            Err(DocumentError::Harmful)
        );
    }
}
