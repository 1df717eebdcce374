//! Bodies of several parts, read strictly: a client that is taken here is taken by any server.

/// One part.
pub(super) struct Part<'a> {
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(super) content: &'a [u8],
}

impl Part<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of `Content-Disposition`: `name`, `filename`.
    pub(super) fn disposition(&self, parameter: &str) -> Option<String> {
        let value = self.header("content-disposition")?;
        parameter_of(value, parameter)
    }
}

/// A parameter of a header's value, without its quotes.
pub(super) fn parameter_of(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.trim_start().split_once('=')?;
        let (found, after) = if let Some(quoted) = after.strip_prefix('"') {
            let (found, after) = quoted.split_once('"')?;
            (found, after.strip_prefix(';').unwrap_or(after))
        } else {
            after.split_once(';').unwrap_or((after, ""))
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(found.trim_end().to_owned());
        }
        rest = after;
    }
}

/// The parts of a body. The text says what is wrong with it.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, &'static str> {
    let boundary = parameter_of(content_type, "boundary").ok_or("no boundary in the content type")?;
    let opening = format!("--{boundary}\r\n").into_bytes();
    let between = format!("\r\n--{boundary}").into_bytes();
    let mut rest = body
        .strip_prefix(opening.as_slice())
        .ok_or("the body does not begin with the boundary")?;
    let mut parts = Vec::new();
    loop {
        let head_end = find(rest, b"\r\n\r\n").ok_or("a part without the empty line after its headers")?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| "headers of a part that are not UTF-8")?;
        let headers = head
            .split("\r\n")
            .map(|line| {
                let (name, value) = line.split_once(':').ok_or("a header of a part without a colon")?;
                Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Result<_, &'static str>>()?;
        rest = &rest[head_end + 4..];
        let end = find(rest, &between).ok_or("a part without an end")?;
        parts.push(Part {
            headers,
            content: &rest[..end],
        });
        rest = &rest[end + between.len()..];
        match rest {
            [b'-', b'-', ..] => return Ok(parts),
            [b'\r', b'\n', after @ ..] => rest = after,
            _ => return Err("something else than a line's end after the boundary"),
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_with_their_headers_and_their_bytes() {
        let body =
            b"--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x;y.txt\"\r\nContent-Type: t/p\r\n\r\n\
            \r\n--c\r\n\r\n--b\r\nContent-ID: <1>\r\n\r\n\r\n--b--\r\n";
        let parts = parts("multipart/form-data; boundary=b", body).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].disposition("name").as_deref(), Some("a"));
        assert_eq!(parts[0].disposition("filename").as_deref(), Some("x;y.txt"));
        assert_eq!(parts[0].header("content-type"), Some("t/p"));
        assert_eq!(parts[0].content, b"\r\n--c\r\n");
        assert_eq!(
            (parts[1].header("content-id"), parts[1].content),
            (Some("<1>"), b"".as_slice())
        );
    }

    #[test]
    fn what_is_not_quite_right_is_refused() {
        let read = |body: &str| parts("multipart/form-data; boundary=b", body.as_bytes()).map(|parts| parts.len());
        assert!(read("--b\r\nA: 1\r\n\r\nx\r\n--b--").is_ok());
        for body in [
            "",
            "--b\nA: 1\n\nx\n--b--",
            "--b\r\nA: 1\r\n\r\nx",
            "--b\r\nA\r\n\r\nx\r\n--b--",
            "--b\r\nA: 1\r\n\r\nx\r\n--bb--",
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        assert!(parts("multipart/form-data", b"--b\r\nA: 1\r\n\r\nx\r\n--b--").is_err());
    }
}
