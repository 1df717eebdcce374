//! A file that is read from the bucket, a stretch at a time.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore};

use super::super::name::label;
use super::super::place;
use super::Connection;
use super::pending::Pending;

/// Bytes that are fetched after a jump. A long read doubles them up to the most.
const LEAST: u64 = 1024 * 1024;
const MOST: u64 = 4 * 1024 * 1024;

type Fetched = Result<(Bytes, u64), object_store::Error>;

/// Reads through at the speed of the service: while a stretch is used, the next one is under way.
pub(super) struct BucketReader {
    connection: Arc<Connection>,
    key: Key,
    label: String,
    size: u64,
    position: u64,
    start: u64,
    stretch: Bytes,
    /// Length of the stretches now.
    length: u64,
    /// The stretch after this one, when the reading goes straight on.
    next: Option<Pending<Fetched>>,
}

impl BucketReader {
    /// The first stretch tells the size as well.
    pub(super) fn open(connection: Arc<Connection>, name: &str) -> io::Result<Self> {
        let mut reader = Self {
            key: connection.key(name)?,
            connection,
            label: label(name),
            size: 0,
            position: 0,
            start: 0,
            stretch: Bytes::new(),
            length: LEAST,
            next: None,
        };
        let (stretch, size) = reader.settle(reader.fetch(0, LEAST))?;
        reader.stretch = stretch;
        reader.size = size;
        Ok(reader)
    }

    fn fetch(&self, start: u64, length: u64) -> Pending<Fetched> {
        let (store, key) = (self.connection.store.clone(), self.key.clone());
        Pending::start(&self.connection.runtime, async move {
            let range = GetRange::Bounded(start..start + length);
            let answer = store.get_opts(&key, GetOptions::new().with_range(Some(range))).await?;
            let size = answer.meta.size;
            Ok((answer.bytes().await?, size))
        })
    }

    fn settle(&self, fetched: Pending<Fetched>) -> io::Result<(Bytes, u64)> {
        fetched
            .wait()?
            .map_err(|error| self.connection.told(&format!("{} cannot be read", self.label), &error))
    }

    fn end(&self) -> u64 {
        self.start + self.stretch.len() as u64
    }

    /// Makes the stretch begin where the reading is.
    fn move_on(&mut self) -> io::Result<()> {
        let straight_on = self.position == self.end();
        self.length = if straight_on {
            (self.length * 2).min(MOST)
        } else {
            LEAST
        };
        let next = self.next.take().filter(|_| straight_on);
        let fetched = next.unwrap_or_else(|| self.fetch(self.position, self.length));
        let (stretch, _) = self.settle(fetched)?;
        if stretch.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{}: {} ended too soon", self.connection.label, self.label),
            ));
        }
        self.start = self.position;
        self.stretch = stretch;
        if straight_on && self.end() < self.size {
            self.next = Some(self.fetch(self.end(), (self.length * 2).min(MOST)));
        }
        Ok(())
    }
}

impl Read for BucketReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || out.is_empty() {
            return Ok(0);
        }
        if !(self.start..self.end()).contains(&self.position) {
            self.move_on()?;
        }
        let offset = usize::try_from(self.position - self.start).map_err(io::Error::other)?;
        let mut rest = self.stretch.get(offset..).unwrap_or_default();
        let count = rest.read(out)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BucketReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = place::target(to, self.position, self.size)?;
        Ok(self.position)
    }
}
