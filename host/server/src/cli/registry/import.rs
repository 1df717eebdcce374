//! `budstikke registry import`

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use budstikke_registry::store::import::Format;
use budstikke_registry::store::{NotImported, OwnData};
use budstikke_store::Place;
use budstikke_store::registry::Author;

use crate::config::AddressService;

/// Who stands in the list of changes.
const AUTHOR: &str = "budstikke registry import";

pub(super) async fn run(config: AddressService, file: PathBuf) -> anyhow::Result<()> {
    let name = file.display();
    let format = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Format::Csv,
        Some("toml") => Format::Toml,
        _ => bail!("{name}: the name must end in .csv or .toml"),
    };
    let text = std::fs::read_to_string(&file).with_context(|| name.to_string())?;
    let own = open(&config).await?;
    let author = Author {
        who: AUTHOR.to_owned(),
        at: jiff::Timestamp::now().as_millisecond(),
    };
    let import = match own.import_file(text, format, author).await {
        Ok(import) => import,
        Err(NotImported::Faults(faults)) => {
            let told: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
            bail!("nothing was imported\n{}", told.join("\n"));
        }
        Err(error) => return Err(error).with_context(|| name.to_string()),
    };
    tracing::info!(
        processes = import.processes.len(),
        document_types = import.document_types.len(),
        organisations = import.organisations.len(),
        "imported"
    );
    Ok(())
}

/// The database of own data; a new one has the documented processes.
pub(super) async fn open(config: &AddressService) -> anyhow::Result<std::sync::Arc<OwnData>> {
    let place = place(config)?;
    if config.store.postgres.is_none() {
        let folder = &config.store.folder;
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let own = OwnData::open(place).await.context("the database of own data")?;
    super::directory::fill(&own).await?;
    Ok(own)
}

/// Where the database is.
pub(super) fn place(config: &AddressService) -> anyhow::Result<Place> {
    let place = config.store.place().map_err(anyhow::Error::msg);
    place.context("[store.postgres] url")
}
