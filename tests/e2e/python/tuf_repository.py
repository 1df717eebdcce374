"""Makes TUF repositories with python-tuf, step by step, for an updater that is written with another library.

Reads JSON: {"out": folder, "files": folder, "steps": [step, …]}. Each step writes the whole repository as it is then to <out>/<name>,
metadata and targets. A step can have
  targets: {name: {"file": name in `files`, "custom": {…}}}   what is listed from now on
  expires: {role: seconds from now}                          default a year
  forge:   role                                               signed by a key that nobody trusts
  revoke:  true                                               the targets, snapshot and timestamp keys are replaced (a new root)
  old_keys: true                                              signs with the keys from before they were replaced
  keep:    {role: name of an earlier step}                    takes that role's metadata from there (a mixed or replayed repository)
"""

import copy
import datetime
import hashlib
import json
import pathlib
import shutil
import sys

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ONLINE = ["targets", "snapshot", "timestamp"]
asked = json.load(sys.stdin)
out, files = pathlib.Path(asked["out"]), pathlib.Path(asked["files"])
keys = {role: CryptoSigner.generate_ed25519() for role in ["root", *ONLINE]}
before = dict(keys)
stranger = CryptoSigner.generate_ed25519()
pretty = JSONSerializer(compact=False)


def expiry(step, role):
    seconds = step.get("expires", {}).get(role, 365 * 86400)
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).replace(microsecond=0)


root = Root(consistent_snapshot=True)
for role, signer in keys.items():
    root.add_key(signer.public_key, role)
targets, snapshot, timestamp = Targets(), Snapshot(), Timestamp()
versions = {"root": 0, "targets": 0, "snapshot": 0, "timestamp": 0}
roots, written = {}, {}


def signed(role, content, step, with_keys):
    metadata = Metadata(content)
    signer = stranger if step.get("forge") == role else with_keys[role]
    metadata.sign(signer, append=True)
    return metadata.to_bytes(pretty)


def new_root(step):
    versions["root"] += 1
    root.version = versions["root"]
    root.expires = expiry(step, "root")
    roots[root.version] = signed("root", copy.deepcopy(root), step, keys)


new_root({})
for step in asked["steps"]:
    name = step["name"]
    if step.get("revoke"):
        for role in ONLINE:
            root.revoke_key(keys[role].public_key.keyid, role)
            keys[role] = CryptoSigner.generate_ed25519()
            root.add_key(keys[role].public_key, role)
        new_root(step)
    elif "root" in step.get("expires", {}):
        new_root(step)
    here = out / name
    (here / "metadata").mkdir(parents=True)
    (here / "targets").mkdir()
    with_keys = before if step.get("old_keys") else keys
    for target, about in step.get("targets", {}).items():
        path = files / about["file"]
        listed = TargetFile.from_file(target, str(path), ["sha256"])
        if about.get("custom"):
            listed.unrecognized_fields["custom"] = about["custom"]
        targets.targets[target] = listed
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (out / "all").mkdir(exist_ok=True)
        shutil.copy(path, out / "all" / f"{digest}.{target}")
    if (out / "all").exists():
        shutil.copytree(out / "all", here / "targets", dirs_exist_ok=True)
    for role in ONLINE:
        versions[role] += 1
    targets.version, targets.expires = versions["targets"], expiry(step, "targets")
    made = {"targets": signed("targets", targets, step, with_keys)}
    snapshot.version, snapshot.expires = versions["snapshot"], expiry(step, "snapshot")
    snapshot.meta["targets.json"] = MetaFile(targets.version)
    made["snapshot"] = signed("snapshot", snapshot, step, with_keys)
    timestamp.version, timestamp.expires = versions["timestamp"], expiry(step, "timestamp")
    timestamp.snapshot_meta = MetaFile(snapshot.version)
    made["timestamp"] = signed("timestamp", timestamp, step, with_keys)
    names = {
        "targets": f"{targets.version}.targets.json",
        "snapshot": f"{snapshot.version}.snapshot.json",
        "timestamp": "timestamp.json",
    }
    for role, source in step.get("keep", {}).items():
        made[role] = written[source][role]
    written[name] = made
    for role in ONLINE:
        (here / "metadata" / names[role]).write_bytes(made[role])
    for version, content in roots.items():
        if version <= step.get("roots", versions["root"]):
            (here / "metadata" / f"{version}.root.json").write_bytes(content)
(out / "root.json").write_bytes(roots[1])
