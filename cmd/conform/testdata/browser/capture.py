"""A mitmproxy addon: it goes to one server whatever host the browser asks for, and writes what was said, as a HAR 1.2
and as an archive of Fiddler's (SAZ) with the bytes of the wire."""

import base64
import json
import zipfile
from datetime import datetime, timezone
from xml.sax.saxutils import quoteattr

from mitmproxy import ctx


def when(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def fields(message):
    return [{"name": name, "value": value} for name, value in message.headers.items(multi=True)]


def entry(flow):
    request, response = flow.request, flow.response
    posted = {}
    if request.raw_content:
        posted = {"postData": {"mimeType": request.headers.get("content-type", ""), "text": request.get_text()}}
    content = response.content or b""
    try:
        body = {"text": content.decode()}
    except UnicodeDecodeError:
        body = {"text": base64.b64encode(content).decode(), "encoding": "base64"}
    return {
        "startedDateTime": when(request.timestamp_start),
        "time": (response.timestamp_end - request.timestamp_start) * 1000,
        "request": {
            "method": request.method, "url": request.pretty_url, "httpVersion": request.http_version, "cookies": [],
            "headers": fields(request), "queryString": [{"name": n, "value": v} for n, v in request.query.items(multi=True)],
            **posted, "headersSize": -1, "bodySize": len(request.raw_content or b""),
        },
        "response": {
            "status": response.status_code, "statusText": response.reason, "httpVersion": response.http_version,
            "cookies": [], "headers": fields(response), "redirectURL": response.headers.get("location", ""),
            "content": {"size": len(content), "mimeType": response.headers.get("content-type", ""), **body},
            "headersSize": -1, "bodySize": len(response.raw_content or b""),
        },
        "cache": {},
        "timings": {
            "send": (request.timestamp_end - request.timestamp_start) * 1000,
            "wait": max(response.timestamp_start - request.timestamp_end, 0) * 1000,
            "receive": (response.timestamp_end - response.timestamp_start) * 1000,
        },
    }


def wire(first, message):
    head = b"".join(name + b": " + value + b"\r\n" for name, value in message.headers.fields)
    body = message.raw_content or b""
    if message.headers.get("transfer-encoding", "").lower() == "chunked":  # mitmproxy has put them together
        half = len(body) // 2
        chunks = [c for c in (body[:half], body[half:]) if c]
        body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
    return first.encode() + b"\r\n" + head + b"\r\n" + body


def session(number, flow):
    request, response = flow.request, flow.response
    timers = {
        "ClientConnected": flow.client_conn.timestamp_start,
        "ClientBeginRequest": request.timestamp_start,
        "GotRequestHeaders": request.timestamp_start,
        "ClientDoneRequest": request.timestamp_end,
        "ServerConnected": flow.client_conn.timestamp_start,
        "FiddlerBeginRequest": request.timestamp_end,
        "ServerGotRequest": request.timestamp_end,
        "ServerBeginResponse": response.timestamp_start,
        "GotResponseHeaders": response.timestamp_start,
        "ServerDoneResponse": response.timestamp_end,
        "ClientBeginResponse": response.timestamp_end,
        "ClientDoneResponse": response.timestamp_end,
    }
    times = " ".join(f"{name}={quoteattr(when(t).replace('Z', '0Z'))}" for name, t in timers.items())
    return (f'<?xml version="1.0" encoding="utf-8"?>\r\n<Session SID="{number}" BitFlags="1f">\r\n'
            f'  <SessionTimers {times} GatewayTime="0" DNSTime="0" TCPConnectTime="0" HTTPSHandshakeTime="0" />\r\n'
            f'  <PipeInfo />\r\n'
            f'  <SessionFlags>\r\n    <SessionFlag N="x-processinfo" V="chromium:1" />\r\n  </SessionFlags>\r\n</Session>')


class Capture:
    def __init__(self):
        self.tunnels, self.flows = [], []

    def load(self, loader):
        loader.add_option("backend", str, "", "host:port to go to")
        loader.add_option("domain", str, "", "of the hosts that may be asked for; for others it goes nowhere")
        loader.add_option("har", str, "", "file to write")
        loader.add_option("saz", str, "", "file to write")

    def server_connect(self, data):
        host, _, port = ctx.options.backend.rpartition(":")
        data.server.address = (host, int(port))

    def http_connect(self, flow):
        if flow.request.host.endswith(ctx.options.domain):
            self.tunnels.append(flow)
        else:
            flow.kill()  # the browser's own errands

    def request(self, flow):
        if flow.request.scheme != "https":
            flow.kill()

    def response(self, flow):
        if flow.request.method != "CONNECT":
            self.flows.append(flow)

    def done(self):
        self.flows.sort(key=lambda flow: flow.request.timestamp_start)
        if ctx.options.har:
            log = {"version": "1.2", "creator": {"name": "mitmproxy", "version": "8"}, "entries": [entry(f) for f in self.flows]}
            with open(ctx.options.har, "w") as file:
                json.dump({"log": log}, file)
        if ctx.options.saz:
            with zipfile.ZipFile(ctx.options.saz, "w", zipfile.ZIP_DEFLATED) as saz:
                saz.writestr("[Content_Types].xml", '<?xml version="1.0" encoding="utf-8" ?>\r\n'
                             '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                             '<Default Extension="htm" ContentType="text/html" /><Default Extension="xml" ContentType="application/xml" />'
                             '<Default Extension="txt" ContentType="text/plain" /></Types>')
                saz.writestr("_index.htm", "<html><body><table></table></body></html>")
                number = 0
                for flow in self.tunnels:
                    number += 1
                    at = f"{flow.request.host}:{flow.request.port}"
                    saz.writestr(f"raw/{number:02}_c.txt", f"CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n")
                    saz.writestr(f"raw/{number:02}_s.txt", "HTTP/1.1 200 Connection Established\r\nFiddlerGateway: Direct\r\n\r\n")
                for flow in self.flows:
                    number += 1
                    r = flow.request
                    saz.writestr(f"raw/{number:02}_c.txt", wire(f"{r.method} {r.pretty_url} {r.http_version}", r))
                    saz.writestr(f"raw/{number:02}_s.txt", wire(f"{flow.response.http_version} {flow.response.status_code} {flow.response.reason}", flow.response))
                    saz.writestr(f"raw/{number:02}_m.xml", session(number, flow))


addons = [Capture()]
