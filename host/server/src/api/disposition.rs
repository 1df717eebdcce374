//! Content-Disposition: the name and the title of an uploaded file. Spec: messaging API, 5.2; RFC 6266, RFC 5987.

use std::borrow::Cow;

/// What is read from the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    /// `name`: the title.
    pub name: Option<String>,
    /// `filename`, unchecked.
    pub filename: Option<String>,
}

/// Why the header is refused. Holds nothing of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DispositionError {
    /// No type before the first parameter.
    #[error("it must begin with a disposition type such as attachment")]
    NoType,
    /// A parameter without `=`.
    #[error("a parameter must have the form name=value")]
    NoValue,
    /// A quoted value that does not end.
    #[error("a quoted value does not end")]
    Unterminated,
    /// Something between a quoted value and the next `;`.
    #[error("there is something between a quoted value and the next ';'")]
    AfterQuote,
    /// An extended value of another form.
    #[error("an extended value must have the form UTF-8''percent-encoded")]
    Extended,
    /// Another charset.
    #[error("the charset of an extended value must be UTF-8 or ISO-8859-1")]
    Charset,
    /// Which one counts?
    #[error("a parameter is given twice")]
    Twice,
}

/// One parameter in its two forms; the extended one wins wherever it stands.
#[derive(Default)]
struct Parameter {
    plain: Option<String>,
    extended: Option<String>,
}

impl Parameter {
    fn value(self) -> Option<String> {
        self.extended.or(self.plain)
    }
}

impl Disposition {
    /// Reads a header's bytes. Those outside ASCII are UTF-8 if they can be, else ISO-8859-1.
    pub(super) fn parse(header: &[u8]) -> Result<Self, DispositionError> {
        let text = match std::str::from_utf8(header) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(latin1(header)),
        };
        let (kind, mut rest) = text.split_once(';').unwrap_or((&text, ""));
        if kind.trim().is_empty() || kind.contains(['=', '"']) {
            return Err(DispositionError::NoType);
        }
        let (mut name, mut filename) = (Parameter::default(), Parameter::default());
        loop {
            rest = rest.trim_start_matches(|next: char| next == ';' || next.is_ascii_whitespace());
            if rest.is_empty() {
                break;
            }
            let (attribute, after) = rest.split_once('=').ok_or(DispositionError::NoValue)?;
            if attribute.contains([';', '"']) || attribute.trim().is_empty() {
                return Err(DispositionError::NoValue);
            }
            let (value, after) = value(after)?;
            rest = after;
            let slot = match attribute.trim().to_ascii_lowercase().as_str() {
                "name" => &mut name.plain,
                "filename" => &mut filename.plain,
                "name*" => &mut name.extended,
                "filename*" => &mut filename.extended,
                _ => continue,
            };
            let value = if attribute.trim().ends_with('*') {
                extended(&value)?
            } else {
                value
            };
            if slot.replace(value).is_some() {
                return Err(DispositionError::Twice);
            }
        }
        Ok(Self {
            name: name.value(),
            filename: filename.value(),
        })
    }
}

/// A value and what comes after it.
fn value(text: &str) -> Result<(String, &str), DispositionError> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return Ok((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = quoted.get(at + 1..).unwrap_or_default().trim_start_matches([' ', '\t']);
                return match rest.strip_prefix(';') {
                    Some(rest) => Ok((value, rest)),
                    None if rest.is_empty() => Ok((value, rest)),
                    None => Err(DispositionError::AfterQuote),
                };
            }
            // Only what must be escaped is: some clients send `C:\brev.pdf` as it is.
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    Err(DispositionError::Unterminated)
}

/// `charset'language'percent-encoded`
fn extended(text: &str) -> Result<String, DispositionError> {
    let mut parts = text.splitn(3, '\'');
    let (Some(charset), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(DispositionError::Extended);
    };
    let bytes = decoded(encoded).ok_or(DispositionError::Extended)?;
    if charset.eq_ignore_ascii_case("UTF-8") {
        String::from_utf8(bytes).map_err(|_| DispositionError::Extended)
    } else if charset.eq_ignore_ascii_case("ISO-8859-1") {
        Ok(latin1(&bytes))
    } else {
        Err(DispositionError::Charset)
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> (Option<String>, Option<String>) {
        let read = Disposition::parse(header.as_bytes()).unwrap();
        (read.name, read.filename)
    }

    fn both(name: &str, filename: &str) -> (Option<String>, Option<String>) {
        (Some(name.into()), Some(filename.into()))
    }

    #[test]
    fn values_may_be_quoted_or_not_and_hold_blanks() {
        let expected = both("Et brev", "brev til deg.pdf");
        assert_eq!(read("attachment; name=Et brev; filename=brev til deg.pdf"), expected);
        assert_eq!(
            read(r#"attachment; name="Et brev"; filename="brev til deg.pdf""#),
            expected
        );
        assert_eq!(
            read(r#"form-data;filename="brev til deg.pdf" ;name="Et brev";"#),
            expected
        );
        assert_eq!(read("attachment; NAME=Et brev; FileName = brev til deg.pdf"), expected);
    }

    #[test]
    fn a_semicolon_and_escapes_live_in_quotes() {
        assert_eq!(
            read(r#"attachment; filename="a;b \"c\" \\ \d.pdf""#).1.unwrap(),
            r#"a;b "c" \ \d.pdf"#
        );
    }

    #[test]
    fn the_extended_form_wins_wherever_it_stands() {
        let starred = "filename*=UTF-8''S%C3%B8knad%20%C3%A6.pdf";
        assert_eq!(
            read(&format!("attachment; filename=x.pdf; {starred}")).1.unwrap(),
            "Søknad æ.pdf"
        );
        assert_eq!(
            read(&format!("attachment; {starred}; filename=x.pdf")).1.unwrap(),
            "Søknad æ.pdf"
        );
        assert_eq!(
            read("attachment; name*=iso-8859-1'no'%E6%F8%E5; filename=x").0.unwrap(),
            "æøå"
        );
    }

    #[test]
    fn raw_bytes_are_utf8_or_else_latin1() {
        assert_eq!(read("attachment; filename=æ.pdf").1.unwrap(), "æ.pdf");
        let latin = Disposition::parse(b"attachment; filename=\xe6.pdf").unwrap();
        assert_eq!(latin.filename.unwrap(), "æ.pdf");
    }

    #[test]
    fn absent_parameters_are_none_and_unknown_ones_are_passed_over() {
        assert_eq!(read("attachment"), (None, None));
        assert_eq!(read("attachment; size=5; filename=\"\""), (None, Some(String::new())));
    }

    #[test]
    fn malformed_headers_are_refused_with_their_fault() {
        for (header, error) in [
            ("", DispositionError::NoType),
            ("filename=x", DispositionError::NoType),
            ("; filename=x", DispositionError::NoType),
            ("attachment; filename", DispositionError::NoValue),
            ("attachment; =x", DispositionError::NoValue),
            ("attachment; filename; name=x", DispositionError::NoValue),
            ("attachment; filename=\"x", DispositionError::Unterminated),
            ("attachment; filename=\"x\\\"", DispositionError::Unterminated),
            ("attachment; filename=\"x\"y", DispositionError::AfterQuote),
            ("attachment; filename*=x.pdf", DispositionError::Extended),
            ("attachment; filename*=UTF-8''%E6", DispositionError::Extended),
            ("attachment; filename*=UTF-8''%4", DispositionError::Extended),
            ("attachment; filename*=UTF-16''x", DispositionError::Charset),
            ("attachment; filename=x; filename=y", DispositionError::Twice),
        ] {
            assert_eq!(Disposition::parse(header.as_bytes()), Err(error), "{header}");
        }
    }
}
