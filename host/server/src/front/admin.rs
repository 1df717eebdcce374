//! The users of the address service's administration: the same passwords, the same guard against guessing.

use std::net::IpAddr;

use async_trait::async_trait;
use budstikke_registry::api::{AdminGate, Admission};
use http::HeaderMap;

use super::FrontError;
use super::credentials::{Given, given};
use super::users::{Users, Verdict};
use crate::config::{Role, User};

/// Those who may administer.
pub struct AdminUsers(Users);

impl AdminUsers {
    /// Reads the hashes. All that is wrong is told at once.
    pub fn new(users: &[User]) -> Result<Self, Vec<FrontError>> {
        Users::new(users).map(Self).map_err(|errors| {
            let told = errors.iter().map(|error| FrontError {
                key: "users",
                why: error.to_string(),
            });
            told.collect()
        })
    }
}

#[async_trait]
impl AdminGate for AdminUsers {
    async fn admit(&self, headers: &HeaderMap, from: IpAddr) -> Admission {
        let Given::Basic(credentials) = given(headers) else {
            return Admission::Unknown;
        };
        let name = credentials.name.clone();
        match self.0.ask(credentials, from).await {
            Verdict::Known(roles) if roles.contains(&Role::Admin) => Admission::Admitted(name),
            Verdict::Known(_) => Admission::NotAllowed,
            Verdict::Wrong => Admission::Unknown,
            Verdict::Later(wait) => Admission::Later(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::config::Secret;
    use crate::front::hashed;

    #[tokio::test]
    async fn an_administrator_needs_the_password_and_the_role() {
        let user = |name: &str, role| User {
            name: name.into(),
            password_hash: Secret::Plain(hashed("hemmelig").unwrap()),
            roles: vec![role],
        };
        let users = AdminUsers::new(&[user("kari", Role::Admin), user("sak", Role::Fagsystem)]).unwrap();
        for (credentials, expected) in [
            ("kari:hemmelig", Admission::Admitted("kari".into())),
            ("kari:feil", Admission::Unknown),
            ("ola:hemmelig", Admission::Unknown),
            ("sak:hemmelig", Admission::NotAllowed),
        ] {
            let value = format!("Basic {}", STANDARD.encode(credentials));
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())]);
            let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
            assert_eq!(users.admit(&headers, from).await, expected, "{credentials}");
        }
        let nobody = users.admit(&HeaderMap::new(), IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        assert_eq!(nobody, Admission::Unknown);
    }
}
