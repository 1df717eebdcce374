//! Every seed, and every input that once broke something, against its target.

use std::fs;
use std::path::Path;

use budstikke_fuzz::TARGETS;

/// One test for all: memory is counted for the whole process.
#[test]
fn every_seed_holds_what_its_target_promises() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for target in &TARGETS {
        target.run(b"");
        let folder = seeds.join(target.name);
        let files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(!files.is_empty(), "{} has no seeds", target.name);
        for file in files {
            println!("{}", file.display());
            target.run(&fs::read(&file).unwrap());
        }
    }
    let folders = fs::read_dir(&seeds).unwrap().count();
    assert_eq!(folders, TARGETS.len(), "seeds of a target that does not exist");
}
