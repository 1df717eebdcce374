// The package of a received message: an ASiC-E container, a zip with a signed list of digests.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

const ASIC_E = "application/vnd.etsi.asic-e+zip";
const END_BYTES = 22;
const LONGEST_COMMENT = 65535;

/** The package is not what its sender signed. */
export class BadPackage extends Error {}

/** Every file of the container must have the digest that the signed manifest states. */
export async function check(path) {
  const file = await open(path);
  try {
    const entries = await directory(file, path);
    const mimetype = entries.get("mimetype");
    if (mimetype && (await text(file, mimetype)) !== ASIC_E) throw new BadPackage(`${path} is no ASiC-E container`);
    const stated = new Map();
    for (const [name, entry] of entries) {
      if (/^META-INF\/ASiCManifest[^/]*\.xml$/i.test(name)) {
        for (const [document, digest] of digests(await text(file, entry))) stated.set(document, digest);
      }
    }
    const documents = [...entries.keys()].filter((name) => name !== "mimetype" && !name.startsWith("META-INF/"));
    if (documents.length !== stated.size || !documents.every((name) => stated.has(name))) {
      throw new BadPackage(`${path}: the manifest names other files than there are`);
    }
    for (const name of documents) {
      const hash = createHash("sha256");
      await read(file, entries.get(name), hash);
      if (hash.digest("base64") !== stated.get(name)) throw new BadPackage(`${path}: ${name} is not what was signed`);
    }
  } catch (error) {
    if (error instanceof BadPackage) throw error;
    throw new BadPackage(`${path} is damaged: ${error.message}`);
  } finally {
    await file.close();
  }
}

/** The zip's central directory: name → where the content is. Zips of 4 GiB and more (zip64) are not read. */
async function directory(file, path) {
  const { size } = await file.stat();
  const tail = await bytes(file, Math.max(0, size - END_BYTES - LONGEST_COMMENT), size);
  const end = tail.lastIndexOf(Buffer.from("PK\x05\x06"));
  if (end < 0) throw new BadPackage(`${path} is no zip`);
  const [length, start] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  const records = await bytes(file, start, start + length);
  const entries = new Map();
  for (let at = 0; at < records.length; ) {
    if (records.readUInt32LE(at) !== 0x02014b50) throw new BadPackage(`${path} has a damaged directory`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => records.readUInt16LE(at + field));
    const name = records.toString("utf8", at + 46, at + 46 + nameBytes);
    if (entries.has(name)) throw new BadPackage(`${path} has two files named ${name}`);
    entries.set(name, {
      deflated: records.readUInt16LE(at + 10) === 8,
      packed: records.readUInt32LE(at + 20),
      header: records.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

async function bytes(file, start, end) {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

/** Streams the content of an entry into a writable. */
async function read(file, { deflated, packed, header }, into) {
  const local = await bytes(file, header, header + 30);
  const start = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (packed === 0) return;
  const content = file.createReadStream({ start, end: start + packed - 1, autoClose: false });
  await (deflated ? pipeline(content, createInflateRaw(), into) : pipeline(content, into));
}

async function text(file, entry) {
  const blocks = [];
  await read(file, entry, new Writable({ write: (block, _, done) => (blocks.push(block), done()) }));
  return Buffer.concat(blocks).toString("utf8");
}

/** File name and SHA-256 digest (base64) of every reference. Node has no XML reader; the manifest is simple enough. */
function* digests(manifest) {
  const reference = /<(?:\w+:)?DataObjectReference\b[^>]*\bURI\s*=\s*(?:"([^"]*)"|'([^']*)')[\s\S]*?<\/(?:\w+:)?DataObjectReference>/g;
  for (const match of manifest.matchAll(reference)) {
    const digest = /<(?:\w+:)?DigestValue>([^<]*)</.exec(match[0]);
    yield [unescaped(match[1] ?? match[2]), digest?.[1].replace(/\s/g, "")];
  }
}

function unescaped(value) {
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return value.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (_, decimal, hexadecimal, name) =>
    name ? (named[name] ?? "") : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16)),
  );
}
