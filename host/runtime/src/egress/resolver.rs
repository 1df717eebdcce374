//! Names to addresses, checked at the moment of connecting: what is checked is what is connected to, so a name that
//! changes its address between two questions gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::egress::address::{Reach, reach};
use crate::grants::Grants;

/// Time for one look-up.
const LOOKUP: Duration = Duration::from_secs(5);

/// Why a name led nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// It leads to addresses that it may not lead to.
    #[error("`{0}` leads to an address that is not allowed for it")]
    Prohibited(String),
    /// Nobody knows it.
    #[error("`{0}` cannot be resolved: {1}")]
    Unknown(String, std::io::Error),
    /// Nobody answered.
    #[error("the look-up of `{0}` took too long")]
    TooLong(String),
}

/// Whether a name may lead to an address.
type Rule = Arc<dyn Fn(&str, IpAddr) -> bool + Send + Sync>;

/// Looks names up and gives only the addresses that a rule allows. An address that stands in a URL is never looked up: it
/// must be held to the rule before.
pub struct CheckedResolver {
    allows: Rule,
}

impl CheckedResolver {
    /// `allows` is asked for each address that a name leads to.
    pub fn new(allows: impl Fn(&str, IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self {
            allows: Arc::new(allows),
        }
    }

    /// What the grants of an adapter allow.
    pub(crate) fn of_grants(grants: Arc<Grants>) -> Self {
        Self::new(move |name, address| Allowed::for_name(&grants, name).includes(address))
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let allows = self.allows.clone();
        Box::pin(async move {
            let found = match tokio::time::timeout(LOOKUP, look_up(&name)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => return Err(ResolveError::Unknown(name, error).into()),
                Err(_) => return Err(ResolveError::TooLong(name).into()),
            };
            let checked: Vec<SocketAddr> = found.into_iter().filter(|found| allows(&name, found.ip())).collect();
            if checked.is_empty() {
                return Err(ResolveError::Prohibited(name).into());
            }
            let addresses: Addrs = Box::new(checked.into_iter());
            Ok(addresses)
        })
    }
}

async fn look_up(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Which addresses a name may lead to.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    private: bool,
    loopback: bool,
}

impl Allowed {
    fn for_name(grants: &Grants, name: &str) -> Self {
        let mut covering = grants.http.iter().filter(|grant| grant.covers_name(name));
        let private = covering.clone().any(crate::grants::HostGrant::is_private);
        Self {
            private,
            loopback: private || covering.any(crate::grants::HostGrant::is_localhost),
        }
    }

    fn includes(self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Private => self.private,
            Reach::Loopback => self.loopback,
            Reach::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &str) -> Grants {
        Grants {
            http: serde_json::from_str(text).unwrap(),
            ..Grants::default()
        }
    }

    fn allows(grants: &Grants, name: &str, address: &str) -> bool {
        Allowed::for_name(grants, name).includes(address.parse().unwrap())
    }

    #[test]
    fn a_public_name_leads_to_public_addresses_only() {
        let grants = grants(r#"["https://platform.altinn.no"]"#);
        assert!(allows(&grants, "platform.altinn.no", "51.120.0.1"));
        assert!(!allows(&grants, "platform.altinn.no", "127.0.0.1"));
        assert!(!allows(&grants, "platform.altinn.no", "10.0.0.1"));
        assert!(!allows(&grants, "platform.altinn.no", "::ffff:10.0.0.1"));
    }

    #[test]
    fn a_private_grant_leads_inside_but_not_to_metadata() {
        let grants = grants(r#"[{"url": "https://sak.intern.no", "private": true}]"#);
        assert!(allows(&grants, "sak.intern.no", "10.0.0.1"));
        assert!(!allows(&grants, "sak.intern.no", "169.254.169.254"));
        assert!(!allows(&grants, "other.intern.no", "10.0.0.1"));
    }

    #[test]
    fn localhost_leads_to_this_machine_only() {
        let grants = grants(r#"["http://localhost:9900"]"#);
        assert!(allows(&grants, "localhost", "127.0.0.1"));
        assert!(!allows(&grants, "localhost", "192.168.0.1"));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_at_the_look_up() {
        let resolver = CheckedResolver::of_grants(Arc::new(grants(r#"["https://platform.altinn.no"]"#)));
        let Err(error) = resolver.resolve("localhost".parse().unwrap()).await else {
            panic!("resolved")
        };
        assert!(matches!(error.downcast_ref(), Some(ResolveError::Prohibited(name)) if name == "localhost"));
    }
}
