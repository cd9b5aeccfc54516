"""A UCWA client that does what two pages of the documentation say, to the letter: "Create an
application", and "Set my presence information". Requests have the header fields that the
pages print, in their order and casing, and the printed bodies; only what is no JSON there is
mended. By the standard library alone. The environment of `conform client` says where and as
whom."""

import gzip
import http.client
import json
import os
import re
import ssl
import urllib.parse

AGENT = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0)"
OTHER_AGENT = ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.2; Trident/6.0; .NET4.0E; .NET4.0C; .NET CLR 3.5.30729; "
               ".NET CLR 2.0.50727; .NET CLR 3.0.30729; InfoPath.3)")

connections = {}  # by origin: Keep-Alive


def send(method, url, referer, token=None, body=None, content_type=None, origin="http://app.fabrikam.com", agent=AGENT, dnt=False):
    """Returns status, header fields and body."""
    parts = urllib.parse.urlsplit(url)
    connection = connections.get((parts.scheme, parts.netloc))
    if connection is None:
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.netloc, timeout=30, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        connections[parts.scheme, parts.netloc] = connection
    fields = [("Accept", "application/json")]
    if content_type:
        fields.append(("Content-Type", content_type))
    if token:  # a GET of the pages has it first, a POST after the types
        fields.insert(len(fields) if body else 0, ("Authorization", "Bearer " + token))
    fields += [("X-Ms-Origin", origin), ("X-Requested-With", "XMLHttpRequest"), ("Referer", referer), ("Accept-Language", "en-us"),
               ("Accept-Encoding", "gzip, deflate"), ("User-Agent", agent), ("Host", parts.netloc)]
    if body is not None:
        fields.append(("Content-Length", str(len(body))))
    if dnt:
        fields.append(("DNT", "1"))
    fields.append(("Connection", "Keep-Alive"))
    if body is not None:
        fields.append(("Cache-Control", "no-cache"))
    connection.putrequest(method, urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), skip_host=True, skip_accept_encoding=True)
    for name, value in fields:
        connection.putheader(name, value)
    connection.endheaders(body.encode() if body is not None else None)
    answer = connection.getresponse()
    content = answer.read()
    if answer.getheader("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    print(method, parts.path, answer.status, flush=True)
    return answer.status, answer.msg, content


def ask(method, url, expected, *arguments, **keywords):
    status, fields, content = send(method, url, *arguments, **keywords)
    assert status == expected, f"{method} {url}: {status}, not {expected}: {content!r}"
    return fields, content


def links(content):
    return {rel: link["href"] for rel, link in json.loads(content)["_links"].items()}


def sign_in(discover, referer):
    """Steps 1 to 8. Returns token, applications URL and the Referer of what follows."""
    root = links(ask("GET", discover, 200, referer)[1])
    if "redirect" in root:
        return sign_in(root["redirect"], referer)
    user, frame = root["user"], root["xframe"]  # absolute, as the page shows them
    ask("HEAD", user, 401, frame)  # as the vendor's own clients ask for the challenge
    fields, page = ask("GET", user, 401, frame)
    assert b"<html" in page.lower(), page
    challenges = [value for name, value in fields.items() if name == "WWW-Authenticate"]  # as printed: names are compared by case
    assert challenges[0].startswith("Bearer "), challenges
    endpoint = re.search(r'MsRtcOAuth href="([^"]*)"', challenges[1]).group(1)
    origin, path = re.match(r"(https?://[^/]*)(.*)", endpoint).groups()
    name = os.environ["CONFORM_USERNAME"].removeprefix("sip:")
    _, content = ask("POST", origin + path.lower(), 200, frame, body=f"grant_type=password&username={name}&password={os.environ['CONFORM_PASSWORD']}",
                     content_type="application/x-www-form-urlencoded;charset='utf-8'")
    granted = json.loads(content)
    token = granted["access_token"]
    assert granted["token_type"] == "Bearer" and granted["expires_in"] > 0, granted
    resource = links(ask("GET", user, 200, frame, token)[1])
    if "redirect" in resource:  # to the root of the user's home pool, which knows no token of another
        return sign_in(resource["redirect"], frame)
    return token, resource["applications"], resource["xframe"]


start = urllib.parse.urljoin(os.environ["CONFORM_AUTODISCOVER_URL"], "/")
token, applications, frame = sign_in(start, start + "xframe")

# Steps 9 and 10, without the comma after en-US.
_, content = ask("POST", applications, 201, frame, token, content_type="application/json", body="""{
"UserAgent":"UCWA Samples",
"EndpointId":"a917c6f4-976c-4cf3-847d-cdfffa28ccdf",
"Culture":"en-US"
}""")
created = json.loads(content)
pool = re.match(r"https?://[^/]*", applications).group(0)
itself = pool + created["_links"]["self"]["href"]
assert created["_links"]["events"]["href"].startswith(created["_links"]["self"]["href"] + "/events?ack="), created["_links"]
for rel in ("policies", "batch"):
    created["_links"][rel]["href"]
embedded = created["_embedded"]
for name, rels in {"me": ["makeMeAvailable", "callForwardingSettings", "phones", "photo"],
                   "people": ["presenceSubscriptions", "subscribedContacts", "presenceSubscriptionMemberships", "myGroups", "myGroupMemberships",
                              "myContacts", "myPrivacyRelationships", "search"],
                   "onlineMeetings": ["myOnlineMeetings", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues",
                                      "onlineMeetingInvitationCustomization", "onlineMeetingPolicies", "phoneDialInInformation", "myAssignedOnlineMeeting"],
                   "communication": ["conversations", "startMessaging", "startOnlineMeeting", "joinOnlineMeeting"]}.items():
    for rel in ["self"] + rels:
        embedded[name]["_links"][rel]["href"]
communication = embedded["communication"]
assert communication["supportedModalities"] == [] and communication["supportedMessageFormats"] == ["Plain"], communication
assert "please pass this in a PUT request" in communication.values() and communication["etag"].isdigit(), communication

# A client that looks whether it is still where it should be.
ask("GET", start, 200, start + "xframe")

# Set my presence information.
ask("POST", pool + embedded["me"]["_links"]["makeMeAvailable"]["href"], 204, frame, token, origin="http://app.contoso.com",
    content_type="application/json", body='{"SupportedModalities": ["Messaging"]}')
_, content = ask("GET", itself, 200, frame, token, origin="http://app.contoso.com")
application = json.loads(content)
ask("POST", pool + application["_embedded"]["me"]["_links"]["presence"]["href"], 204, frame, token, origin="http://myServer",
    agent=OTHER_AGENT, dnt=True, content_type="application/json", body='{"availability":"Online"}')

# "An event will confirm …": the channel is followed until it has nothing more to say.
events, told = pool + application["_links"]["events"]["href"], []
for _ in range(10):
    package = json.loads(ask("GET", events, 200, frame, token)[1])
    told += [(sender["rel"], event["link"]["rel"], event["type"]) for sender in package["sender"] for event in sender["events"]]
    events = pool + package["_links"]["next"]["href"]
    if len(package["sender"]) == 0:
        break
assert any(rel == "presence" for _, rel, _ in told), told
ask("DELETE", itself, 204, frame, token)
print("presence set, application ended")
