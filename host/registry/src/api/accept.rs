//! In which form an answer goes out. Spec: service registry, 3.

use http::HeaderMap;
use http::header::ACCEPT;

/// Forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `application/json`
    Json,
    /// `application/jose`: a signed answer.
    Jose,
    /// `text/plain`
    Text,
}

impl Form {
    fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::Jose => ("application", "jose"),
            Self::Text => ("text", "plain"),
        }
    }

    /// As it stands in `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jose => "application/jose",
            Self::Text => "text/plain;charset=UTF-8",
        }
    }
}

/// A member of `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    quality: u32,
}

impl Range<'_> {
    fn covers(&self, form: Form) -> bool {
        let (kind, subtype) = form.media_type();
        (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind))
            && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
    }
}

/// The form that the client likes best of those `offered`; of equals the one that it names first. Without `Accept`, or with `*/*`
/// alone, JSON. `None`: not acceptable.
pub(super) fn choose(headers: &HeaderMap, offered: &[Form]) -> Option<Form> {
    let values: Option<Vec<&str>> = headers
        .get_all(ACCEPT)
        .iter()
        .map(|value| value.to_str().ok())
        .collect();
    let values = values?;
    let members = values.iter().flat_map(|value| value.split(','));
    let mut ranges = members
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .map(range)
        .collect::<Option<Vec<_>>>()?;
    let anything = matches!(&ranges[..], [only] if only.kind == "*" && only.subtype == "*");
    if ranges.is_empty() || anything {
        return offered.contains(&Form::Json).then_some(Form::Json);
    }
    let refused = |form: Form| {
        let named = ranges.iter().filter(|range| range.covers(form) && range.subtype != "*");
        named.map(|range| range.quality).max() == Some(0)
    };
    let offered: Vec<Form> = offered.iter().copied().filter(|form| !refused(*form)).collect();
    ranges.retain(|range| range.quality > 0);
    // Stable: equals stay in the order in which they stand.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
    ranges
        .iter()
        .find_map(|range| offered.iter().copied().find(|form| range.covers(*form)))
}

fn range(member: &str) -> Option<Range<'_>> {
    let mut parts = member.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(&byte))
    };
    if !token(kind) || !token(subtype) || (kind == "*" && subtype != "*") {
        return None;
    }
    let mut quality = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") {
            quality = thousandths(value.trim())?;
        }
    }
    Some(Range { kind, subtype, quality })
}

/// `0.5` as 500. Spec: RFC 9110, 12.4.2.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn chosen(accept: &[&str], offered: &[Form]) -> Option<Form> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        choose(&headers, offered)
    }

    #[test]
    fn the_client_decides_the_form_of_a_look_up() {
        use Form::{Jose, Json};
        for (accept, form) in [
            (&[][..], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["application/json"], Some(Json)),
            (&["application/jose"], Some(Jose)),
            (&["application/jose", "application/json"], Some(Jose)),
            (&["application/json, application/jose"], Some(Json)),
            (&["application/json;q=0.5, application/jose;q=0.9"], Some(Jose)),
            (&["application/json;q=0.5,application/jose;q=0.5"], Some(Json)),
            (&["application/jose;q=0.1, */*;q=0.1"], Some(Jose)),
            (&["application/jose;q=0, */*"], Some(Json)),
            (&["application/json;q=0, application/*"], Some(Jose)),
            (&["Application/JOSE"], Some(Jose)),
            (&["application/json;charset=UTF-8"], Some(Json)),
            (&["text/html, application/*;q=0.8"], Some(Json)),
            (&["text/html"], None),
            (&["application/jose;q=0"], None),
            (&["application/jose;q=2"], None),
            (&["nonsense"], None),
            (&["application/jose, nonsense"], None),
            (&[""], Some(Json)),
        ] {
            assert_eq!(chosen(accept, &[Json, Jose]), form, "{accept:?}");
        }
    }

    #[test]
    fn what_has_no_json_must_be_asked_for_by_name() {
        use Form::{Jose, Text};
        for (accept, form) in [
            (&[][..], None),
            (&["*/*"], None),
            (&["application/json"], None),
            (&["text/plain"], Some(Text)),
            (&["text/*"], Some(Text)),
            (&["application/jose"], Some(Jose)),
            (&["application/jose, text/plain"], Some(Jose)),
            (&["application/jose;q=0.5, text/plain"], Some(Text)),
        ] {
            assert_eq!(chosen(accept, &[Text, Jose]), form, "{accept:?}");
        }
        assert_eq!(chosen(&["application/json"], &[Jose]), None);
    }
}
