//! What pages of other sites may do here: lead to our pages, and nothing else. And which paths are for operators alone.

use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderValue, ORIGIN};
use http::request::Parts;

/// What browsers say of the page that a request comes from. Spec: W3C, Fetch Metadata Request Headers.
const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_MODE: &str = "sec-fetch-mode";

/// The paths of what stands behind a front.
pub struct Site {
    /// Pages: links on other sites may lead to them, and to what is below.
    pages: Vec<String>,
    /// Whether `/manage` is for operators.
    managed: bool,
}

impl Site {
    /// The integrasjonspunkt's.
    pub fn integrasjonspunkt() -> Self {
        Self {
            pages: ["/", "/conversations", "/docs"].map(str::to_owned).to_vec(),
            managed: true,
        }
    }

    /// The address service's, which asks for passwords itself.
    pub fn address_service(context_path: &str) -> Self {
        Self {
            pages: vec![format!("{context_path}/admin")],
            managed: false,
        }
    }

    /// One without pages, where nobody is asked for a password.
    pub fn bare() -> Self {
        Self {
            pages: Vec::new(),
            managed: false,
        }
    }

    /// Whether a page of another site makes a browser send this. Browsers add the password that they remember, and a form or an
    /// image needs no pre-flight: without this, any page could send messages, lock them with a peek, or change the address
    /// service's own data. Programs send neither header.
    pub(super) fn is_called_from_another(&self, head: &Parts) -> bool {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let foreign = |value: &HeaderValue| value == "cross-site" || value == "same-site";
        if head.headers.get_all(FETCH_SITE).iter().any(foreign) {
            let navigates = head.headers.get(FETCH_MODE).is_some_and(|mode| mode == "navigate");
            return !(reads && navigates && self.is_page(head.uri.path()));
        }
        !reads && head.headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin, head))
    }

    fn is_page(&self, path: &str) -> bool {
        self.pages.iter().any(|page| match path.strip_prefix(page.as_str()) {
            Some(below) => below.is_empty() || (page != "/" && below.starts_with('/')),
            None => false,
        })
    }

    /// The first segment below `/manage`, empty for `/manage` itself; none for other paths, and where it is nothing special.
    pub(super) fn below_manage<'a>(&self, path: &'a str) -> Option<&'a str> {
        let below = path.strip_prefix("/manage").filter(|_| self.managed)?;
        if below.is_empty() {
            return Some("");
        }
        below.strip_prefix('/')?.split('/').next()
    }
}

/// Whether a browser asks for leave to let a page of another origin call.
pub(super) fn is_pre_flight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether an `Origin` names the host that is called; `null` does not.
fn is_own(origin: &HeaderValue, head: &Parts) -> bool {
    let called = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head.headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, called) {
        (Some((_, origin)), Some(called)) => origin.eq_ignore_ascii_case(called),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn other_site(method: &str, uri: &str, headers: &[(&str, &str)]) -> bool {
        refuses(&Site::integrasjonspunkt(), method, uri, headers)
    }

    fn refuses(site: &Site, method: &str, uri: &str, headers: &[(&str, &str)]) -> bool {
        let request = Request::builder().method(method).uri(uri);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        site.is_called_from_another(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn an_origin_is_the_own_one_when_it_names_the_host_that_is_called() {
        for (origin, own) in [
            ("http://a.example:1", true),
            ("http://A.Example:1", true),
            ("http://a.example", false),
            ("http://a.example:12", false),
            ("http://b.example:1", false),
            ("null", false),
            ("", false),
        ] {
            let by_host = other_site("POST", "/api/x", &[("host", "a.example:1"), ("origin", origin)]);
            let by_authority = other_site("POST", "http://a.example:1/api/x", &[("origin", origin)]);
            assert_eq!((by_host, by_authority), (!own, !own), "{origin}");
        }
        assert!(
            other_site("POST", "/api/x", &[("origin", "http://a.example")]),
            "no host"
        );
        let both = [("host", "a"), ("origin", "http://a"), ("origin", "http://b")];
        assert!(other_site("DELETE", "/api/x", &both));
        assert!(!other_site("GET", "/api/x", &both));
        assert!(!other_site("POST", "/api/x", &[("host", "a")]), "a program");
    }

    #[test]
    fn links_of_other_sites_lead_to_pages_only() {
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        for page in [
            "/",
            "/conversations",
            "/conversations?page=1",
            "/docs",
            "/docs/index.html",
        ] {
            assert!(!other_site("GET", page, &link), "{page}");
            assert!(other_site("POST", page, &link), "{page}");
            let image = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")];
            assert!(other_site("GET", page, &image), "{page}");
        }
        for other in [
            "/api/messages/in/peek",
            "//conversations",
            "/docsx",
            "/manage",
            "/openapi.json",
        ] {
            assert!(other_site("GET", other, &link), "{other}");
            for own in ["same-origin", "none"] {
                assert!(!other_site("GET", other, &[("sec-fetch-site", own)]), "{other}");
            }
        }
    }

    #[test]
    fn links_of_other_sites_lead_to_the_pages_of_the_administration() {
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        for context in ["", "/adressetjeneste", "/manage"] {
            let site = Site::address_service(context);
            for page in ["/admin", "/admin/processes?edit=a", "/admin/explain"] {
                let page = format!("{context}{page}");
                assert!(!refuses(&site, "GET", &page, &link), "{page}");
                assert!(refuses(&site, "POST", &page, &link), "{page}");
            }
            for other in [
                "/",
                "/administer",
                "/api/v1/processes",
                "/identifier/910076787",
                "/docs",
            ] {
                let other = format!("{context}{other}");
                assert!(refuses(&site, "GET", &other, &link), "{other}");
            }
            assert_eq!(site.below_manage("/manage/health"), None);
        }
        assert!(refuses(&Site::bare(), "GET", "/", &link));
    }

    #[test]
    fn what_is_below_manage_is_told_by_its_first_segment() {
        let below_manage = |path| Site::integrasjonspunkt().below_manage(path);
        assert_eq!(below_manage("/manage"), Some(""));
        assert_eq!(below_manage("/manage/"), Some(""));
        assert_eq!(below_manage("/manage/health"), Some("health"));
        assert_eq!(below_manage("/manage/health/liveness"), Some("health"));
        assert_eq!(below_manage("/manage//health"), Some(""));
        assert_eq!(below_manage("/manage/healthy"), Some("healthy"));
        for other in ["/api/manage", "/managed", "/", "/Manage/health"] {
            assert_eq!(below_manage(other), None, "{other}");
        }
    }
}
