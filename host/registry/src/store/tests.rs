//! Changes that meet others.

use std::sync::atomic::AtomicU32;

use super::*;

fn kari() -> Author {
    Author {
        who: "kari".into(),
        at: 1_772_442_900_000,
    }
}

async fn two_nodes() -> (tempfile::TempDir, [Arc<OwnData>; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let open = || OwnData::open(Place::File(folder.path().join("registry.db")));
    let nodes = [open().await.unwrap(), open().await.unwrap()];
    (folder, nodes)
}

fn number() -> OrganisationNumber {
    "910076787".parse().unwrap()
}

fn with_form(form: &str) -> OwnOrganisation {
    OwnOrganisation {
        form: Some(form.to_owned()),
        ..OwnOrganisation::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_without_a_column_keeps_what_another_node_changed_meanwhile() {
    let (_folder, [one, other]) = two_nodes().await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let threads = tokio::runtime::Handle::current();
    let imported = one.import(kari(), move |current| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            let (number, organisation) = (number(), with_form("KOMM"));
            let changed = other.put_organisation(&number, &organisation, kari());
            threads.block_on(changed).unwrap();
        }
        import::read("number,name\n910076787,New\n", Format::Csv, current)
    });
    imported.await.unwrap();
    let organisation = one.snapshot().organisations[&number()].clone();
    assert_eq!(
        (organisation.name.as_deref(), organisation.form.as_deref()),
        (Some("New"), Some("KOMM"))
    );
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_always_meets_a_change_is_given_up() {
    let (_folder, [one, other]) = two_nodes().await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let threads = tokio::runtime::Handle::current();
    let imported = one.import(kari(), move |_| {
        let form = format!("FORM{}", counted.fetch_add(1, Ordering::SeqCst));
        threads
            .block_on(other.put_organisation(&number(), &with_form(&form), kari()))
            .unwrap();
        Ok(Import {
            organisations: vec![(number(), with_form("KOMM"))],
            ..Import::default()
        })
    });
    let given_up = imported.await.err().unwrap();
    let changed = matches!(
        given_up,
        NotImported::Own(OwnDataError::Data(RegistryDataError::Changed))
    );
    assert!(changed, "{given_up}");
    assert_eq!(calls.load(Ordering::SeqCst), ATTEMPTS);
    assert_eq!(one.snapshot().organisations[&number()].form.as_deref(), Some("FORM4"));
}

#[tokio::test]
async fn a_file_is_read_beside_the_threads_that_answer() {
    let (_folder, [own, _]) = two_nodes().await;
    let here = std::thread::current().id();
    let read = own.import(kari(), move |_| {
        assert_ne!(std::thread::current().id(), here);
        Ok(Import::default())
    });
    read.await.unwrap();
    assert_eq!(own.change(), 0, "nothing is no change");
}
