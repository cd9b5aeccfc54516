// A UCWA 2.0 client that walks through Microsoft's task pages with two users, in XML.
// Written from the pages alone. Environment: ROOT, CACERT, USER1, PASSWORD1, USER2, PASSWORD2.
import http from 'node:http'
import https from 'node:https'
import fs from 'node:fs'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
const XML = 'application/vnd.microsoft.com.ucwa+xml' // concept-payload
const FORM = 'application/x-www-form-urlencoded;charset=UTF-8' // concept-authentication
const NS = 'http://schemas.microsoft.com/rtc/2012/03/ucwa' // event-channel, the XML sample
const { env } = process, at = { page: '', step: '', request: '' }, step = text => { at.step = text } // where we are
class Disagreement extends Error {
  constructor(expected, thing, where = at) { // thing: an answer, or a resource or event in one
    const { request = where.request, status = '', text = '' } = thing?.res ?? thing ?? {}
    super(`${where.page}, step ${where.step}: ${request}: expected ${expected}; came ${status} ${String(text).slice(0, 500)}`)
  }
}
function check(ok, expected, thing) { if (!ok) throw new Disagreement(expected, thing) }
// --- XML: a reader, a writer, and the resources in it (concept-payload)
const ENTITY = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const unescape = text => text.replace(/&(?:#x([0-9a-f]+);|#(\d+);|(\w+);|)/gi, (all, hex, decimal, name) => {
  if (!hex && !decimal && !ENTITY[name]) throw new Error(`a bad reference ${all}`)
  return ENTITY[name] ?? String.fromCodePoint(parseInt(hex ?? decimal, hex ? 16 : 10))
})
const escape = text => String(text).replace(/[&<>"\r\n\t]/g, c => `&#${c.charCodeAt(0)};`)
function parseXml(text) { // elements with tag, name (without prefix), attrs, children and text
  const src = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n'), top = { children: [], text: '' }, open = [top]
  const token = /<(?:!--[^]*?--|\?[^]*?\?)>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=/>]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
  for (let pos = 0; pos < src.length; pos = token.lastIndex) {
    const [, end, tag, attrs, empty, chars] = token.exec(src) ?? []
    if (token.lastIndex === 0) throw new Error(`no XML: ${src.slice(pos, pos + 40)}`)
    if (chars) open.at(-1).text += unescape(chars)
    if (end && open.pop().tag !== end) throw new Error(`a stray </${end}>`); if (!tag) continue
    const el = { tag, name: tag.replace(/^.*:/, ''), attrs: {}, children: [], text: '' }
    for (const [, k, a, b] of attrs.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) el.attrs[k] = unescape(a ?? b)
    open.at(-1).children.push(el); if (!empty) open.push(el)
  }
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim()) throw new Error('not one root element, closed')
  return top.children[0]
}
const toXml = ({ tag, attrs, children, text }) => `<${tag}${Object.entries(attrs).map(([k, v]) => ` ${k}="${escape(v)}"`).join('')}>` +
  `${children.length ? children.map(toXml).join('') : escape(text)}</${tag}>`
const element = (tag, attrs, text, children = []) => ({ tag, attrs, text, children })
const property = ([name, value]) => Array.isArray(value)
  ? element('propertyList', { name }, '', value.map(v => element('item', {}, v))) : element('property', { name }, value)
// The body of a POST, in the resource format of concept-payload, with rel and href of the target.
const inputXml = (rel, href, props, links = []) => '<?xml version="1.0" encoding="utf-8"?>' + toXml(element('resource',
  { xmlns: NS, rel, href }, '', [...links.map(attrs => element('link', attrs, '')), ...Object.entries(props).map(property)]))
const child = (el, name) => el.children.find(c => c.name === name)
const absolute = (href, base) => /^data:/i.test(href) ? href : new URL(href, base).href
class Resource {
  constructor(el, res) {
    check(el.attrs.rel && el.attrs.href, 'rel and href of a resource', res)
    Object.assign(this, { el, res, rel: el.attrs.rel, href: absolute(el.attrs.href, res.url), props: {}, lists: {}, related: [] })
    for (const c of el.children) {
      if (c.name === 'property') this.props[c.attrs.name] = c.text
      if (c.name === 'propertyList') this.lists[c.attrs.name] = c.children.map(item => item.text)
      if (c.name === 'link') this.related.push({ rel: c.attrs.rel, href: absolute(c.attrs.href, res.url) })
      if (c.name === 'resource') this.related.unshift(new Resource(c, res))
    }
  }
  all(rel) { return this.related.filter(x => x.rel === rel) } // embedded or linked, one or many; embedded first
  one(rel) { return this.all(rel)[0] }
  need(rel) { check(this.one(rel), `a link or an embedded resource ${rel} in ${this.rel}`, this); return this.one(rel) }
}
const plainUrl = href => { const u = new URL(href); return decodeURIComponent(u.host + u.pathname + u.search).toLowerCase() }
const same = (a, b) => plainUrl(a) === plainUrl(b) // the samples write one URL in several cases
const sameSip = (a, b) => (a ?? '').toLowerCase() === b.toLowerCase()
const checkDate = (res, name) => // concept-payload: ISO 8601 in XML
  check(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.test(res.props[name] ?? ''), `${name} in ISO 8601`, res)
const withQuery = (href, query) => // concept-query: what the server put there stays as it is
  query ? absolute(`${new URL(href).search ? `${new URL(href).search}&` : '?'}${new URLSearchParams(query)}`, href) : href
// --- HTTP, and what is in the answers
const agents = [http, https].map(m => new m.Agent({ keepAlive: true, ca: env.CACERT && fs.readFileSync(env.CACERT) }))
async function send(method, url, headers, body) {
  const data = body === undefined ? undefined : Buffer.from(body), request = `${method} ${url}`, tls = url.startsWith('https:') ? 1 : 0
  const length = data || method === 'POST' ? { 'Content-Length': data?.length ?? 0 } : {}
  try {
    const req = [http, https][tls].request(url, { method, agent: agents[tls], headers: { 'User-Agent': 'tasks.mjs', ...headers, ...length } })
    const [res] = await once(req.end(data), 'response'), raw = Buffer.concat(await res.toArray())
    return { request, url, status: res.statusCode, headers: res.headers, raw, text: raw.toString() }
  } catch (err) { throw new Disagreement('an answer', { request, text: err.message }) }
}
function readXml(res) {
  check(/^application\/(vnd\.microsoft\.com\.ucwa\+)?xml\b/i.test(res.headers['content-type']), `XML, not "${res.headers['content-type']}"`, res)
  try { return res.root = parseXml(res.text) } catch (err) { throw new Disagreement(`well-formed XML (${err.message})`, res) }
}
function checkReason(res, subcode) { // concept-errors: only the code is required
  const { name, children } = readXml(res), text = what => children.find(c => c.name === what)?.text
  check(name === 'reason' && text('code') && (!subcode || text('subcode') === subcode), `a reason with a code, and subcode ${subcode ?? 'or none'}`, res)
}
function readEvent(e, sender, res) { // event-channel, "Processing events"; for "in" and "status" the pages show JSON only
  const from = { ...res, text: toXml(e) }, { rel, href } = e.attrs, inner = child(e, 'resource'), reason = child(e, 'reason')
  check(rel && href, 'rel and href of an event', from)
  return { type: e.name, rel, href: absolute(href, res.url), res: from, sender: sender.rel, senderHref: absolute(sender.href, res.url),
    in: child(e, 'in')?.attrs.rel, status: e.attrs.status ?? child(e, 'status')?.text, code: reason && child(reason, 'code')?.text,
    resource: inner && new Resource(inner, from) }
}
function readEvents(res) {
  check(readXml(res).name === 'events', 'an element events', res)
  const set = { res, events: [] }, types = ['added', 'updated', 'deleted', 'started', 'completed']
  for (const { name, attrs, children } of res.root.children) {
    if (name === 'link') set[attrs.rel] = absolute(attrs.href, res.url)
    if (name === 'sender') set.events.push(...children.filter(c => types.includes(c.name)).map(c => readEvent(c, attrs, res)))
  }
  return set
}
const senderOf = rel => /^(me|presence|note|location)$/.test(rel) ? 'me' : /^(communication|conversation|\w+Invitation)$/.test(rel)
  ? 'communication' : /^(contact\w*|presenceSubscription)$/.test(rel) ? 'people' : 'conversation' // as in the samples and the reference
// --- A user with an application and its event loop
class User {
  events = []; sleepers = []; heard = new Set()
  constructor(sip = '', password) { Object.assign(this, { sip, password, name: sip.replace(/^sip:/i, '') }) }
  // Send a request; the answer must have the status (or one of those) expected, and its body be XML.
  async ask(method, target, expect, { body, type = XML, accept = XML, headers, query, links, rel, raw, subcode } = {}) {
    const url = withQuery(target.href ?? target, query), u = new URL(url), contentType = body === undefined ? {} : { 'Content-Type': type }
    at.request = `${method} ${url}`
    if (typeof body === 'object') body = inputXml(target.rel, u.pathname + u.search, body, links)
    const res = await send(method, url, { Accept: accept, Authorization: `Bearer ${this.token}`, ...contentType, ...headers }, body)
    check([expect].flat().includes(res.status), [expect].flat().join(' or '), res)
    this.cookie = res.headers['set-cookie']?.find(c => c.startsWith('cwt_ucwa=')) ?? this.cookie // get-photo
    if (raw || (!res.raw.length && !rel) || res.status === 401) return res
    if (res.status >= 400) checkReason(res, subcode)
    else if (readXml(res).name === 'resource') res.resource = new Resource(res.root, res)
    check(!rel || res.resource?.rel === rel, `a resource ${rel}`, res); return res
  }
  async create(target, options) { // a POST that creates something: 201 and its URL, absolute
    const res = await this.ask('POST', target, 201, options), { location } = res.headers; check(location, 'Location', res)
    return absolute(location, res.url)
  }
  async get(target, rel) { // a related resource: as embedded, or else by its link
    const res = target instanceof Resource ? { resource: target } : await this.ask('GET', target, 200, { rel })
    check(res.resource, 'a resource', res); return res.resource
  }
  async dashboard(rel) { return this.get(this.app.need(rel), rel) }
  async link(dashboard, rel) { return (await this.dashboard(dashboard)).need(rel) }
  // event-channel: follow next, resume (then tell the parameters again) or resync; the next GET before the work.
  poll(url) {
    Object.assign(this, { pollUrl: url, pending: send('GET', url, { Accept: XML, Authorization: `Bearer ${this.token}` }) })
    this.pending.catch(() => {}) // it is awaited later
  }
  listen() {
    this.firstPoll = this.app.need('events').href
    check(new URL(this.firstPoll).searchParams.get('ack'), 'ack in the link events', this.app)
    this.poll(withQuery(this.firstPoll, { timeout: 300 })); this.loop().catch(err => { this.error = err }).finally(() => this.wake())
  }
  async loop() {
    for (let res; res = await this.pending, !this.leaving; this.wake()) {
      if (res.status !== 200) throw new Disagreement('200', res, { page: 'event-channel', step: 'the event loop' })
      const set = readEvents(res), next = set.next ?? (set.resume && withQuery(set.resume, { timeout: 300 })) ?? set.resync
      check(next, 'a link next, resume or resync', res); this.poll(next); this.events.push(...set.events)
    }
  }
  wake() { for (const resolve of this.sleepers.splice(0)) resolve() }
  get mark() { return this.events.length }
  async content(ev) { return ev.resource ?? this.get(ev) } // concept-events: embedded, or to be fetched
  // Wait up to 20 s for an event after mark, of such types and rel, of that conversation, "in" that collection if in any.
  async event(kind, mark, { href, conv, coll, match = () => true, ok } = {}) {
    const limit = Date.now() + 20000, [types, rel] = kind.split(' ')
    const fits = ev => types.split('|').includes(ev.type) && ev.rel === rel && ev.sender === senderOf(rel) && match(ev) &&
      (!href || same(ev.href, href)) && (!conv || same(ev.senderHref, conv)) && (!coll || (ev.in ?? coll) === coll)
    for (let i = mark; ; i++) {
      for (; !this.events[i]; await new Promise(resolve => { this.sleepers.push(resolve); setTimeout(resolve, limit - Date.now() + 1) })) {
        if (this.error) throw this.error; const text = this.events.slice(mark).map(e => `${e.type} ${e.rel} ${e.href}`).join(', ') || 'no event'
        const what = `in 20 s an event "${kind}" ${[href, conv, coll, ok].filter(Boolean).join(', ')}`
        check(Date.now() < limit, what, { request: `events of ${this.sip} after ${at.request}`, text })
      }
      const ev = this.events[i]; if (fits(ev) && (!ok || ev.type === 'deleted' || ok(await this.content(ev)))) return ev
    }
  }
}
const one = new User(env.USER1, env.PASSWORD1), two = new User(env.USER2, env.PASSWORD2)
let me1, me2, contact2, subscription, meeting
// --- create-application
async function autodiscover(url, expect, rels, token) {
  at.request = `GET ${url}`
  const res = await send('GET', url, { Accept: 'application/json', ...(token && { Authorization: `Bearer ${token}` }) })
  const links = /json/.test(res.headers['content-type']) ? JSON.parse(res.text)._links ?? {} : {}
  for (const rel of Object.keys(links)) links[rel] = absolute(links[rel].href, url)
  check(links.redirect || (res.status === expect && rels.every(rel => links[rel])), `${expect} ${rels}`, res)
  return { ...res, ...links }
}
async function getToken(u, challenged) { // steps 4-6, and concept-authentication
  const text = challenged.headers['www-authenticate'] ?? ''
  const [, href, grants] = /MsRtcOAuth\s+href="?([^",\s]+)"?\s*,\s*grant_type="([^"]*)"/i.exec(text) ?? []
  check(grants?.split(',').includes('password'), 'WWW-Authenticate with MsRtcOAuth, href and the grant type password', { ...challenged, text })
  const form = new URLSearchParams({ grant_type: 'password', username: u.name, password: u.password }).toString()
  const res = await send('POST', absolute(href, challenged.url), { Accept: 'application/json', 'Content-Type': FORM }, form)
  const token = res.status === 200 ? JSON.parse(res.text) : {}
  check(token.access_token && /^bearer$/i.test(token.token_type) && token.expires_in > 0, '200, access_token, token_type Bearer, expires_in', res)
  return token.access_token
}
async function findApplications(u, url, hops = 0) { // a link redirect leads to another root (concept-root-url, steps 5-7)
  check(hops < 5 && (url.startsWith('https:') || env.ROOT.startsWith('http:')), 'a safe redirect')
  step('1-2'); const root = await autodiscover(url, 200, ['self', 'user', 'xframe'])
  if (root.redirect) return findApplications(u, root.redirect, hops + 1)
  step('3-4'); const challenge = await autodiscover(root.user, 401, [])
  if (challenge.redirect) return findApplications(u, challenge.redirect, hops + 1)
  step('5-6'); u.token = await getToken(u, challenge); step('7-8'); const user = await autodiscover(root.user, 200, ['applications'], u.token)
  return user.redirect ? findApplications(u, user.redirect, hops + 1) : user.applications
}
async function createApplication(u) {
  const target = { rel: 'applications', href: await findApplications(u, new URL(env.ROOT).href) }
  const body = { UserAgent: 'UCWA Samples', EndpointId: randomUUID(), Culture: 'en-US' }
  step('9-10'); let res = await u.ask('POST', target, [201, 401], { body })
  if (res.status === 401) { u.token = await getToken(u, res); res = await u.ask('POST', target, 201, { body }) } // another host, another token
  const app = u.app = res.resource
  check(app?.rel === 'application' && app.props.userAgent === body.UserAgent && app.props.culture === 'en-US', 'the application as asked for', res)
  for (const rel of ['policies', 'batch', 'people', 'onlineMeetings', 'communication']) app.need(rel)
  const me = await u.dashboard('me'); check(sameSip(me.props.uri, u.sip) && me.need('makeMeAvailable'), `me, ${u.sip}`, me); u.listen()
}
// --- Me, and people
async function available(u) { // steps 1-4 of the pages; makeMeAvailable is once only, then its link is gone
  step('1-2'); const link = (await u.dashboard('me')).one('makeMeAvailable')
  if (link) {
    await u.ask('POST', link, 204, { body: { SupportedModalities: ['Messaging'] } }); step('2, the events of receive-message, step 7')
    for (const kind of ['added presence', 'added note', 'added location', 'updated me']) await u.event(kind, 0)
    await u.event('updated communication', 0, { ok: r => r.lists.supportedModalities?.includes('Messaging') })
  }
  step('3-4'); u.app = (await u.ask('GET', u.app, 200, { rel: 'application' })).resource; return u.dashboard('me')
}
const asMe = walk => async () => { me1 = await available(one); step('5-6'); await walk() }
// POST of a presence, note or location; user 1 hears of it, and gets it: his own, or as seen in a contact.
async function change(u, link, body, ok, seen = link) {
  const { mark } = one, types = seen !== link ? 'updated' : body ? 'updated|added' : 'updated|added|deleted' // a reset note may be deleted
  await u.ask('POST', link, 204, { body })
  const ev = await one.event(`${types} ${seen.rel}`, mark, { href: seen.href, ok })
  const now = ev.type === 'deleted' ? { props: {} } : await one.get(seen.href, seen.rel)
  check(ok(now), `${seen.rel} ${JSON.stringify(body)}, ${ok}`, now); checkDate(now, 'lastActive')
}
const set = (rel, name, value) => change(one, me1.need(rel), { [name]: value }, r => r.props[name] === value)
const watch = (mine, rel, name, value) => change(two, me2.need(mine), { [name]: value }, r => r.props[name] === value, contact2.need(rel))
async function findContact(collection) {
  const contacts = await Promise.all(collection.all('contact').map(c => one.get(c, 'contact')))
  return contacts.find(c => sameSip(c.props.uri, two.sip) && c.props.name && c.need('contactPresence'))
}
async function findGroup() { // the group that user 2 is in
  const groups = await one.get(await one.link('people', 'myGroups'), 'myGroups')
  for (const g of ['pinnedGroup', 'defaultGroup', 'group'].flatMap(rel => groups.all(rel))) {
    const group = await one.get(g), contact = await findContact(await one.get(group.need('groupContacts'), 'groupContacts'))
    if (contact) return { group, contact }
  }
  throw new Disagreement(`a group with ${two.sip}`, groups)
}
const AVAILABILITY = ['Away', 'BeRightBack', 'Busy', 'DoNotDisturb', 'IdleBusy', 'IdleOnline', 'Offline', 'Online']
function checkPresence(res) { check(AVAILABILITY.includes(res.props.availability), 'an availability', res); checkDate(res, 'lastActive') }
async function unsubscribe(sub) { // delete-subscription
  const { mark } = one; step('1-2 of delete-subscription'); await one.ask('DELETE', sub, 204)
  await one.event('deleted presenceSubscription', mark, { href: sub.href })
  await one.event('deleted contact', mark, { href: contact2.href, coll: 'subscribedContacts' })
}
// --- Conversations; an end of one is { u: the user, other, conv, inv, mark }
async function invite(a, b, message) { // send-message, steps 1-4, and receive-message, step 8: a invites b
  const mine = { u: a, mark: a.mark, other: b }, theirs = { u: b, mark: b.mark, other: a }, connecting = r => r.props.state === 'Connecting'
  step('1-2 (send)'); const body = { importance: 'Normal', sessionContext: randomUUID(), subject: 'Task Sample', to: b.sip, operationId: randomUUID() }
  const href = await a.create(await a.link('communication', 'startMessaging'), { body, links: message && [{ rel: 'message', href: message }] })
  step('3-4 (send)'); const out = mine.inv = await a.content(await a.event('started messagingInvitation', mine.mark, { href })), p = out.props
  check(p.direction === 'Outgoing' && connecting(out) && ['subject', 'importance', 'operationId'].every(name => p[name] === body[name]) &&
    out.need('messaging') && out.need('cancel'), 'Outgoing, Connecting, and as sent', out)
  const conv = mine.conv = out.need('conversation').href
  await a.event('added conversation', mine.mark, { href: conv, ok: connecting }); await a.event('added localParticipant', mine.mark, { conv })
  await a.event('updated messaging', mine.mark, { conv, ok: connecting })
  step('8 (receive)'); const ring = await b.event('started messagingInvitation', theirs.mark, { ok: r => r.props.direction === 'Incoming' })
  const inc = theirs.inv = await b.content(ring)
  check(connecting(inc) && ['accept', 'decline', 'messaging', 'to'].every(rel => inc.need(rel)), 'Connecting', inc)
  theirs.from = await b.get(inc.one('from') ?? inc.need('participant')) // in JSON its key is from, and its rel participant
  check(sameSip(theirs.from.props.uri, a.sip), `from ${a.sip}`, theirs.from); theirs.conv = inc.need('conversation').href
  await b.event('added conversation', theirs.mark, { href: theirs.conv, ok: r => r.props.state === 'Incoming' })
  await b.event('added localParticipant', theirs.mark, { conv: theirs.conv }); return [mine, theirs]
}
const accept = ({ u, inv }) => u.ask('POST', inv.need('accept'), 204, { query: { sessionContext: randomUUID() } }) // receive-message, steps 13-14
const joined = ({ u, mark, conv }, { sip }) => u.event('added participant', mark, { conv, ok: r => sameSip(r.props.uri, sip) })
async function connected(end) { // send-message, steps 5-8, and receive-message, step 15; returns the messaging
  const { u, mark, conv, inv, other } = end, isConnected = r => r.props.state === 'Connected'
  await u.event('updated conversation', mark, { href: conv, ok: r => isConnected(r) && r.lists.activeModalities?.includes('Messaging') })
  await joined(end, other); await u.event('added participantMessaging', mark, { conv })
  await u.event('updated messaging', mark, { conv, ok: isConnected })
  const done = await u.event('completed messagingInvitation', mark, { href: inv.href })
  check(done.status === 'Success' && done.resource && isConnected(done.resource), 'status Success, state Connected', done)
  const by = await Promise.all(['acceptedByParticipant', 'participant'].flatMap(rel => done.resource.all(rel)).map(x => u.get(x)))
  check(inv.props.direction === 'Incoming' || by.some(r => sameSip(r.props.uri, other.sip)), `acceptedByParticipant ${other.sip}`, done)
  const conversation = await u.get(conv, 'conversation'), messaging = await u.get(conversation.need('messaging'), 'messaging')
  check(isConnected(conversation), 'Connected', conversation)
  check(messaging.lists.negotiatedMessageFormats?.includes('Plain'), 'negotiatedMessageFormats with Plain', messaging); return messaging
}
function checkText(href, text, thing) { // concept-payload, "Data URI": always URL encoding; the samples write + for a space
  let came; try { came = decodeURIComponent(/^data:text\/plain(?:;charset="?utf-8"?)?,([^]*)$/i.exec(href)[1].replace(/\+/g, ' ')) } catch {}
  check(came === text, `a data URI of ${JSON.stringify(text)}`, thing)
}
async function hear({ u, conv }, mark, text) { // receive-message, step 16: completed; the reference: started
  const match = e => !u.heard.has(e.href), ok = r => r.props.direction === 'Incoming'
  const ev = await u.event('completed|started message', mark, { conv, match, ok }), message = await u.content(ev)
  u.heard.add(ev.href); check(ev.type === 'started' || ev.status === 'Success', 'status Success', ev); checkDate(message, 'timeStamp')
  checkText(message.one('plainMessage')?.href ?? message.props.plainMessage, text, message) // a link; the reference lists a property
}
// send-message, steps 9-12. The page calls the parameter OperationContext, the reference operationId.
async function say({ u, conv }, messaging, to, text, parameter = 'operationId', type = 'text/plain; charset=utf-8') {
  const { mark } = u, toMark = to.u.mark, query = { [parameter]: randomUUID() }
  const done = await u.event('completed message', mark, { href: await u.create(messaging.need('sendMessage'), { body: text, type, query }), conv })
  check(done.status === 'Success' && (await u.content(done)).props.direction === 'Outgoing', 'status Success, Outgoing', done)
  await hear(to, toMark, text)
}
async function typing(from, messaging, { u, conv }) { // of the reference: setIsTyping, typingParticipants
  const { mark } = u; await from.u.ask('POST', messaging.need('setIsTyping'), 204)
  await u.event('added participant', mark, { conv, coll: 'typingParticipants', ok: r => sameSip(r.props.uri, from.u.sip) })
}
async function stop(from, messaging, to) { // send-message, steps 13-14: it "terminates the conversation"
  const ends = [from, to].map(end => ({ ...end, mark: end.u.mark })), ok = r => r.props.state === 'Disconnected'
  await from.u.ask('POST', messaging.need('stopMessaging'), 204)
  for (const { u, mark, conv } of ends) await u.event('deleted|updated conversation', mark, { href: conv, ok })
}
async function failed({ u, mark, inv }) { // event-channel: a failed operation has a reason
  const done = await u.event('completed messagingInvitation', mark, { href: inv.href })
  check(done.status && done.status !== 'Success' && done.code, 'a status other than Success, and a reason with a code', done)
}
async function meet(u, rel, props) { // beyond the pages: start or join a meeting, as concept-operation describes
  const { mark } = u, body = { importance: 'Normal', operationId: randomUUID(), ...props }
  const href = await u.create(await u.link('communication', rel), { body })
  const done = await u.event('completed onlineMeetingInvitation', mark, { href }), inv = await u.content(done), conv = inv.need('conversation').href
  check(done.status === 'Success' && inv.props.operationId === body.operationId, 'status Success, and the operationId', done)
  await u.event('added|updated conversation', mark, { href: conv, ok: r => r.props.state === 'Conferenced' }); return { u, mark, conv }
}
async function addMessaging({ u, conv }) {
  const { mark } = u, messaging = await u.get((await u.get(conv, 'conversation')).need('messaging'), 'messaging')
  if (messaging.one('sendMessage')) return messaging
  await u.create(messaging.need('addMessaging'), { body: { operationId: randomUUID() } })
  return u.content(await u.event('updated messaging', mark, { conv, ok: r => r.one('sendMessage') }))
}
// --- The pages
const NOTE = 'working working working', HARD = 'He said "A & B" + 1 < 2, it\'s 100% \r\nПривет, 你好, ñ, 😀\n#end?'
const pages = {
  'create-application': async () => { await createApplication(one); await createApplication(two) },
  'get-presence': asMe(async () => { checkPresence(await one.get(me1.need('presence').href, 'presence')); me2 = await available(two) }),
  'set-presence': asMe(async () => { for (const a of ['Busy', 'Online']) await set('presence', 'availability', a) }),
  'reset-presence': asMe(async () => {
    await set('presence', 'availability', 'DoNotDisturb')
    await change(one, me1.need('presence'), undefined, r => AVAILABILITY.includes(r.props.availability) && r.props.availability !== 'DoNotDisturb')
  }),
  'set-note': asMe(async () => { for (const text of ['Q&A <"soon"> + Größe', NOTE]) await set('note', 'message', text) }),
  'get-note': asMe(async () => {
    const note = await one.get(me1.need('note').href, 'note')
    check(note.props.message === NOTE && note.props.type === 'Personal', 'the Personal note that was set', note)
  }),
  'reset-note': asMe(async () => change(one, me1.need('note'), undefined, r => !r.props.message)),
  'get-photo': asMe(async () => {
    const { href } = me1.need('photo'), isJpeg = res => check(res.status === 200 && /^image\/jpeg/.test(res.headers['content-type']) &&
      res.raw.toString('hex', 0, 2) === 'ffd8', '200 and a JPEG', { ...res, text: res.headers['content-type'] })
    step('5-6, by token'); isJpeg(await one.ask('GET', href, 200, { accept: '*/*', raw: true }))
    if (one.cookie) { step('5-6, by cookie'); isJpeg(await send('GET', href, { Accept: '*/*', Cookie: one.cookie.split(';')[0] })) }
  }),
  'get-contacts': async () => {
    step('1-2'); const contacts = await one.get(await one.link('people', 'myContacts'), 'myContacts')
    check(contact2 = await findContact(contacts), `the contact ${two.sip}`, contacts)
  },
  'get-contact': async () => {
    step('3-4'); contact2 = await one.get(contact2.href, 'contact')
    for (const rel of ['contactPresence', 'contactNote', 'contactLocation', 'contactPhoto']) contact2.need(rel)
    check(sameSip(contact2.props.uri, two.sip) && contact2.props.name, `${two.sip} with a name`, contact2)
  },
  'get-contact-presence': async () => {
    step('1-3'); const { contact } = await findGroup()
    step('4-5'); checkPresence(await one.get(contact.need('contactPresence'), 'contactPresence'))
  },
  'search-contact': async () => {
    step('1-2'); const { href } = await one.link('people', 'search'), query = { query: two.name, limit: 3 }
    const found = (await one.ask('GET', href, 200, { query, rel: 'search' })).resource
    check(/^(true|false)$/.test(found.props.moreResultsAvailable) && await findContact(found), `moreResultsAvailable, ${two.sip}`, found)
  },
  'subscribe-group': async () => {
    step('1-2'); const link = (await findGroup()).group.need('subscribeToGroupPresence')
    step('3-4'); const sub = (await one.ask('POST', link, 201, { query: { duration: 11 }, rel: 'presenceSubscription' })).resource
    check(sub.props.id && sub.need('memberships'), 'id', sub)
    step('1-3 of the event channel'); await watch('presence', 'contactPresence', 'availability', 'Busy'); await unsubscribe(sub)
  },
  'subscribe-contacts': async () => {
    step('1-2'); const { mark } = one, link = await one.link('people', 'presenceSubscriptions'), body = { duration: 11, Uris: [contact2.props.uri] }
    subscription = (await one.ask('POST', link, 201, { body, rel: 'presenceSubscription' })).resource
    check(subscription.props.id && subscription.need('memberships') && subscription.need('addToPresenceSubscription'), 'id', subscription)
    await one.event('added contact', mark, { href: contact2.href, coll: 'subscribedContacts' })
    await one.event('added presenceSubscription', mark, { href: subscription.href })
    await one.event('updated contactPresence', mark, { href: contact2.need('contactPresence').href })
    step('1-3 of the event channel'); await watch('presence', 'contactPresence', 'availability', 'Away')
    await watch('note', 'contactNote', 'message', 'Lunch & "más"'); await watch('location', 'contactLocation', 'location', 'Zürich <3>')
  },
  'extend-subscription': async () => { // step 1, the updated event, would come minutes later; the reference answers 201
    step('2-3'); const sub = (await one.ask('POST', subscription, [200, 201], { query: { duration: 11 }, rel: 'presenceSubscription' })).resource
    check(sub.props.id === subscription.props.id && same(sub.href, subscription.href), 'the same subscription', sub)
  },
  'delete-subscription': async () => {
    await unsubscribe(subscription)
    step('3 of extend-subscription, when it is gone'); await one.ask('POST', subscription, 404, { query: { duration: 11 } })
  },
  'send-message': async () => {
    const [a, b] = await invite(one, two)
    step('5-8'); await accept(b); const mine = await connected(a), theirs = await connected(b)
    step('9-12'); await say(a, mine, b, "What's up?", 'OperationContext', 'text/plain')
    step('9-12, answers and hard texts'); await say(b, theirs, a, 'Not much'); await say(a, mine, b, HARD); await say(b, theirs, a, HARD)
    step('typing'); await typing(a, mine, b); await typing(b, theirs, a); step('13-14'); await stop(a, mine, b)
  },
  'receive-message': asMe(async () => { // steps 1-3; its step 7 was seen then; 4-5 are get-contacts
    const [a, b] = await invite(two, one, 'data:text/plain;charset=utf-8,Hi+Tosh%0d%0a'), message = b.inv.one('message'), { mark } = one
    step('8'); if (message) checkText(message.href, 'Hi Tosh\r\n', b.inv)
    step('11-12'); const sender = await one.get(b.from.href, 'participant')
    check(sameSip(sender.props.uri, two.sip) && sender.need('conversation'), two.sip, sender)
    step('13-15'); await accept(b); const mine = await connected(b), theirs = await connected(a)
    step('16'); if (message) await hear(b, mark, 'Hi Tosh\r\n'); else await say(a, theirs, b, 'Hi Tosh\r\n')
    step('16, an answer'); await say(b, mine, a, 'Hi Lene'); await stop(b, mine, a); const no = await invite(two, one)
    step('8, decline'); await one.ask('POST', no[1].inv.need('decline'), 204, { body: { reason: 'Local' } }); for (const end of no) await failed(end)
    const off = await invite(two, one)
    step('4 (send), cancel'); await two.ask('POST', off[0].inv.need('cancel'), 204); for (const end of off) await failed(end)
  }),
  'schedule-meeting': async () => {
    const wanted = { attendanceAnnouncementsStatus: 'Disabled', description: "hey guys let's do a musical!", subject: 'holiday party' }
    step('1-2'); const link = await one.link('onlineMeetings', 'myOnlineMeetings'), body = { ...wanted, attendees: [two.sip], leaders: [] }
    const res = await one.ask('POST', link, [200, 201], { body, rel: 'myOnlineMeeting' }), { props: p, lists } = meeting = res.resource
    check(p.subject === body.subject && p.description === body.description && sameSip(p.organizerUri, one.sip) &&
      sameSip(lists.attendees?.join(), two.sip) && !lists.leaders?.length, 'the meeting as sent', res)
    for (const name of ['onlineMeetingId', 'onlineMeetingUri', 'joinUrl', 'etag']) check(p[name], name, res)
    checkDate(meeting, 'expirationTime')
    check(!res.headers.etag || res.headers.etag === `"${p.etag}"`, 'ETag as the property etag', { ...res, text: res.headers.etag })
  },
  'update-meeting': async () => {
    const wanted = { description: 'Weekly meeting', subject: 'Important & <"größer">', attendanceAnnouncementsStatus: 'Disabled' }
    const without = (el, names) => el.children.filter(c => !names.includes(c.attrs.name))
    const edited = ({ el }) => ({ ...el, children: [...without(el, Object.keys(wanted)), ...Object.entries(wanted).map(property)] })
    const put = (expect, el, of) => one.ask('PUT', meeting, expect, { body: toXml(el), headers: of && { 'If-Match': `"${of.props.etag}"` } })
    step('1, a GET first'); const old = await one.get(meeting.href, 'myOnlineMeeting')
    step('1-2'); const now = (await put(200, edited(old), old)).resource, p = now?.props ?? {}
    check(p.subject === wanted.subject && p.description === wanted.description && p.etag && p.etag !== old.props.etag, 'the changes, and a new etag', now)
    step('2, old etag'); await put(412, edited(old), old); step('2, no If-Match (concept-payload)'); await put(428, edited(now))
    const pass = Object.keys(p).find(k => /^please pass (this|me) in a PUT request/.test(p[k]))
    check(pass, 'a property "please pass this in a PUT request"', now)
    step('2, without that property (concept-payload)'); await put(400, { ...now.el, children: without(now.el, [pass]) }, now)
    step('2, the outcome'); const end = await one.get(meeting.href, 'myOnlineMeeting')
    check(end.props.subject === wanted.subject && end.lists.attendees?.length === 1, 'the changed meeting', end)
    step('2, DELETE'); await one.ask('DELETE', meeting, 204); await one.ask('GET', meeting, 404)
  },
  'batch': async () => {
    const boundary = randomUUID(), urls = [await one.link('people', 'myContacts'), one.app.need('me')].map(x => new URL(x.href))
    const parts = urls.map(u => `--${boundary}\r\nContent-Type: application/http; msgtype=request\r\n\r\n` +
      `GET ${u.pathname}${u.search} HTTP/1.1\r\nHost: ${u.host}\r\nAccept: ${XML}\r\n\r\n`)
    step('the example'); const res = await one.ask('POST', one.app.need('batch'), 200, { body: `${parts.join('')}--${boundary}--\r\n`,
      type: `multipart/batching;boundary=${boundary}`, accept: 'multipart/batching', raw: true })
    const m = /^multipart\/batching\s*;\s*boundary="?([^";]+)"?/i.exec(res.headers['content-type'] ?? '')
    const answers = `\n${res.text}`.split(`\n--${m?.[1]}`)
    check(answers.length === 4 && answers[3].startsWith('--'), `multipart/batching of two parts, not ${res.headers['content-type']}`, res)
    const [contacts, me] = answers.slice(1, 3).map((text, i) => { // concept-batch: in the order of the requests
      const [head, inner, ...body] = text.split(/\r?\n\r?\n/), type = /^content-type:\s*(.*)/im.exec(inner)?.[1]
      check(/application\/http\s*;\s*msgtype=response/i.test(head) && /^HTTP\/1\.\d 200/.test(inner), 'msgtype=response, and 200', { ...res, text })
      const answer = { ...res, request: `GET ${urls[i]} in the batch`, headers: { 'content-type': type }, text: body.join('\n\n').trim() }
      return new Resource(readXml(answer), answer)
    })
    check(contacts.rel === 'myContacts' && await findContact(contacts), `myContacts with ${two.sip}`, contacts)
    check(me.rel === 'me' && sameSip(me.props.uri, one.sip), `me, ${one.sip}`, me)
  },
  'meeting': async () => { // leaving is DELETE of the conversation, of the reference
    step('startOnlineMeeting'); const a = await meet(one, 'startOnlineMeeting', { subject: 'Ad hoc' })
    const online = await one.get((await one.get(a.conv, 'conversation')).need('onlineMeeting'), 'onlineMeeting'), { onlineMeetingUri } = online.props
    check(/;\s*gruu;opaque=app:conf:focus:id:/.test(onlineMeetingUri), 'an onlineMeetingUri', online) // concept-root-url
    step('joinOnlineMeeting'); const b = await meet(two, 'joinOnlineMeeting', { onlineMeetingUri })
    step('the roster'); const { href } = await joined(a, two); await joined(b, one)
    step('messages'); const mine = await addMessaging(a), theirs = await addMessaging(b)
    await say(a, mine, b, HARD); await say(b, theirs, a, 'Here I am')
    step('leave'); const { mark } = one; await two.ask('DELETE', b.conv, 204); await two.event('deleted conversation', b.mark, { href: b.conv })
    await one.event('deleted participant', mark, { href, conv: a.conv, match: ev => ev.in !== 'typingParticipants' })
    await one.ask('DELETE', a.conv, 204); await one.event('deleted conversation', mark, { href: a.conv })
  },
  'event-channel': async () => {
    const get = async url => readEvents(await one.ask('GET', url, 200, { raw: true }))
    const updated = s => check((s.next ?? s.resume) && s.events.some(e => e.rel === 'presence'), 'next, and presence updated', s.res)
    step('a replaced GET, with time-out parameters'); await new Promise(resolve => setTimeout(resolve, 1000)) // late events come
    one.leaving = true // the event loop ends
    const second = get(withQuery(one.pollUrl, { medium: 5, low: 10, timeout: 900 })), first = await Promise.race([one.pending, second.then(s => s.res)])
    check(first.status === 409, '409', first); checkReason(first, 'PGetReplaced')
    step('an event after that'); await one.ask('POST', me1.need('presence'), 204, { body: { availability: 'BeRightBack' } }); updated(await second)
    step('a wrong ack'); const wrong = await get(one.firstPoll)
    check(wrong.resync && !wrong.next && !wrong.events.length, 'a single link resync', wrong.res)
    step('resync'); const again = await get(wrong.resync); updated(again) // the first event set that is not acknowledged
    step('after DELETE of the application'); await one.ask('DELETE', one.app, 204); one.app = undefined
    await one.ask('GET', again.next ?? again.resume, 404, { subcode: 'ApplicationNotFound' })
  },
}
// --- The walk. concept-dashboard-application: a client must delete its application at the end.
const told = e => (e instanceof Disagreement ? e.message : `${at.page}, step ${at.step}: ${at.request}: ${e?.stack}`).replace(/\s*\n\s*/g, ' ')
async function end(err) {
  if (at.end) return
  if (err) console.error(told(err))
  Object.assign(at, { end: true, page: 'the end', step: 'DELETE of the application' }); one.leaving = two.leaving = true
  for (const u of [one, two]) if (u.app) await u.ask('DELETE', u.app, 204).catch(e => { if (!err) console.error(told(err = e)) })
  process.exit(err ? 1 : 0)
}
setTimeout(() => end(new Disagreement('the end, within 50 s')), 50000); setTimeout(() => process.exit(1), 57000)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(new Error(signal)))
try {
  for (at.page of Object.keys(pages)) {
    await pages[at.page](); for (const u of [one, two]) if (u.error) throw u.error
    console.log(`ok ${at.page}`)
  }
  await end()
} catch (err) { await end(err) }
