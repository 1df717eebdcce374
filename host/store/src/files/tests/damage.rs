//! A stored file that is not what it was is an error, and never other content.

use std::fs;
use std::io::{self, Read};

use super::{Home, is_whole, key, sample};
use crate::files::{FileReader, MessageKey};

const CHUNK: usize = 64 * 1024;
const HEADER: usize = 24;
const STORED_CHUNK: usize = CHUNK + 16;

/// What is read up to the error is the beginning of the content; the error always comes.
fn is_refused(home: &Home, key: &MessageKey, name: &str, content: &[u8]) -> io::Error {
    let mut back = Vec::new();
    let error = home
        .files
        .read(key, name)
        .and_then(|mut reader| reader.read_to_end(&mut back))
        .expect_err("the damage was not seen");
    assert!(content.starts_with(&back), "other content came back");
    assert!(!is_whole(&home.files, name));
    error
}

#[test]
fn a_flipped_bit_anywhere_is_an_error() {
    for home in Home::every() {
        let key = key();
        let content = sample(CHUNK + 1000);
        let name = home.claimed(&key, &content);
        let stored = fs::read(home.stored(&name)).unwrap();
        for index in [
            0,
            8,
            23,
            HEADER,
            5000,
            HEADER + CHUNK,
            HEADER + STORED_CHUNK,
            stored.len() - 1,
        ] {
            let mut changed = stored.clone();
            changed[index] ^= 1;
            fs::write(home.stored(&name), changed).unwrap();
            let error = is_refused(&home, &key, &name, &content);
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "byte {index}: {error}");
            assert!(error.to_string().contains(&name[..12]), "{error}");
        }
    }
}

#[test]
fn a_torn_file_is_an_error_and_never_content() {
    for home in Home::every() {
        let key = key();
        let content = sample(2 * CHUNK + 5);
        let name = home.claimed(&key, &content);
        let stored = fs::read(home.stored(&name)).unwrap();
        for length in [
            stored.len() - 1,
            stored.len() - 21,
            HEADER + 2 * STORED_CHUNK,
            HEADER + STORED_CHUNK,
            HEADER + 10,
            HEADER,
            10,
        ] {
            fs::write(home.stored(&name), &stored[..length]).unwrap();
            is_refused(&home, &key, &name, &content);
        }
    }
}

#[test]
fn moved_repeated_and_foreign_chunks_are_an_error() {
    for home in Home::every() {
        let key = key();
        let content = sample(3 * CHUNK);
        let name = home.claimed(&key, &content);
        let other = home.claimed(&key, &content);
        let stored = fs::read(home.stored(&name)).unwrap();
        let foreign = fs::read(home.stored(&other)).unwrap();
        let chunk = |file: &[u8], number: usize| {
            let start = HEADER + number * STORED_CHUNK;
            file[start..start + STORED_CHUNK].to_vec()
        };
        let header = stored[..HEADER].to_vec();
        for chunks in [
            [chunk(&stored, 1), chunk(&stored, 0), chunk(&stored, 2)],
            [chunk(&stored, 0), chunk(&stored, 0), chunk(&stored, 2)],
            [chunk(&stored, 0), chunk(&foreign, 1), chunk(&stored, 2)],
            [chunk(&stored, 0), chunk(&stored, 2), chunk(&stored, 2)],
        ] {
            fs::write(home.stored(&name), [header.clone(), chunks.concat()].concat()).unwrap();
            is_refused(&home, &key, &name, &content);
        }
        // Also all of another file, under this one's name and with the same key: the content is right, the name is not.
        fs::write(home.stored(&name), &foreign).unwrap();
        assert!(!is_whole(&home.files, &name));
    }
}

#[test]
fn the_key_of_another_message_opens_nothing() {
    for home in Home::every() {
        let name = home.claimed(&key(), &sample(100_000));
        let mut back = Vec::new();
        let error = home
            .files
            .read(&key(), &name)
            .unwrap()
            .read_to_end(&mut back)
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(back.is_empty());
    }
}

#[test]
fn a_damaged_small_file_is_an_error() {
    let home = Home::folder();
    let key = key();
    let file = home.write(&key, b"content");
    let sealed = file.small().unwrap();
    let read = |key: &MessageKey, sealed: Vec<u8>| {
        let mut content = Vec::new();
        FileReader::small(key, sealed)?.read_to_end(&mut content)?;
        Ok::<_, io::Error>(content)
    };
    assert_eq!(read(&key, sealed.to_vec()).unwrap(), b"content");
    for index in 0..sealed.len() {
        let mut changed = sealed.to_vec();
        changed[index] ^= 1;
        assert!(read(&key, changed).is_err(), "byte {index}");
        assert!(read(&key, sealed[..index].to_vec()).is_err(), "{index} bytes");
    }
    assert!(read(&super::key(), sealed.to_vec()).is_err());
}
