//! A disk that loses at a power cut what was not synced; see `disk.c`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use budstikke_e2e::Chance;

/// What a disk writes as a whole, bytes.
const SECTOR: usize = 512;

/// The folder of an installation on such a disk.
pub(crate) struct Disk {
    folder: PathBuf,
    shadow: PathBuf,
    library: PathBuf,
    deaf: bool,
}

/// What of that which was not synced is there after a cut.
pub(crate) enum Unsynced<'a> {
    /// Nothing of it.
    Lost,
    /// Any sector of it, and any name.
    Torn(&'a mut Chance),
}

impl Disk {
    /// An empty folder. `deaf`: it does not do what it is told when it is told to sync.
    pub(crate) fn new(folder: &Path, deaf: bool) -> anyhow::Result<Self> {
        let beside = |name: &str| folder.with_extension(name);
        let (shadow, library) = (beside("synced"), beside("so"));
        fs::create_dir_all(folder)?;
        fs::create_dir_all(shadow.join("files"))?;
        fs::create_dir_all(shadow.join("folders"))?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cut/disk.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .status()
            .context("cc")?;
        ensure!(built.success(), "disk.c does not compile");
        Ok(Self {
            folder: folder.to_owned(),
            shadow,
            library,
            deaf,
        })
    }

    /// What the program is started with.
    pub(crate) fn environment(&self) -> anyhow::Result<Vec<(&str, &str)>> {
        let mut all = vec![
            ("LD_PRELOAD", self.library.to_str().context("a path")?),
            ("POWER_CUT_DISK", self.folder.to_str().context("a path")?),
            ("POWER_CUT_SHADOW", self.shadow.to_str().context("a path")?),
        ];
        if self.deaf {
            all.push(("POWER_CUT_DEAF", "1"));
        }
        Ok(all)
    }

    /// After the program was killed: what was not synced is gone, or torn.
    pub(crate) fn cut(&self, mut unsynced: Unsynced<'_>) -> anyhow::Result<()> {
        let anew = self.folder.with_extension("anew");
        fs::create_dir(&anew)?;
        self.restore(&self.folder, &name_of(&self.folder)?, &anew, &mut unsynced)?;
        fs::remove_dir_all(&self.folder)?;
        fs::rename(&anew, &self.folder)?;
        // What is there now is on the disk.
        for kind in ["files", "folders"] {
            fs::remove_dir_all(self.shadow.join(kind))?;
            fs::create_dir(self.shadow.join(kind))?;
        }
        self.all_synced(&self.folder)
    }

    /// Makes a folder anew from what was synced of it. `live`: the folder as the program had it, if it had.
    fn restore(&self, live: &Path, name: &str, anew: &Path, unsynced: &mut Unsynced<'_>) -> anyhow::Result<()> {
        let synced = self.names(name)?;
        let mut wanted = synced.clone();
        if let Unsynced::Torn(chance) = unsynced {
            let now = if live.is_dir() { entries(live)? } else { BTreeMap::new() };
            for entry in synced.keys().chain(now.keys()) {
                if synced.get(entry) != now.get(entry) && chance.of(0..2) == 0 {
                    match now.get(entry) {
                        Some(name) => drop(wanted.insert(entry.clone(), name.clone())),
                        None => drop(wanted.remove(entry)),
                    }
                }
            }
        }
        for (entry, name) in wanted {
            let (target, now) = (anew.join(&entry), live.join(&entry));
            let still_there = name_of(&now).is_ok_and(|now| now == name);
            let was_folder = self.shadow.join("folders").join(&name).exists() || still_there && now.is_dir();
            if was_folder {
                fs::create_dir(&target)?;
                self.restore(&now, &name, &target, unsynced)?;
                continue;
            }
            let mut content = fs::read(self.shadow.join("files").join(&name)).unwrap_or_default();
            if still_there && let Unsynced::Torn(chance) = unsynced {
                content = torn(content, &fs::read(&now)?, chance);
            }
            fs::write(&target, content)?;
        }
        Ok(())
    }

    /// The names in a folder that were synced, and what was behind them.
    fn names(&self, folder: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let list = fs::read_to_string(self.shadow.join("folders").join(folder)).unwrap_or_default();
        let pairs = list
            .lines()
            .map(|line| line.split_once(' ').context("a name and an entry"));
        pairs
            .map(|pair| pair.map(|(name, entry)| (entry.to_owned(), name.to_owned())))
            .collect()
    }

    fn all_synced(&self, folder: &Path) -> anyhow::Result<()> {
        let mut list = String::new();
        for (entry, name) in entries(folder)? {
            let path = folder.join(&entry);
            writeln!(list, "{name} {entry}")?;
            if path.is_dir() {
                self.all_synced(&path)?;
            } else {
                fs::copy(&path, self.shadow.join("files").join(&name))?;
            }
        }
        Ok(fs::write(self.shadow.join("folders").join(name_of(folder)?), list)?)
    }
}

fn entries(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.insert(
            entry.file_name().to_string_lossy().into_owned(),
            name_of(&entry.path())?,
        );
    }
    Ok(found)
}

/// As `disk.c` names it.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let facts = fs::symlink_metadata(path)?;
    let birth = facts.created()?.duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!("{}-{}-{}", facts.ino(), birth.as_secs(), birth.subsec_nanos()))
}

/// Some sectors are the new ones, and the length is the old one or the new one.
fn torn(synced: Vec<u8>, now: &[u8], chance: &mut Chance) -> Vec<u8> {
    if synced == now {
        return synced;
    }
    let length = if chance.of(0..2) == 0 { synced.len() } else { now.len() };
    let mut content = synced;
    content.resize(length, 0);
    for (sector, new) in content.chunks_mut(SECTOR).zip(now.chunks(SECTOR)) {
        let both = sector.len().min(new.len());
        if chance.of(0..2) == 0 {
            sector[..both].copy_from_slice(&new[..both]);
        }
    }
    content
}
