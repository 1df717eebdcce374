//! XML, as far as SOAP needs it.

use roxmltree::Node;

pub(super) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(super) const V9: &str = "http://www.ks.no/svarut/servicesV9";
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The children of an element: only elements in no namespace, in the given order. A name that ends in `?` may be missing, in `*` may
/// be there any number of times.
pub(super) fn children<'a, 'input>(parent: Node<'a, 'input>, schema: &[&str]) -> Result<Vec<Node<'a, 'input>>, String> {
    let found: Vec<Node<'_, '_>> = parent.children().filter(Node::is_element).collect();
    let is = |node: &Node<'_, '_>, name: &str| node.tag_name().name() == name && node.tag_name().namespace().is_none();
    let mut place = 0;
    for entry in schema {
        let name = entry.trim_end_matches(['?', '*']);
        let mut count = 0;
        while found.get(place).is_some_and(|node| is(node, name)) {
            place += 1;
            count += 1;
        }
        let good = match entry.chars().last() {
            Some('*') => true,
            Some('?') => count <= 1,
            _ => count == 1,
        };
        if !good {
            return Err(format!(
                "Unmarshalling Error: {count} elements `{name}` at this place of `{}`",
                parent.tag_name().name()
            ));
        }
    }
    match found.get(place) {
        None => Ok(found),
        Some(node) => Err(format!(
            "Unmarshalling Error: unexpected element (uri:\"{}\", local:\"{}\")",
            node.tag_name().namespace().unwrap_or_default(),
            node.tag_name().name()
        )),
    }
}

/// The child of this name.
pub(super) fn child<'a, 'input>(nodes: &[Node<'a, 'input>], name: &str) -> Option<Node<'a, 'input>> {
    nodes.iter().find(|node| node.tag_name().name() == name).copied()
}

/// Its text; empty when it has none.
pub(super) fn text(nodes: &[Node<'_, '_>], name: &str) -> Option<String> {
    child(nodes, name).map(|node| node.text().unwrap_or_default().to_owned())
}

/// An xs:boolean.
pub(super) fn flag(nodes: &[Node<'_, '_>], name: &str) -> Result<bool, String> {
    match text(nodes, name).as_deref() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        _ => Err(format!("Unmarshalling Error: `{name}` is no boolean")),
    }
}

/// An xs:int.
pub(super) fn int(nodes: &[Node<'_, '_>], name: &str) -> Result<i32, String> {
    text(nodes, name)
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| format!("Unmarshalling Error: `{name}` is no int"))
}

/// A text for an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
