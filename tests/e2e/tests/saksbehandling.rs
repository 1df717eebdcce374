//! Saksbehandling and taushetsbelagt saksbehandling, from one fagsystem to three kinds of receivers. The address service says over which
//! service: DPO to a public body, DPF to a municipality with a mottakersystem, DPV to a business.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Content, Correspondence, CorrespondenceStatus};
use budstikke_e2e::{
    AddressService, Fagsystem, File, Installation, PATIENCE, World, message_id, nothing_more_comes, register_but,
    together,
};

const SENDER: &str = "991825827";
const PUBLIC_BODY: &str = "910076787";
const MUNICIPALITY: &str = "987464291";
const BUSINESS: &str = "938801363";

const PLAIN: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
const CONFIDENTIAL: &str = "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0";

/// Everybody, and the address service that all of them ask.
struct Scene {
    world: Arc<World>,
    service: AddressService,
    sender: Installation,
    public_body: Installation,
    municipality: Installation,
}

impl Scene {
    async fn new(protocol: &str) -> anyhow::Result<Self> {
        let world = World::new(&[SENDER, PUBLIC_BODY, MUNICIPALITY]).await?;
        register_but(&world, MUNICIPALITY);
        let registers = world.doubles.registers();
        registers.put(Content::unit(MUNICIPALITY, "LILLEVIK KOMMUNE", "KOMM"));
        registers.put(Content::unit(BUSINESS, "EKSEMPEL AS", "AS"));
        world.receives_over_ks(MUNICIPALITY)?;
        let mut service = world.address_service(SENDER)?;
        service.start().await?;
        let installation = |number: &str| {
            let installation = world.installation_asking(number, &service.url())?;
            installation.hurry(&world)?;
            anyhow::Ok(installation)
        };
        let (sender, public_body) = (installation(SENDER)?, installation(PUBLIC_BODY)?);
        let municipality = installation(MUNICIPALITY)?;
        sender.serves_dpv(&world, "").await?;
        sender.serves_dpf(&world, protocol).await?;
        municipality.serves_dpf(&world, protocol).await?;
        Ok(Self {
            world: Arc::new(world),
            service,
            sender,
            public_body,
            municipality,
        })
    }

    fn told<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.with_context(|| {
            let installations = [&self.sender, &self.public_body, &self.municipality];
            let logs = installations.map(|installation| format!("---\n{}", installation.end_of_log()));
            format!("{}\n--- the address service\n{}", logs.join("\n"), self.service.log())
        })
    }
}

/// An arkivmelding in a process. Returns its id, once it is on its way over the service that it should take.
async fn sent(sender: &Fagsystem, receiver: &str, process: &str, service: &str) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let mut sbd = Fagsystem::arkivmelding(SENDER, receiver, &id);
    sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["identifier"] = process.into();
    sender.send_message(&sbd, &File::examples()?).await?;
    let path = format!("/api/conversations/messageId/{id}");
    let conversation = sender.get(&path).await?.ok()?.json();
    ensure!(conversation["serviceIdentifier"] == service, "{conversation}");
    Ok(id)
}

async fn has(sender: &Fagsystem, id: &str, last: &str, all: &[&str]) -> anyhow::Result<()> {
    sender.wait_for(id, last, PATIENCE * 2).await?;
    let statuses = sender.statuses(id).await?;
    ensure!(statuses == all, "{statuses:?}");
    Ok(())
}

/// Takes the next message; what is in its package.
async fn taken(receiver: &Fagsystem) -> anyhow::Result<(String, Vec<u8>)> {
    let sbd = receiver.wait_and_peek("", PATIENCE).await?;
    let id = message_id(&sbd).context("a message without id")?.to_owned();
    let package = receiver.pop(&id).await?.ok()?.body;
    receiver.take(&id).await?.ok()?;
    Ok((id, package))
}

async fn to_a_public_body(scene: &Scene, process: &str) -> anyhow::Result<()> {
    let (sender, receiver) = (scene.sender.fagsystem(), scene.public_body.fagsystem());
    let id = sent(&sender, PUBLIC_BODY, process, "DPO").await?;
    let (arrived, _) = taken(&receiver).await?;
    ensure!(arrived == id, "another message arrived");
    has(&sender, &id, "LEVERT", &["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"]).await
}

async fn to_a_municipality(scene: &Scene, process: &str) -> anyhow::Result<()> {
    let (sender, receiver) = (scene.sender.fagsystem(), scene.municipality.fagsystem());
    let id = sent(&sender, MUNICIPALITY, process, "DPF").await?;
    let (arrived, package) = taken(&receiver).await?;
    let ours = |forsendelse: &budstikke_doubles::Forsendelse| forsendelse.external_reference.as_deref() == Some(&id);
    let all = scene.world.doubles.ks().forsendelser();
    let forsendelse = all
        .iter()
        .find(|forsendelse| ours(forsendelse))
        .context("no forsendelse")?;
    ensure!(
        arrived == forsendelse.id.to_string() && !package.is_empty(),
        "another message arrived"
    );
    has(&sender, &id, "LEST", &["OPPRETTET", "SENDT", "LEVERT", "LEST"]).await
}

async fn to_a_business(scene: &Scene, process: &str) -> anyhow::Result<()> {
    let sender = scene.sender.fagsystem();
    let id = sent(&sender, BUSINESS, process, "DPV").await?;
    sender.wait_for(&id, "SENDT", PATIENCE).await?;
    let ours = |letter: &Correspondence| letter.field("idempotentKey") == Some(&id);
    let letter = scene.world.doubles.correspondences().all().into_iter().find(ours);
    let letter = letter.context("no letter in Altinn")?;
    let (resource, confidential) = if process == CONFIDENTIAL {
        ("eformidling-dpv-taushetsbelagt", "true")
    } else {
        ("eformidling-dpv-administrasjon", "false")
    };
    let field = |name: &str| letter.field(&format!("correspondence.{name}"));
    ensure!(
        (field("resourceId"), field("isConfidential")) == (Some(resource), Some(confidential)),
        "{:?} {:?}",
        field("resourceId"),
        field("isConfidential")
    );
    let name = format!("EKSEMPELETATEN {SENDER}");
    ensure!(field("messageSender") == Some(&name), "{:?}", field("messageSender"));
    scene
        .world
        .doubles
        .correspondences()
        .change(letter.id, CorrespondenceStatus::Read);
    has(&sender, &id, "LEST", &["OPPRETTET", "SENDT", "LEVERT", "LEST"]).await
}

async fn each_kind_of_receiver(scene: &Scene, process: &str) -> anyhow::Result<()> {
    let named = |kind: &str| format!("{kind}, {process}");
    let (body, municipality, business) = (
        to_a_public_body(scene, process).await.with_context(|| named("DPO")),
        to_a_municipality(scene, process).await.with_context(|| named("DPF")),
        to_a_business(scene, process).await.with_context(|| named("DPV")),
    );
    body.and(municipality).and(business)
}

async fn both_processes(scene: &mut Scene) -> anyhow::Result<()> {
    scene.sender.start().await?;
    scene.public_body.start().await?;
    scene.municipality.start().await?;
    for process in [PLAIN, CONFIDENTIAL] {
        each_kind_of_receiver(scene, process).await?;
    }
    nothing_more_comes(&scene.public_body.fagsystem()).await?;
    nothing_more_comes(&scene.municipality.fagsystem()).await
}

async fn played(protocol: &str) -> anyhow::Result<()> {
    let mut scene = Scene::new(protocol).await?;
    let result = both_processes(&mut scene).await;
    scene.told(result)
}

#[tokio::test(flavor = "multi_thread")]
async fn saksbehandling_reaches_every_kind_of_receiver_over_the_service_that_the_address_service_names() {
    let scenes = [("rest".to_owned(), played("rest")), ("soap".to_owned(), played("soap"))];
    together(scenes).await.unwrap();
}
