// A UCWA client in Node, without packages, with one mistake: it does not follow the links
// of the application but builds their paths, as old documentation has them.

const env = process.env;
const agent = { Accept: "application/json", "User-Agent": "NodeBoard/1.0" };

async function send(method, url, { token, body, type = "application/json" } = {}) {
  const headers = { ...agent };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = type;
  return fetch(url, { method, headers, body });
}

async function signIn(url) {
  const refused = await send("GET", url);
  const [, href] = /MsRtcOAuth href="?([^",]+)/.exec(refused.headers.get("www-authenticate"));
  const form = new URLSearchParams({ grant_type: "password", username: env.CONFORM_USERNAME, password: env.CONFORM_PASSWORD });
  const answer = await send("POST", new URL(href, url), { body: form.toString(), type: "application/x-www-form-urlencoded" });
  return (await answer.json()).access_token;
}

const start = env.CONFORM_AUTODISCOVER_URL;
const root = await (await send("GET", start)).json();
const userURL = new URL(root._links.user.href, start);
const user = await (await send("GET", userURL, { token: await signIn(userURL) })).json();
const applications = new URL(user._links.applications.href, userURL);
const token = await signIn(applications);
const json = (value) => ({ token, body: JSON.stringify(value) });
const created = await (await send("POST", applications, json({ userAgent: "NodeBoard", endpointId: crypto.randomUUID(), culture: "en-US" }))).json();
const self = new URL(created._links.self.href, applications).href;
await send("POST", `${self}/communication/makeMeAvailable`, json({ supportedModalities: ["Messaging"] })); // the mistake
await send("POST", `${self}/me/makeMeAvailable`, json({ supportedModalities: ["Messaging"] }));
await send("GET", self, { token });
await send("POST", `${self}/me/presence`, json({ availability: "Busy" }));
await send("DELETE", self, { token });
console.log("done");
