//! `.blocklisted` and `.allowlisted`: files beside a jar, which operators know and may remove. Spec: KOSMOS, 11.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use budstikke_runtime::policy::Blocked;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::version;

const BLOCKED: &str = "blocklisted";
const ALLOWED: &str = "allowlisted";

/// Markers of files with one beginning, such as `integrasjonspunkt-`, in one folder.
#[derive(Debug, Clone)]
pub struct Markers {
    folder: PathBuf,
    beginning: String,
}

impl Markers {
    /// See the type.
    pub fn new(folder: &Path, beginning: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            beginning: beginning.to_owned(),
        }
    }

    /// The marker that blocks a version, where the operator finds it.
    pub fn blocking(&self, version: &str) -> PathBuf {
        self.folder.join(format!("{}{version}.{BLOCKED}", self.beginning))
    }

    fn all(&self, kind: &str) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten();
        let end = format!(".{kind}");
        entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let stem = path.file_name()?.to_str()?.strip_suffix(&end)?;
                let version = version::in_marker(stem)?;
                (stem.strip_prefix(&self.beginning)? == version).then(|| (path.clone(), version.to_owned()))
            })
            .collect()
    }

    /// Versions with a marker, and until when each is blocked; none: the marker does not say.
    fn blocks(&self) -> Vec<(PathBuf, String, Option<Timestamp>)> {
        let until = |path: &Path| fs::read_to_string(path).ok().and_then(|text| moment(text.trim()));
        let all = self.all(BLOCKED).into_iter();
        all.map(|(path, version)| (path.clone(), version, until(&path)))
            .collect()
    }

    /// The versions that are blocked now. A marker that cannot be read blocks, and says so.
    pub fn blocked(&self, now: Timestamp) -> Vec<Blocked> {
        let mut blocked = Vec::new();
        for (path, version, until) in self.blocks() {
            if until.is_none() {
                tracing::warn!(path = %path.display(), "says no date and time; the version stays blocked until the file is removed");
            }
            let until = until.unwrap_or(Timestamp::MAX);
            if until > now {
                blocked.push(Blocked {
                    version,
                    until: seconds(until),
                });
            }
        }
        blocked
    }

    /// Removes markers whose time is over.
    pub fn lift(&self, now: Timestamp) {
        for (path, version, until) in self.blocks() {
            if until.is_some_and(|until| until <= now) {
                tracing::info!(version, "no longer blocked");
                remove(&path);
            }
        }
    }

    /// Blocks a version until a moment.
    pub fn block(&self, version: &str, until: Timestamp) {
        let path = self.blocking(version);
        let text = local(until);
        if let Err(error) = crate::journal::write(&path, text.as_bytes()) {
            tracing::error!(path = %path.display(), %error, "a version that failed cannot be blocked");
        }
    }

    /// The version that proved itself last: the highest, if there are several.
    pub fn allowed(&self) -> Option<String> {
        let all = self.all(ALLOWED);
        let best = all.into_iter().max_by_key(|(_, version)| version::parsed(version));
        best.map(|(_, version)| version)
    }

    /// A version has proved itself; the one before is forgotten.
    pub fn allow(&self, version: &str, now: Timestamp) {
        let path = self.folder.join(format!("{}{version}.{ALLOWED}", self.beginning));
        for (old, _) in self.all(ALLOWED) {
            if old != path {
                remove(&old);
            }
        }
        if let Err(error) = crate::journal::write(&path, local(now).as_bytes()) {
            tracing::error!(path = %path.display(), %error, "the marker of a good version cannot be written");
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot be removed");
    }
}

/// As Java writes it: the date and time of this machine's clock, without a zone.
fn local(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::system()).datetime().to_string()
}

fn moment(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.parse().ok()?;
    Some(at.to_zoned(TimeZone::system()).ok()?.timestamp())
}

fn seconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        markers: Markers,
        now: Timestamp,
    }

    impl Scene {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            let markers = Markers::new(folder.path(), "integrasjonspunkt-");
            // Ten o'clock on this machine.
            let now = moment("2026-02-17T10:00").unwrap();
            Self { folder, markers, now }
        }

        fn blocked(&self) -> Vec<String> {
            self.markers
                .blocked(self.now)
                .into_iter()
                .map(|blocked| blocked.version)
                .collect()
        }

        fn has(&self, name: &str) -> bool {
            self.folder.path().join(name).exists()
        }
    }

    #[test]
    fn a_block_holds_until_its_time_and_is_removed_after_it() {
        let scene = Scene::new(&[
            ("integrasjonspunkt-4.0.1.blocklisted", "2026-02-17T11:00"),
            ("integrasjonspunkt-v4.0.2.blocklisted", "2026-02-17T09:00:00.123456"),
        ]);
        assert_eq!(scene.blocked(), ["4.0.1"]);
        assert!(
            scene.has("integrasjonspunkt-v4.0.2.blocklisted"),
            "asking changes nothing"
        );
        scene.markers.lift(scene.now);
        assert!(scene.has("integrasjonspunkt-4.0.1.blocklisted") && !scene.has("integrasjonspunkt-v4.0.2.blocklisted"));
        scene.markers.block("v4.0.3", moment("2026-02-17T11:00").unwrap());
        let written = fs::read_to_string(scene.markers.blocking("v4.0.3")).unwrap();
        assert_eq!(written, "2026-02-17T11:00:00");
    }

    #[test]
    fn a_marker_that_says_nothing_blocks_and_breaks_nothing() {
        let scene = Scene::new(&[
            ("integrasjonspunkt-4.0.1.blocklisted", ""),
            ("integrasjonspunkt-4.0.2.blocklisted", "tomorrow"),
            ("integrasjonspunkt-beta.blocklisted", "x"),
            ("other-4.0.3.blocklisted", "2026-02-17T11:00"),
        ]);
        let mut blocked = scene.blocked();
        blocked.sort();
        assert_eq!(blocked, ["4.0.1", "4.0.2"]);
        scene.markers.lift(scene.now);
        assert_eq!(scene.blocked().len(), 2);
    }

    #[test]
    fn the_highest_good_version_is_found_with_its_v_and_a_new_one_replaces_it() {
        let scene = Scene::new(&[
            ("integrasjonspunkt-4.0.9.allowlisted", ""),
            ("integrasjonspunkt-v4.0.10.allowlisted", ""),
            ("integrasjonspunkt-beta.allowlisted", ""),
        ]);
        assert_eq!(scene.markers.allowed().as_deref(), Some("v4.0.10"));
        scene.markers.allow("v4.1.0", scene.now);
        assert_eq!(scene.markers.allowed().as_deref(), Some("v4.1.0"));
        assert!(!scene.has("integrasjonspunkt-v4.0.10.allowlisted"));
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_markers() {
        let markers = Markers::new(Path::new("/no/such/folder"), "x-");
        assert_eq!(markers.allowed(), None);
        assert_eq!(markers.blocked(Timestamp::UNIX_EPOCH), []);
    }
}
