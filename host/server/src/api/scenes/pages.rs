//! The pages for people, read by a parser that is not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use budstikke_store::{Attachment, Description, NewAttachment};
use serde_json::json;

use super::*;

/// Reads a page from standard input and tells what is in it: tags that do not close, cells, links, text, labels.
const READER: &str = r#"
import json, sys
from html.parser import HTMLParser
VOID = {"meta", "input", "link", "br", "img"}
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.stack, self.faults, self.out = [], [], {"rows": [], "links": [], "tags": [], "labels": [], "ids": [],
            "scopes": 0, "text": "", "lang": None, "alerts": [], "values": {}}
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.out["tags"].append(tag)
        if tag == "html": self.out["lang"] = attrs.get("lang")
        if tag == "a": self.out["links"].append(attrs["href"])
        if tag == "label": self.out["labels"].append(attrs["for"])
        if tag == "input": self.out["values"][attrs["name"]] = attrs.get("value")
        if "id" in attrs: self.out["ids"].append(attrs["id"])
        if tag == "th" and "scope" in attrs: self.out["scopes"] += 1
        if tag == "tr": self.out["rows"].append([])
        if tag in ("td", "th") and self.out["rows"]: self.out["rows"][-1].append("")
        if attrs.get("role") == "alert": self.out["alerts"].append(tag)
        if any(name.startswith("on") or name == "style" for name in attrs): self.faults.append(tag + " has script or style")
        if tag not in VOID: self.stack.append(tag)
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag: self.faults.append("bad end of " + tag)
    def handle_data(self, data):
        if "style" in self.stack: return
        self.out["text"] += data
        if ("td" in self.stack or "th" in self.stack) and self.out["rows"]: self.out["rows"][-1][-1] += data
reader = Reader()
reader.feed(sys.stdin.read())
reader.close()
reader.out["faults"] = reader.faults + ["open: " + tag for tag in reader.stack]
print(json.dumps(reader.out))
"#;

fn read(html: &str) -> Value {
    let mut python = Command::new("python3")
        .args(["-c", READER])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(html.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["faults"], json!([]), "{html}");
    assert_eq!(found["lang"], "en");
    for label in found["labels"].as_array().unwrap() {
        assert!(
            found["ids"].as_array().unwrap().contains(label),
            "{label} labels nothing"
        );
    }
    found
}

impl House {
    async fn page(&self, query: &str) -> (StatusCode, Value) {
        let response = self.get(&format!("/conversations{query}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let status = response.status();
        (status, read(&response.text().await.unwrap()))
    }

    /// The titles of the page, top to bottom.
    async fn titles(&self, query: &str) -> Vec<String> {
        let (status, page) = self.page(query).await;
        assert_eq!(status, 200);
        let rows = page["rows"].as_array().unwrap().iter().skip(1);
        rows.map(|row| row[5].as_str().unwrap().to_owned()).collect()
    }

    async fn titled(&self, title: &str) -> String {
        let id = self.draft(sbd("avtalt", &json!({}))).await;
        let file = Attachment {
            number: 0,
            blob: id.clone(),
            filename: "arkivmelding.xml".into(),
            title: None,
            mime: "text/xml".into(),
            size: 0,
            primary: false,
        };
        let describes = Some(Description {
            title: title.into(),
            reference: None,
        });
        let (file, rules) = (
            NewAttachment {
                file,
                small: None,
                describes,
            },
            AttachmentRules { limit: 0 },
        );
        self.node.store.attach(&id, file, rules, Node::now()).await.unwrap();
        id
    }
}

#[tokio::test]
async fn the_front_page_leads_to_the_conversations() {
    let house = House::new().await;
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = client.get(house.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "/conversations");
    let (_, page) = house.page("").await;
    assert!(page["text"].as_str().unwrap().contains("No conversations were found."));
}

#[tokio::test]
async fn a_conversation_is_shown_with_all_its_statuses() {
    let house = House::new().await;
    let id = house.titled("Svar på søknad").await;
    let failed = NewStatus::plain(Status::Feil, Node::now()).saying("Mottaker <finnes> ikke");
    house
        .node
        .store
        .register_status(&id, budstikke_store::Direction::Outgoing, failed)
        .await
        .unwrap();
    let (_, page) = house.page("").await;
    let row = page["rows"][1].as_array().unwrap();
    let cells: Vec<&str> = row.iter().map(|cell| cell.as_str().unwrap()).collect();
    assert_eq!(cells[0].len(), "2026-03-02 09:15:04".len());
    assert_eq!(
        cells[1..6],
        ["Outgoing", "S", "0192:991825827", "0192:910076787", "Svar på søknad"]
    );
    assert!(cells[7].starts_with("FEIL 20"), "{}", cells[7]);
    assert!(cells[8].contains("OPPRETTET") && cells[8].contains("Mottaker <finnes> ikke") && cells[8].contains(&id));
    assert_eq!(page["scopes"], 10, "nine columns and one row");
    assert!(!page["tags"].as_array().unwrap().contains(&json!("script")));
}

#[tokio::test]
async fn what_comes_from_outside_is_text_and_nothing_else() {
    let house = House::new().await;
    let title = "</td><script>alert(1)</script><img src=x onerror=y> & \"quoted\" 'so'";
    house.titled(title).await;
    assert_eq!(house.titles("").await, [title]);
    let search = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let (_, page) = house.page(&format!("?search={search}")).await;
    assert_eq!(page["values"]["search"], "\"><script>alert(1)</script>");
    assert!(!page["tags"].as_array().unwrap().contains(&json!("script")));
    assert_eq!(house.titles("?search=%3Cscript%3E").await, [title]);
}

#[tokio::test]
async fn a_search_has_words_that_all_or_any_of_must_be_found() {
    let house = House::new().await;
    for title in ["Svar på søknad", "Nabovarsel", "100%"] {
        house.titled(title).await;
    }
    for (query, titles) in [
        ("?search=nabovarsel", vec!["Nabovarsel"]),
        ("?search=svar+på+søknad", vec!["Svar på søknad"]),
        ("?search=910076787+%26%26+svar", vec!["Svar på søknad"]),
        ("?search=svar+%26%26+nabo+%7C%7C+100%25", vec!["100%"]),
        ("?search=svar+%7C%7C+nabo", vec!["Nabovarsel", "Svar på søknad"]),
        ("?direction=INCOMING", vec![]),
        (
            "?direction=OUTGOING&search=administrasjon&created=",
            vec!["100%", "Nabovarsel", "Svar på søknad"],
        ),
        ("?created=2024-01-01", vec![]),
    ] {
        assert_eq!(house.titles(query).await, titles, "{query}");
    }
    let today = crate::api::time::now().get(..10).unwrap().to_owned();
    assert_eq!(house.titles(&format!("?created={today}")).await.len(), 3);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_with_the_form_and_what_is_wrong() {
    let house = House::new().await;
    for (query, words) in [
        ("?created=yesterday", "The day must be written"),
        ("?direction=UP", "The direction must be"),
        ("?page=-1", "The page must be"),
        ("?page=99999999", "The page must be"),
        (&format!("?search={}", "x".repeat(201)), "at most 200 characters"),
    ] {
        let (status, page) = house.page(query).await;
        assert_eq!(status, 400, "{query}");
        assert_eq!(page["alerts"], json!(["p"]));
        assert!(page["text"].as_str().unwrap().contains(words), "{query}");
        assert!(page["ids"].as_array().unwrap().contains(&json!("search")));
    }
}

#[tokio::test]
async fn pages_are_linked_and_the_links_keep_the_question() {
    let house = House::new().await;
    for _ in 0..51 {
        house.titled("a&b").await;
    }
    let (_, page) = house.page("?search=a%26b").await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 51);
    assert_eq!(page["links"], json!(["/conversations?page=1&search=a%26b"]));
    let (_, page) = house.page("?page=1&search=a%26b").await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 2);
    assert_eq!(page["links"], json!(["/conversations?page=0&search=a%26b"]));
}
