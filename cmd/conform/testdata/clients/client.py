"""A correct UCWA client in Python, by the standard library alone: it signs in, creates an
application, makes the user available, sets the presence, waits for the event that
confirms it, and ends. The environment of `conform client` says where and as whom."""

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid

tokens = {}  # by origin: a token is good at the host that issued it, and at no other


def origin(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def send(method, url, body=None, content_type="application/json"):
    headers = {"Accept": "application/json", "User-Agent": "PythonBoard/1.0"}
    if origin(url) in tokens:
        headers["Authorization"] = "Bearer " + tokens[origin(url)]
    if body is not None:
        headers["Content-Type"] = content_type
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def get(url):
    status, _, body = send("GET", url)
    assert status == 200, f"GET {url}: {status}"
    return json.loads(body)


def post(url, content, expected):
    status, _, body = send("POST", url, json.dumps(content).encode())
    assert status in expected, f"POST {url}: {status} {body!r}"
    return body


def link(base, resource, rel):
    return urllib.parse.urljoin(base, resource["_links"][rel]["href"])


def sign_in(url):
    """Asks without a token, and gets one where the challenge says."""
    status, headers, _ = send("GET", url)
    assert status == 401, f"GET {url}: {status}"
    challenge = next(c for c in headers.get_all("WWW-Authenticate") if c.startswith("MsRtcOAuth"))
    endpoint = urllib.parse.urljoin(url, re.search(r'href="?([^",]+)', challenge).group(1))
    form = urllib.parse.urlencode({"grant_type": "password", "username": os.environ["CONFORM_USERNAME"],
                                   "password": os.environ["CONFORM_PASSWORD"]})
    status, _, body = send("POST", endpoint, form.encode(), "application/x-www-form-urlencoded;charset=UTF-8")
    assert status == 200, f"POST {endpoint}: {status} {body!r}"
    tokens[origin(url)] = json.loads(body)["access_token"]


start = os.environ["CONFORM_AUTODISCOVER_URL"]
user_url = link(start, get(start), "user")
sign_in(user_url)
applications = link(user_url, get(user_url), "applications")
if origin(applications) not in tokens:
    sign_in(applications)
created = json.loads(post(applications, {"userAgent": "PythonBoard", "endpointId": str(uuid.uuid4()), "culture": "en-US"}, (200, 201)))
self_url = link(applications, created, "self")
me = created["_embedded"]["me"]
post(link(self_url, me, "makeMeAvailable"), {"supportedModalities": ["Messaging"]}, (204,))
application = get(self_url)
presence = link(self_url, application["_embedded"]["me"], "presence")
events = link(self_url, application, "events")
package = get(events)
post(presence, {"availability": "Busy"}, (204,))
for _ in range(5):
    senders = package.get("sender", [])
    if any(event["link"]["rel"] == "presence" for sender in senders for event in sender.get("events", [])
           ) and get(presence)["availability"] == "Busy":
        break
    package = get(link(events, package, next(r for r in ("next", "resume", "resync") if r in package["_links"])))
status, _, _ = send("DELETE", self_url)
assert status == 204, f"DELETE {self_url}: {status}"
print("presence set, application ended")
