//! A vendor who publishes releases in signed metadata (TUF), in a folder: one key for everything, and a new version of the metadata for each
//! release. The scenes of attacks are made by python-tuf instead.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

/// See the module.
pub struct Vendor {
    folder: PathBuf,
    key: Ed25519KeyPair,
    version: u64,
    targets: Map<String, Value>,
}

/// As signatures see it: names in order, no blanks.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            let members = names
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl Vendor {
    /// An empty shop.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let key = Ed25519KeyPair::generate().context("a key")?;
        for name in ["metadata", "targets"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let vendor = Self {
            folder: fs::canonicalize(folder)?,
            key,
            version: 0,
            targets: Map::new(),
        };
        let (id, key) = vendor.key();
        let role = json!({ "keyids": [id], "threshold": 1 });
        let root = json!({
            "_type": "root", "spec_version": "1.0.0", "version": 1, "expires": "2099-01-01T00:00:00Z", "consistent_snapshot": false,
            "keys": { id: key }, "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        });
        fs::write(vendor.root(), vendor.signed(&root))?;
        Ok(vendor)
    }

    fn key(&self) -> (String, Value) {
        let public = hex(self.key.public_key().as_ref());
        let key = json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } });
        (hex(digest(&SHA256, canonical(&key).as_bytes()).as_ref()), key)
    }

    fn signed(&self, content: &Value) -> String {
        let signature = hex(self.key.sign(canonical(content).as_bytes()).as_ref());
        json!({ "signatures": [{ "keyid": self.key().0, "sig": signature }], "signed": content }).to_string()
    }

    /// The file that operators bring by a way that they trust.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root.json")
    }

    /// `[targets.….repository]`.
    pub fn repository(&self) -> String {
        let folder = self.folder.display();
        format!(
            "root = \"{folder}/root.json\"\nmetadata-url = \"file://{folder}/metadata/\"\ntargets-url = \"file://{folder}/targets/\"\n"
        )
    }

    /// Publishes a version of a product as the latest of all environments.
    pub fn publish(&mut self, product: &str, version: &str, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let environments: Vec<String> = ["dev", "itest", "staging", "production"]
            .iter()
            .map(|environment| format!("    {environment}: {{ latest: {version} }}\n"))
            .collect();
        let list = format!("{product}:\n  environments:\n{}", environments.concat());
        self.put(name, content, &json!({ "version": version }))?;
        self.put("versions.yml", list.as_bytes(), &json!({}))?;
        self.version += 1;
        let version = self.version;
        let about = |kind: &str| json!({ "_type": kind, "spec_version": "1.0.0", "version": version, "expires": "2099-01-01T00:00:00Z" });
        let mut targets = about("targets");
        targets["targets"] = Value::Object(self.targets.clone());
        let mut snapshot = about("snapshot");
        snapshot["meta"] = json!({ "targets.json": { "version": version } });
        let mut timestamp = about("timestamp");
        timestamp["meta"] = json!({ "snapshot.json": { "version": version } });
        // What points to the others comes last.
        for (name, content) in [("targets", targets), ("snapshot", snapshot), ("timestamp", timestamp)] {
            fs::write(self.folder.join(format!("metadata/{name}.json")), self.signed(&content))?;
        }
        Ok(())
    }

    fn put(&mut self, name: &str, content: &[u8], custom: &Value) -> anyhow::Result<()> {
        fs::write(self.folder.join("targets").join(name), content)?;
        let sum = hex(digest(&SHA256, content).as_ref());
        let mut listed = json!({ "length": content.len(), "hashes": { "sha256": sum } });
        // Readers leave an empty one out, and the signature would not fit.
        if custom.as_object().is_some_and(|custom| !custom.is_empty()) {
            listed["custom"] = custom.clone();
        }
        self.targets.insert(name.to_owned(), listed);
        Ok(())
    }
}
