//! What a crash left behind is removed, and nothing else.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::time::{Duration, SystemTime};

use super::{Home, key, sample};
use crate::files::place::PAGE;

const HOUR: Duration = Duration::from_hours(1);

impl Home {
    fn age(&self, name: &str, age: Duration) {
        let file = File::options().write(true).open(self.stored(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

#[test]
fn the_sweeper_leaves_what_is_in_use_and_what_is_young() {
    for home in Home::every() {
        let key = key();
        let [used, young, orphan] = [1, 2, 3].map(|more| home.claimed(&key, &sample(100_000 + more)));
        home.age(&used, 2 * HOUR);
        home.age(&orphan, 2 * HOUR);
        let asked = RefCell::new(Vec::new());
        let in_use = |names: &[String]| {
            asked.borrow_mut().extend_from_slice(names);
            Ok(HashSet::from([used.clone()]))
        };

        assert_eq!(home.files.sweep(&in_use, HOUR).unwrap(), 1);
        assert!(home.stored(&used).exists());
        assert!(home.stored(&young).exists());
        assert!(!home.stored(&orphan).exists());
        assert!(!asked.borrow().contains(&young));
        assert_eq!(home.files.sweep(&in_use, HOUR).unwrap(), 0);
    }
}

#[test]
fn the_sweeper_removes_nothing_when_nobody_can_say_what_is_in_use() {
    for home in Home::every() {
        let name = home.claimed(&key(), &sample(100_000));
        home.age(&name, 2 * HOUR);
        let error = home
            .files
            .sweep(&|_| Err(io::Error::other("the database is away")), HOUR)
            .unwrap_err();
        assert!(error.to_string().contains("the database is away"));
        assert!(home.stored(&name).exists());
    }
}

#[test]
fn the_sweeper_asks_about_many_names_a_page_at_a_time() {
    for home in Home::every() {
        // One real file shows where they stand; the bytes of the others do not matter here.
        let first = home.claimed(&key(), &sample(100_000));
        home.age(&first, 2 * HOUR);
        let count = 2 * PAGE + 10;
        let names: HashSet<String> = (1..count)
            .map(|number| format!("{:02x}{number:062x}", number % 256))
            .chain([first])
            .collect();
        for name in &names {
            fs::write(home.stored(name), b"orphan").unwrap();
            home.age(name, 2 * HOUR);
        }
        let pages = RefCell::new(Vec::new());
        let in_use = |names: &[String]| {
            pages.borrow_mut().push(names.to_vec());
            Ok(HashSet::new())
        };
        assert_eq!(home.files.sweep(&in_use, HOUR).unwrap(), count);
        assert!(pages.borrow().iter().all(|page| page.len() <= PAGE));
        assert_eq!(pages.borrow().concat().into_iter().collect::<HashSet<_>>(), names);
        assert!(names.iter().all(|name| !home.stored(name).exists()));
    }
}

#[test]
fn the_sweeper_never_touches_what_is_not_ours() {
    for home in Home::every() {
        let name = home.claimed(&key(), &sample(100_000));
        home.age(&name, 2 * HOUR);
        let beside = home.stored(&name).with_file_name("README");
        fs::write(&beside, b"somebody else's").unwrap();
        File::options()
            .write(true)
            .open(&beside)
            .unwrap()
            .set_modified(SystemTime::now() - 2 * HOUR)
            .unwrap();
        assert_eq!(home.files.sweep(&|_| Ok(HashSet::new()), HOUR).unwrap(), 1);
        assert!(beside.exists());
    }
}
