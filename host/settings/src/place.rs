//! Where in a TOML text something stands.

use toml::de::{DeTable, DeValue};

/// The line at an offset, from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The same for many offsets of one text.
pub struct Lines(Vec<usize>);

impl Lines {
    /// Looks through the text once.
    pub fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line at an offset, from 1.
    pub fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// The dotted name of the key at an offset, or of the value there. None where there is none, and in what is no TOML.
pub fn key_at(text: &str, offset: usize) -> Option<String> {
    in_table(DeTable::parse(text).ok()?.get_ref(), offset)
}

fn in_table(table: &DeTable<'_>, offset: usize) -> Option<String> {
    let inside = table
        .iter()
        .find_map(|(name, value)| in_value(value.get_ref(), offset).map(|inner| format!("{}.{inner}", name.get_ref())));
    inside.or_else(|| {
        table
            .iter()
            .find(|(name, value)| name.span().contains(&offset) || value.span().contains(&offset))
            .map(|(name, _)| name.get_ref().to_string())
    })
}

fn in_value(value: &DeValue<'_>, offset: usize) -> Option<String> {
    match value {
        DeValue::Table(table) => in_table(table, offset),
        DeValue::Array(items) => items.iter().find_map(|item| in_value(item.get_ref(), offset)),
        _ => None,
    }
}

/// The line of a key, or of the deepest part of its path that is there, and which parts of the path are numbers in lists: a number in
/// the path can stand for the element of a list.
pub fn place_of(text: &str, key: &[&str]) -> (Option<usize>, Vec<usize>) {
    let (mut line, mut numbers) = (None, Vec::new());
    let Ok(document) = DeTable::parse(text) else {
        return (line, numbers);
    };
    let mut table = document.get_ref();
    let mut parts = key.iter().enumerate();
    while let Some((_, part)) = parts.next() {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == part) else {
            break;
        };
        line = Some(line_at(text, name.span().start));
        let mut value = value.get_ref();
        if let DeValue::Array(items) = value
            && let Some((at, number)) = parts.next()
        {
            numbers.push(at);
            let Some(item) = number.parse::<usize>().ok().and_then(|number| items.get(number)) else {
                break;
            };
            line = Some(line_at(text, item.span().start));
            value = item.get_ref();
        }
        match value {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    (line, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[b]\nc = [\n  { d = 2 },\n  { d = 3 },\n]\n";

    #[test]
    fn an_offset_has_a_line_and_a_key() {
        let at = TEXT.find('3').unwrap();
        assert_eq!((line_at(TEXT, at), key_at(TEXT, at).as_deref()), (5, Some("b.c.d")));
        assert_eq!(key_at(TEXT, TEXT.len()), None);
        assert_eq!(key_at("no = ", 0), None);
    }

    #[test]
    fn many_offsets_have_the_lines_that_single_ones_have() {
        let lines = Lines::of(TEXT);
        for offset in 0..=TEXT.len() {
            assert_eq!(lines.at(offset), line_at(TEXT, offset), "{offset}");
        }
        assert_eq!(Lines::of("").at(0), 1);
    }

    #[test]
    fn a_key_has_a_line_and_a_part_that_is_not_there_has_that_of_what_is_around_it() {
        assert_eq!(place_of(TEXT, &["b", "c", "1", "d"]), (Some(5), vec![2]));
        assert_eq!(place_of(TEXT, &["b", "c", "7", "d"]), (Some(3), vec![2]));
        assert_eq!(place_of(TEXT, &["b", "x"]), (Some(2), vec![]));
        assert_eq!(place_of(TEXT, &["x"]), (None, vec![]));
    }
}
