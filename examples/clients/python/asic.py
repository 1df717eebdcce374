"""The package of a received message: an ASiC-E container, a zip with a signed list of digests."""
import base64
import hashlib
import re
import xml.etree.ElementTree as xml
import zipfile

ASIC_E = "application/vnd.etsi.asic-e+zip"


class BadPackage(Exception):
    """The package is not what its sender signed."""


def check(path):
    """Every file of the container must have the digest that the signed manifest states."""
    try:
        with zipfile.ZipFile(path) as container:
            names = container.namelist()
            if "mimetype" in names and container.read("mimetype").decode() != ASIC_E:
                raise BadPackage(f"{path} is no ASiC-E container")
            stated = {}
            for name in names:
                if re.fullmatch(r"META-INF/ASiCManifest[^/]*\.xml", name, re.IGNORECASE):
                    stated.update(digests(container.read(name)))
            documents = {name for name in names if name != "mimetype" and not name.startswith("META-INF/")}
            if documents != set(stated):
                raise BadPackage(f"{path}: the manifest names other files than there are")
            for name, digest in stated.items():
                actual = hashlib.sha256()
                with container.open(name) as content:
                    for block in iter(lambda: content.read(1 << 16), b""):
                        actual.update(block)
                if actual.digest() != digest:
                    raise BadPackage(f"{path}: {name} is not what was signed")
    except (zipfile.BadZipFile, xml.ParseError, UnicodeDecodeError) as error:
        raise BadPackage(f"{path} is damaged: {error}") from error


def digests(manifest):
    """File name and SHA-256 digest of every reference, whichever version of the namespace is used."""
    for reference in xml.fromstring(manifest):
        if reference.tag.endswith("}DataObjectReference"):
            values = [child.text or "" for child in reference if child.tag.endswith("}DigestValue")]
            yield reference.get("URI"), base64.b64decode("".join(values))
