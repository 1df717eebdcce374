#!/usr/bin/env python3
"""A small fagsystem: sends and receives arkivmeldinger. Python 3.9 or newer, nothing else.

The README one folder up tells how to run it and what the exit codes mean.
"""
import argparse
import json
import os
import pathlib
import re
import sys
import time
import uuid

import asic
from integrasjonspunkt import Failure, Integrasjonspunkt, Refused, message_id_of, organisation, sbd_of

ADMINISTRASJON = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
RESPONSE = "urn:no:difi:profile:arkivmelding:response:ver1.0"
KVITTERING = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering"
# LEVERT is the end of what a sender must follow. LEST may come days later, when the receiver sends a kvittering.
DELIVERED = {"LEVERT", "LEST"}
LOST = {"FEIL", "LEVETID_UTLOPT"}

EXIT_FAILED, EXIT_LOST, EXIT_UNDECIDED = 1, 3, 4


def send(point, options):
    arkivmelding, documents = pathlib.Path(options.arkivmelding), [pathlib.Path(path) for path in options.documents]
    if arkivmelding.name != "arkivmelding.xml":
        raise Failure(f"{arkivmelding}: the file must be named arkivmelding.xml")
    for file in [arkivmelding, *documents]:
        if not file.is_file():
            raise Failure(f"{file}: no such file")
    if len({file.name for file in [arkivmelding, *documents]}) <= len(documents):
        raise Failure("two files have the same name; every file of a message needs its own")
    # Chosen before the first call, so that a repeated call is seen to be one.
    message_id = options.message_id or str(uuid.uuid4())
    print(f"messageId {message_id}", flush=True)
    standard = point.standard_for(options.to, options.process, options.level)
    body = {"sikkerhetsnivaa": options.level, "hoveddokument": documents[0].name}
    sbd = sbd_of(organisation(options.sender), organisation(options.to), standard, options.process,
                 message_id, str(uuid.uuid4()), body)
    if options.multipart:
        point.send_at_once(sbd, [arkivmelding, *documents])
    else:
        point.create(sbd)
        for file in [arkivmelding, *documents]:
            point.upload(message_id, file)
        point.send(message_id)
    return follow(point, message_id, options.interval, options.patience)


def follow(point, message_id, interval, patience):
    """Prints statuses as they come; the exit code when the end is known."""
    end, seen = time.monotonic() + patience, set()
    while True:
        for status in point.statuses(message_id):
            if status["id"] not in seen:
                seen.add(status["id"])
                print(" ".join([status["lastUpdate"], status["status"], status.get("description", "")]).rstrip())
                if status["status"] in DELIVERED:
                    return 0
                if status["status"] in LOST:
                    return EXIT_LOST
        if time.monotonic() > end:
            print(f"not decided yet; go on later with --message-id {message_id}", file=sys.stderr)
            return EXIT_UNDECIDED
        time.sleep(interval)


def receive(point, options):
    inbox = pathlib.Path(options.inbox)
    inbox.mkdir(parents=True, exist_ok=True)
    failed = not send_kvitteringer(point, inbox)
    end = time.monotonic() + options.wait
    taken = 0
    while options.max is None or taken < options.max:
        sbd = point.json("GET", "/api/messages/in/peek")
        if sbd is not None:
            taken += 1
            try:
                take(point, inbox, sbd)
            except asic.BadPackage as bad:
                # It stays on the queue, locked for some minutes. The others need not wait for it.
                print(f"{message_id_of(sbd)} stays on the queue: {bad}", file=sys.stderr)
                failed = True
            failed = not send_kvitteringer(point, inbox) or failed
        elif taken or time.monotonic() > end:
            break
        else:
            time.sleep(options.interval)
    return EXIT_FAILED if failed else 0


def take(point, inbox, sbd):
    """Stores a message safely, and only then takes it off the queue."""
    message_id = message_id_of(sbd)
    # The id comes from outside, and becomes the name of a folder.
    if not re.fullmatch(r"[0-9A-Fa-f-]{36}", message_id):
        raise Failure(f"the messageId {message_id!r} is not a UUID; the message stays on the queue")
    kind = sbd["standardBusinessDocumentHeader"]["documentIdentification"]["type"]
    folder = inbox / message_id
    folder.mkdir(exist_ok=True)
    store(folder / "sbd.json", sbd)
    if not kind.endswith("kvittering"):
        half = folder / "asic.zip.part"
        status, _ = point.call("GET", f"/api/messages/in/pop/{message_id}", into=half)
        if status == 200:
            asic.check(half)
            half.replace(folder / "asic.zip")
        else:
            half.unlink(missing_ok=True)
    # Last, because it is sent as soon as it is there.
    kvittering = folder / "kvittering.json"
    if kind == "arkivmelding" and not kvittering.exists():
        store(kvittering, kvittering_for(sbd))
    sync(folder)
    try:
        point.call("DELETE", f"/api/messages/in/{message_id}")
    except Refused as refused:
        # Our call before this one was carried out, and its answer was lost.
        if refused.exception != "MessageNotFoundException":
            raise
    print(f"received {kind} {message_id} in {folder}", flush=True)


def kvittering_for(sbd):
    header = sbd["standardBusinessDocumentHeader"]
    scopes = header["businessScope"]["scope"]
    conversation = next(scope for scope in scopes if scope["type"] == "ConversationId")
    body = {"receiptType": "OK", "relatedToMessageId": message_id_of(sbd), "messages": []}
    return sbd_of(header["receiver"], header["sender"], KVITTERING, RESPONSE,
                  str(uuid.uuid4()), conversation["instanceIdentifier"], body)


def send_kvitteringer(point, inbox):
    """Sends what has not been sent yet, that of an interrupted run included; false when one was refused."""
    well = True
    for path in sorted(inbox.glob("*/kvittering.json")):
        sent = path.with_name("kvittering.sent")
        if sent.exists():
            continue
        sbd = json.loads(path.read_text(encoding="utf-8"))
        try:
            point.create(sbd)
            point.send(message_id_of(sbd))
            sent.touch()
            print(f"kvittering {message_id_of(sbd)} for {path.parent.name}", flush=True)
        except Refused as refused:
            print(f"no kvittering for {path.parent.name}: {refused}", file=sys.stderr)
            well = False
    return well


def store(path, value):
    """Writes JSON so that the file is either whole or not there."""
    half = path.with_name(path.name + ".part")
    with half.open("w", encoding="utf-8") as target:
        json.dump(value, target, ensure_ascii=False, indent=2)
        target.flush()
        os.fsync(target.fileno())
    half.replace(path)


def sync(folder):
    """Makes the names in a folder survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--url", default=os.environ.get("INTEGRASJONSPUNKT_URL", "http://127.0.0.1:9093"))
    parser.add_argument("--ca", default=os.environ.get("INTEGRASJONSPUNKT_CA"), help="PEM file with the CA to trust")
    commands = parser.add_subparsers(dest="command", required=True)
    sending = commands.add_parser("send", help="send an arkivmelding and follow it")
    sending.add_argument("--from", dest="sender", required=True, help="organisation number of the sender")
    sending.add_argument("--to", required=True, help="organisation number of the receiver")
    sending.add_argument("--process", default=ADMINISTRASJON)
    sending.add_argument("--level", type=int, default=3, help="sikkerhetsnivaa, 3 or 4")
    sending.add_argument("--message-id", help="go on with a message of an earlier run")
    sending.add_argument("--multipart", action="store_true", help="in one request, for small files")
    sending.add_argument("--patience", type=float, default=600, help="seconds to follow the message")
    sending.add_argument("arkivmelding", help="path of arkivmelding.xml")
    sending.add_argument("documents", nargs="+", help="the documents, hoveddokument first")
    receiving = commands.add_parser("receive", help="take what waits on the incoming queue")
    receiving.add_argument("--inbox", default="inbox", help="folder to store in")
    receiving.add_argument("--wait", type=float, default=0, help="seconds to wait for the first message")
    receiving.add_argument("--max", type=int, help="take so many messages at most")
    for command in (sending, receiving):
        command.add_argument("--interval", type=float, default=5, help="seconds between looks")
    return parser.parse_args()


def main():
    options = arguments()
    user, password = (os.environ.get(f"INTEGRASJONSPUNKT_{name}", "") for name in ("USER", "PASSWORD"))
    try:
        point = Integrasjonspunkt(options.url, user, password, options.ca)
        return send(point, options) if options.command == "send" else receive(point, options)
    except (Failure, OSError) as failure:
        print(failure, file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
