//! Which settings exist, told by the sources that define them, and which of them a TOML file lacks.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Where the structs stand that serde reads the file into.
const SOURCES: [&str; 12] = [
    include_str!("../../src/config/mod.rs"),
    include_str!("../../src/config/address_service.rs"),
    include_str!("../../../registry/src/config.rs"),
    include_str!("../../src/config/certificates.rs"),
    include_str!("../../src/config/content.rs"),
    include_str!("../../src/config/registry.rs"),
    include_str!("../../src/config/retention.rs"),
    include_str!("../../src/config/routing.rs"),
    include_str!("../../src/config/server.rs"),
    include_str!("../../src/config/store.rs"),
    include_str!("../../../runtime/src/grants.rs"),
    include_str!("../../../runtime/src/limits.rs"),
];
/// Types with nothing inside that has a key of its own.
const LEAVES: [&str; 20] = [
    "ManagePart",
    "Remove",
    "Revocation",
    "Role",
    "Status",
    "Way",
    "String",
    "PathBuf",
    "SocketAddr",
    "Secret",
    "HostGrant",
    "Duration",
    "FileUse",
    "toml::Table",
    "bool",
    "u8",
    "u32",
    "u64",
    "usize",
    "u16",
];
const DPO_SETTINGS: &str = include_str!("../../../../plugins/dpo/src/settings.rs");

/// Fields and their types, by struct.
type Structs = BTreeMap<String, Vec<(String, String)>>;

/// The dotted names of all settings that the file does not show.
pub(crate) fn missing(file: &Table) -> Vec<String> {
    missing_of("Config", file)
}

/// The same for a file that is read into another struct.
pub(crate) fn missing_of(root: &str, file: &Table) -> Vec<String> {
    let structs = structs();
    let mut missing = Vec::new();
    walk(&structs, root, &[&Value::Table(file.clone())], "", &mut missing);
    missing
}

/// The keys that the DPO adapter knows.
pub(crate) fn dpo_keys() -> Vec<&'static str> {
    let (_, rest) = DPO_SETTINGS
        .split_once("const KEYS")
        .expect("the adapter lists its keys");
    let (list, _) = rest.split_once("];").expect("the list ends");
    list.split('"').skip(1).step_by(2).collect()
}

/// Looks for each field of a struct in the places where the file has that struct; one place suffices.
fn walk(structs: &Structs, name: &str, places: &[&Value], path: &str, missing: &mut Vec<String>) {
    for (field, kind) in structs
        .get(name)
        .unwrap_or_else(|| panic!("{path}: nobody knows the type {name}"))
    {
        let key = field.trim_start_matches("r#").replace('_', "-");
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let found: Vec<&Value> = places.iter().filter_map(|place| place.get(&key)).collect();
        if found.is_empty() {
            missing.push(path);
            continue;
        }
        let (inner, found) = unwrapped(kind, found);
        if !LEAVES.contains(&inner) {
            walk(structs, inner, &found, &path, missing);
        }
    }
}

/// Takes the containers off a type, and off the values that have it.
fn unwrapped<'t, 'v>(kind: &'t str, values: Vec<&'v Value>) -> (&'t str, Vec<&'v Value>) {
    let inside = |start| kind.strip_prefix(start).and_then(|rest: &str| rest.strip_suffix('>'));
    if let Some(inner) = inside("Option<") {
        unwrapped(inner, values)
    } else if let Some(inner) = inside("Vec<") {
        unwrapped(
            inner,
            values.into_iter().filter_map(Value::as_array).flatten().collect(),
        )
    } else if let Some(inner) = inside("BTreeMap<String, ") {
        let tables = values.into_iter().filter_map(Value::as_table);
        unwrapped(
            inner,
            tables.flat_map(|table| table.iter().map(|(_, value)| value)).collect(),
        )
    } else {
        (kind, values)
    }
}

fn structs() -> Structs {
    let mut structs = Structs::new();
    for source in SOURCES {
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line
                .strip_prefix("pub struct ")
                .and_then(|rest| rest.strip_suffix(" {"))
            else {
                continue;
            };
            let fields = lines
                .by_ref()
                .take_while(|line| *line != "}")
                .filter_map(|line| line.trim().strip_prefix("pub ")?.strip_suffix(',')?.split_once(": "))
                .map(|(field, kind)| (field.to_owned(), kind.to_owned()))
                .collect();
            structs.insert(name.to_owned(), fields);
        }
    }
    structs
}
