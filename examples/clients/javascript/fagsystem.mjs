#!/usr/bin/env node
// A small fagsystem: sends and receives arkivmeldinger. Node 18.3 or newer, nothing else.
// The README one folder up tells how to run it and what the exit codes mean.
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { BadPackage, check } from "./asic.mjs";
import { Failure, Integrasjonspunkt, Refused, messageIdOf, organisation, sbdOf } from "./integrasjonspunkt.mjs";

const ADMINISTRASJON = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
const RESPONSE = "urn:no:difi:profile:arkivmelding:response:ver1.0";
const KVITTERING = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering";
// LEVERT is the end of what a sender must follow. LEST may come days later, when the receiver sends a kvittering.
const DELIVERED = ["LEVERT", "LEST"];
const LOST = ["FEIL", "LEVETID_UTLOPT"];

const [EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_LOST, EXIT_UNDECIDED] = [0, 1, 2, 3, 4];

const USAGE = `usage: fagsystem.mjs [--url URL] [--ca FILE] send --from NUMBER --to NUMBER [--process PROCESS] [--level 3|4]
           [--message-id UUID] [--multipart] [--patience SECONDS] [--interval SECONDS] arkivmelding.xml DOCUMENT...
       fagsystem.mjs [--url URL] [--ca FILE] receive [--inbox FOLDER] [--wait SECONDS] [--max COUNT] [--interval SECONDS]`;

async function send(point, options, [arkivmelding, ...documents]) {
  const files = [arkivmelding, ...documents];
  if (basename(arkivmelding) !== "arkivmelding.xml") {
    throw new Failure(`${arkivmelding}: the file must be named arkivmelding.xml`);
  }
  for (const file of files) if (!existsSync(file)) throw new Failure(`${file}: no such file`);
  if (new Set(files.map((file) => basename(file))).size < files.length) {
    throw new Failure("two files have the same name; every file of a message needs its own");
  }
  // Chosen before the first call, so that a repeated call is seen to be one.
  const messageId = options["message-id"] ?? randomUUID();
  console.log(`messageId ${messageId}`);
  const { process = ADMINISTRASJON } = options;
  const level = Number(options.level ?? 3);
  const sbd = sbdOf({
    sender: organisation(options.from),
    receiver: organisation(options.to),
    standard: await point.standardFor(options.to, process, level),
    process,
    messageId,
    conversationId: randomUUID(),
    body: { sikkerhetsnivaa: level, hoveddokument: basename(documents[0]) },
  });
  if (options.multipart) {
    await point.sendAtOnce(sbd, files);
  } else {
    await point.create(sbd);
    for (const file of files) await point.upload(messageId, file);
    await point.send(messageId);
  }
  return follow(point, messageId, Number(options.interval ?? 5), Number(options.patience ?? 600));
}

/** Prints statuses as they come; the exit code when the end is known. */
async function follow(point, messageId, interval, patience) {
  const end = Date.now() + patience * 1000;
  const seen = new Set();
  for (;;) {
    for (const { id, status, lastUpdate, description } of await point.statuses(messageId)) {
      if (seen.has(id)) continue;
      seen.add(id);
      console.log([lastUpdate, status, description].filter(Boolean).join(" "));
      if (DELIVERED.includes(status)) return EXIT_OK;
      if (LOST.includes(status)) return EXIT_LOST;
    }
    if (Date.now() > end) {
      console.error(`not decided yet; go on later with --message-id ${messageId}`);
      return EXIT_UNDECIDED;
    }
    await sleep(interval * 1000);
  }
}

async function receive(point, { inbox = "inbox", wait = "0", max = "Infinity", interval = "5" }) {
  await mkdir(inbox, { recursive: true });
  let well = await sendKvitteringer(point, inbox);
  const end = Date.now() + Number(wait) * 1000;
  for (let taken = 0; taken < Number(max); ) {
    const sbd = await point.json("GET", "/api/messages/in/peek");
    if (sbd) {
      taken += 1;
      try {
        await take(point, inbox, sbd);
      } catch (error) {
        if (!(error instanceof BadPackage)) throw error;
        // It stays on the queue, locked for some minutes. The others need not wait for it.
        console.error(`${messageIdOf(sbd)} stays on the queue: ${error.message}`);
        well = false;
      }
      well = (await sendKvitteringer(point, inbox)) && well;
    } else if (taken || Date.now() > end) {
      break;
    } else {
      await sleep(Number(interval) * 1000);
    }
  }
  return well ? EXIT_OK : EXIT_FAILED;
}

/** Stores a message safely, and only then takes it off the queue. */
async function take(point, inbox, sbd) {
  const messageId = messageIdOf(sbd);
  // The id comes from outside, and becomes the name of a folder.
  if (!/^[0-9a-f-]{36}$/i.test(messageId)) {
    throw new Failure(`the messageId ${JSON.stringify(messageId)} is not a UUID; the message stays on the queue`);
  }
  const { type } = sbd.standardBusinessDocumentHeader.documentIdentification;
  const folder = join(inbox, messageId);
  await mkdir(folder, { recursive: true });
  await store(join(folder, "sbd.json"), sbd);
  const half = join(folder, "asic.zip.part");
  if (!type.endsWith("kvittering") && (await point.pop(messageId, half))) {
    await check(half);
    await rename(half, join(folder, "asic.zip"));
  }
  // Last, because it is sent as soon as it is there.
  const kvittering = join(folder, "kvittering.json");
  if (type === "arkivmelding" && !existsSync(kvittering)) await store(kvittering, kvitteringFor(sbd));
  await sync(folder);
  await point.take(messageId);
  console.log(`received ${type} ${messageId} in ${folder}`);
}

function kvitteringFor(sbd) {
  const { sender, receiver, businessScope } = sbd.standardBusinessDocumentHeader;
  const conversation = businessScope.scope.find(({ type }) => type === "ConversationId");
  return sbdOf({
    sender: receiver,
    receiver: sender,
    standard: KVITTERING,
    process: RESPONSE,
    messageId: randomUUID(),
    conversationId: conversation.instanceIdentifier,
    body: { receiptType: "OK", relatedToMessageId: messageIdOf(sbd), messages: [] },
  });
}

/** Sends what has not been sent yet, that of an interrupted run included; false when one was refused. */
async function sendKvitteringer(point, inbox) {
  let well = true;
  for (const name of (await readdir(inbox)).sort()) {
    const [kvittering, sent] = ["kvittering.json", "kvittering.sent"].map((file) => join(inbox, name, file));
    if (!existsSync(kvittering) || existsSync(sent)) continue;
    const sbd = JSON.parse(await readFile(kvittering, "utf8"));
    try {
      await point.create(sbd);
      await point.send(messageIdOf(sbd));
      await writeFile(sent, "");
      console.log(`kvittering ${messageIdOf(sbd)} for ${name}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      console.error(`no kvittering for ${name}: ${error.message}`);
      well = false;
    }
  }
  return well;
}

/** Writes JSON so that the file is either whole or not there. */
async function store(path, value) {
  const file = await open(`${path}.part`, "w");
  try {
    await file.writeFile(JSON.stringify(value, null, 2));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

/** Makes the names in a folder survive a power cut, where the system can. */
async function sync(folder) {
  if (process.platform === "win32") return;
  const handle = await open(folder);
  await handle.sync();
  await handle.close();
}

function wanted() {
  const words = ["url", "ca", "from", "to", "process", "level", "message-id", "patience", "inbox", "wait", "max", "interval"];
  const options = Object.fromEntries(words.map((name) => [name, { type: "string" }]));
  try {
    const given = parseArgs({ options: { ...options, multipart: { type: "boolean" } }, allowPositionals: true });
    const [command, ...files] = given.positionals;
    const { from, to } = given.values;
    if ((command === "send" && from && to && files.length > 1) || (command === "receive" && !files.length)) {
      return { command, files, options: given.values };
    }
    console.error(USAGE);
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
  }
  return undefined;
}

async function main() {
  const given = wanted();
  if (!given) return EXIT_USAGE;
  const { command, files, options } = given;
  const ca = options.ca ?? process.env.INTEGRASJONSPUNKT_CA;
  if (ca && process.env.NODE_EXTRA_CA_CERTS !== resolve(ca)) {
    // Node reads this variable once, at its start.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: resolve(ca) };
    return spawnSync(process.execPath, process.argv.slice(1), { env, stdio: "inherit" }).status ?? EXIT_FAILED;
  }
  const { INTEGRASJONSPUNKT_URL, INTEGRASJONSPUNKT_USER, INTEGRASJONSPUNKT_PASSWORD = "" } = process.env;
  const url = options.url ?? INTEGRASJONSPUNKT_URL ?? "http://127.0.0.1:9093";
  try {
    const point = new Integrasjonspunkt(url, INTEGRASJONSPUNKT_USER, INTEGRASJONSPUNKT_PASSWORD);
    return command === "send" ? await send(point, options, files) : await receive(point, options);
  } catch (error) {
    // What is neither of these is a fault of this program, and shows where.
    console.error(error instanceof Failure || error.code ? error.message : error);
    return EXIT_FAILED;
  }
}

process.exitCode = await main();
