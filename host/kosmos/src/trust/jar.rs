//! The version that a jar says it is. A signature says who made a file, and nothing of its name: an old release under a new name would
//! pass. Spec: KOSMOS, sharp edge 16.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::Untrusted;
use crate::version::same;

/// Where the framework writes it, and where it says it of jars that are not packed.
const PLACES: [(&str, &str); 3] = [
    ("BOOT-INF/classes/META-INF/build-info.properties", "build.version"),
    ("META-INF/build-info.properties", "build.version"),
    ("META-INF/MANIFEST.MF", "Implementation-Version"),
];
/// Bytes of such a file.
const SIZE: u64 = 1 << 20;

/// Checks that a jar is of a version.
pub fn check_version(path: &Path, version: &str) -> Result<(), Untrusted> {
    let unreadable = |error: String| Untrusted::new(format!("{} is no jar: {error}", path.display()));
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut jar = zip::ZipArchive::new(file).map_err(|error| unreadable(error.to_string()))?;
    for (name, key) in PLACES {
        let Ok(entry) = jar.by_name(name) else { continue };
        let mut text = String::new();
        let read = entry.take(SIZE).read_to_string(&mut text);
        read.map_err(|error| unreadable(format!("{name}: {error}")))?;
        let said = text.lines().find_map(|line| {
            let (found, value) = line.split_once(['=', ':'])?;
            (found.trim() == key).then(|| value.trim().to_owned())
        });
        match said {
            Some(said) if same(&said, version) => return Ok(()),
            Some(said) => {
                let said: String = said.chars().take(100).filter(|c| !c.is_control()).collect();
                return Err(Untrusted::new(format!(
                    "the file is version {said} under the name of {version}"
                )));
            }
            None => {}
        }
    }
    Err(Untrusted::new("the jar does not say which version it is"))
}
