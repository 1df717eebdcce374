//! Postal addresses that the registry knows and the client need not write. Spec: messaging API, 3.3; documents and
//! packaging, 4.6.

use serde_json::{Map, Value, json};

/// Most lines that an address can have.
const LINES: [&str; 4] = ["adresselinje1", "adresselinje2", "adresselinje3", "adresselinje4"];
/// What becomes of post that does not arrive, when the client does not say.
const RETURN_HANDLING: &str = "DIREKTE_RETUR";

/// A postal address as the registry has it. Without `Debug`: it says where a person lives.
#[derive(Clone, PartialEq, Eq)]
pub struct PostalAddress {
    /// Who lives there.
    pub name: String,
    /// The lines, with `;` between them.
    pub street: String,
    /// Postnummer.
    pub postal_code: String,
    /// Poststed.
    pub postal_area: String,
    /// As text.
    pub country: String,
}

impl PostalAddress {
    /// Fills the members that are absent or blank; the lines only when the first is.
    fn fill(&self, address: &mut Map<String, Value>) {
        for (name, value) in [
            ("navn", &self.name),
            ("postnummer", &self.postal_code),
            ("poststed", &self.postal_area),
            ("land", &self.country),
        ] {
            if blank(address, name) && !value.trim().is_empty() {
                address.insert(name.to_owned(), value.as_str().into());
            }
        }
        if blank(address, LINES[0]) {
            let lines = self.street.split(';').map(str::trim).filter(|line| !line.is_empty());
            for (name, line) in LINES.into_iter().zip(lines) {
                if blank(address, name) {
                    address.insert(name.to_owned(), line.into());
                }
            }
        }
    }
}

fn blank(address: &Map<String, Value>, name: &str) -> bool {
    match address.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| text.trim().is_empty()),
    }
}

/// Completes `mottaker` from where the receiver lives, and `retur.mottaker` from where post goes back to. What is filled in
/// already is left alone; a `retur` without `mottaker` is the client's fault and stays one.
pub fn fill_addresses(body: &mut Map<String, Value>, post: Option<&PostalAddress>, back: Option<&PostalAddress>) {
    let absent = |body: &Map<String, Value>, name: &str| body.get(name).is_none_or(Value::is_null);
    if let Some(post) = post {
        if absent(body, "mottaker") {
            body.insert("mottaker".to_owned(), json!({}));
        }
        if let Some(Value::Object(address)) = body.get_mut("mottaker") {
            post.fill(address);
        }
    }
    if back.is_some() && absent(body, "retur") {
        body.insert("retur".to_owned(), json!({ "mottaker": {} }));
    }
    let Some(Value::Object(retur)) = body.get_mut("retur") else {
        return;
    };
    if absent(retur, "returhaandtering") {
        retur.insert("returhaandtering".to_owned(), RETURN_HANDLING.into());
    }
    if let Some(Value::Object(address)) = retur.get_mut("mottaker")
        && let Some(back) = back
    {
        back.fill(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn living_at(street: &str) -> PostalAddress {
        PostalAddress {
            name: "Kari".into(),
            street: street.into(),
            postal_code: "0001".into(),
            postal_area: "Oslo".into(),
            country: "Norge".into(),
        }
    }

    fn filled(body: Value, post: Option<&PostalAddress>, back: Option<&PostalAddress>) -> Value {
        let Value::Object(mut body) = body else {
            panic!("a body is an object")
        };
        fill_addresses(&mut body, post, back);
        Value::Object(body)
    }

    #[test]
    fn a_print_without_addresses_gets_both() {
        let (post, back) = (living_at("Gata 1"), living_at("Gata 2"));
        let address = |line: &str| json!({ "navn": "Kari", "adresselinje1": line, "postnummer": "0001", "poststed": "Oslo", "land": "Norge" });
        assert_eq!(
            filled(json!({}), Some(&post), Some(&back)),
            json!({ "mottaker": address("Gata 1"),
                "retur": { "mottaker": address("Gata 2"), "returhaandtering": "DIREKTE_RETUR" } })
        );
    }

    #[test]
    fn the_street_becomes_at_most_four_lines() {
        for (street, lines) in [
            ("Bergensgata 42", vec!["Bergensgata 42"]),
            ("C/O X;Gata 1", vec!["C/O X", "Gata 1"]),
            ("a;b;c;d;e", vec!["a", "b", "c", "d"]),
            ("", vec![]),
        ] {
            let body = filled(json!({}), Some(&living_at(street)), None);
            let found: Vec<_> = LINES
                .iter()
                .filter_map(|name| body["mottaker"][name].as_str())
                .collect();
            assert_eq!(found, lines, "{street}");
        }
    }

    #[test]
    fn what_the_client_wrote_stays() {
        let given = json!({ "mottaker": { "adresselinje1": "Veien 3", "poststed": " ", "land": null },
            "retur": { "mottaker": { "navn": "Etaten" }, "returhaandtering": "MAKULERING_MED_MELDING" } });
        let body = filled(given, Some(&living_at("Gata 1;Oppgang B")), Some(&living_at("Gata 2")));
        assert_eq!(
            body["mottaker"],
            json!({ "adresselinje1": "Veien 3", "poststed": "Oslo", "land": "Norge", "navn": "Kari", "postnummer": "0001" })
        );
        assert_eq!(body["retur"]["mottaker"]["navn"], "Etaten");
        assert_eq!(body["retur"]["mottaker"]["adresselinje1"], "Gata 2");
        assert_eq!(body["retur"]["returhaandtering"], "MAKULERING_MED_MELDING");
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(filled(json!({}), None, None), json!({}));
        let odd = json!({ "mottaker": "x", "retur": { "returhaandtering": "DIREKTE_RETUR" } });
        assert_eq!(filled(odd.clone(), Some(&living_at("a")), Some(&living_at("b"))), odd);
    }
}
