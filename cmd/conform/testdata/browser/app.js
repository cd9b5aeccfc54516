"use strict";

// A browser application of UCWA: it has an origin of its own, and so speaks through the servers' cross-domain frames.

const frames = new Map(); // by origin

// frameAt loads a frame, and returns what asks it: a function from a message to its answer.
async function frameAt(url) {
  const {origin} = new URL(url);
  const iframe = document.createElement("iframe");
  iframe.hidden = true;
  iframe.src = url;
  document.body.append(iframe);
  await new Promise(loaded => { iframe.onload = loaded; });

  const waiting = new Map();
  let last = 0;
  addEventListener("message", event => {
    if (event.source !== iframe.contentWindow || event.origin !== origin) {
      return;
    }
    const answer = JSON.parse(event.data);
    const resolve = waiting.get(answer.messageId);
    waiting.delete(answer.messageId);
    resolve?.(answer);
  });
  const ask = message => new Promise(resolve => {
    const messageId = ++last;
    waiting.set(messageId, resolve);
    iframe.contentWindow.postMessage(JSON.stringify({...message, messageId}), origin);
  });
  ask.window = iframe.contentWindow;
  const itself = await ask({type: "GET", url, headers: {Accept: "text/html"}, cache: false});
  if (itself.statusText !== "success" && itself.status !== 403) {
    throw new Error(`the frame ${url} does not answer: ${itself.status} ${itself.statusText}`);
  }
  frames.set(origin, ask);
  return ask;
}

// field returns the values of a header field, from an answer's lines.
function field(answer, name) {
  return answer.headers.split("\r\n")
    .filter(line => line.toLowerCase().startsWith(name + ":"))
    .map(line => line.slice(name.length + 1).trim());
}

class Session {
  tokens = new Map(); // by origin

  constructor(user, password) {
    this.user = user;
    this.password = password;
  }

  // ask sends a request through the frame of its host, and expects one of the statuses.
  async ask(type, url, expected, body) {
    const {origin} = new URL(url);
    const ask = frames.get(origin) ?? await frameAt(origin + "/Autodiscover/XFrame/XFrame.html");
    const message = {type, url, headers: {Accept: "application/json"}};
    if (this.tokens.has(origin)) {
      message.headers.Authorization = "Bearer " + this.tokens.get(origin);
    }
    if (body instanceof URLSearchParams) {
      message.headers["Content-Type"] = "application/x-www-form-urlencoded";
      message.data = body.toString();
    } else if (body) {
      message.headers["Content-Type"] = "application/json";
      message.data = JSON.stringify(body);
    }
    const answer = await ask(message);
    if (!expected.includes(answer.status)) {
      throw new Error(`${type} ${url}: ${answer.status} ${answer.statusText} ${answer.headers} ${answer.responseText}`);
    }
    if (answer.status === 204 && answer.statusText !== "success") {
      throw new Error(`${type} ${url}: 204 is called ${answer.statusText}`);
    }
    const resource = answer.status === 200 || answer.status === 201 ? JSON.parse(answer.responseText) : {};
    const link = (rel, of = resource) => new URL(of._links[rel].href, url).href;
    return {answer, resource, link};
  }

  // signedIn signs in at the host of a resource, and then asks for it.
  async signedIn(type, url, expected, body) {
    const challenge = await this.ask("GET", url, [401]);
    const [, href] = /MsRtcOAuth href="([^"]*)"/i.exec(field(challenge.answer, "www-authenticate").join(", "));
    const form = new URLSearchParams({grant_type: "password", username: this.user, password: this.password});
    const {resource} = await this.ask("POST", href, [200], form);
    this.tokens.set(new URL(url).origin, resource.access_token);
    return this.ask(type, url, expected, body);
  }
}

// setPresence goes from Autodiscover to the presence, and returns what the event channel told.
async function setPresence(domain, user, password, availability) {
  const session = new Session(user, password);
  await frameAt(`https://lyncdiscover.${domain}/xframe`);
  const root = await session.ask("GET", `https://lyncdiscover.${domain}/`, [200]);
  const me = await session.signedIn("GET", root.link("user"), [200]);
  const created = await session.signedIn("POST", me.link("applications"), [201],
    {userAgent: "Browser sample", endpointId: "3fa85f64-5717-4562-b3fc-2c963f66afa6", culture: "en-US"});
  let application = await session.ask("GET", created.link("self"), [200]);
  await session.ask("POST", application.link("makeMeAvailable", application.resource._embedded.me), [204], {SupportedModalities: ["Messaging"]});

  application = await session.ask("GET", created.link("self"), [200]);
  let events = session.ask("GET", application.link("events"), [200]);
  const told = [];
  const tells = async news => { // the link to what comes after it
    for (;;) {
      const {resource, link} = await events;
      for (const sender of resource.sender) {
        told.push(...sender.events.map(e => `${sender.rel}: ${e.link.rel} ${e.type}`));
      }
      if (told.includes(news)) {
        return link("next");
      }
      events = session.ask("GET", link("next"), [200]);
    }
  };
  events = session.ask("GET", await tells("me: presence added"), [200]);
  await session.ask("POST", application.link("presence", application.resource._embedded.me), [204], {availability});
  await tells("me: presence updated");
  const presence = await session.ask("GET", application.link("presence", application.resource._embedded.me), [200]);
  told.push("availability: " + presence.resource.availability);
  await session.ask("DELETE", application.link("self"), [204]);
  return told;
}
