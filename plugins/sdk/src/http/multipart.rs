//! Bodies of several parts: forms with files (`multipart/form-data`), and parts that belong together (`multipart/related`).

/// A stretch of a body: bytes at hand, or a file that the host streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<F> {
    /// Bytes at hand.
    Bytes(Vec<u8>),
    /// A file by handle.
    File(F),
}

/// A body under construction. `F` is a handle of a file: `&Document` in a component, anything in a test.
#[derive(Debug)]
pub struct Multipart<F> {
    boundary: String,
    pieces: Vec<Piece<F>>,
}

impl<F> Multipart<F> {
    /// An empty body. `boundary` must not occur in any part: take a random UUID.
    pub fn new(boundary: impl Into<String>) -> Self {
        Self {
            boundary: boundary.into(),
            pieces: Vec::new(),
        }
    }

    /// Adds a field of a form without a content type: UTF-8 text, as browsers send it.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n", quoted(name));
        self.part(&head, value.as_bytes())
    }

    /// Adds a field of a form with bytes at hand, such as JSON.
    #[must_use]
    pub fn typed(self, name: &str, media_type: &str, value: &[u8]) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"\r\nContent-Type: {}\r\n",
            quoted(name),
            one_line(media_type)
        );
        self.part(&head, value)
    }

    /// Adds a file of a form.
    #[must_use]
    pub fn file(self, name: &str, file_name: &str, media_type: &str, file: F) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n",
            quoted(name),
            quoted(file_name),
            one_line(media_type)
        );
        self.streamed(&head, file)
    }

    /// Adds a part with headers of one's own, each ended by CR LF, and bytes at hand.
    #[must_use]
    pub fn part(mut self, headers: &str, content: &[u8]) -> Self {
        let mut bytes = self.opening(headers);
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
        self.push(bytes);
        self
    }

    /// Adds a part with headers of one's own, each ended by CR LF, and a file.
    #[must_use]
    pub fn streamed(mut self, headers: &str, file: F) -> Self {
        let opening = self.opening(headers);
        self.push(opening);
        self.pieces.push(Piece::File(file));
        self.push(b"\r\n".to_vec());
        self
    }

    /// The boundary, for the `Content-Type` of the request: `multipart/form-data; boundary=…`.
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// The body, from its first byte to its last.
    pub fn finish(mut self) -> Vec<Piece<F>> {
        self.push(format!("--{}--\r\n", self.boundary).into_bytes());
        self.pieces
    }

    fn opening(&self, headers: &str) -> Vec<u8> {
        format!("--{}\r\n{headers}\r\n", self.boundary).into_bytes()
    }

    /// Bytes join those before them, so that what is small is written at once.
    fn push(&mut self, bytes: Vec<u8>) {
        match self.pieces.last_mut() {
            Some(Piece::Bytes(last)) => last.extend_from_slice(&bytes),
            _ => self.pieces.push(Piece::Bytes(bytes)),
        }
    }
}

/// As browsers write names in a form (HTML, "multipart/form-data encoding algorithm"): UTF-8, three characters escaped.
fn quoted(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

/// A value that cannot end its header.
fn one_line(value: &str) -> String {
    value.chars().filter(|char| !char.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(pieces: Vec<Piece<&str>>) -> String {
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Piece::File(file) => format!("<{file}>"),
        });
        pieces.collect()
    }

    #[test]
    fn a_form_with_a_file_is_written_as_browsers_write_it() {
        let form = Multipart::new("b")
            .text("title", "Søknad")
            .typed("data", "application/json", b"{}")
            .file("attachments", "plan \"A\".pdf", "application/pdf", "file");
        assert_eq!(
            flat(form.finish()),
            "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nSøknad\r\n\
             --b\r\nContent-Disposition: form-data; name=\"data\"\r\nContent-Type: application/json\r\n\r\n{}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"attachments\"; filename=\"plan %22A%22.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n<file>\r\n--b--\r\n"
        );
    }

    #[test]
    fn nothing_in_a_name_or_type_ends_a_header() {
        let form = Multipart::new("b").file("a\r\nX: y", "\r\n\r\n", "text/plain\r\nX: y", "f");
        let text = flat(form.finish());
        assert_eq!(text.matches("\r\n").count(), 6, "{text}");
    }

    #[test]
    fn small_parts_are_one_piece() {
        let form = Multipart::<&str>::new("b").text("a", "1").text("b", "2");
        assert_eq!(form.finish().len(), 1);
        assert_eq!(flat(Multipart::new("b").finish()), "--b--\r\n");
    }
}
