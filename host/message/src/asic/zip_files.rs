//! Random access to a plain zip that lies in a file.

use std::collections::HashMap;
use std::io::{self, Read, Seek};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError as LibraryError;

use super::zip_directory::CheckedZip;
use super::{ZipError, ZipLimits};

/// What a zip holds under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipFile {
    /// Name as it stands in the zip. Check it with [`is_plain_file_name`](super::is_plain_file_name) before use as a path.
    pub name: String,
    /// Bytes after decompression, as the zip states them.
    pub size: u64,
}

/// A zip whose directory has been read. Entries nobody asks for do no harm, whatever they are.
pub struct ZipFiles<R: Read + Seek> {
    archive: ZipArchive<CheckedZip<R>>,
    files: Vec<ZipFile>,
    /// Place in the directory and stated size, by name.
    indices: HashMap<String, (usize, u64)>,
}

impl<R: Read + Seek> ZipFiles<R> {
    /// Reads the directory and nothing else. Fails if the zip is damaged or its directory is over the limits, before
    /// memory is taken for more than those allow; folders are left out. Of several entries of one name the last
    /// counts, as the library has it.
    pub fn open(inner: R, limits: ZipLimits) -> Result<Self, ZipError> {
        let checked = CheckedZip::new(inner, &limits)?;
        let config = Config {
            archive_offset: ArchiveOffset::Known(checked.before()),
        };
        let archive = ZipArchive::with_config(config, checked).map_err(translate)?;
        let mut files: Vec<ZipFile> = Vec::with_capacity(archive.len());
        let mut indices = HashMap::with_capacity(archive.len());
        let mut total = 0u64;
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(translate)?;
            let name = entry
                .name()
                .map_err(|_| ZipError::BadName("not UTF-8".to_owned()))?
                .into_owned();
            if name.len() > limits.name_bytes {
                return Err(ZipError::BadName(format!("a name of {} bytes", name.len())));
            }
            total = total.saturating_add(entry.size());
            if total > limits.total_bytes {
                return Err(ZipError::Limit("bytes after decompression"));
            }
            indices.insert(name.clone(), (index, entry.size()));
            if !entry.is_dir() {
                files.push(ZipFile {
                    name,
                    size: entry.size(),
                });
            }
        }
        Ok(Self {
            archive,
            files,
            indices,
        })
    }

    /// The files, in the order of the directory.
    pub fn files(&self) -> &[ZipFile] {
        &self.files
    }

    /// Opens the file of exactly this name. The reader checks the CRC at its end and never gives more than the
    /// stated size.
    pub fn file(&mut self, name: &str) -> Result<impl Read + '_, ZipError> {
        let (index, size) = *self
            .indices
            .get(name)
            .ok_or_else(|| ZipError::NoEntry(name.to_owned()))?;
        let entry = self.archive.by_index(index).map_err(translate)?;
        Ok(Exactly {
            inner: entry,
            left: size,
            name: name.to_owned(),
        })
    }
}

impl<R: Read + Seek> std::fmt::Debug for ZipFiles<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipFiles")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// Fails where an entry has more or fewer bytes than its directory states; the library only looks at the CRC.
struct Exactly<R> {
    inner: R,
    left: u64,
    name: String,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let read = self.inner.read(out);
        let count = read.map_err(|error| of_library(error, || ZipError::Damaged(self.name.clone())))?;
        match self.left.checked_sub(count as u64) {
            Some(left) if count > 0 || left == 0 => {
                self.left = left;
                Ok(count)
            }
            _ => Err(ZipError::Damaged(self.name.clone()).into()),
        }
    }
}

fn translate(error: LibraryError) -> ZipError {
    match error {
        LibraryError::Io(inner) => of_library(inner, || ZipError::Malformed("its directory")),
        LibraryError::FileNotFound => ZipError::NoEntry(String::new()),
        LibraryError::UnsupportedArchive(what) => ZipError::Unsupported {
            entry: String::new(),
            what,
        },
        _ => ZipError::Malformed("its directory"),
    }
}

/// Errors of the stream below come through the library as they are; what else it reports is the zip's fault.
fn of_library(error: io::Error, otherwise: impl FnOnce() -> ZipError) -> ZipError {
    error.downcast::<ZipError>().unwrap_or_else(|_| otherwise())
}
