"""A subscriber that shares no code with the program: the standard library's HTTP server and HMAC.

python3 subscriber.py SECRET FILE PORT: writes each request to FILE as a line of JSON, and the port to standard output.
"""

import hashlib
import hmac
import http.server
import json
import sys

SECRET, FILE, PORT = sys.argv[1].encode(), sys.argv[2], int(sys.argv[3])


class Subscriber(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = dict(part.split("=", 1) for part in self.headers["Budstikke-Signature"].split(","))
        signature = hmac.new(SECRET, sent["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        told = json.loads(body)
        told["delivery"] = self.headers["Budstikke-Delivery"]
        told["genuine"] = hmac.compare_digest(signature, sent["v1"])
        with open(FILE, "a", encoding="utf-8") as heard:
            heard.write(json.dumps(told) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", PORT), Subscriber)
print(server.server_port, flush=True)
server.serve_forever()
