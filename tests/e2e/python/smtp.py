"""A mail server for a test: every mail becomes a JSON file in a folder. Prints its port, and ends with its input."""

import email
import email.policy
import json
import pathlib
import socket
import sys

from aiosmtpd.controller import Controller

folder = pathlib.Path(sys.argv[1])


class Keep:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        Keep.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": message["subject"],
            "body": message.get_content().replace("\r\n", "\n"),
        }
        path = folder / f"{Keep.count:03}.new"
        path.write_text(json.dumps(mail))
        path.rename(folder / f"{Keep.count:03}.json")
        return "250 OK"


with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
controller = Controller(Keep(), hostname="127.0.0.1", port=port)
controller.start()
print(port, flush=True)
sys.stdin.read()
controller.stop()
