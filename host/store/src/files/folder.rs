//! Files in a folder: `ab/abcd…`, each written as `writing/<random>`, synced, renamed, and never changed.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::name::{checked, is_name, label};
use super::place::{Draft, PAGE, Place, Source};

const WRITING: &str = "writing";
/// Below this much free space, in bytes, nothing new should be accepted: what is under way needs the rest.
const LEAST_FREE: u64 = 64 * 1024 * 1024;
/// Bytes that are gathered before the system is called.
const BUFFER: usize = 256 * 1024;

pub(super) struct Folder {
    root: PathBuf,
    least_free: u64,
}

impl Folder {
    /// Opens or makes the folder, and removes what an earlier process left half-written.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let folder = Self {
            root: root.to_owned(),
            least_free: LEAST_FREE,
        };
        let opened = folder.prepare();
        opened.map_err(|error| folder.tell("cannot be used", &error))?;
        Ok(folder)
    }

    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.root.join(WRITING))?;
        remove_leftovers(&self.root.join(WRITING))?;
        // All at once and synced: a file is not on disk for good while the folder that it stands in is not.
        for first in 0..=u8::MAX {
            fs::create_dir_all(self.root.join(format!("{first:02x}")))?;
        }
        File::open(&self.root)?.sync_all()?;
        match std::path::absolute(&self.root)?.parent() {
            Some(above) => File::open(above)?.sync_all(),
            None => Ok(()),
        }
    }

    fn path_of(&self, name: &str) -> io::Result<PathBuf> {
        path_of(&self.root, checked(name)?)
    }

    fn tell(&self, what: &str, error: &io::Error) -> io::Error {
        tell(&self.root, what, error)
    }
}

impl Place for Folder {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        let temporary = self.root.join(WRITING).join(uuid::Uuid::new_v4().simple().to_string());
        let file = File::options().write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| self.tell("no file can be made", &error))?;
        let draft = Writing {
            root: self.root.clone(),
            temporary,
            file: BufWriter::with_capacity(BUFFER, file),
        };
        // Another node that starts now must see that somebody still writes this one.
        let locked = draft.file.get_ref().lock();
        locked.map_err(|error| self.tell("a file cannot be locked", &error))?;
        Ok(Box::new(draft))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        match File::open(self.path_of(name)?) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(self.tell(&label(name), &error)),
        }
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        for name in names {
            match fs::remove_file(self.path_of(name)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.tell(&label(name), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn discard(&self, name: &str) {
        if let Err(error) = self.remove(&[name.to_owned()]) {
            tracing::warn!(%error, "a file that is not needed could not be removed; the sweeper will");
        }
    }

    fn written_before(&self, time: SystemTime, page: &mut dyn FnMut(Vec<String>) -> io::Result<()>) -> io::Result<()> {
        let mut names = Vec::new();
        for first in 0..=u8::MAX {
            let first = format!("{first:02x}");
            for file in fs::read_dir(self.root.join(&first)).map_err(|error| self.tell(&first, &error))? {
                let file = file.map_err(|error| self.tell(&first, &error))?;
                // One that is gone meanwhile, or cannot be looked at, is not this sweep's.
                let old = || {
                    file.metadata()
                        .and_then(|metadata| metadata.modified())
                        .is_ok_and(|written| written < time)
                };
                match file.file_name().into_string() {
                    Ok(name) if is_name(&name) && name.starts_with(&first) && old() => names.push(name),
                    _ => {}
                }
                if names.len() == PAGE {
                    page(std::mem::take(&mut names))?;
                }
            }
        }
        if names.is_empty() { Ok(()) } else { page(names) }
    }

    fn probe(&self) -> io::Result<()> {
        let free = rustix::fs::statvfs(&self.root)
            .map(|space| space.f_bavail.saturating_mul(space.f_frsize))
            .map_err(|error| self.tell("cannot be looked at", &error.into()))?;
        if free < self.least_free {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "the folder {} has {free} bytes of free space left, {} are needed",
                    self.root.display(),
                    self.least_free
                ),
            ));
        }
        let mut draft = self.create()?;
        draft.write_all(b"probe")?;
        draft.flush()
    }
}

/// A file under its temporary name. What a crash leaves of it is removed at the next start.
struct Writing {
    root: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
}

impl Draft for Writing {
    fn keep(mut self: Box<Self>, name: &str) -> io::Result<()> {
        let target = path_of(&self.root, checked(name)?)?;
        self.put(&target)
            .map_err(|error| tell(&self.root, &format!("{} cannot be kept", label(name)), &error))
    }
}

impl Writing {
    fn put(&mut self, target: &Path) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary, target)?;
        // The name is part of the folder, which has to reach the disk as well.
        File::open(target.parent().unwrap_or(&self.root))?.sync_all()
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file
            .write(bytes)
            .map_err(|error| tell(&self.root, "a file cannot be written", &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file
            .flush()
            .map_err(|error| tell(&self.root, "a file cannot be written", &error))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Gone already when it was kept; what cannot be removed now is removed at the next start.
        let _gone = fs::remove_file(&self.temporary);
    }
}

fn path_of(root: &Path, name: &str) -> io::Result<PathBuf> {
    let first = name.get(..2).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(root.join(first).join(name))
}

/// Keeps the kind, because a full disk is answered in its own way.
fn tell(root: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the folder {}: {what}: {error}", root.display()))
}

/// Several nodes may share the folder: what one of them is writing is locked, and not a leftover.
fn remove_leftovers(writing: &Path) -> io::Result<()> {
    for entry in fs::read_dir(writing)? {
        let path = entry?.path();
        match File::options().write(true).open(&path) {
            Ok(file) => match file.try_lock() {
                Ok(()) => fs::remove_file(&path)?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            },
            // Kept or removed by its writer in this moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "abcd567890123456789012345678901234567890123456789012345678901234";

    fn folder() -> (tempfile::TempDir, Folder) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        (root, folder)
    }

    fn in_writing(root: &Path) -> usize {
        fs::read_dir(root.join(WRITING)).unwrap().count()
    }

    #[test]
    fn what_a_crash_left_half_written_is_removed_at_the_next_start() {
        let (root, folder) = folder();
        let mut draft = folder.create().unwrap();
        draft.write_all(b"half").unwrap();
        // As after a crash: the file stays, and nobody holds it.
        fs::write(root.path().join(WRITING).join("left"), b"half").unwrap();
        drop(draft);
        assert_eq!(in_writing(root.path()), 1);
        Folder::open(root.path()).unwrap();
        assert_eq!(in_writing(root.path()), 0);
    }

    #[test]
    fn what_another_node_is_writing_is_not_a_leftover() {
        let (root, folder) = folder();
        let mut draft = folder.create().unwrap();
        draft.write_all(b"content").unwrap();
        let other = Folder::open(root.path()).unwrap();
        draft.keep(NAME).unwrap();
        let mut content = String::new();
        other.open(NAME).unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    }

    #[test]
    fn a_full_disk_is_passed_on() {
        let (root, _) = folder();
        let full = || Writing {
            root: root.path().to_owned(),
            temporary: root.path().join(WRITING).join("full"),
            file: BufWriter::new(File::options().write(true).open("/dev/full").unwrap()),
        };
        let error = full().write_all(&vec![0; 2 * BUFFER]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(
            error.to_string().contains(&root.path().display().to_string()),
            "{error}"
        );

        let mut draft = Box::new(full());
        draft.write_all(b"gathered").unwrap();
        assert_eq!(draft.keep(NAME).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(!path_of(root.path(), NAME).unwrap().exists());
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_that_names_it() {
        let (root, folder) = folder();
        let draft = folder.create().unwrap();
        fs::remove_dir(root.path().join("ab")).unwrap();
        let error = draft.keep(NAME).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(
            error.to_string().contains("file abcd56789012 cannot be kept"),
            "{error}"
        );

        fs::remove_dir_all(root.path()).unwrap();
        assert!(folder.create().is_err());
        assert!(folder.probe().is_err());
        assert!(Folder::open(Path::new("/dev/null/files")).is_err());
    }

    #[test]
    fn a_disk_with_little_space_left_is_not_ready() {
        let (_root, mut folder) = folder();
        folder.probe().unwrap();
        folder.least_free = u64::MAX;
        assert_eq!(folder.probe().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
