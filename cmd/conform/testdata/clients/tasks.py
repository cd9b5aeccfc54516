#!/usr/bin/env python3
# A UCWA 2.0 client, walks through the task pages of Microsoft's documentation. Environment: ROOT, CACERT, USER1, PASSWORD1, USER2, PASSWORD2,
# perhaps ORIGIN (sent as X-Ms-Origin). Output: "ok PAGE" for each page passed; at the first disagreement a line on stderr, exit code 1.
import email, http.client, json, os, re, ssl, sys, threading, time, uuid
from contextlib import suppress
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote, unquote_plus, urlencode, urljoin, urlsplit

HERE = ["create-application 1"]         # the page and the step being walked
USERS, WAIT, END = [], 20, time.monotonic() + 46   # seconds for one event; when everything has to be done
SENDER = {**dict.fromkeys(("me", "presence", "note", "location"), "me"),        # of events about these; of all others: conversation
          **dict.fromkeys(("communication", "conversation", "messagingInvitation", "onlineMeetingInvitation"), "communication"),
          **dict.fromkeys(("contact", "contactPresence", "contactNote", "contactLocation", "presenceSubscription"), "people")}
WORDS = ["He said \"no\" & 'yes' + 1 = 2? 100% #1 <b>;", "line one\r\nline two\n\tline three", "Привет, 你好, naïve 🙂"]

class Disagreement(Exception):
    def __init__(self, request, wanted, came):
        super().__init__(" ".join(("page %s, step %s: %s: expected %s; came %s" % (*HERE[0].split(" ", 1), request, wanted, came)).split()))

def at(where): HERE[0] = where or HERE[0]
def ok(page): print("ok", page, flush=True)
def new_id(): return str(uuid.uuid4())
def same(a, b): return unquote(str(a)).lower() == unquote(str(b)).lower()       # the pages print one href in letters of either case
def add_query(url, **params):           # concept-query: keep the parameters the server put into a link, add ours
    return url if not params else url + ("&" if urlsplit(url).query else "?") + urlencode(params, quote_via=quote)
def send(method, url, headers, body=None, seconds=15):      # the Answer made of the connection reads what comes
    u = urlsplit(url)
    conn = http.client.HTTPSConnection(u.hostname, u.port, timeout=seconds, context=ssl.create_default_context(cafile=os.environ["CACERT"]))
    conn.request(method, (u.path or "/") + ("?" + u.query if u.query else ""), body, headers)
    return conn

class Resource:                         # answered, embedded, or in an event; related ones may be embedded or linked, one or many
    def __init__(self, user, data, base, source):
        self.user, self.data, self.base, self.source = user, data, base, source
    def came(self): return json.dumps(self.data, ensure_ascii=False)
    def check(self, condition, wanted):
        if not condition: raise Disagreement(self.source, wanted, self.came()[:504])
        return self
    def ok(self, page): return ok(page) or self
    def is_(self, **values):            # SIP URIs may differ in the case of letters
        wrong = {k: v for k, v in values.items() if self.data.get(k) != v and not (str(v)[:4] == "sip:" and same(self.data.get(k), v))}
        return self.check(not wrong, str(wrong))
    def full(self, names): return self.check(all(map(self.data.get, names.split())), "the properties " + names)
    def need(self, rels): return self.check(all(map(self.has, rels.split())), "the related resources " + rels)
    def has(self, rel): return bool(self.part("_links", rel) or self.part("_embedded", rel))
    def part(self, name, rel):
        found = (self.data.get(name) or {}).get(rel) or []
        return found if isinstance(found, list) else [found]
    def link(self, rel):
        return urljoin(self.base, (self.need(rel).part("_links", rel) or self.one(rel).part("_links", "self"))[0]["href"])
    def one(self, rel): return self.need(rel).all(rel)[0]
    def all(self, rel):
        inside = [Resource(self.user, x, self.base, self.source + ", its " + rel) for x in self.part("_embedded", rel)]
        return inside or [self.user.get(None, urljoin(self.base, x["href"])) for x in self.part("_links", rel)]
class Answer(Resource):
    def __init__(self, user, conn, method, url):
        self.user, self.base, self.source, r = user, url, method + " " + url, conn.getresponse()
        self.status, self.headers, self.body = r.status, r.headers, r.read()
        conn.close()
    def came(self): return "%d %s" % (self.status, self.body.decode("utf-8", "replace"))
    def want(self, *statuses): return self.check(self.status in statuses, "status " + " or ".join(map(str, statuses)))
    def location(self): return urljoin(self.base, self.check(self.headers.get("Location"), "a Location header").headers["Location"])
    @property
    def data(self):
        found, kind = None, self.headers.get("Content-Type", "")
        with suppress(ValueError): found = json.loads(self.body.decode("utf-8-sig"))
        self.check(isinstance(found, dict) and re.match(r"application/(.*\+)?json", kind), "a JSON object as application/json, not " + kind)
        return found
    def error(self, code, subcode=None):    # concept-errors: only code is required; a subcode is looked at where a page names it
        right = same(self.data.get("code"), code) and subcode in (None, self.data.get("subcode"))
        return self.check(right, "code %s, subcode %s" % (code, subcode or "any"))
class Event(Resource):
    def __init__(self, user, base, sender, data):
        self.rel, self.type, self.href = data["link"]["rel"], data["type"], urljoin(base, data["link"]["href"])
        super().__init__(user, data, base, "%s: event %s %s %s" % (user.uri, self.type, self.rel, self.href))
        self.sender, self.of, self.into = sender["rel"], urljoin(base, sender["href"]), (data.get("in") or {}).get("rel")
    def resource(self):                 # concept-events: the embedded content, or got by the link if there is none
        return self.one(self.rel) if self.has(self.rel) else self.user.get(None, self.href)

class User:
    def __init__(self, uri, password):
        self.uri, self.password, self.token, self.xframe, self.app, self.query = uri, password, None, None, None, {}
        self.events, self.mark, self.changed, self.trouble, self.closed = [], 0, threading.Condition(), None, False
    def headers(self, more={}):
        h = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest", "Referer": self.xframe, "X-Ms-Origin": os.environ.get("ORIGIN"),
             "Authorization": self.token and "Bearer " + self.token, **{k.replace("_", "-"): v for k, v in more.items()}}
        return {k: v for k, v in h.items() if v}
    def call(self, where, method, url, statuses=(), body=None, **more):     # a request, at a step of a page; a dict is sent as JSON
        at(where)
        if isinstance(body, (dict, str)):
            more.setdefault("Content_Type", "application/json" if isinstance(body, dict) else "text/plain" + "; charset=utf-8" * (not body.isascii()))
            body = (json.dumps(body) if isinstance(body, dict) else body).encode()
        for u in USERS if method != "GET" else (): u.mark = len(u.events)      # where to look for the events of a command
        try:
            a = Answer(self, send(method, url, self.headers(more), body, min(15, max(4, END - time.monotonic()))), method, url)
        except (OSError, http.client.HTTPException) as e:
            raise Disagreement(method + " " + url, "an answer", repr(e)) from e
        return a.want(*statuses) if statuses else a
    def get(self, where, url, rel=None):
        a = self.call(where, "GET", url, [200])
        return a.is_(rel=rel).need("self") if rel else a
    def sign_in(self):                  # create-application 1 to 8; redirects as in concept-root-url 5 to 7
        url = os.environ["ROOT"]
        for hop in range(12):
            a = self.call("create-application %d" % (1 if not hop else 7 if self.token else 3), "GET", url)
            if a.status == 401 and hop and not self.token:
                self.get_token(a)
            elif a.want(200).has("redirect"):
                url, self.token = a.link("redirect"), None      # another server wants another token
            elif a.has("applications"):
                return a.check(self.token, "401 for the user resource without a token").need("self").link("applications")
            else:
                self.xframe, url = a.need("self user").link("xframe"), a.link("user")
        a.check(False, "the applications link after so many requests")
    def get_token(self, a):
        challenge = ", ".join(a.headers.get_all("WWW-Authenticate", []))
        found = re.search(r'MsRtcOAuth\s+href="?([^",]+)"?\s*,\s*grant_type="([^"]*)"', challenge)
        a.check(found and "password" in found[2].split(","), "MsRtcOAuth with href and password, not: " + challenge)
        form = {"grant_type": "password", "username": self.uri.removeprefix("sip:"), "password": self.password}
        a = self.call("create-application 5-6", "POST", urljoin(a.base, found[1]), [200], urlencode(form),
                      Content_Type="application/x-www-form-urlencoded;charset='utf-8'")
        self.token = a.is_(token_type="Bearer").full("expires_in access_token").data["access_token"]
    def create(self, body):
        a = self.call("create-application 9-10", "POST", self.sign_in(), [201], body)
        self.app = a.is_(rel="application", culture="en-US", userAgent="UCWA Samples").need("self policies batch events")
        a.one("people").need("self presenceSubscriptions subscribedContacts myGroups myContacts search")
        a.one("onlineMeetings").need("self myOnlineMeetings")
        a.one("communication").need("self conversations startMessaging startOnlineMeeting joinOnlineMeeting")
        self.first = a.link("events")
        me = a.one("me").is_(uri=self.uri).full("name").need("self makeMeAvailable")
        me.check(not any(map(me.has, ("presence", "note", "location"))), "no presence, note, location before makeMeAvailable")
        return a
    def me(self, page):                 # steps 1 to 4 of the presence, note and photo pages; makeMeAvailable goes once it has been used
        me = self.app.one("me")
        if me.has("makeMeAvailable"):
            self.call(page + " 1-2", "POST", me.link("makeMeAvailable"), [204], {"SupportedModalities": ["Messaging"]})
        self.app = self.get(page + " 3-4", self.app.link("self"), "application")
        return self.app.one("me").need("presence note location")
    def change(self, page, rel, body=None, query={}, **more):       # steps 1 to 6 of the pages that set something of me
        url = self.me(page).link(rel)
        self.call(page + " 5-6", "POST", add_query(url, **query), [204], body, **more)
        self.wait("added updated deleted", rel)
        return self.get(page + " 6, afterwards", url, rel)
    def loop(self, url):                # event-channel: the parameters are given once, the server remembers them
        try:
            conn = send("GET", url, self.headers(), None, 90)
            while not self.closed:
                doc = Answer(self, conn, "GET", url).want(200)
                url = doc.link(next((rel for rel in ("next", "resume", "resync") if doc.has(rel)), "next"))
                url = url if doc.has("next") else add_query(url, **self.query)      # after a resume the parameters may be lost
                conn = send("GET", url, self.headers(), None, 90)                   # before looking at the events
                self.take(doc)
        except Exception as e:
            self.trouble = e if isinstance(e, Disagreement) else Disagreement("GET " + url, "events", repr(e))
            with self.changed: self.changed.notify_all()
    def take(self, doc):
        with self.changed:
            for sender in doc.data.get("sender", []):
                for e in sender["events"]: self.events.append(Event(self, doc.base, sender, e))
            self.changed.notify_all()
    def wait(self, types, rel, href=None, of=None, into=None, state=None, since=None, test=lambda e: True):
        """The first event about rel (at href, from the sender of, in into, in that state) since the last command, or since a place."""
        end, i = min(time.monotonic() + WAIT, END), self.mark if since is None else since
        while True:
            with self.changed:
                while i >= len(self.events):
                    if self.trouble: raise self.trouble
                    if time.monotonic() >= end:
                        seen = ", ".join("%s %s %s" % (e.type, e.rel, urlsplit(e.href).path) for e in self.events)
                        raise Disagreement("events of " + self.uri, " ".join((types, rel, state or into or href or "")), "others: " + seen[-500:])
                    self.changed.wait(max(0, end - time.monotonic()))
                e, i = self.events[i], i + 1
            if (e.rel == rel and e.type in types.split() and e.sender == SENDER.get(rel, "conversation") and into in (None, e.into)
                    and (not href or same(href, e.href)) and (not of or same(of, e.of))
                    and (not state or e.resource().data.get("state") == state) and test(e)):
                return e
    def completed(self, rel, href, success=True):       # concept-operation: the final event of an operation
        e = self.wait("completed", rel, href, since=0)
        if success: return e.is_(status="Success").resource()
        e.check(e.data.get("status") != "Success" and (e.data.get("reason") or {}).get("code"), "no Success, and a reason with a code")
    def ended(self, conv):              # no page shows how a conversation ends in events; the reference has conversation deleted, and states
        self.wait("deleted updated", "conversation", conv, test=lambda e: e.type == "deleted" or "Disconnect" in e.came())
    def resync(self, what, url):        # event-channel: the answer to a wrong ack
        r = self.get("event-channel Special responses, ack " + what, url)
        return r.check(set(r.data.get("_links", {})) - {"self"} == {"resync"} and not r.data.get("sender"), "nothing but resync").link("resync")
    def delete(self): return self.call("concept-dashboard-application DELETE", "DELETE", self.app.link("self"))

def event_page(u):                      # event-channel, with an application not yet available, so that its channel is silent at first
    at("event-channel Requesting events; Special responses, PGetReplaced")
    ack, u.query = r"([?&]ack=)(\d+)", {"medium": 5, "low": 5, "timeout": 180}
    earlier = send("GET", add_query(u.first, medium=300, low=600, timeout=900), u.headers())      # the values of the page
    time.sleep(0.7)
    later = send("GET", add_query(u.first, **u.query), u.headers())
    Answer(u, earlier, "GET", u.first).want(409).error("Conflict", "PGetReplaced")
    u.me("event-channel")
    a = Answer(u, later, "GET", u.first).want(200)
    for _ in range(5):
        if not a.data.get("sender"): a = u.get("event-channel Processing events", a.link("next"))
    u.take(a.check(a.data.get("sender"), "events after makeMeAvailable").check(re.search(ack, a.link("next")), "ack=N in the next link"))
    again = u.get(None, u.resync("too high", re.sub(ack, lambda m: m[1] + str(int(m[2]) + 50), a.link("next"))))
    again.check(again.data.get("sender") == a.data["sender"], "the same events again: " + a.came())
    threading.Thread(target=u.loop, args=(again.link("next"),), daemon=True).start()
    at("event-channel Processing events")
    for e in ("updated me", "added presence", "added note", "added location"): u.wait(*e.split(), since=0)
    u.wait("updated", "communication", since=0).resource().is_(supportedModalities=["Messaging"])

def me_pages(u, created):
    url = u.me("get-presence").link("presence")
    for rel in ("presence", "note", "location"): u.wait("added", rel, since=0)
    u.get("get-presence 5-6", url, "presence").full("availability").ok("get-presence")
    for value in ("Busy", "Online", "DoNotDisturb"):
        p = u.change("set-presence", "presence", {"availability": value}).is_(availability=value)
    p.ok("set-presence")
    p = u.change("reset-presence", "presence", b"", Content_Type="application/json").full("availability")
    p.check(p.data["availability"] != "DoNotDisturb", "an availability that the system chose").ok("reset-presence")
    u.change("set-note", "note", {"message": "working working working"}).is_(message="working working working", type="Personal")
    u.change("set-note", "note", query={"Message": "I'm away + today"}).is_(message="I'm away + today")      # concept-query
    u.change("set-note", "note", {"message": WORDS[2]}).is_(message=WORDS[2]).ok("set-note")
    u.get("get-note 5-6", u.me("get-note").link("note"), "note").is_(message=WORDS[2], type="Personal").ok("get-note")
    n = u.change("reset-note", "note")
    n.check(not n.data.get("message"), "no message").ok("reset-note")
    url, jar = u.me("get-photo").link("photo"), SimpleCookie(created.headers.get("Set-Cookie", ""))
    path = jar["cwt_ucwa"]["path"] if "cwt_ucwa" in jar else "none"
    created.check(urlsplit(url).path.startswith(path), "Set-Cookie: cwt_ucwa for the path of the photo, not for " + path)
    cookie = {"Cookie": "cwt_ucwa=" + jar["cwt_ucwa"].coded_value, "Authorization": None}   # the page sends no token here
    for more in (cookie, {}):           # concept-dashboard-me: the token does as well as the cookie
        a = u.call("get-photo 5-6", "GET", url, [200], Accept="*/*", **more)
        a.check(a.headers.get("Content-Type") == "image/jpeg" and a.body[:2] == b"\xff\xd8", "image/jpeg")
    if a.headers.get("ETag"): u.call("get-photo 6, If-None-Match", "GET", url, [304], Accept="*/*", If_None_Match=a.headers["ETag"])
    ok("get-photo")
def contact_in(resource, uri):
    for c in [c for c in resource.all("contact") if same(c.data.get("uri"), uri)]:
        return c.full("name sourceNetwork").need("self contactPhoto contactPresence contactLocation contactNote")
def contact_pages(u, other):            # gives the contact of the other user, and a group that has it
    people, home = u.app.one("people"), None
    r = u.get("get-contacts 1-2", people.link("myContacts"), "myContacts")
    r.check(contact_in(r, other.uri), "the contact " + other.uri).ok("get-contacts")
    u.get("get-contact 3-4", contact_in(r, other.uri).link("self"), "contact").is_(uri=other.uri).need("contactPresence").ok("get-contact")
    groups = u.get("get-contact-presence 1", people.link("myGroups"), "myGroups").need("pinnedGroup defaultGroup")
    for g in [g for rel in ("pinnedGroup", "defaultGroup", "group") for g in groups.all(rel)]:
        url = g.full("id name").need("self subscribeToGroupPresence").link("groupContacts")
        found = contact_in(u.get("get-contact-presence 2-3", url, "groupContacts"), other.uri)
        if found and not home: contact, home = found, g
    groups.check(home, "a group with the contact " + other.uri)
    p = u.get("get-contact-presence 4-5", contact.link("contactPresence"), "contactPresence").full("availability")
    p.check(re.fullmatch(r"/Date\(\d+\)/", p.data.get("lastActive", "/Date(0)/")), "lastActive as /Date(N)/").ok("get-contact-presence")
    r = u.get("search-contact 1-2", add_query(people.link("search"), query=other.uri.removeprefix("sip:"), limit=3), "search")
    r.is_(moreResultsAvailable=False).check(contact_in(r, other.uri), "the contact " + other.uri).ok("search-contact")
    return contact, home

def subscription_pages(u, other, contact, group):
    def subscribe(where, url, body, rels):
        sub = u.call(where, "POST", url, [201], body).is_(rel="presenceSubscription").full("id").need("self " + rels)
        u.wait("added", "contact", contact.link("self"), into="subscribedContacts")
        u.wait("added", "presenceSubscription", sub.link("self"))
        u.wait("updated", "contactPresence", contact.link("contactPresence"))
        return sub
    def see(page, rel, name, value, to):        # the other user changes something; an event and then the resource have to show it
        other.call(page + " Receive presence data 1, " + to, "POST", other.me(page).link(rel), [204], {name: value})
        shows = lambda e: u.get(page + " Receive presence data 2-3", e.href, to).data.get(name) == value
        return u.wait("updated", to, contact.link(to), test=shows)
    def end(sub):
        u.call("delete-subscription 1-2", "DELETE", sub.link("self"), [204], Accept="*/*")
        u.wait("deleted", "contact", contact.link("self"), into="subscribedContacts")
        u.wait("deleted", "presenceSubscription", sub.link("self"))
    sub = subscribe("subscribe-group 3-4", add_query(group.link("subscribeToGroupPresence"), duration=11), None, "memberships")
    see("subscribe-group", "presence", "availability", "Busy", "contactPresence").ok("subscribe-group")
    end(sub)
    body, url = {"duration": 11, "Uris": [contact.data["uri"]]}, u.app.one("people").link("presenceSubscriptions")
    sub = subscribe("subscribe-contacts 1-2", url, body, "memberships addToPresenceSubscription")
    see("subscribe-contacts", "presence", "availability", "Away", "contactPresence")
    see("subscribe-contacts", "note", "message", WORDS[0], "contactNote")
    see("subscribe-contacts", "location", "location", "Zürich & +", "contactLocation").ok("subscribe-contacts")
    url = add_query(sub.link("self"), duration=11)          # extend step 1, an event, comes only minutes later
    a = u.call("extend-subscription 2-3", "POST", url, [200, 201])                          # 201 in the reference
    a.is_(rel="presenceSubscription", id=sub.data["id"]).check(same(a.link("self"), sub.link("self")), "the same subscription")
    end(sub)
    u.call("extend-subscription 3, no longer there", "POST", url, [404]).error("NotFound").ok("extend-subscription").ok("delete-subscription")

def invite(a, b, first=None):           # send-message 1-4 for a, receive-message 8-12 for b; gives the invitation as a and as b see it
    body = {"importance": "Normal", "sessionContext": new_id(), "subject": "Task Sample", "telemetryId": None, "to": b.uri, "operationId": new_id()}
    if first: body["_links"] = {"message": {"href": "data:text/plain;charset=utf-8," + first}}
    here = a.call("send-message 1-4", "POST", a.app.one("communication").link("startMessaging"), [201], body).location()
    out = a.wait("started", "messagingInvitation", here).resource().is_(direction="Outgoing", operationId=body["operationId"]).full("threadId")
    a.wait("updated", "messaging", of=out.need("from cancel").link("conversation")).resource().is_(state="Connecting")
    at("receive-message 8-9")
    inc = b.wait("started", "messagingInvitation").resource().is_(direction="Incoming").need("accept decline")
    inc.one("from").is_(uri=a.uri)
    for i, state in ((out, "Connecting"), (inc, "Incoming")):
        i.is_(state="Connecting", subject="Task Sample", importance="Normal").need("self to conversation messaging")
        i.user.wait("added", "conversation", i.link("conversation")).resource().is_(state=state, subject="Task Sample")
        i.user.wait("added", "localParticipant", of=i.link("conversation")).resource().is_(uri=i.user.uri)
    b.get("receive-message 11-12", b.wait("added", "participant", of=inc.link("conversation")).href, "participant").is_(uri=a.uri)
    return out, inc
def accept(out, inc):                   # receive-message 13-15 and send-message 5-8; gives the messaging resource of each
    inc.user.call("receive-message 13-14", "POST", add_query(inc.link("accept"), sessionContext=new_id()), [204])
    for page, i, other in (("send-message 6", out, inc), ("receive-message 15", inc, out)):
        at(page)
        u, conv = i.user, i.link("conversation")
        m = u.wait("updated", "messaging", of=conv, state="Connected").resource().is_(negotiatedMessageFormats=["Plain"])
        i.messaging = m.need("self conversation stopMessaging sendMessage setIsTyping typingParticipants")
        u.wait("updated", "conversation", conv, state="Connected")
        u.get(None, u.wait("added", "participant", of=conv, since=0).href, "participant").is_(uri=other.user.uri)
        for rel in ("localParticipant", "participant"): u.wait("added", "participantMessaging", of=conv, into=rel, since=0)
        done = u.completed("messagingInvitation", i.link("self")).is_(state="Connected", operationId=i.data.get("operationId"))
        if i is out: done.one("acceptedByParticipant").is_(uri=other.user.uri)
    c = out.user.get("send-message 7-8", out.link("conversation"), "conversation").need("messaging localParticipant")
    c.is_(state="Connected", activeModalities=["Messaging"], subject="Task Sample")
    return out.messaging, inc.messaging
def text_of(resource, rel):             # concept-payload: always URL encoding; the pages print a space as +, and end a message with %0d%0a
    found = re.fullmatch(r"data:text/plain([^,]*),(.*)", resource.link(rel), re.S)
    resource.check(found and "base64" not in found[1], rel + " as data:text/plain with URL encoding")
    return unquote_plus(found[2]).removesuffix("\r\n")
def received(u, conv, words, since=None):
    at("receive-message 16")
    e = u.wait("completed", "message", of=conv, since=since, test=lambda e: e.resource().data.get("direction") == "Incoming")
    m = e.is_(status="Success").resource().full("timeStamp").need("self participant messaging")
    m.check(text_of(m, "plainMessage") == words, "plainMessage %r" % words)
def say(mine, his, words, statuses=()):     # send-message 9-12: one writes in a messaging, the other reads in another
    url, sent = mine.link("sendMessage"), None
    if statuses:                        # the page has OperationContext, the reference requires operationId
        sent = mine.user.call("send-message 9-10", "POST", add_query(url, OperationContext=new_id()), statuses, words)
    if not sent or sent.status == 400:
        sent = mine.user.call("send-message 9-12", "POST", add_query(url, operationId=new_id()), [201], words)
    mine.user.completed("message", sent.location()).is_(direction="Outgoing")
    received(his.user, his.link("conversation"), words)
def stop(mine, his):
    mine.user.call("send-message 13-14", "POST", mine.link("stopMessaging"), [204])
    for m in (mine, his): m.user.ended(m.link("conversation"))
def message_pages(one, two):
    mine, his = accept(*invite(one, two))
    say(mine, his, "What's up?", (201, 400))
    for words in WORDS:
        for x, y in ((mine, his), (his, mine)): say(x, y, words)
    one.call("send-message typing, from the reference", "POST", mine.link("setIsTyping"), [204])
    two.wait("added", "participant", of=his.link("conversation"), into="typingParticipants")
    stop(mine, his)
    ok("send-message")
    one.me("receive-message")           # now the other way round: user 1 is the one of the page
    one.get("receive-message 4-5", one.app.one("people").link("myContacts"), "myContacts")
    out, inc = invite(two, one, "Hi+Tosh")
    if inc.has("message"): inc.check(text_of(inc, "message") == "Hi Tosh", "message Hi Tosh")       # only if the sender gave a text
    his, mine = accept(out, inc)
    if inc.has("message"): received(one, mine.link("conversation"), "Hi Tosh", since=0)
    say(his, mine, "Hi Tosh")
    say(mine, his, "Hi Lene")
    stop(mine, his)
    for what in ("decline", "cancel"):
        out, inc = invite(two, one)
        who, body = (inc, {"reason": "Local"}) if what == "decline" else (out, None)
        who.user.call("receive-message %s, from the reference" % what, "POST", who.link(what), [204], body)
        for i in (out, inc): i.user.completed("messagingInvitation", i.link("self"), success=False)
    ok("receive-message")

def schedule_pages(u, other):
    def with_etag(*request, **more):
        m = u.call(*request, **more).is_(rel="myOnlineMeeting").full("etag expirationTime").need("self")
        return m.check(m.headers.get("ETag") == '"%s"' % m.data["etag"], "an ETag header like the etag, not %s" % m.headers.get("ETag"))
    body = {"attendanceAnnouncementsStatus": "Disabled", "description": "hey guys let's do a musical!", "subject": "holiday party",
            "attendees": [other.uri, "sip:Alex@contoso.com"], "leaders": []}
    url = u.app.one("onlineMeetings").link("myOnlineMeetings")
    m = with_etag("schedule-meeting 1-2", "POST", url, [200, 201], body).full("onlineMeetingId joinUrl accessLevel")        # 201: reference
    m.is_(organizerUri=u.uri, **{k: body[k] for k in ("description", "subject", "attendees", "leaders")})
    m.is_(onlineMeetingUri="%s;gruu;opaque=app:conf:focus:id:%s" % (u.uri, m.data["onlineMeetingId"]))
    secret = [k for k, v in m.data.items() if re.match("please pass (this|me) in a PUT request", str(v))]
    url = m.check(secret, "a property 'please pass this in a PUT request'").ok("schedule-meeting").link("self")
    m = with_etag("update-meeting 1, GET first as concept-payload says", "GET", url, [200])
    old, seconds = m.data["etag"], int(re.search(r"\d+", m.data["expirationTime"])[0]) // 1000
    for when in (m.data["expirationTime"], time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))):  # as served; as the page has it
        new = dict(m.data, subject="Details " + when, description="Weekly meeting", expirationTime=when, attendanceAnnouncementsStatus="Disabled")
        was, m = m, with_etag("update-meeting 1-2", "PUT", url, [200], new, If_Match='"%s"' % m.data["etag"])
        m.is_(**{k: new[k] for k in ("subject", "description", "onlineMeetingId", "onlineMeetingUri", "joinUrl", "attendees", "organizerUri")})
        m.check(m.data["etag"] != was.data["etag"] and "/Date(%d" % seconds in m.data["expirationTime"], "a new etag, the same expirationTime")
    u.call("update-meeting 2, old etag", "PUT", url, [412], m.data, If_Match='"%s"' % old).error("PreconditionFailed")
    u.call("update-meeting 2, no If-Match", "PUT", url, [428], m.data).error("PreconditionRequired")
    less = {k: v for k, v in m.data.items() if k not in secret}
    u.call("update-meeting 2, a property left out", "PUT", url, [400], less, If_Match='"%s"' % m.data["etag"]).error("BadRequest")
    u.call("update-meeting DELETE", "DELETE", url, [204])
    u.call("update-meeting GET after DELETE", "GET", url, [404]).error("NotFound").ok("update-meeting")

def batch_page(u, _):
    mark, body, wanted = new_id(), "", {"myContacts": u.app.one("people").link("myContacts"), "me": u.app.one("me").link("self")}
    for host, path in [url.split("/", 3)[2:] for url in wanted.values()]:
        body += "--%s\r\nContent-Type: application/http; msgtype=request\r\n\r\n" % mark
        body += "GET /%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n\r\n" % (path, host)
    a = u.call("batch 1", "POST", u.app.link("batch"), [200], body + "--%s--\r\n" % mark,
               Accept="multipart/batching", Content_Type="multipart/batching;boundary=" + mark)
    kind = a.headers.get("Content-Type", "")
    parts = email.message_from_bytes(b"Content-Type: %s\r\n\r\n%s" % (kind.encode(), a.body)).get_payload()
    a.check(kind.startswith("multipart/batching") and len(parts) == 2 and isinstance(parts, list), "multipart/batching of two parts, not " + kind)
    for (rel, url), part in zip(wanted.items(), parts):     # concept-batch: the answers have the order of the requests
        head, _, body = part.get_payload(decode=True).partition(b"\r\n\r\n")
        a.check(re.match("application/http; ?msgtype=response", part["Content-Type"] or "") and head[:12] == b"HTTP/1.1 200", "200 in both parts")
        data = json.loads(body[body.find(b"{"):])           # the page prints a ? (byte order mark) before the {
        Resource(u, data, a.base, "GET %s in a batch" % url).is_(rel=rel).need("self")
    ok("batch")

def meeting(one, two):                  # from the reference and concept-operation: start, join, roster, a message each way, leave
    def enter(u, rel, what):
        body = dict(what, importance="Normal", operationId=new_id())
        here = u.call("meeting " + rel, "POST", u.app.one("communication").link(rel), [201], body).location()
        conv = u.completed("onlineMeetingInvitation", here).is_(operationId=body["operationId"]).link("conversation")
        return u.wait("added updated", "conversation", conv, state="Conferenced").href
    def messaging(u, conv):
        m = u.get("meeting messaging of " + u.uri, conv, "conversation").one("messaging")
        if not m.has("sendMessage"):
            u.completed("messagingInvitation", u.call(None, "POST", m.link("addMessaging"), [201], {"operationId": new_id()}).location())
            m = u.wait("updated", "messaging", of=conv, state="Connected").resource()
        return m.need("sendMessage conversation")
    c1 = enter(one, "startOnlineMeeting", {"subject": "Meet now"})
    found = one.get(None, c1, "conversation").one("onlineMeeting").full("onlineMeetingUri")
    c2 = enter(two, "joinOnlineMeeting", {"onlineMeetingUri": found.data["onlineMeetingUri"]})
    seats = [u.wait("added", "participant", of=c, since=0, test=lambda e: same(e.resource().data.get("uri"), other.uri))     # nobody types here
             for u, c, other in ((one, c1, two), (two, c2, one))]
    mine, his = messaging(one, c1), messaging(two, c2)
    say(mine, his, WORDS[0])
    say(his, mine, WORDS[2])
    two.call("meeting DELETE conversation", "DELETE", c2, [204])
    two.ended(c2)
    one.wait("deleted", "participant", seats[0].href, of=c1)
    one.call("meeting DELETE conversation", "DELETE", c1, [204])
    one.ended(c1)
    ok("meeting")

def walk(one, two):
    created = one.create({"UserAgent": "UCWA Samples", "EndpointId": new_id(), "Culture": "en-US"})     # names as on the page
    two.create({"userAgent": "UCWA Samples", "endpointId": new_id(), "culture": "en-US"})               # as in the reference
    ok("create-application")
    threading.Thread(target=one.loop, args=(one.app.link("events"),), daemon=True).start()
    event_page(two)
    me_pages(one, created)
    subscription_pages(one, two, *contact_pages(one, two))
    for pages in (schedule_pages, batch_page, message_pages, meeting): pages(one, two)
    for u in (one, two):                # concept-dashboard-application, then the end of event-channel
        u.closed = True
        u.resync("too low", u.first)
        u.delete().want(204)
        u.call("event-channel Special responses, not found", "GET", u.app.link("events"), [404]).error("NotFound", "ApplicationNotFound")
        u.app = None
    ok("event-channel")

if __name__ == "__main__":
    USERS += [User(os.environ["USER" + n], os.environ["PASSWORD" + n]) for n in "12"]
    try:
        walk(*USERS)
    except Exception as e:              # not a Disagreement: an answer of a shape that no page has
        sys.exit(str(e) if isinstance(e, Disagreement) else "page %s: an answer this client cannot read: %r" % (HERE[0], e))
    finally:
        for u in [u for u in USERS if u.app]:
            with suppress(Exception): u.delete()
