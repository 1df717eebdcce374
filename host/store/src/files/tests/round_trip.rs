//! What is written comes back.

use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Command;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::{Home, is_whole, key, sample};
use crate::files::SMALL;

const CHUNK: usize = 64 * 1024;
/// What a file of one chunk is longer than its content.
const AROUND: usize = 24 + 16;

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..200_usize,
        SMALL - AROUND - 3..SMALL + 3,
        CHUNK - 3..CHUNK + 3,
        2 * CHUNK - 3..2 * CHUNK + 3,
        CHUNK..20 * CHUNK,
    ]
}

#[test]
fn content_of_any_size_written_in_any_pieces_comes_back() {
    for home in Home::every() {
        let key = key();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
        runner
            .run(&(sizes(), 1..100_000_usize), |(size, piece)| {
                let content = sample(size);
                let mut writer = home.files.create(&key).unwrap();
                for bytes in content.chunks(piece) {
                    writer.write_all(bytes).unwrap();
                }
                let file = writer.finish().unwrap();
                prop_assert_eq!(file.size(), size as u64);
                prop_assert_eq!(file.small().is_some(), size + AROUND <= SMALL);

                let mut reader = home.files.read_new(&key, &file).unwrap();
                prop_assert_eq!(reader.size(), size as u64);
                let mut back = Vec::new();
                reader.read_to_end(&mut back).unwrap();
                prop_assert!(back == content, "other bytes came back");
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn reading_from_anywhere_gives_the_bytes_that_stand_there() {
    for home in Home::every() {
        let key = key();
        // Larger than all that a reader of a bucket holds at once.
        let content = sample(10 * 1024 * 1024 + 17);
        let file = home.write(&key, &content);
        let mut reader = home.files.read_new(&key, &file).unwrap();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
        let jumps = prop_oneof![
            (0..content.len(), 1..200_usize),
            (content.len() - 200..content.len(), 1..400_usize),
            (0..content.len(), 1..3_000_000_usize),
        ];
        let reader = std::cell::RefCell::new(&mut reader);
        runner
            .run(&(jumps, any::<bool>()), |((start, length), from_end)| {
                let mut reader = reader.borrow_mut();
                let to = if from_end {
                    SeekFrom::End(i64::try_from(start).unwrap() - i64::try_from(content.len()).unwrap())
                } else {
                    SeekFrom::Start(start as u64)
                };
                prop_assert_eq!(reader.seek(to).unwrap(), start as u64);
                let mut some = Vec::new();
                (&mut **reader).take(length as u64).read_to_end(&mut some).unwrap();
                prop_assert!(some == content[start..content.len().min(start + length)], "other bytes");
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_file_of_many_stretches_is_read_through_in_small_reads() {
    for home in Home::every() {
        let key = key();
        let content = sample(13 * 1024 * 1024 + 5);
        let file = home.write(&key, &content);
        let mut reader = home.files.read_new(&key, &file).unwrap();
        let mut back = Vec::new();
        let mut piece = [0; 10_007];
        loop {
            let count = reader.read(&mut piece).unwrap();
            if count == 0 {
                break;
            }
            back.extend_from_slice(&piece[..count]);
        }
        assert!(back == content);
    }
}

#[test]
fn the_name_is_what_sha256sum_says_of_the_stored_bytes() {
    for home in Home::every() {
        let name = home.claimed(&key(), &sample(100_000));
        let output = Command::new("sha256sum").arg(home.stored(&name)).output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().starts_with(&name));
        assert!(is_whole(&home.files, &name));
    }
}

#[test]
fn the_same_content_written_twice_is_two_files() {
    for home in Home::every() {
        let key = key();
        let content = sample(100_000);
        let (one, other) = (home.claimed(&key, &content), home.claimed(&key, &content));
        assert_ne!(one, other);
        home.files.remove(std::slice::from_ref(&one)).unwrap();
        assert!(home.content(&key, &other).unwrap() == content);
    }
}

#[test]
fn files_written_at_the_same_time_do_not_meet() {
    for home in Home::every() {
        let key = key();
        thread::scope(|scope| {
            let writers: Vec<_> = (1..=4)
                .map(|number| {
                    let (home, key) = (&home, &key);
                    scope.spawn(move || {
                        let content = sample(number * 300_000);
                        (home.claimed(key, &content), content)
                    })
                })
                .collect();
            for writer in writers {
                let (name, content) = writer.join().unwrap();
                assert!(home.content(&key, &name).unwrap() == content);
            }
        });
    }
}

#[test]
fn a_small_file_stands_nowhere() {
    let home = Home::folder();
    let file = home.write(&key(), &sample(SMALL - AROUND));
    assert!(!home.stored(file.name()).exists());

    let home = Home::bucket();
    let file = home.write(&key(), &sample(SMALL - AROUND));
    assert_eq!(file.small().unwrap().len(), SMALL);
    assert!(home.bucket.unwrap().requests().is_empty());
}

#[test]
fn a_file_that_nobody_claims_goes_again() {
    for home in Home::every() {
        let file = home.write(&key(), &sample(100_000));
        let stored = home.stored(file.name());
        assert!(stored.exists());
        drop(file);
        // A bucket is told without waiting for its answer.
        let gone = (0..3000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            !stored.exists()
        });
        assert!(gone);
    }
}

#[test]
fn a_writer_that_is_given_up_leaves_nothing() {
    for home in Home::every() {
        let mut writer = home.files.create(&key()).unwrap();
        writer.write_all(&sample(2_000_000)).unwrap();
        drop(writer);
        let left: Vec<_> = walk(home.folder.path());
        assert!(left.is_empty(), "{left:?}");
        if let Some(bucket) = &home.bucket {
            assert!(bucket.objects().unwrap().is_empty());
        }
    }
}

#[test]
fn removing_what_is_not_there_is_no_error() {
    for home in Home::every() {
        let key = key();
        let name = home.claimed(&key, &sample(100_000));
        let other = home.claimed(&key, &sample(100_001));
        home.files.remove(std::slice::from_ref(&name)).unwrap();
        home.files.remove(std::slice::from_ref(&name)).unwrap();
        home.files.remove(&[name.clone(), other.clone()]).unwrap();
        home.files.remove(&[]).unwrap();
        for name in [name, other] {
            let error = home.content(&key, &name).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
            assert!(error.to_string().contains(&name[..12]), "{error}");
        }
    }
}

#[test]
fn what_is_no_name_never_becomes_a_path() {
    for home in Home::every() {
        for name in ["", "..", "../../../../etc/passwd", &"A".repeat(64), &"a".repeat(63)] {
            let error = home.files.read(&key(), name).err().unwrap();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            assert!(home.files.remove(&[name.to_owned()]).is_err());
        }
    }
}

#[test]
fn a_place_that_works_says_so() {
    for home in Home::every() {
        home.files.probe().unwrap();
        assert!(walk(home.folder.path()).is_empty());
    }
}

/// All files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
