//! `cargo xtask demo`: the main job, before the reader's eyes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Content, CorrespondenceStatus, DoublesConfig};
use budstikke_e2e::{Fagsystem, File, Installation, Profile, Vendor, World, component, message_id, newer_build};
use clap::Parser;
use serde_json::{Value, json};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";
/// A municipality without an integrasjonspunkt that the registers know of: it has a mottakersystem at KS.
const MUNICIPALITY: &str = "987464291";
/// In Enhetsregisteret's stand-in, and registered nowhere.
const BUSINESS: &str = "938801363";
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
const PATIENCE: Duration = Duration::from_mins(2);
const SWAPPED: usize = 10;

#[derive(Parser)]
struct Arguments {
    /// Ends by itself.
    #[arg(long)]
    once: bool,
    /// Leaves the sent files and the popped asic.zip here.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match show(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn show(arguments: &Arguments) -> anyhow::Result<()> {
    title("Two public bodies, a municipality, a business, and the stand-ins of Altinn and KS");
    let numbers = [SENDER, RECEIVER, MUNICIPALITY];
    let world = World::with(&numbers, Profile::Debug, None, DoublesConfig::default()).await?;
    let everybody = [SENDER, RECEIVER];
    let mut ours = world.installation_with_address_service(SENDER, &everybody).await?;
    let mut theirs = world.installation_with_address_service(RECEIVER, &everybody).await?;
    // It knows the sender by the registers alone, so its answer goes the way that municipalities write to each other.
    let mut municipality = world.installation_with_address_service(MUNICIPALITY, &[]).await?;
    let registers = world.doubles.registers();
    registers.put(Content::unit(BUSINESS, "EKSEMPEL AS", "AS"));
    registers.put(Content::unit(MUNICIPALITY, "LILLEVIK KOMMUNE", "KOMM"));
    registers.put(Content::unit(SENDER, "FJORDBY DIREKTORAT", "ORGL"));
    world.receives_over_ks(SENDER)?;
    world.receives_over_ks(MUNICIPALITY)?;
    ours.serves_dpv(&world, "").await?;
    ours.serves_dpf(&world, "rest").await?;
    municipality.serves_dpf(&world, "rest").await?;
    let sender = ours.start().await?;
    let receiver = theirs.start().await?;
    municipality.start().await?;
    println!("  Maskinporten, Altinn, KS (stand-ins)  {}", world.doubles.url());
    println!("  ELMA, SvarUt and other registers      the same");
    println!("  integrasjonspunkt of {SENDER}        {}", sender.base());
    println!("  integrasjonspunkt of {RECEIVER}        {}", receiver.base());
    println!(
        "  integrasjonspunkt of {MUNICIPALITY}        {}",
        municipality.fagsystem().base()
    );
    println!("  their address services                in the same processes, from organisations.toml");
    println!("  folders, logs, TOML                   {}", world.folder().display());

    let result = match main_job(arguments, &world, &ours, &sender, &receiver).await {
        Ok(()) => other_receivers(&world, &sender, &municipality.fagsystem()).await,
        failed => failed,
    };
    let result = match result {
        Ok(()) => kosmos(&world, &ours, &sender, &receiver).await,
        failed => failed,
    };
    if let Err(error) = result {
        for (number, installation) in [(SENDER, &ours), (RECEIVER, &theirs), (MUNICIPALITY, &municipality)] {
            eprintln!(
                "\nThe last lines of the log of {number}:\n{}",
                tail(&installation.log(), 25)
            );
        }
        return Err(error);
    }
    if arguments.once {
        println!("\nAll of it happened.");
        return Ok(());
    }
    hints(&world, &sender, &receiver);
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Which way letters go, and why.
async fn ways(ours: &Installation) -> anyhow::Result<()> {
    for (receiver, title_of) in [
        (
            RECEIVER,
            "Which way a letter to the other public body goes: its own data say",
        ),
        (
            MUNICIPALITY,
            "Which way a letter to a municipality goes: the registers say",
        ),
        (BUSINESS, "Which way a letter to a business goes: the registers say"),
    ] {
        title(title_of);
        let what = ["--receiver", receiver, "--process", PROCESS];
        let answer = ours.command("route explain", &what).await?;
        let told = String::from_utf8_lossy(&answer.stdout);
        let said = String::from_utf8_lossy(&answer.stderr);
        ensure!(answer.status.success(), "`budstikke route explain` failed: {said}");
        for line in told.lines() {
            println!("  {line}");
        }
    }
    Ok(())
}

async fn main_job(
    arguments: &Arguments,
    world: &World,
    ours: &Installation,
    sender: &Fagsystem,
    receiver: &Fagsystem,
) -> anyhow::Result<()> {
    ways(ours).await?;
    title("An arkivmelding with a letter in PDF");
    let files = File::examples()?;
    let id = uuid::Uuid::new_v4().to_string();
    let mut timeline = Timeline::new(sender, receiver, &id);
    sender
        .send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
        .await?;
    timeline.until("MOTTATT").await?;

    let sbd = receiver.wait_and_peek("", PATIENCE).await?;
    ensure!(message_id(&sbd) == Some(&id), "another message was on the queue");
    let package = receiver.pop(&id).await?.ok()?.body;
    println!(
        "  {:>9}  the receiving fagsystem popped asic.zip, {} bytes",
        "",
        package.len()
    );
    if let Some(folder) = &arguments.keep {
        keep(folder, &files, &package)?;
    }
    receiver.take(&id).await?.ok()?;
    timeline.until("LEVERT").await?;

    let receipt = receiver.send_message(&kvittering(&sbd, &id)?, &[]).await?;
    timeline.until("LEST").await?;
    sender.wait_and_peek(&format!("?messageId={receipt}"), PATIENCE).await?;
    sender.take(&receipt).await?.ok()?;

    title("Another build of dpo.wasm is dropped into the folder while ten messages are on their way");
    let before = digest(sender).await?;
    let mut ids = Vec::new();
    for number in 0..SWAPPED {
        let id = uuid::Uuid::new_v4().to_string();
        sender
            .send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
            .await?;
        ids.push(id);
        if number == SWAPPED / 3 {
            ours.drop_plugin(&newer_build(&world.programs.dpo, &world.folder().join("newer.wasm"))?)?;
        }
    }
    let started = Instant::now();
    let after = loop {
        let now = digest(sender).await?;
        if now != before {
            break now;
        }
        ensure!(started.elapsed() < PATIENCE, "the new build was not loaded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!("  digest before {}…  after {}…", short(&before), short(&after));
    let mut taken = Vec::new();
    while taken.len() < SWAPPED {
        let sbd = receiver.wait_and_peek("", PATIENCE).await?;
        let id = message_id(&sbd).context("a message without id")?.to_owned();
        receiver.pop(&id).await?.ok()?;
        receiver.take(&id).await?.ok()?;
        taken.push(id);
    }
    taken.sort();
    ids.sort();
    ensure!(taken == ids, "not the ten messages that were sent");
    for id in &ids {
        sender.wait_for(id, "LEVERT", PATIENCE).await?;
    }
    println!("  all {SWAPPED} arrived once, every status LEVERT");
    ensure!(receiver.peek("").await?.is_none(), "there is an eleventh message");
    Ok(())
}

/// The same arkivmelding over the services that the address service names for them.
async fn other_receivers(world: &World, sender: &Fagsystem, municipality: &Fagsystem) -> anyhow::Result<()> {
    title("The same letter to a municipality, over KS SvarUt; it answers, and the answer comes by SvarInn");
    let files = File::examples()?;
    let id = uuid::Uuid::new_v4().to_string();
    let mut timeline = Timeline::new(sender, municipality, &id);
    sender
        .send_message(&Fagsystem::arkivmelding(SENDER, MUNICIPALITY, &id), &files)
        .await?;
    timeline.until("LEVERT").await?;
    let arrived = municipality.wait_and_peek("", PATIENCE).await?;
    let forsendelse = message_id(&arrived).context("a message without id")?.to_owned();
    let package = municipality.pop(&forsendelse).await?.ok()?.body;
    municipality.take(&forsendelse).await?.ok()?;
    println!(
        "  {:>10}  the municipality popped forsendelse {forsendelse}, {} bytes",
        "",
        package.len()
    );
    timeline.until("LEST").await?;
    let mut answer = Fagsystem::arkivmelding(MUNICIPALITY, SENDER, &uuid::Uuid::new_v4().to_string());
    let scopes = answer["standardBusinessDocumentHeader"]["businessScope"]["scope"].as_array_mut();
    scopes
        .context("no scopes")?
        .push(json!({ "type": "ReceiverRef", "instanceIdentifier": forsendelse }));
    municipality.send_message(&answer, &files).await?;
    let answer = sender.wait_and_peek("", PATIENCE).await?;
    let scopes = &answer["standardBusinessDocumentHeader"]["businessScope"]["scope"];
    ensure!(
        scopes.to_string().contains(&forsendelse),
        "it does not say what it answers"
    );
    let answer = message_id(&answer).context("a message without id")?.to_owned();
    sender.pop(&answer).await?.ok()?;
    sender.take(&answer).await?.ok()?;
    println!(
        "  {:>10}  its answer is here, and names the forsendelse that it answers",
        ""
    );

    title("The same letter to a business, which reads its post in Altinn");
    let id = uuid::Uuid::new_v4().to_string();
    let mut timeline = Timeline::new(sender, municipality, &id);
    sender
        .send_message(&Fagsystem::arkivmelding(SENDER, BUSINESS, &id), &files)
        .await?;
    timeline.until("LEVERT").await?;
    let letters = world.doubles.correspondences().all();
    let letter = letters
        .iter()
        .find(|letter| letter.field("idempotentKey") == Some(&id))
        .context("no letter in Altinn's inbox")?;
    let title_of = letter.field("correspondence.content.messageTitle").unwrap_or_default();
    println!(
        "  {:>10}  in the inbox: «{title_of}», {} attachment",
        "",
        letter.files.len()
    );
    world
        .doubles
        .correspondences()
        .change(letter.id, CorrespondenceStatus::Read);
    timeline.until("LEST").await
}

/// KOSMOS installs a new build of the adapter, and takes a bad one back; messages flow throughout.
async fn kosmos(world: &World, ours: &Installation, sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
    title("KOSMOS: the vendor publishes dpo 9.1.0, and then 9.2.0, which is no good; messages flow throughout");
    let folder = world.folder().join("kosmos");
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies)?;
    std::fs::copy(component("policy-standard")?, policies.join("policy-standard.wasm"))?;
    let mut vendor = Vendor::new(&folder.join("vendor"))?;
    let config = folder.join("kosmos.toml");
    std::fs::write(
        &config,
        format!(
            "environment = \"production\"\nstate = \"state\"\npolicy-folder = \"policies\"\n\n\
             [organisation]\nnumber = \"{SENDER}\"\n\n[schedule]\nenabled = false\n\n[[targets]]\nname = \"dpo\"\n\n\
             [targets.plugin]\nfolder = \"{plugins}\"\ncomponent = \"dpo.wasm\"\nadapter = \"dpo\"\nproduct = \"dpo\"\n\n\
             [targets.plugin.management]\nurl = \"{url}\"\n\n[targets.plugin.repository]\n{repository}\n\
             [targets.plugin.launch]\npoll = \"100ms\"\ntime = \"30s\"\n\n[targets.plugin.soak]\ntime = \"2s\"\npoll = \"200ms\"\n",
            plugins = ours.folder.join("plugins").display(),
            url = sender.base(),
            repository = vendor.repository(),
        ),
    )?;
    let good = newer_build(&world.programs.dpo, &folder.join("good.wasm"))?;
    let good = newer_build(&good, &folder.join("better.wasm"))?;
    vendor.publish("dpo", "9.1.0", "dpo-9.1.0.wasm", &std::fs::read(good)?)?;

    let log = std::fs::File::create(folder.join("log.txt"))?;
    let mut supervisor = tokio::process::Command::new(&world.programs.budstikke)
        .args(["kosmos", "--config"])
        .arg(&config)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let said = || std::fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
    let until = async |text: &str| {
        let started = Instant::now();
        while !said().contains(text) {
            ensure!(started.elapsed() < PATIENCE, "KOSMOS never said «{text}»:\n{}", said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    let flow = async {
        let mut ids = Vec::new();
        let files = File::examples()?;
        while !said().contains("9.1.0 runs again") {
            let id = uuid::Uuid::new_v4().to_string();
            sender
                .send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
                .await?;
            ids.push(id);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(ids)
    };
    let changes = async {
        until("9.1.0 runs, and is good").await?;
        vendor.publish("dpo", "9.2.0", "dpo-9.2.0.wasm", b"no component at all")?;
        let run = tokio::process::Command::new(&world.programs.budstikke)
            .args(["kosmos", "--config"])
            .arg(&config)
            .arg("run-now")
            .output();
        let run = run.await?;
        ensure!(!run.status.success(), "the bad one was taken");
        until("9.1.0 runs again").await
    };
    let (mut ids, ()) = tokio::try_join!(flow, changes)?;
    supervisor.kill().await?;
    for line in said()
        .lines()
        .filter_map(|line| line.split_once("INFO").map(|(_, rest)| rest))
    {
        let plain = line.replace("\u{1b}[0m", "");
        let words = plain.split('\u{1b}').next().unwrap_or_default().trim();
        let told = ["step ", "decided", "does not start", "going back", "runs"]
            .iter()
            .any(|word| words.contains(word));
        if told && plain.contains("target_name") {
            println!("  {words}");
        }
    }
    let mut taken = Vec::new();
    while taken.len() < ids.len() {
        let sbd = receiver.wait_and_peek("", PATIENCE).await?;
        let id = message_id(&sbd).context("a message without id")?.to_owned();
        receiver.take(&id).await?.ok()?;
        taken.push(id);
    }
    taken.sort();
    ids.sort();
    ensure!(taken == ids, "not the messages that were sent");
    ensure!(receiver.peek("").await?.is_none(), "there is one more");
    println!("  {} messages were sent meanwhile, and each arrived once", ids.len());
    Ok(())
}

/// Prints statuses of both sides as they come.
struct Timeline<'a> {
    sides: [(&'static str, &'a Fagsystem); 2],
    id: String,
    started: Instant,
    seen: Vec<(usize, String)>,
}

impl<'a> Timeline<'a> {
    fn new(sender: &'a Fagsystem, receiver: &'a Fagsystem, id: &str) -> Self {
        Self {
            sides: [("sender", sender), ("receiver", receiver)],
            id: id.to_owned(),
            started: Instant::now(),
            seen: Vec::new(),
        }
    }

    /// Until the sender sees the status.
    async fn until(&mut self, status: &str) -> anyhow::Result<()> {
        let patience = Instant::now() + PATIENCE;
        loop {
            for (index, (name, side)) in self.sides.iter().enumerate() {
                for value in side.statuses(&self.id).await? {
                    if !self.seen.contains(&(index, value.clone())) {
                        println!("  {:>7} ms  {name:<9} {value}", self.started.elapsed().as_millis());
                        self.seen.push((index, value));
                    }
                }
            }
            if self.seen.contains(&(0, status.to_owned())) {
                return Ok(());
            }
            ensure!(Instant::now() < patience, "the sender never saw {status}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

/// The receipt that a fagsystem sends when it has archived a message.
fn kvittering(received: &Value, about: &str) -> anyhow::Result<Value> {
    let scope = &received["standardBusinessDocumentHeader"]["businessScope"]["scope"];
    let conversation = scope
        .as_array()
        .into_iter()
        .flatten()
        .find(|scope| scope["type"] == "ConversationId")
        .context("the received message has no conversation")?;
    let party = |number: &str| json!([{ "identifier": { "authority": "iso6523-actorid-upis", "value": format!("0192:{number}") } }]);
    Ok(json!({
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "sender": party(RECEIVER),
            "receiver": party(SENDER),
            "documentIdentification": {
                "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering",
                "type": "arkivmelding_kvittering",
                "typeVersion": "2.0"
            },
            "businessScope": { "scope": [{
                "type": "ConversationId",
                "instanceIdentifier": conversation["instanceIdentifier"],
                "identifier": "urn:no:difi:profile:arkivmelding:response:ver1.0"
            }] }
        },
        "arkivmelding_kvittering": { "receiptType": "OK", "relatedToMessageId": about }
    }))
}

async fn digest(fagsystem: &Fagsystem) -> anyhow::Result<String> {
    let info = fagsystem.get("/manage/info").await?.ok()?.json();
    let adapters = info["adapters"].as_array().context("no adapters in /manage/info")?;
    adapters
        .iter()
        .find(|adapter| adapter["name"] == "dpo")
        .and_then(|adapter| adapter["digest"].as_str())
        .map(ToOwned::to_owned)
        .context("no digest")
}

fn keep(folder: &Path, files: &[File], package: &[u8]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for file in files {
        std::fs::write(folder.join(&file.name), &file.content)?;
    }
    std::fs::write(folder.join("asic.zip"), package)?;
    println!("  {:>9}  kept in {}", "", folder.display());
    Ok(())
}

fn hints(world: &World, sender: &Fagsystem, receiver: &Fagsystem) {
    title("It stays open: try it yourself, end with Ctrl-C");
    let (sender, receiver) = (sender.base(), receiver.base());
    println!("  curl {sender}/api/capabilities/{RECEIVER}");
    println!("  curl {sender}/api/capabilities/{MUNICIPALITY}");
    println!("  curl {sender}/api/capabilities/{BUSINESS}");
    println!("  curl '{sender}/api/conversations?size=3'");
    println!("  curl {sender}/manage/health");
    println!();
    println!("  # one shot: the SBD and two files in one request (run it in the checkout)");
    println!("  curl {sender}/api/messages/out/multipart \\");
    println!("    -F 'sbd=<examples/message/sbd.json;type=application/json' \\");
    println!("    -F 'Arkivmelding=@examples/message/arkivmelding.xml;type=application/xml' \\");
    println!("    -F 'Brev=@examples/message/brev.pdf;type=application/pdf'");
    println!("  curl {receiver}/api/messages/in/peek");
    println!("  curl -o asic.zip {receiver}/api/messages/in/pop/MESSAGE-ID && unzip -l asic.zip");
    println!("  curl -X DELETE {receiver}/api/messages/in/MESSAGE-ID");
    println!();
    println!("  # make Altinn fail once, and watch the message being tried again");
    let fault = r#"{"route":"upload","fault":"status","status":503,"times":1}"#;
    let control = world.doubles.control_url();
    println!("  curl -X POST {control}/faults -H 'content-type: application/json' -d '{fault}'");
}

fn title(text: &str) {
    println!("\n\x1b[1m{text}\x1b[0m");
}

fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..)
        .unwrap_or_default()
        .join("\n")
}
