//! What a backup holds, with digests: the last file of it to be written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::at;
use super::{About, BackupError, sync_folder};

const NAME: &str = "manifest.json";
/// Raised when an older program could not read the folder.
const FORMAT: u32 = 1;

/// `manifest.json`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    program: String,
    organisation: String,
    pub(super) made: String,
    pub(super) database: Database,
    /// By the digest of their bytes.
    pub(super) files: Vec<FileEntry>,
    /// Files that could not be read when the backup was made.
    pub(super) unreadable: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) kind: String,
    pub(super) file: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl Manifest {
    pub(super) fn new(
        about: About,
        database: Database,
        files: Vec<FileEntry>,
        unreadable: &[(String, String)],
    ) -> Self {
        Self {
            format: FORMAT,
            program: about.program,
            organisation: about.organisation,
            made: about.made,
            database,
            files,
            unreadable: unreadable.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let (path, temporary) = (folder.join(NAME), folder.join("manifest.new"));
        let text = serde_json::to_vec_pretty(self).map_err(|error| at(&path)(error.into()))?;
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        written.map_err(at(&temporary))?;
        fs::rename(&temporary, &path).map_err(at(&path))?;
        sync_folder(folder)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        let no_backup = |why: String| BackupError::NoBackup {
            folder: folder.to_owned(),
            why,
        };
        let text = fs::read(folder.join(NAME)).map_err(|error| no_backup(format!("{NAME}: {error}")))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| no_backup(format!("{NAME}: {error}")))?;
        if manifest.format != FORMAT {
            return Err(no_backup(format!(
                "it has format {}, this program reads {FORMAT}; it was made by {}",
                manifest.format, manifest.program
            )));
        }
        // Both become part of paths.
        let names = manifest.files.iter().map(|file| &file.name);
        if let Some(name) = names.into_iter().find(|name| !crate::files::is_name(name)) {
            return Err(no_backup(format!("{name:?} is not the name of a stored file")));
        }
        if manifest.database.file.contains(['/', '\\']) {
            return Err(no_backup(format!("{:?} is no file of it", manifest.database.file)));
        }
        Ok(manifest)
    }
}
