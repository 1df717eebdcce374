//! Packages from peers that are no messages: kept aside for the operator, confirmed, and in nobody's way.

use std::io::{Cursor, Read as _};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{DPO_RESOURCE, TransferStatus};
use budstikke_e2e::{Fagsystem, File, Letter, PATIENCE, Pair, Reader, nothing_more_comes};
use budstikke_message::asic::{AsicWriter, Compression, ZipFiles, ZipLimits, ZipWriter};
use budstikke_message::cms::{ContentCipher, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::{Identity, Keystore};

#[tokio::test]
async fn broken_packages_are_set_aside_and_block_nobody() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = set_aside(&mut pair).await;
    pair.told(result)
}

async fn set_aside(pair: &mut Pair) -> anyhow::Result<()> {
    let sender = pair.ours.start().await?;
    let theirs = identity(pair, Pair::RECEIVER)?;
    let ours = identity(pair, Pair::SENDER)?;
    let sbd = || complete_sbd(&sender);
    let good = asic(&ours)?;

    let mut swapped = good.clone();
    let middle = swapped.len() / 3;
    swapped[middle] ^= 1;
    let cut = seal(&theirs, &good)?;
    let packages: Vec<(&str, Vec<u8>)> = vec![
        ("garbage", b"this was never a zip".to_vec()),
        ("empty", Vec::new()),
        ("no sbd.json", zip(&[("asic.zip", &seal(&theirs, &good)?)])?),
        ("the old form", zip(&[("content.xml", b"<sbd/>")])?),
        ("an sbd.json that is not JSON", zip(&[("sbd.json", b"{ \"standard")])?),
        (
            "an sbd.json without a header",
            zip(&[("sbd.json", b"{\"arkivmelding\":{}}")])?,
        ),
        (
            "an sbd.json without parties",
            zip(&[("sbd.json", without_parties(&sbd().await?)?.as_bytes())])?,
        ),
        (
            "an asic.zip that is not sealed",
            zip(&[("sbd.json", sbd().await?.as_bytes()), ("asic.zip", &good)])?,
        ),
        (
            "garbage in asic.zip",
            zip(&[("sbd.json", sbd().await?.as_bytes()), ("asic.zip", b"garbage")])?,
        ),
        (
            "sealed to another key",
            zip(&[
                ("sbd.json", sbd().await?.as_bytes()),
                ("asic.zip", &seal(&ours, &good)?),
            ])?,
        ),
        (
            "cut off",
            zip(&[
                ("sbd.json", sbd().await?.as_bytes()),
                ("asic.zip", &cut[..cut.len() - 200]),
            ])?,
        ),
        (
            "a changed byte",
            zip(&[
                ("sbd.json", sbd().await?.as_bytes()),
                ("asic.zip", &seal(&theirs, &swapped)?),
            ])?,
        ),
        (
            "another letter",
            zip(&[
                ("sbd.json", sbd().await?.as_bytes()),
                ("asic.zip", &seal(&theirs, &forged(&good)?)?),
            ])?,
        ),
    ];
    let mut references = Vec::new();
    for (name, package) in &packages {
        references.push((*name, publish(pair, package)?.to_string()));
    }
    // Behind all of them: one that a peer made well, and one of our own making.
    let text = sbd().await?;
    publish(
        pair,
        &zip(&[("sbd.json", text.as_bytes()), ("asic.zip", &seal(&theirs, &good)?)])?,
    )?;
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;

    pair.theirs.ask_for_passwords()?;
    let receiver = pair.theirs.start().await?;
    for _ in 0..2 {
        let (id, package) = Reader::default().go_on(&receiver).await?;
        ensure!(
            id == letter.id || text.contains(&id),
            "a broken package reached the fagsystem"
        );
        letter.is_in(&package)?;
    }
    letter.has_arrived_once(&sender, &receiver).await?;
    let done = pair.world.doubles.wait_for(PATIENCE, |transfers| {
        transfers
            .iter()
            .all(|transfer| transfer.status == TransferStatus::AllConfirmedDownloaded)
    });
    ensure!(done.await, "not everything was confirmed");
    nothing_more_comes(&receiver).await?;

    let aside = receiver.get("/manage/set-aside").await?.ok()?.json();
    let aside = aside["content"].as_array().context("a list")?;
    ensure!(
        aside.len() == packages.len(),
        "{} things were set aside: {aside:?}",
        aside.len()
    );
    for (name, reference) in references {
        let item = aside
            .iter()
            .find(|item| item["reference"] == reference.as_str())
            .context(name)?;
        ensure!(
            item["service"] == "DPO" && item["reason"].as_str().is_some_and(|reason| reason.len() > 10),
            "{name}: {item}"
        );
    }
    Ok(())
}

/// A sender that repairs its message sends it once more under the same id.
#[tokio::test]
async fn a_package_that_was_set_aside_can_be_sent_again_in_good_order() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = repaired(&mut pair).await;
    pair.told(result)
}

async fn repaired(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let good = asic(&identity(pair, Pair::SENDER)?)?;
    let sbd = complete_sbd(&sender).await?;
    publish(pair, &zip(&[("sbd.json", sbd.as_bytes()), ("asic.zip", &good)])?)?;
    let confirmed = |status: TransferStatus| status == TransferStatus::AllConfirmedDownloaded;
    let aside = pair
        .world
        .doubles
        .wait_for(PATIENCE, |transfers| transfers.iter().all(|one| confirmed(one.status)));
    ensure!(aside.await, "it was not set aside");
    let sealed = seal(&identity(pair, Pair::RECEIVER)?, &good)?;
    publish(pair, &zip(&[("sbd.json", sbd.as_bytes()), ("asic.zip", &sealed)])?)?;
    let (id, _) = Reader::default().go_on(&receiver).await?;
    ensure!(sbd.contains(&id), "another message");
    nothing_more_comes(&receiver).await
}

fn publish(pair: &Pair, package: &[u8]) -> anyhow::Result<uuid::Uuid> {
    let reference = uuid::Uuid::new_v4().to_string();
    Ok(pair
        .world
        .doubles
        .publish(Pair::SENDER, Pair::RECEIVER, DPO_RESOURCE, Some(&reference), package)?)
}

fn identity(pair: &Pair, number: &str) -> anyhow::Result<Identity> {
    let organisation = pair
        .world
        .organisations
        .iter()
        .find(|one| one.number == number)
        .context("no such organisation")?;
    let identity = &organisation.identity;
    Ok(Keystore::from_pkcs12(
        &std::fs::read(identity.p12_path())?,
        identity.password(),
        None,
    )?)
}

/// An SBD as it goes over the wire: with everything that the API fills in.
async fn complete_sbd(sender: &Fagsystem) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let created = sender
        .create(&Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id))
        .await?
        .ok()?;
    Ok(String::from_utf8(created.body)?)
}

fn without_parties(sbd: &str) -> anyhow::Result<String> {
    let mut sbd: serde_json::Value = serde_json::from_str(sbd)?;
    let header = sbd["standardBusinessDocumentHeader"]
        .as_object_mut()
        .context("a header")?;
    header.remove("sender");
    header.remove("receiver");
    Ok(sbd.to_string())
}

fn asic(signer: &Identity) -> anyhow::Result<Vec<u8>> {
    let mut asic = AsicWriter::new(Vec::new())?;
    for file in File::examples()? {
        asic.add(&file.name, &file.mime, &mut file.content.as_slice())?;
    }
    Ok(asic.finish(signer)?)
}

/// The same container with another letter in it, as somebody without the key would do it.
fn forged(asic: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut from = ZipFiles::open(Cursor::new(asic), ZipLimits::of_total(1 << 20))?;
    let names: Vec<String> = from.files().iter().map(|file| file.name.clone()).collect();
    let mut to = ZipWriter::new(Vec::new());
    for name in names {
        let mut content = Vec::new();
        from.file(&name)?.read_to_end(&mut content)?;
        if name == "brev.pdf" {
            content = b"%PDF-1.4 another letter".to_vec();
        }
        if name == "mimetype" {
            to.stored(&name, &content)?;
        } else {
            to.deflated(&name, Compression::Deflate, &mut content.as_slice())?;
        }
    }
    Ok(to.finish("")?)
}

fn seal(to: &Identity, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut sealed = EnvelopeWriter::new(
        Vec::new(),
        to.certificate(),
        KeyTransport::RsaOaepSha256,
        ContentCipher::Aes256Cbc,
    )?;
    sealed.write_all(content)?;
    Ok(sealed.finish()?)
}

fn zip(entries: &[(&str, &[u8])]) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Vec::new());
    for (name, content) in entries {
        zip.stored(name, content)?;
    }
    Ok(zip.finish("")?)
}
