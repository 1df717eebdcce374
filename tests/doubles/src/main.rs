//! `doubles`: the stand-ins as a program, for trying things out by hand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use budstikke_doubles::{Client, Content, Doubles, DoublesConfig, SystemUser, TestOrganisation};
use clap::Parser;

/// Stand-ins for Maskinporten and Altinn on loopback, with switches for faults.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:9900")]
    listen: SocketAddr,
    /// Folder for uploaded files; a temporary one without this.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A Maskinporten client and its certificate, whose subject names the organisation.
    #[arg(long = "client", value_name = "ID=CERT.PEM")]
    clients: Vec<String>,
    /// An approved system user: ORG=NAME.
    #[arg(long = "system-user", value_name = "ORG=NAME")]
    system_users: Vec<String>,
    /// Makes keys and certificates for this organisation in --identities.
    #[arg(long = "make-organisation", value_name = "ORG", requires = "identities")]
    organisations: Vec<String>,
    /// Folder for the files of --make-organisation. They are made before clients are read.
    #[arg(long)]
    identities: Option<PathBuf>,
    /// Time between upload and publication, in milliseconds.
    #[arg(long, default_value_t = 0)]
    virus_scan_millis: u64,
    /// Life of an Altinn token, in seconds.
    #[arg(long, default_value_t = 1800)]
    token_life: u64,
    /// What the registers know: a JSON file with a list of contents, as the door for people takes them. May be repeated.
    #[arg(long = "registers", value_name = "FILE.JSON")]
    registers: Vec<PathBuf>,
    /// What `aud` of an assertion must be; the base URL with a slash at the end without this.
    #[arg(long)]
    audience: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let arguments = Arguments::parse();
    for number in &arguments.organisations {
        let dir = arguments
            .identities
            .as_deref()
            .context("--make-organisation needs --identities")?;
        let made = TestOrganisation::create(dir, number)?;
        println!(
            "made         {} (password {}, alias {})",
            made.p12_path().display(),
            made.password(),
            made.alias()
        );
    }
    let contents = contents(&arguments.registers)?;
    let doubles = Doubles::start(DoublesConfig {
        dir: arguments.dir,
        listen: arguments.listen,
        clients: arguments
            .clients
            .iter()
            .map(|text| client(text))
            .collect::<Result<_, _>>()?,
        system_users: arguments
            .system_users
            .iter()
            .map(|text| system_user(text))
            .collect::<Result<_, _>>()?,
        audience: arguments.audience,
        virus_scan_delay: Duration::from_millis(arguments.virus_scan_millis),
        token_life: Duration::from_secs(arguments.token_life),
        ..DoublesConfig::default()
    })
    .await?;
    for contents in contents {
        doubles.registers().put(contents);
    }
    tell(&doubles);
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    Ok(())
}

fn client(text: &str) -> anyhow::Result<Client> {
    let (id, path) = text
        .split_once('=')
        .with_context(|| format!("--client {text}: not ID=CERT.PEM"))?;
    let pem = std::fs::read_to_string(path).with_context(|| format!("--client {id}: cannot read {path}"))?;
    Client::of_certificate(id, &pem).with_context(|| format!("--client {id}"))
}

fn system_user(text: &str) -> anyhow::Result<SystemUser> {
    let (organisation, name) = text
        .split_once('=')
        .with_context(|| format!("--system-user {text}: not ORG=NAME"))?;
    SystemUser::new(organisation, name).with_context(|| format!("--system-user {text}"))
}

fn contents(files: &[PathBuf]) -> anyhow::Result<Vec<Content>> {
    let mut all = Vec::new();
    for path in files {
        let named = || format!("--registers {}", path.display());
        let json = std::fs::read(path).with_context(named)?;
        all.extend(Content::all_from_json(&json).with_context(named)?);
    }
    Ok(all)
}

fn tell(doubles: &Doubles) {
    let control = doubles.control_url();
    println!("Maskinporten {} (audience {})", doubles.token_url(), doubles.audience());
    println!("exchange     {}", doubles.exchange_url());
    println!("broker       {}", doubles.broker_url());
    println!("letters      {}", doubles.correspondence_url());
    println!(
        "registers    {}/{{brreg,smp,virksert,svarut,krr,freg,nhn,fiks}}",
        doubles.url()
    );
    println!("KS           {} and {}", doubles.svarut_url(), doubles.svarinn_url());
    println!();
    println!("Look:   curl {control}/transfers");
    println!("        curl {control}/ks/forsendelser");
    println!("        curl {control}/correspondences");
    println!("        curl {control}/requests");
    println!(
        "Faults: curl {control}/faults -d '{{\"route\":\"upload\",\"fault\":\"status\",\"status\":503,\"times\":2}}'"
    );
    println!("        curl {control}/faults -d '{{\"route\":\"upload\",\"fault\":\"answer-lost\"}}'");
    println!(
        "        curl {control}/faults -d '{{\"route\":\"download\",\"fault\":\"cut-response-body\",\"after\":1000}}'"
    );
    println!("        curl {control}/faults            (what is on)");
    println!("        curl -X DELETE {control}/faults  (all off)");
    println!("Know:   curl {control}/registers -d '{{\"put\":\"unit\",\"number\":\"910076787\",\"document\":{{}}}}'");
    println!("KS:     curl {control}/ks/accounts|receivers|forsendelser|refusals -d …");
    println!("        curl {control}/ks/forsendelser/ID/status -d '{{\"status\":\"LEST\"}}'");
    println!("Letters: curl {control}/correspondences -d '{{\"id\":\"…\",\"status\":\"Read\"}}'");
    println!("        curl {control}/correspondences -d '{{\"recipient\":\"910076787\",\"state\":\"unknown\"}}'");
    println!("Forget: curl -X POST {control}/clear");
    println!();
    println!("Routes: token exchange initialise upload list overview download confirm");
    println!("        unit sub-unit service-group service-metadata certificates receiver-systems contact printer");
    println!("        resident health-unit account account-key correspondence-upload correspondence-list");
    println!("        correspondence-overview correspondence-details correspondence-attachment");
    println!("        correspondence-attachment-details");
    println!("        svarut-send svarut-status svarut-find svarut-types svarut-soap svarut-key");
    println!("        svarinn-list svarinn-download svarinn-confirm svarinn-reject");
    println!("Faults: status answer delay cut-request-body cut-response-body answer-lost virus-found token-revoked");
    println!("        wrong-checksum slow-body; members: status body content_type retry_after millis after");
    println!("        bytes_per_second; times 0 means until switched off");
}
