//! Which events a subscriber wants: `status=SENDT,LEVERT&direction=OUTGOING`. Spec: messaging API, 9.

use std::str::FromStr;

/// Longest filter, bytes.
const MAX_BYTES: usize = 2000;

/// A filter that has been read.
///
/// Values are compared without regard to case, and not held against the values that exist. A name that is given twice
/// asks for the values that stand in both places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    text: String,
    statuses: Option<Vec<String>>,
    services: Option<Vec<String>>,
    directions: Option<Vec<String>>,
}

/// The text is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be name=value[,value...] joined by &, with the names status, serviceIdentifier and direction, at most {MAX_BYTES} bytes"
)]
pub struct NotAFilter;

impl EventFilter {
    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The columns `statuses`, `services`, `directions`.
    pub(crate) fn columns(&self) -> [Option<String>; 3] {
        [&self.statuses, &self.services, &self.directions].map(|values| values.as_deref().map(column))
    }
}

fn column(values: &[String]) -> String {
    format!(",{},", values.join(","))
}

impl FromStr for EventFilter {
    type Err = NotAFilter;

    fn from_str(text: &str) -> Result<Self, NotAFilter> {
        if text.len() > MAX_BYTES {
            return Err(NotAFilter);
        }
        let mut filter = Self {
            text: text.to_owned(),
            statuses: None,
            services: None,
            directions: None,
        };
        for part in text.split('&') {
            let (name, values) = part.split_once('=').ok_or(NotAFilter)?;
            let asked = match name {
                "status" => &mut filter.statuses,
                "serviceIdentifier" => &mut filter.services,
                "direction" => &mut filter.directions,
                _ => return Err(NotAFilter),
            };
            let values: Vec<String> = values.split(',').map(str::to_ascii_uppercase).collect();
            if values.iter().any(|value| !is_value(value)) {
                return Err(NotAFilter);
            }
            *asked = Some(match asked.take() {
                None => values,
                Some(before) => before.into_iter().filter(|value| values.contains(value)).collect(),
            });
        }
        Ok(filter)
    }
}

/// Only `=` compares: a value such as `<5` or `=5` is a comparison that does not exist.
fn is_value(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn read(text: &str) -> Result<EventFilter, NotAFilter> {
        text.parse()
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "status",
            "status=",
            "status=SENDT&",
            "&status=SENDT",
            "status=SENDT,",
            "status=SENDT,,LEVERT",
            "status==SENDT",
            "status!=SENDT",
            "status>SENDT",
            "status=SENDT=LEVERT",
            "Status=SENDT",
            "messageId=1",
            "status=SENDT direction=OUTGOING",
            "status=SENDT;direction=OUTGOING",
        ] {
            assert_eq!(read(text), Err(NotAFilter), "{text}");
        }
        assert_eq!(read(&format!("status={}", "x".repeat(MAX_BYTES))), Err(NotAFilter));
    }

    #[test]
    fn a_name_that_is_given_twice_asks_for_both() {
        let columns = |text: &str| read(text).unwrap().columns();
        assert_eq!(
            columns("status=SENDT,LEVERT&status=levert")[0].as_deref(),
            Some(",LEVERT,")
        );
        assert_eq!(columns("status=SENDT&status=LEVERT")[0].as_deref(), Some(",,"));
    }

    proptest! {
        #[test]
        fn whatever_the_grammar_makes_is_read_with_all_its_values(
            parts in vec((select(vec!["status", "serviceIdentifier", "direction"]), vec("[A-Za-z_]{1,12}", 1..4)), 1..4)
        ) {
            let written: Vec<String> = parts.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
            let text = written.join("&");
            let filter = read(&text).unwrap();
            prop_assert_eq!(filter.as_str(), &text);
            let names = ["status", "serviceIdentifier", "direction"];
            for (name, column) in names.iter().zip(filter.columns()) {
                let given: Vec<&Vec<String>> = parts.iter().filter(|(n, _)| n == name).map(|(_, values)| values).collect();
                let Some(column) = column else {
                    prop_assert!(given.is_empty());
                    continue;
                };
                for value in given.iter().copied().flatten() {
                    let everywhere = given.iter().all(|values| values.iter().any(|v| v.eq_ignore_ascii_case(value)));
                    prop_assert_eq!(column.contains(&format!(",{},", value.to_ascii_uppercase())), everywhere);
                }
            }
        }

        #[test]
        fn no_text_at_all_makes_it_fall_over(text in any::<String>()) {
            if let Ok(filter) = read(&text) {
                prop_assert!(filter.columns().iter().any(Option::is_some));
            }
        }
    }
}
