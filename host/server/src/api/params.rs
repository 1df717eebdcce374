//! The query of a request, read with care: a filter that is misspelt would otherwise match everything.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use budstikke_message::identifier::ServiceId;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::description::query::Filter;
use super::error::{ApiError, ApiResult, kind};
use super::time;

/// Names and values in their order, decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    pub(super) fn parse(query: &str) -> Self {
        let decoded = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// Every value of a name, in order.
    pub(super) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Refuses a filter that would be ignored without a word because its name is written in another case.
    /// Spec: messaging API, 14 (`messageID`).
    pub(super) fn refuse_near_misses(&self, filters: &[Filter]) -> ApiResult<()> {
        for (given, _) in &self.0 {
            let near = filters
                .iter()
                .map(|filter| filter.name)
                .find(|name| name.eq_ignore_ascii_case(given) && name != given);
            if let Some(name) = near {
                let text = format!("There is no filter {given}; names are case-sensitive, it is called {name}.");
                return Err(ApiError::new(kind::TYPE_MISMATCH, text));
            }
        }
        Ok(())
    }

    /// The one value of a filter; none when it is absent or empty.
    pub(super) fn filter(&self, name: &str) -> ApiResult<Option<String>> {
        let mut values = self.all(name).filter(|value| !value.is_empty());
        let value = values.next().map(str::to_owned);
        if values.next().is_some() {
            return Err(ApiError::new(
                kind::TYPE_MISMATCH,
                format!("The filter {name} is given more than once."),
            ));
        }
        Ok(value)
    }

    /// A filter whose value has a form.
    pub(super) fn parsed<T>(&self, name: &str, form: &str, read: impl Fn(&str) -> Option<T>) -> ApiResult<Option<T>> {
        let Some(value) = self.filter(name)? else {
            return Ok(None);
        };
        let mismatch = || ApiError::new(kind::TYPE_MISMATCH, format!("The value of {name} must be {form}."));
        read(&value).ok_or_else(mismatch).map(Some)
    }

    /// A filter that is a number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> ApiResult<Option<T>> {
        self.parsed(name, "a whole number", |value| value.parse().ok())
    }

    /// A filter that is `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> ApiResult<Option<bool>> {
        self.parsed(name, "true or false", |value| value.to_ascii_lowercase().parse().ok())
    }

    /// A filter that is a date-time, in ms.
    pub(super) fn time(&self, name: &str) -> ApiResult<Option<i64>> {
        self.parsed(
            name,
            "a date-time such as 2026-03-02T09:15:00+01:00, with + as %2B",
            time::read,
        )
    }

    /// The filter `serviceIdentifier`.
    pub(super) fn service(&self) -> ApiResult<Option<String>> {
        self.parsed("serviceIdentifier", "the name of a service", |value| {
            value.parse::<ServiceId>().ok().map(|_| value.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::description::query::{Form, filter};

    #[test]
    fn a_query_is_decoded() {
        let params = Params::parse("a=1%2B2&b=x+y&c&a=3&&=z");
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1+2", "3"]);
        assert_eq!(params.first("b"), Some("x y"));
        assert_eq!(params.first("c"), Some(""));
        assert_eq!(params.first("d"), None);
    }

    #[test]
    fn a_filter_in_another_case_is_refused_and_an_unknown_name_is_not() {
        let filters = [filter("messageId", Form::Text, "")];
        assert!(Params::parse("messageID=1").refuse_near_misses(&filters).is_err());
        assert!(
            Params::parse("messageId=1&trace=true")
                .refuse_near_misses(&filters)
                .is_ok()
        );
    }

    #[test]
    fn an_empty_filter_is_none_and_one_given_twice_is_refused() {
        assert_eq!(Params::parse("messageId=").filter("messageId").unwrap(), None);
        assert!(Params::parse("messageId=1&messageId=2").filter("messageId").is_err());
    }

    #[test]
    fn values_of_the_wrong_form_are_refused() {
        assert!(Params::parse("finished=maybe").flag("finished").is_err());
        assert_eq!(Params::parse("finished=True").flag("finished").unwrap(), Some(true));
        assert!(Params::parse("id=abc").number::<i64>("id").is_err());
        assert!(Params::parse("serviceIdentifier=a%20b").service().is_err());
        assert_eq!(
            Params::parse("serviceIdentifier=POST").service().unwrap().as_deref(),
            Some("POST")
        );
        assert!(
            Params::parse("fromDateTime=2026-03-02T09:15:00+01:00")
                .time("fromDateTime")
                .unwrap()
                .is_some()
        );
    }
}
