//! XML answers, read whole and by local names: the registers' namespaces have changed with their versions, the names have not.

use roxmltree::{Document, Node, ParsingOptions};

/// Most nodes of an answer; each takes some hundred bytes of memory.
const NODES: u32 = 50_000;

/// Reads an answer. Document types are refused, so entities cannot grow. The error says what is wrong, without the content.
pub(super) fn read<T>(bytes: &[u8], reader: impl FnOnce(Node<'_, '_>) -> Result<T, String>) -> Result<T, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| format!("it is not well-formed XML at {}", error.pos()))?;
    reader(document.root_element())
}

/// The children with a name.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The text of an element, without white space around it. `None` when there is none.
pub(super) fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().map(str::trim).filter(|text| !text.is_empty())
}
