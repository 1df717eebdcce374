//! KS: SvarUt over REST and SOAP, and SvarInn.

mod soap;
mod svarinn;

use std::io::{Cursor, Read as _, Write as _};

use budstikke_doubles::{Doubles, KS_SCOPE, Mottakersystem, SvarUtAccount};
use budstikke_message::asic::{ZipFiles, ZipLimits};
use budstikke_message::cms::{ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::Keystore;
use budstikke_message::x509::Certificate;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{OTHER, OWN, client_id, identity_pem, maskinporten_token, organisation, start};

/// Doubles in which OWN has a konto, and OTHER a mottakersystem.
struct Scene {
    doubles: Doubles,
    account: SvarUtAccount,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let doubles = start(|config| {
            let client = organisation(OWN).client(&client_id(OWN)).unwrap();
            config.clients = vec![client.scopes([KS_SCOPE])];
        })
        .await;
        let account = SvarUtAccount::new(OWN).with_types(["type-1"]);
        doubles.ks().put_account(account.clone());
        doubles.put_mottakersystem(Mottakersystem::new(OTHER, organisation(OTHER).certificate_pem()));
        let token = maskinporten_token(&doubles, OWN, OWN, KS_SCOPE).await;
        Self {
            doubles,
            account,
            token,
        }
    }

    fn with_integration(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .bearer_auth(&self.token)
            .header("IntegrasjonId", self.account.integration_id.to_string())
            .header("IntegrasjonPassord", &self.account.integration_password)
    }

    fn konto(&self, version: &str, rest: &str) -> String {
        format!(
            "{}/api/{version}/kontoer/{}/{rest}",
            self.doubles.svarut_url(),
            self.account.konto
        )
    }

    fn sealed(&self, content: &str) -> Vec<u8> {
        let certificate = Certificate::from_pem(self.doubles.ks().certificate().as_bytes()).unwrap();
        let transport = KeyTransport::RsaOaepSha256;
        let mut writer = EnvelopeWriter::new(Vec::new(), &certificate, transport, ContentCipher::Aes256Cbc).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    async fn send(&self, forsendelse: &Value, files: &[(&str, Vec<u8>)]) -> Response {
        let json = Part::text(forsendelse.to_string())
            .mime_str("application/json;charset=UTF-8")
            .unwrap();
        let mut form = Form::new().part("forsendelse", json);
        for (place, (name, content)) in files.iter().enumerate() {
            let part = Part::bytes(content.clone()).file_name((*name).to_owned());
            form = form.part(format!("filer_{place}"), part.mime_str("application/pdf").unwrap());
        }
        let url = self.konto("v3", "forsendelser/organisasjon");
        self.with_integration(Client::new().post(url))
            .multipart(form)
            .send()
            .await
            .unwrap()
    }

    async fn soap(&self, content_type: &str, body: Vec<u8>) -> (u16, String) {
        let url = format!(
            "{}/tjenester/forsendelseservice/ForsendelsesServiceV9",
            self.doubles.svarut_url()
        );
        let request = Client::new()
            .post(url)
            .basic_auth(&self.account.user, Some(&self.account.password));
        let answer = request
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn mtom(&self, id: &str, change: impl Fn(String) -> String) -> (u16, String) {
        let root = change(soap_forsendelse(id));
        let mut body = format!(
            "--b\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\nContent-ID: <root>\r\n\r\n\
             {root}\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <doc0>\r\n\r\n"
        )
        .into_bytes();
        body.extend(self.sealed("Testing 1 2 3"));
        body.extend_from_slice(b"\r\n--b--\r\n");
        let content_type = "multipart/related; type=\"application/xop+xml\"; start=\"<root>\"; \
                            start-info=\"application/soap+xml\"; boundary=b";
        self.soap(content_type, body).await
    }

    fn svarinn(&self, path: &str) -> String {
        format!("{}{path}", self.doubles.svarinn_url())
    }

    async fn waiting(&self) -> Vec<Value> {
        let request = as_receiver(Client::new().get(self.svarinn("/mottaker/hentNyeForsendelser")));
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn as_receiver(request: RequestBuilder) -> RequestBuilder {
    request.basic_auth(format!("svarinn-{OTHER}"), Some(format!("mottak-{OTHER}")))
}

fn forsendelse() -> Value {
    json!({
        "tittel": "Brev", "mottaker": { "navn": "Lillevik", "digitalId": OTHER }, "kryptert": true,
        "sikkerhetsniva": "HOYESTE", "eksternReferanse": "m-1", "forsendelsestype": "type-1",
        "metadataFraAvleverendeSystem": { "journalposttype": "U", "journaldato": "2026-03-02T00:00:00+01:00" },
        "dokumenter": [{ "filnavn": "a.pdf", "mimeType": "application/pdf", "skalEkskluderesFraUtskrift": false }],
    })
}

fn soap_envelope(body: &str) -> String {
    format!("<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>{body}</s:Body></s:Envelope>")
}

fn soap_forsendelse(id: &str) -> String {
    soap_envelope(&format!(
        "<s9:sendForsendelseMedId xmlns:s9=\"http://www.ks.no/svarut/servicesV9\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><forsendelse><avgivendeSystem/><dokumenter><data>\
         <xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:doc0\"/></data>\
         <ekskluderesFraPrint>true</ekskluderesFraPrint><filnavn>test.txt</filnavn><mimetype>text/plain</mimetype>\
         <skalSigneres>false</skalSigneres></dokumenter><eksternref>m-1</eksternref>\
         <krevNiva4Innlogging>false</krevNiva4Innlogging><kryptert>true</kryptert>\
         <kunDigitalLevering>false</kunDigitalLevering><mottaker>\
         <digitalAdresse xsi:type=\"s9:organisasjonDigitalAdresse\"><orgnr>{OTHER}</orgnr></digitalAdresse>\
         <postAdresse><navn>Lillevik</navn><postnr>0192</postnr><poststed>Oslo</poststed></postAdresse></mottaker>\
         <signaturtype xsi:nil=\"true\"/><signeringUtloper xsi:nil=\"true\"/>\
         <svarPaForsendelseLink>false</svarPaForsendelseLink><tittel>Brev</tittel></forsendelse>\
         <forsendelsesid>{id}</forsendelsesid></s9:sendForsendelseMedId>"
    ))
}

async fn body(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The files of a package of SvarInn, as its receiver sees them.
fn opened(sealed: Vec<u8>) -> Vec<(String, String)> {
    let identity = Keystore::from_pem(identity_pem(OTHER).as_bytes()).unwrap();
    let mut zip = Vec::new();
    EnvelopeReader::open(Cursor::new(sealed), &identity)
        .unwrap()
        .read_to_end(&mut zip)
        .unwrap();
    let mut zip = ZipFiles::open(Cursor::new(zip), ZipLimits::of_total(1 << 20)).unwrap();
    let names: Vec<String> = zip.files().iter().map(|file| file.name.clone()).collect();
    let read = |name: String| {
        let mut text = String::new();
        zip.file(&name).unwrap().read_to_string(&mut text).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}

#[tokio::test]
async fn a_forsendelse_over_rest_waits_in_svarinn_until_it_is_confirmed() {
    let scene = Scene::new().await;
    let sent = scene
        .send(&forsendelse(), &[("a.pdf", scene.sealed("Testing 1 2 3"))])
        .await;
    assert_eq!(sent.status(), 200);
    let id = body(sent).await["id"].as_str().unwrap().to_owned();
    let came = scene.doubles.ks().forsendelse(id.parse().unwrap()).unwrap();
    assert_eq!(
        (came.documents[0].content.as_slice(), came.level),
        (b"Testing 1 2 3".as_slice(), 4)
    );

    let waiting = scene.waiting().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0]["id"].as_str(), waiting[0]["svarSendesTil"]["orgnr"].as_str()),
        (Some(id.as_str()), Some(OWN))
    );
    assert_eq!(
        waiting[0]["metadataFraAvleverendeSystem"]["journaldato"],
        1_772_406_000_000_i64
    );
    let url = scene.svarinn(waiting[0]["downloadUrl"].as_str().unwrap());
    let sealed = as_receiver(Client::new().get(url))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(
        opened(sealed.to_vec()),
        [("a.pdf".to_owned(), "Testing 1 2 3".to_owned())]
    );

    let status = async || {
        let request = scene.with_integration(Client::new().post(scene.konto("v3", "forsendelser/status/sok")));
        let answer = request.json(&json!({ "id": [id] })).send().await.unwrap();
        body(answer).await["statuser"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "SENDT_DIGITALT");
    let confirm = scene.svarinn(&format!("/kvitterMottak/forsendelse/{id}"));
    let confirm = async || as_receiver(Client::new().post(&confirm)).send().await.unwrap().status();
    assert_eq!(confirm().await, 200);
    assert_eq!(confirm().await, 404, "it is gone");
    assert_eq!(status().await, "LEST");
    assert!(scene.waiting().await.is_empty());

    let find = scene.konto("v2", "forsendelser?eksternRef=m-1");
    let found = scene.with_integration(Client::new().get(find)).send().await.unwrap();
    assert_eq!(body(found).await, json!({ "forsendelseIds": [id] }));
}

#[tokio::test]
async fn ks_refuses_who_is_not_who_they_say() {
    let scene = Scene::new().await;
    let url = format!("{}/api/v2/forsendelsestyper", scene.doubles.svarut_url());
    let good = scene.with_integration(Client::new().get(&url)).send().await.unwrap();
    assert_eq!(body(good).await, json!({ "forsendelsestyper": ["type-1"] }));
    let without = Client::new().get(&url).bearer_auth(&scene.token).send().await.unwrap();
    assert_eq!(without.status(), 401);
    // The consumer of the token must be the one that the integrasjon is for.
    scene.doubles.ks().put_account(scene.account.clone().authorised(OTHER));
    assert_eq!(
        scene
            .with_integration(Client::new().get(&url))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    scene.doubles.ks().put_account(scene.account.clone());
    let other = scene
        .konto("v2", "forsendelser?eksternRef=x")
        .replace(&scene.account.konto.to_string(), &Uuid::new_v4().to_string());
    assert_eq!(
        scene
            .with_integration(Client::new().get(other))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    let list = scene.svarinn("/mottaker/hentNyeForsendelser");
    let stranger = Client::new()
        .get(list)
        .basic_auth("svarinn", Some("x"))
        .send()
        .await
        .unwrap();
    assert_eq!(stranger.status(), 401);
}

#[tokio::test]
async fn what_breaks_a_rule_over_rest_is_a_400_with_an_error_id() {
    let scene = Scene::new().await;
    let sealed = || scene.sealed("x");
    let refused = async |change: fn(&mut Value), files: &[(&str, Vec<u8>)]| {
        let mut forsendelse = forsendelse();
        change(&mut forsendelse);
        let answer = scene.send(&forsendelse, files).await;
        assert_eq!(answer.status(), 400);
        let answer = body(answer).await;
        assert!(answer["errorId"].is_string());
        answer["message"].as_str().unwrap().to_owned()
    };
    let one = [("a.pdf", sealed())];
    assert!(refused(|f| f["tittel"] = json!(""), &one).await.contains("tittel"));
    assert!(refused(|f| f["nytt"] = json!(1), &one).await.contains("nytt"));
    assert!(
        refused(|f| f["metadataFraAvleverendeSystem"]["saksaar"] = json!(0), &one)
            .await
            .contains("saksaar")
    );
    assert!(
        refused(|f| f["mottaker"]["adresse"] = json!({ "poststed": "Oslo" }), &one)
            .await
            .contains("adresselinje1")
    );
    assert!(
        refused(|f| f["forsendelsestype"] = json!("nope"), &one)
            .await
            .contains("forsendelsestypen")
    );
    assert!(
        refused(|f| f["kryptert"] = json!(false), &one)
            .await
            .contains("kryptering")
    );
    assert!(refused(|_| {}, &[]).await.contains("1 dokumenter"));
    assert!(refused(|_| {}, &[("b.pdf", sealed())]).await.contains("order"));
    assert!(
        refused(|_| {}, &[("a.pdf", b"plain".to_vec())])
            .await
            .contains("Feil under lesing")
    );
    assert!(
        refused(|_| {}, &[("a.pdf", scene.sealed(""))])
            .await
            .contains("tomt dokument")
    );
    assert!(
        refused(|f| f["dokumenter"][0]["mimeType"] = json!("text/plain"), &one)
            .await
            .contains("pdf")
    );
    assert!(scene.doubles.ks().forsendelser().is_empty());
}
