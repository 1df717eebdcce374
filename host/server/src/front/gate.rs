//! What a request passes before the API sees it: its headers are counted, browsers of other origins are sent away, and its
//! sender is asked for a password. Spec: messaging API, 1.2.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use budstikke_registry::api::Peer;
use futures::StreamExt as _;
use http::header::{CONNECTION, EXPECT, HeaderValue, STRICT_TRANSPORT_SECURITY};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Uri, Version};
use http_body::Body as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;

use super::answers::AnswerCounts;
use super::credentials::{Given, given};
use super::progress::Underway;
use super::site::{Site, is_pre_flight};
use super::users::{Users, UsersError, Verdict};
use crate::api::Refusal;
use crate::config::{ManagePart, Role, Server};

/// On every answer over HTTPS: a year, as Java's framework says it.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
/// What is read and dropped of a request that is refused, so that its sender gets to read why: bytes and time.
const DRAINED: usize = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Who sends a request, as far as the connection tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) address: IpAddr,
    /// Over HTTPS.
    pub(super) secure: bool,
}

/// See the module.
pub(super) struct Gate {
    /// None: nobody is asked.
    users: Option<Users>,
    site: Site,
    manage_open: Vec<ManagePart>,
    cuts_slashes: bool,
    headers: usize,
    header_bytes: usize,
    answers: AnswerCounts,
}

impl Gate {
    /// What the configuration says, or everything that is wrong with its users.
    pub(super) fn new(server: &Server, site: Site) -> Result<Self, Vec<UsersError>> {
        let users = if server.open {
            None
        } else {
            Some(Users::new(&server.users)?)
        };
        Ok(Self {
            users,
            site,
            manage_open: server.manage_open.clone(),
            cuts_slashes: server.allow_deprecated_trailing_slash,
            headers: server.limits.headers,
            header_bytes: server.limits.header_bytes,
            answers: AnswerCounts::default(),
        })
    }

    /// How calls of the API are answered, always up to date.
    pub(super) fn answers(&self) -> AnswerCounts {
        self.answers.clone()
    }

    /// The answer to a request: the API's, or why it does not get there.
    pub(super) async fn answer(
        &self,
        mut request: Request<Body>,
        caller: Caller,
        router: &Router,
        underway: &Underway,
    ) -> Response {
        if self.cuts_slashes {
            cut_slash(request.uri_mut());
        }
        let uri = request.uri().clone();
        let (head, body) = request.into_parts();
        let mut response = match self.admit(&head, caller.address).await {
            Ok(()) => {
                underway.admitted();
                let mut request = Request::from_parts(head, body);
                request.extensions_mut().insert(Peer(caller.address));
                match TowerToHyperService::new(router.clone()).call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Err(refusal) => refused(&refusal, &head, body).await,
        };
        self.answers.add(uri.path(), response.status());
        if caller.secure {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        response
    }

    async fn admit(&self, head: &Parts, from: IpAddr) -> Result<(), Refusal> {
        self.count(head)?;
        if is_pre_flight(head) {
            return Err(Refusal::PreFlight);
        }
        if self.site.is_called_from_another(head) {
            return Err(Refusal::OtherSite);
        }
        let managed = self.site.below_manage(head.uri.path());
        if let Some(part) = managed
            && self.manage_open.iter().any(|open| open.segment() == part)
        {
            return Ok(());
        }
        let Some(users) = &self.users else {
            return match managed {
                Some(_) => Err(Refusal::Shut),
                None => Ok(()),
            };
        };
        let credentials = match given(&head.headers) {
            Given::Nothing => return Err(Refusal::NoCredentials),
            Given::Unreadable => return Err(Refusal::WrongCredentials),
            Given::Basic(credentials) => credentials,
        };
        let roles = match users.ask(credentials, from).await {
            Verdict::Known(roles) => roles,
            Verdict::Wrong => return Err(Refusal::WrongCredentials),
            Verdict::Later(wait) => return Err(Refusal::Later(wait)),
        };
        let (role, name) = match managed {
            Some(_) => (Role::Operator, "operator"),
            None => (Role::Fagsystem, "fagsystem"),
        };
        if roles.contains(&role) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed(name))
        }
    }

    fn count(&self, head: &Parts) -> Result<(), Refusal> {
        let headers = &head.headers;
        if headers.len() > self.headers {
            return Err(Refusal::TooManyHeaders(self.headers));
        }
        let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
        // A line has a colon, a space and a line break.
        let bytes = headers.iter().fold(path, |sum, (name, value)| {
            sum.saturating_add(name.as_str().len() + value.len() + 4)
        });
        if bytes > self.header_bytes {
            return Err(Refusal::HeadersTooLarge(self.header_bytes));
        }
        Ok(())
    }
}

/// `/api/x/` becomes `/api/x`. Spec: messaging API, 1.
fn cut_slash(uri: &mut Uri) {
    let path = uri.path();
    let Some(cut) = path
        .strip_suffix('/')
        .filter(|cut| !cut.is_empty() && !cut.ends_with('/'))
    else {
        return;
    };
    let cut = match uri.query() {
        Some(query) => format!("{cut}?{query}"),
        None => cut.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    // What was a path stays one without its end.
    let Ok(path) = PathAndQuery::try_from(cut) else {
        return;
    };
    parts.path_and_query = Some(path);
    if let Ok(cut) = Uri::from_parts(parts) {
        *uri = cut;
    }
}

async fn refused(refusal: &Refusal, head: &Parts, body: Body) -> Response {
    let mut response = refusal.answer(head.uri.path());
    if body.is_end_stream() {
        return response;
    }
    if head.version != Version::HTTP_2 {
        // Some of the body may stay unread: the next request needs a connection of its own.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // Who waits for 100 Continue sends nothing after this answer.
    if !head.headers.contains_key(EXPECT) {
        let mut body = body.into_data_stream();
        let read_on = async {
            let mut left = DRAINED;
            while let Some(Ok(piece)) = body.next().await {
                match left.checked_sub(piece.len()) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        };
        // When the time is up the client has had its chance.
        let _enough = timeout(DRAIN_TIME, read_on).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(uri: &str) -> String {
        let mut uri: Uri = uri.parse().unwrap();
        cut_slash(&mut uri);
        uri.to_string()
    }

    #[test]
    fn one_slash_at_the_end_is_cut() {
        assert_eq!(cut("/api/statuses/"), "/api/statuses");
        assert_eq!(cut("/api/statuses/?size=1&x=/"), "/api/statuses?size=1&x=/");
        assert_eq!(cut("http://a.example:1/api/x/"), "http://a.example:1/api/x");
        for same in ["/", "/api/x", "/api/x//", "/api/x?y=/", "//"] {
            assert_eq!(cut(same), same);
        }
    }
}
