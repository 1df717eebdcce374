//! Reading what the SOAP service answers.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};

use crate::fault::Fault;

const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 64;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Fault(Fault),
    Returns(Vec<Return>),
}

/// One `return`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Return {
    /// Its own text.
    pub(crate) text: String,
    /// The texts of its children, by name.
    pub(crate) children: Vec<(String, String)>,
}

/// None when it is no SOAP.
pub(crate) fn read(media_type: &str, body: &[u8]) -> Option<Answered> {
    let text = String::from_utf8_lossy(body);
    // A service that takes attachments may answer in the same form, without any.
    let text = if media_type.to_ascii_lowercase().starts_with("multipart/related") {
        root_part(&text)?
    } else {
        &text
    };
    walk(text)
}

/// The content of the first part. Its own content says where it ends: what follows the root element is not read.
fn root_part(text: &str) -> Option<&str> {
    let content = &text[text.find("\r\n\r\n")? + 4..];
    let end = content.rfind('>').map_or(content.len(), |at| at + 1);
    let end = content
        .find("\r\n--")
        .map_or(end, |boundary| boundary.min(content.len()));
    content.get(..end)
}

fn walk(text: &str) -> Option<Answered> {
    let mut reader = NsReader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut returns: Vec<Return> = Vec::new();
    let mut is_soap = false;
    let mut fault: Option<(usize, usize)> = None;
    let mut fault_text = String::new();
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        // Where a fault was cut off, what came of it is still the answer.
        let Ok(event) = reader.read_event() else {
            break;
        };
        let opened = match &event {
            Event::Start(start) | Event::Empty(start) => {
                let (namespace, name) = reader.resolver().resolve_element(start.name());
                let name: &str = name.as_ref();
                let soap = [SOAP_12, SOAP_11]
                    .into_iter()
                    .any(|known| namespace == ResolveResult::Bound(Namespace(known)));
                Some((soap, name.to_owned()))
            }
            _ => None,
        };
        if let Some((soap, name)) = opened {
            is_soap |= soap && name == "Envelope" && path.is_empty();
            if path.len() >= MAX_DEPTH {
                return None;
            }
            match path.len() {
                2 if soap && name == "Fault" => fault = Some((before, text.len())),
                3 if name == "return" => returns.push(Return::default()),
                4 if path.get(3).is_some_and(|parent| parent == "return") => {
                    returns.last_mut()?.children.push((name.clone(), String::new()));
                }
                _ => {}
            }
            if !matches!(event, Event::Empty(_)) {
                path.push(name);
            }
            continue;
        }
        let piece = match event {
            Event::End(_) => {
                path.pop();
                if let (Some((_, end)), 2) = (&mut fault, path.len()) {
                    *end = usize::try_from(reader.buffer_position()).ok()?;
                    break;
                }
                continue;
            }
            Event::Text(text) => text.xml_content(XmlVersion::Explicit1_0).into_owned(),
            Event::CData(text) => text.xml_content(XmlVersion::Explicit1_0).into_owned(),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => character.to_string(),
                _ => quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                    .unwrap_or_default()
                    .to_owned(),
            },
            Event::Eof => break,
            _ => continue,
        };
        if fault.is_some() {
            fault_text.push_str(&piece);
            continue;
        }
        match path.len() {
            4 if path.get(3).is_some_and(|name| name == "return") => returns.last_mut()?.text.push_str(&piece),
            5 if path.get(3).is_some_and(|name| name == "return") => {
                returns.last_mut()?.children.last_mut()?.1.push_str(&piece);
            }
            _ => {}
        }
    }
    if !is_soap {
        return None;
    }
    if let Some((start, end)) = fault {
        return Some(Answered::Fault(Fault {
            xml: text.get(start..end)?.to_owned(),
            text: fault_text,
        }));
    }
    for found in &mut returns {
        found.text = found.text.trim().to_owned();
        for (_, text) in &mut found.children {
            *text = text.trim().to_owned();
        }
    }
    path.is_empty().then_some(Answered::Returns(returns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(
            "<?xml version='1.0'?><s:Envelope xmlns:s=\"{SOAP_12}\"><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
        )
        .replace("<s:Header/>", "")
    }

    fn returns(body: &str) -> Vec<Return> {
        match read("application/soap+xml", envelope(body).as_bytes()) {
            Some(Answered::Returns(returns)) => returns,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn returns_are_read_with_their_children() {
        let simple =
            returns("<n:aResponse xmlns:n=\"urn:n\"><return>type-1</return><return>a &amp; b</return></n:aResponse>");
        assert_eq!(
            simple.iter().map(|found| found.text.as_str()).collect::<Vec<_>>(),
            ["type-1", "a & b"]
        );
        let deep = returns(
            "<n:aResponse xmlns:n=\"urn:n\">\n <return>\n <forsendelseStatus>LEST</forsendelseStatus><forsendelsesid>1\
             </forsendelsesid><sisteStatusEndring/></return></n:aResponse>",
        );
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            deep[0].children,
            [
                pair("forsendelseStatus", "LEST"),
                pair("forsendelsesid", "1"),
                pair("sisteStatusEndring", "")
            ]
        );
        assert!(returns("<n:aResponse xmlns:n=\"urn:n\"/>").is_empty());
    }

    #[test]
    fn a_fault_is_kept_as_it_came() {
        let xml =
            "<s:Fault><s:Code/><s:Reason><s:Text xml:lang=\"en\">Ugyldig &lt;innhold&gt;</s:Text></s:Reason></s:Fault>";
        let Some(Answered::Fault(fault)) = read("application/soap+xml", envelope(xml).as_bytes()) else {
            panic!("a fault")
        };
        assert_eq!((fault.xml.as_str(), fault.text.as_str()), (xml, "Ugyldig <innhold>"));
        let whole = envelope(xml);
        let cut = &whole[..whole.find("</s:Text>").unwrap()];
        assert!(
            matches!(read("text/xml", cut.as_bytes()), Some(Answered::Fault(fault)) if fault.text.contains("Ugyldig"))
        );
    }

    #[test]
    fn an_answer_in_parts_is_read_too() {
        let body = format!(
            "\r\n--uuid:1\r\nContent-Type: application/xop+xml\r\n\r\n{}\r\n--uuid:1--",
            envelope("<n:aResponse xmlns:n=\"urn:n\"><return>1</return></n:aResponse>")
        );
        let read = read("multipart/related; type=\"application/xop+xml\"", body.as_bytes());
        assert!(matches!(read, Some(Answered::Returns(returns)) if returns[0].text == "1"));
    }

    #[test]
    fn what_is_no_soap_or_not_whole_is_none() {
        let whole = envelope("<a><return>1</return></a>");
        for text in [
            "",
            "<html/>",
            "Bad gateway",
            "<Envelope/>",
            &whole[..whole.len() - 20],
            &"<a>".repeat(100),
        ] {
            assert_eq!(read("text/xml", text.as_bytes()), None, "{text}");
        }
    }
}
