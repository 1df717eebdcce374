// The REST API of an integrasjonspunkt, as a sending and receiving fagsystem needs it.
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { open, readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// Answers after which the same call may succeed a little later.
const TEMPORARY = [429, 500, 502, 503, 504];
// Milliseconds between the tries of one call.
const PAUSES = [1000, 2000, 4000, 8000, 16000];
// Statuses of a message that is with the message service, or beyond.
const LEFT = ["SENDT", "MOTTATT", "LEVERT", "LEST", "FEIL", "ANNET"];

const MIME_TYPES = {
  ".pdf": "application/pdf",
  ".xml": "application/xml",
  ".txt": "text/plain",
  ".html": "text/html",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/** Something a person has to look at. */
export class Failure extends Error {}

/** The integrasjonspunkt answered with an error. `exception` is the part that programs may look at; texts change. */
export class Refused extends Failure {
  constructor(call, status, body) {
    let error = {};
    try {
      // A proxy in between answers with something else.
      error = JSON.parse(body) ?? {};
    } catch {}
    const exception = String(error.exception ?? "").split(".").pop();
    const lines = [`${call} was answered ${status} ${exception}: ${error.message ?? ""}`];
    for (const rule of error.errors ?? []) lines.push(`  ${rule.field}: ${rule.defaultMessage}`);
    if (error.description) lines.push(`  ${error.description}`);
    // Not every integrasjonspunkt gives one.
    if (error.hint) lines.push(`  What to do: ${error.hint}`);
    super(lines.join("\n"));
    this.exception = exception;
  }
}

/** No usable answer came. The call may have been carried out all the same. */
export class Unanswered extends Failure {}

/** Every call is repeated until it is answered, so every call here can be repeated without harm. */
export class Integrasjonspunkt {
  constructor(url, user, password) {
    this.url = url.replace(/\/+$/, "");
    this.headers = { "User-Agent": "eksempel-fagsystem/1.0 javascript" };
    if (user) this.headers.Authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }

  /** One call. `body()` gives the body anew for each try; the answer is read by `read` inside of the try. */
  async call(method, path, { body, headers, read = (response) => response.arrayBuffer() } = {}) {
    for (const pause of [...PAUSES, undefined]) {
      try {
        return await this.once(method, path, { body, headers, read });
      } catch (error) {
        if (!(error instanceof Unanswered) || pause === undefined) throw error;
        await sleep(pause);
      }
    }
  }

  /** The same without repetition. */
  async once(method, path, { body, headers, read = (response) => response.arrayBuffer() } = {}) {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { ...this.headers, ...headers },
        body: await body?.(),
        redirect: "manual",
      });
      if (response.ok) return await read(response);
      const refused = new Refused(`${method} ${path}`, response.status, await response.text());
      throw TEMPORARY.includes(response.status) ? new Unanswered(refused.message) : refused;
    } catch (error) {
      // A full disk here is not helped by a repetition.
      if (error instanceof Failure || error.syscall) throw error;
      throw new Unanswered(`${method} ${path}: no answer from ${this.url}: ${error.cause?.message ?? error.message}`);
    }
  }

  async json(method, path, value) {
    const request = value && { body: () => JSON.stringify(value), headers: { "Content-Type": "application/json" } };
    const read = async (response) => (response.status === 204 ? undefined : response.json());
    return this.call(method, path, { ...request, read });
  }

  /** The document type of an arkivmelding that the receiver takes in this process. */
  async standardFor(receiver, process, level) {
    const query = new URLSearchParams({ process, securityLevel: level });
    const { capabilities } = await this.json("GET", `/api/capabilities/${receiver}?${query}`);
    for (const capability of capabilities) {
      const document = capability.documentTypes.find(({ type }) => type === "arkivmelding");
      if (capability.process === process && document) {
        console.log(`${receiver} takes it over ${capability.serviceIdentifier}`);
        return document.standard;
      }
    }
    throw new Failure(`${receiver} takes no arkivmelding in the process ${process}`);
  }

  /** Creates a message whose id we chose. One that exists already is ours, from a try before this one. */
  async create(sbd) {
    await this.json("POST", "/api/messages/out", sbd).catch(unless("MessageAlreadyExistsException"));
  }

  async upload(messageId, path) {
    const name = basename(path);
    const query = new URLSearchParams({ title: title(name) }).toString().replaceAll("+", "%20");
    try {
      await this.call("PUT", `/api/messages/out/${messageId}?${query}`, {
        body: () => content(path, mimeType(name)),
        headers: { "Content-Type": mimeType(name), "Content-Disposition": disposition(name) },
      });
    } catch (error) {
      // It is there already, from a try before this one.
      const known = ["DuplicateFilenameException", "MessageAlreadyQueuedException"];
      if (!(error instanceof Refused) || (!known.includes(error.exception) && !(await this.hasLeft(messageId)))) throw error;
    }
  }

  /** Queues a message. It is not queued twice: after a lost answer we look first whether it has left. */
  async send(messageId) {
    for (const pause of [...PAUSES, undefined]) {
      try {
        return await this.once("POST", `/api/messages/out/${messageId}`);
      } catch (error) {
        if (error instanceof Unanswered) {
          if (pause === undefined) throw error;
          await sleep(pause);
          if (await this.hasLeft(messageId)) return;
        } else if (!(await this.hasLeft(messageId))) throw error;
        else return;
      }
    }
  }

  async statuses(messageId) {
    const page = await this.json("GET", `/api/statuses?messageId=${messageId}&size=100&sort=id`);
    return page.content;
  }

  async hasLeft(messageId) {
    return (await this.statuses(messageId)).some(({ status }) => LEFT.includes(status));
  }

  /** Create, upload and send in one request; for files of up to 5 MiB each. */
  async sendAtOnce(sbd, files) {
    const form = async () => {
      // Written by hand: FormData gives a part with a content type a file name too, and such a part is an attachment.
      const boundary = randomUUID();
      const parts = [part(boundary, 'name="sbd"', "application/json").trimStart(), JSON.stringify(sbd)];
      for (const path of files) {
        const name = basename(path);
        parts.push(part(boundary, `name="${quoted(title(name))}"; filename="${quoted(name)}"`, mimeType(name)));
        parts.push(await readFile(path));
      }
      parts.push(`\r\n--${boundary}--\r\n`);
      return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
    };
    try {
      await this.call("POST", "/api/messages/out/multipart", { body: form });
    } catch (error) {
      if (!(error instanceof Refused) || error.exception !== "MessageAlreadyExistsException") throw error;
      // It was created with its files, at once. Whether it was sent too we do not know.
      const messageId = messageIdOf(sbd);
      if (!(await this.hasLeft(messageId))) await this.send(messageId);
    }
  }

  /** Fetches the package of a locked message into a file; false when it has none. */
  async pop(messageId, path) {
    const read = async (response) => {
      if (response.status === 204) return false;
      const file = await open(path, "w");
      try {
        for await (const block of response.body) await file.write(block);
        await file.sync();
      } finally {
        await file.close();
      }
      return true;
    };
    return this.call("GET", `/api/messages/in/pop/${messageId}`, { read });
  }

  /** Takes a message off the queue. One that is gone was taken by a try before this one. */
  async take(messageId) {
    await this.call("DELETE", `/api/messages/in/${messageId}`).catch(unless("MessageNotFoundException"));
  }
}

/** Swallows one refusal, which says that a call before this one was carried out. */
function unless(exception) {
  return (error) => {
    if (!(error instanceof Refused) || error.exception !== exception) throw error;
  };
}

/** A file as the body of a request. Newer Nodes stream it; older ones need it in memory. */
function content(path, type) {
  return fs.openAsBlob ? fs.openAsBlob(path, { type }) : readFile(path);
}

function mimeType(name) {
  return MIME_TYPES[extname(name).toLowerCase()] ?? "application/octet-stream";
}

function title(name) {
  return basename(name, extname(name));
}

function quoted(name) {
  return name.replace(/["\\]/g, "_");
}

/** Content-Disposition; names with other letters than ASCII once more in UTF-8 (RFC 5987). */
function disposition(name) {
  const plain = quoted(name.replace(/[^\x20-\x7e]/g, "?"));
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"${plain === name ? "" : `; filename*=UTF-8''${encoded}`}`;
}

function part(boundary, names, type) {
  return `\r\n--${boundary}\r\nContent-Disposition: form-data; ${names}\r\nContent-Type: ${type}\r\n\r\n`;
}

/** The envelope. `sender` and `receiver` are lists with one identifier, as they stand in the envelope. */
export function sbdOf({ sender, receiver, standard, process, messageId, conversationId, body }) {
  const type = standard.split("::").pop();
  return {
    standardBusinessDocumentHeader: {
      headerVersion: "1.0",
      sender,
      receiver,
      documentIdentification: { standard, type, typeVersion: "2.0", instanceIdentifier: messageId },
      businessScope: { scope: [{ type: "ConversationId", instanceIdentifier: conversationId, identifier: process }] },
    },
    [type]: body,
  };
}

export function organisation(number) {
  return [{ identifier: { authority: "iso6523-actorid-upis", value: `0192:${number}` } }];
}

export function messageIdOf(sbd) {
  return sbd.standardBusinessDocumentHeader.documentIdentification.instanceIdentifier;
}
