"""The REST API of an integrasjonspunkt, as a sending and receiving fagsystem needs it."""
import base64
import http.client
import json
import mimetypes
import os
import pathlib
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

# Answers after which the same call may succeed a little later.
TEMPORARY = {429, 500, 502, 503, 504}
# Seconds between the tries of one call.
PAUSES = [1, 2, 4, 8, 16]
# No answer, or half of one. A full disk here is another OSError, and not helped by a repetition.
LOST = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
# Statuses of a message that is with the message service, or beyond.
LEFT = {"SENDT", "MOTTATT", "LEVERT", "LEST", "FEIL", "ANNET"}


class Failure(Exception):
    """Something a person has to look at."""


class Refused(Failure):
    """The integrasjonspunkt answered with an error. `exception` is the part that programs may look at; texts change."""

    def __init__(self, call, status, body):
        try:
            error = dict(json.loads(body))
        except (ValueError, TypeError):
            # A proxy in between answers with something else.
            error = {}
        self.status = status
        self.exception = error.get("exception", "").rpartition(".")[2]
        lines = [f"{call} was answered {status} {self.exception}: {error.get('message', '')}"]
        lines += [f"  {rule.get('field')}: {rule.get('defaultMessage')}" for rule in error.get("errors", [])]
        if error.get("description"):
            lines.append(f"  {error['description']}")
        # Not every integrasjonspunkt gives one.
        if error.get("hint"):
            lines.append(f"  What to do: {error['hint']}")
        super().__init__("\n".join(lines))


class Unanswered(Failure):
    """No usable answer came. The call may have been carried out all the same."""


class Integrasjonspunkt:
    """The REST API. Every call is repeated until it is answered, so every call here can be repeated without harm."""

    def __init__(self, url, user, password, ca_file):
        self.url = url.rstrip("/")
        context = ssl.create_default_context(cafile=ca_file) if self.url.startswith("https:") else None
        handlers = [urllib.request.HTTPSHandler(context=context)] if context else []
        self.opener = urllib.request.build_opener(*handlers)
        self.headers = {"User-Agent": "eksempel-fagsystem/1.0 python"}
        if user:
            credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = f"Basic {credentials}"

    def call(self, method, path, body=None, headers=None, into=None):
        """One call. `body` is bytes or a path; the answer is (status, bytes), or is written to the path `into`."""
        for pause in [*PAUSES, None]:
            try:
                return self.once(method, path, body, headers, into)
            except Unanswered:
                if pause is None:
                    raise
                time.sleep(pause)

    def once(self, method, path, body=None, headers=None, into=None):
        """The same without repetition."""
        request = urllib.request.Request(self.url + path, method=method, headers={**self.headers, **(headers or {})})
        file = body.open("rb") if isinstance(body, pathlib.Path) else None
        if file:
            request.add_header("Content-Length", str(body.stat().st_size))
        request.data = file or body
        try:
            with self.opener.open(request, timeout=300) as response:
                if into is None:
                    return response.status, response.read()
                with into.open("wb") as target:
                    shutil.copyfileobj(response, target)
                    target.flush()
                    os.fsync(target.fileno())
                announced = response.headers.get("Content-Length")
                if announced and into.stat().st_size != int(announced):
                    raise Unanswered(f"{method} {path}: the answer was cut off")
                return response.status, b""
        except urllib.error.HTTPError as error:
            refused = Refused(f"{method} {path}", error.code, error.read())
            if error.code in TEMPORARY:
                raise Unanswered(str(refused)) from error
            raise refused from error
        except LOST as error:
            raise Unanswered(f"{method} {path}: no answer from {self.url}: {error}") from error
        finally:
            if file:
                file.close()

    def json(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"} if data else {}
        status, answer = self.call(method, path, data, headers)
        try:
            return None if status == 204 or not answer else json.loads(answer)
        except ValueError as error:
            raise Failure(f"{method} {path}: the answer is no JSON: {error}") from error

    def standard_for(self, receiver, process, level):
        """The document type of an arkivmelding that the receiver takes in this process."""
        query = urllib.parse.urlencode({"process": process, "securityLevel": level})
        found = self.json("GET", f"/api/capabilities/{receiver}?{query}")["capabilities"]
        for capability in found:
            for document in capability["documentTypes"]:
                if capability["process"] == process and document.get("type") == "arkivmelding":
                    print(f"{receiver} takes it over {capability['serviceIdentifier']}")
                    return document["standard"]
        raise Failure(f"{receiver} takes no arkivmelding in the process {process}")

    def create(self, sbd):
        """Creates a message whose id we chose. One that exists already is ours, from a try before this one."""
        try:
            self.json("POST", "/api/messages/out", sbd)
        except Refused as refused:
            if refused.exception != "MessageAlreadyExistsException":
                raise

    def upload(self, message_id, file):
        headers = {"Content-Type": mime_type(file), "Content-Disposition": disposition(file.name)}
        title = urllib.parse.urlencode({"title": file.stem}, quote_via=urllib.parse.quote)
        try:
            self.call("PUT", f"/api/messages/out/{message_id}?{title}", file, headers)
        except Refused as refused:
            # It is there already, from a try before this one.
            known = {"DuplicateFilenameException", "MessageAlreadyQueuedException"}
            if refused.exception not in known and not self.has_left(message_id):
                raise

    def send(self, message_id):
        """Queues a message. It is not queued twice: after a lost answer we look first whether it has left."""
        for pause in [*PAUSES, None]:
            try:
                return self.once("POST", f"/api/messages/out/{message_id}")
            except Unanswered:
                if pause is None:
                    raise
                time.sleep(pause)
                if self.has_left(message_id):
                    return None
            except Refused:
                if self.has_left(message_id):
                    return None
                raise

    def statuses(self, message_id):
        return self.json("GET", f"/api/statuses?messageId={message_id}&size=100&sort=id")["content"]

    def has_left(self, message_id):
        return any(status["status"] in LEFT for status in self.statuses(message_id))

    def send_at_once(self, sbd, files):
        """Create, upload and send in one request; for files of up to 5 MiB each."""
        boundary = uuid.uuid4().hex
        parts = [part(boundary, 'name="sbd"', "application/json", json.dumps(sbd).encode())]
        for file in files:
            names = f'name="{quoted(file.stem)}"; filename="{quoted(file.name)}"'
            parts.append(part(boundary, names, mime_type(file), file.read_bytes()))
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            self.call("POST", "/api/messages/out/multipart", body, headers)
        except Refused as refused:
            if refused.exception != "MessageAlreadyExistsException":
                raise
            # It was created with its files, at once. Whether it was sent too we do not know.
            if not self.has_left(message_id_of(sbd)):
                self.send(message_id_of(sbd))


def mime_type(file):
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def quoted(name):
    return name.replace("\\", "_").replace('"', "_")


def disposition(name):
    """Content-Disposition; names with other letters than ASCII once more in UTF-8 (RFC 5987)."""
    plain = quoted(name.encode("ascii", "replace").decode())
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def part(boundary, names, mime, content):
    head = f"--{boundary}\r\nContent-Disposition: form-data; {names}\r\nContent-Type: {mime}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def sbd_of(sender, receiver, standard, process, message_id, conversation_id, body):
    """The envelope. `sender` and `receiver` are lists with one identifier, as they stand in the envelope."""
    kind = standard.rpartition("::")[2]
    identification = {"standard": standard, "type": kind, "typeVersion": "2.0", "instanceIdentifier": message_id}
    scope = {"type": "ConversationId", "instanceIdentifier": conversation_id, "identifier": process}
    header = {"headerVersion": "1.0", "sender": sender, "receiver": receiver,
              "documentIdentification": identification, "businessScope": {"scope": [scope]}}
    return {"standardBusinessDocumentHeader": header, kind: body}


def organisation(number):
    return [{"identifier": {"authority": "iso6523-actorid-upis", "value": f"0192:{number}"}}]


def message_id_of(sbd):
    return sbd["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"]
